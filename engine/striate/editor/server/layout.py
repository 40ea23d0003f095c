"""Canonical form as an editor wants it: the lines that change and nothing else, so that the cursor stays in place."""

from __future__ import annotations

from difflib import SequenceMatcher

from striate_dsl.diagnostics import Edit
from striate_dsl.edits import apply_edits
from striate_dsl.formatter import format_source
from striate_dsl.lexer import tokenize
from striate_dsl.source import Source, Span


def formatted(source: Source) -> list[Edit] | None:
    """Return the edits that give a text its canonical form, None where it has mistakes."""
    result = format_source(source)
    return None if result.text is None else line_edits(source, result.text)


def formatted_lines(source: Source, start: int, end: int) -> list[Edit] | None:
    """Return those of the edits that touch a stretch of the text, if they make sense without the others."""
    everything = formatted(source)
    if everything is None:
        return None
    chosen = [edit for edit in everything if edit.span.start <= end and edit.span.end >= start]
    return chosen if _pieces(apply_edits(source.text, chosen)) == _pieces(source.text) else everything


def line_edits(source: Source, text: str) -> list[Edit]:
    """Return edits by whole lines that turn a source into another text."""
    if source.text == text:
        return []
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        Edit(Span(source, starts[first], starts[last]), "".join(new[begin:end]))
        for kind, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind != "equal"
    ]


def _pieces(text: str) -> list[str]:
    return [token.text for token in tokenize(text)[0] if token.kind not in ("NEWLINE", "SEMICOLON")]
