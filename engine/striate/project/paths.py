"""What the text of a `use "…"` statement names: a path relative to the using file, inside the project."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Edit, Fix
from striate_dsl.syntax import Text

SUFFIX = ".cnn"


def target_path(written: Text, using: PurePosixPath) -> PurePosixPath:
    """Return the path of a used file on its shelf.

    Args:
        written: the path as written.
        using: the path of the using file on the same shelf.

    Raises:
        DiagnosticError: E0326, the path is absolute or leaves the shelf; E0327, it can name no `.cnn` file.
    """
    text = written.value
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive or text.startswith("\\"):
        raise _refusal("E0326", written, "is an absolute path", _relative(text))
    if "\\" in text:
        plain = text.replace("\\", "/")
        raise _refusal("E0327", written, "has a backslash", f'write use "{plain}"', plain)
    if not text.endswith(SUFFIX) or PurePosixPath(text).name == SUFFIX or not text.isprintable():
        whole = f"{text}{SUFFIX}" if text.strip("./") and text.isprintable() else None
        raise _refusal(
            "E0327", written, "names no .cnn file", f'write use "{whole}"' if whole else "name a .cnn file", whole
        )
    parts = list(using.parent.parts)
    for part in PurePosixPath(text).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise _refusal("E0326", written, "leaves the project", "keep the files that it needs in the project")
    return PurePosixPath(*parts)


def _relative(text: str) -> str:
    return f'name the file relative to this one, e.g. use "{PureWindowsPath(text).name or "blocks.cnn"}"'


def _refusal(code: str, written: Text, what: str, advice: str, meant: str | None = None) -> DiagnosticError:
    note = "a file may only use files of its own project, so that checking it reads nothing else"
    notes = (note,) if code == "E0326" else ()
    fixes = (Fix(f'write "{meant}"', (Edit(written.span, f'"{meant}"'),), "unsafe"),) if meant else ()
    message = f'"{written.value}" {what}'
    return DiagnosticError(Diagnostic(code, message, written.span, notes=notes, help=advice, fixes=fixes))
