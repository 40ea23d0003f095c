"""Refuses texts that are too much to read: too many words, definitions or entries, or a word without end.

Each question is cheap beside reading the text; the limits are in `limits.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from striate_dsl.complaints import complaint, place
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.lexer import Token
from striate_dsl.limits import DEFINITIONS, FINDINGS, LIST, TOKENS, WORD
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Definition

_WORDS = frozenset({"NAME", "BAD_NUMBER", "ODD_WORD"})
_OPENING = frozenset({"LPAR", "LSQUARE"})
_CLOSING = frozenset({"RPAR", "RSQUARE"})


def too_many_lines(source: Source, most: int) -> Diagnostic | None:
    """Return a complaint where the line breaks alone are more than `most`: that is seen without cutting the text."""
    if len(source.text) <= most or source.text.count("\n") <= most:
        return None
    return _too_many_tokens(Span(source, 0, 0))


def _too_many_tokens(span: Span) -> Diagnostic:
    advice = f"put repeated layers in repeat and for; {TOKENS.advice}"
    where = "here" if span.start == 0 else "up to here"
    message = f"there are more than {TOKENS.value:,} words, numbers, signs and lines {where}"
    return complaint("E0138", message, span, advice=advice)


def too_much(source: Source, tokens: Sequence[Token], most: int) -> Diagnostic | None:
    """Return a complaint about the first of more than `most` tokens, or about a word that is too long."""
    if len(tokens) - 1 > most:
        return _too_many_tokens(place(source, tokens[most]))
    longest = WORD.value
    if re.search(rf"\b\w{{{longest + 1}}}", source.text) is None:
        return None
    for token in tokens:
        if token.end - token.start > longest and token.kind in _WORDS:
            advice = f"choose a shorter name; {WORD.advice}"
            message = f"this word has more than {longest:,} characters"
            return complaint("E0139", message, place(source, token), advice=advice)
    return None


def too_long_list(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Return a complaint about the first list (or list of arguments) with too many entries, its brackets balanced."""
    most = LIST.value
    if len(tokens) <= most:
        return None
    commas: list[int] = []
    opened: list[Token] = []
    for token in tokens:
        kind = token.kind
        if kind == "COMMA" and commas:
            commas[-1] += 1
            if commas[-1] > most:
                return complaint(
                    "E0138",
                    f"there are more than {most:,} entries in these brackets",
                    place(source, opened[-1]),
                    advice=f"keep data out of the file; {LIST.advice}",
                )
        elif kind in _OPENING:
            commas.append(0)
            opened.append(token)
        elif kind in _CLOSING:
            commas.pop()
            opened.pop()
    return None


def too_many_definitions(definitions: Sequence[Definition], most: int) -> Diagnostic | None:
    """Return a complaint about the first of more than `most` definitions of a file."""
    if len(definitions) <= most:
        return None
    advice = f"give them files of their own; {DEFINITIONS.advice}"
    message = f"there are more than {DEFINITIONS.value:,} definitions up to here"
    return complaint("E0138", message, definitions[most].span, advice=advice)


def capped(findings: Iterable[Diagnostic], most: int) -> list[Diagnostic]:
    """Return the first `most` errors and as many warnings, and a note about what is left out."""
    kept: list[Diagnostic] = []
    numbers = dict.fromkeys(Severity, 0)
    for item in findings:
        numbers[item.severity] += 1
        if numbers[item.severity] <= most:
            kept.append(item)
    kept += [_left_out(severity, most) for severity, number in numbers.items() if number > most]
    return kept


def _left_out(severity: Severity, most: int) -> Diagnostic:
    advice = f"repair these first; {FINDINGS.advice}"
    return Diagnostic("E0346", f"only the first {most:,} {severity}s are told", severity=Severity.NOTE, help=advice)
