"""Shows findings to people (`render_text`) and to programs (`to_json`). What is found is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate_dsl.cells import visible
from striate_dsl.diagnostics import Diagnostic, Fix, Severity
from striate_dsl.excerpt import excerpt, gutter
from striate_dsl.ink import Ink

_HEADINGS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render_text(diagnostics: Iterable[Diagnostic], *, color: bool = False, width: int = 100) -> str:
    """Return the findings as text, each with an excerpt of the source and carets, and a count of them at the end.

    `width` is the number of columns of the terminal; longer lines of source are cut around the place they are quoted
    for. With `color`, ANSI colours are used. Without findings the text is empty.
    """
    items = list(diagnostics)
    if not items:
        return ""
    ink = Ink(color)
    parts = [_one(item, ink, max(width, 40)) for item in items]
    return "\n\n".join(parts) + "\n\n" + ink.bold(counts(items)) + "\n"


def counts(diagnostics: Iterable[Diagnostic]) -> str:
    """Return e.g. `2 errors, 1 warning`; severities that do not occur are left out."""
    numbers = dict.fromkeys(Severity, 0)
    for item in diagnostics:
        numbers[item.severity] += 1
    named = [f"{count} {severity}{'s' * (count != 1)}" for severity, count in numbers.items() if count]
    return ", ".join(named) or "no errors"


def _one(item: Diagnostic, ink: Ink, width: int) -> str:
    colour = _HEADINGS[item.severity]
    first, *rest = visible(item.message).split("\n")
    lines = [ink.paint(colour, f"{item.severity}[{item.code}]") + ink.bold(f": {first}"), *rest]
    margin = 1
    if item.span is not None:
        margin = gutter([item.span, *(label.span for label in item.labels)])
        lines += excerpt(item.span, item.label, item.labels, colour, ink, width)
    indent = " " * (margin + 1)
    for note in item.notes:
        lines.append(f"{indent}{ink.paint('blue', '=')} " + visible(note).replace("\n", f"\n{indent}  "))
    if item.help:
        lines.append(ink.paint("green", "help") + ": " + visible(item.help).replace("\n", "\n      "))
    lines += ["  " + ink.paint("green", "or") + ": " + visible(fix.title) for fix in item.fixes[1:]]
    return "\n".join(lines)


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return the findings as plain data.

    The keys are code, severity, message, file, line, column, end_line, end_column (1-based, the end exclusive, None
    without a place), notes, help, fixes and labels.
    """
    return [_plain(item) for item in diagnostics]


def _plain(item: Diagnostic) -> dict[str, Any]:
    span = item.span
    return {
        "code": item.code,
        "severity": str(item.severity),
        "message": item.message,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "notes": list(item.notes),
        "help": item.help,
        "fixes": [_plain_fix(fix) for fix in item.fixes],
        "labels": [{"text": label.text, "file": label.span.file, **_place(label.span)} for label in item.labels],
    }


def _place(span: Any) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _plain_fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_place(edit.span), "replacement": edit.replacement} for edit in fix.edits]
    return {"title": fix.title, "grade": fix.grade, "edits": edits}
