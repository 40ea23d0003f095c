"""The words in the editors' files are those of the language, and every word of the language is there."""

from __future__ import annotations

import json

import pytest

from striate.editor import vocabulary
from striate.editor.grammars import END, files, with_words
from striate.ops.registry import BUILTIN
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED

WORDS = sorted({*RESERVED, *DEFINITION_WORDS, *STATEMENT_WORDS, "where"})


def test_the_files_are_up_to_date(editors):
    old = [path.name for path, text in files(editors).items() if path.read_text(encoding="utf-8") != text]
    assert not old, "run `python -m striate.editor.grammars`"


def test_every_reserved_word_has_its_group():
    groups = (
        vocabulary.CONSTANTS,
        vocabulary.LOGICAL,
        vocabulary.CONTROL,
        (vocabulary.CURRENT, vocabulary.NAMING),
    )
    assert sorted(word for group in groups for word in group) == sorted(RESERVED)
    assert {*vocabulary.BRINGING_IN, *vocabulary.DEFINING, *vocabulary.SECTIONS} == set(DEFINITION_WORDS)


@pytest.mark.parametrize("name", ["vscode/syntaxes/cnn.tmLanguage.json", "vim/syntax/cnn.vim"])
@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_grammar_stands_in_the_highlighter(editors, name, word):
    text = (editors / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(('"comment"', '" '))]
    assert any(word in cut(line) for line in lines)


def cut(line: str) -> set[str]:
    """The words of a line of a highlighter: whatever lies between signs, without the escapes around it."""
    for mark in ("\\b", "\\s", "\\|", "\\<", "\\>", "\\%"):
        line = line.replace(mark, " ")
    return set("".join(each if each.isalnum() or each == "_" else " " for each in line).split())


def test_no_layer_is_a_word_of_the_highlighters(editors):
    """Plugins bring layers too, and theirs must look like the built-in ones.

    A word may be a choice of some argument or a function of the language as well, such as `gelu(form = tanh)`.
    """
    rules = json.loads((editors / "vscode/syntaxes/cnn.tmLanguage.json").read_text(encoding="utf-8"))["repository"]
    written = cut(json.dumps(list(_patterns(rules))))
    # `where` stands behind the sizes of an input too, where no layer can.
    assert not written & set(BUILTIN) - {*vocabulary.CHOICES, *vocabulary.FUNCTIONS, "where"}


def _patterns(rules):
    """The regular expressions of a grammar, without the names that it gives to what they match."""
    if isinstance(rules, dict):
        for key, value in rules.items():
            if key in ("match", "begin", "end", "while"):
                yield value
            else:
                yield from _patterns(value)
    elif isinstance(rules, list):
        for value in rules:
            yield from _patterns(value)


def test_a_vim_file_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="no part between"):
        with_words("syntax keyword cnnIf if\n" + END)
