"""Writes the words of the language into the files of `dsl/editors`: `python -m striate.editor.grammars [FOLDER]`.

VS Code's grammars are made whole; the Vim file is written by hand around a part with the words. A test says when a file
is out of date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from striate.editor import textmate, vocabulary
from striate_dsl.lexer import RESERVED

BEGIN = '" The words of the language, made by `python -m striate.editor.grammars`:\n'
END = '" End of the words.\n'
_VIM_LISTS = {
    "bringing_in": vocabulary.BRINGING_IN,
    "choices": vocabulary.CHOICES,
    "conditions": ("else", "if"),
    "constants": vocabulary.CONSTANTS,
    "defining": vocabulary.DEFINING,
    "functions": vocabulary.FUNCTIONS,
    "logical": vocabulary.LOGICAL,
    "loops": ("for", "repeat"),
    "paddings": vocabulary.PADDINGS,
    "reserved": tuple(RESERVED),
    "sections": vocabulary.SECTIONS,
    "totals": vocabulary.TOTALS,
}
"""The lists of the Vim file; what it says about single words stands in it by hand."""


def files(folder: Path) -> dict[Path, str]:
    """Return the files below `dsl/editors` that hold words, with the text that each should have.

    Raises:
        ValueError: the Vim file has lost the marks around its words.
    """
    vim = folder / "vim" / "syntax" / "cnn.vim"
    syntaxes = folder / "vscode" / "syntaxes"
    return {
        syntaxes / "cnn.tmLanguage.json": _json(textmate.grammar()),
        syntaxes / "cnn.markdown.tmLanguage.json": _json(textmate.markdown()),
        vim: with_words(vim.read_text(encoding="utf-8")),
    }


def with_words(text: str) -> str:
    """Return the text of the Vim file with the present words between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the Vim file has no part between {BEGIN!r} and {END!r}")
    lines = (
        f"let s:{name} = '{vocabulary.any_of(words).replace('|', chr(92) + '|')}'\n"
        for name, words in _VIM_LISTS.items()
    )
    return before + begin + "".join(lines) + end + after


def _json(grammar: textmate.Rule) -> str:
    return json.dumps(grammar, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the files below the folder that is named, `dsl/editors` by default."""
    for path, text in files(Path(sys.argv[1] if len(sys.argv) > 1 else "dsl/editors")).items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
