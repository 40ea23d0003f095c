"""What the front end says about a text: one function per mistake, each with its code, place, help and repair."""

from __future__ import annotations

from collections.abc import Iterator

from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from striate_dsl.lexer import Token
from striate_dsl.literals import ESCAPE, ESCAPES, LARGEST
from striate_dsl.source import Source, Span


def place(source: Source, token: Token) -> Span:
    """Return the span of a token."""
    return Span(source, token.start, token.end)


def number_too_large(span: Span) -> Diagnostic:
    """`99999999999999999999`."""
    return Diagnostic(
        "E0105",
        "this number is too large",
        span,
        f"the largest whole number is {LARGEST:_}, the largest with an exponent about 1.8e308",
    )


def unknown_escapes(source: Source, token: Token) -> Iterator[Diagnostic]:
    r"""`"a\qb"`: only `\"`, `\\`, `\n` and `\t` mean something."""
    for match in ESCAPE.finditer(token.text):
        if match[1] not in ESCAPES:
            at = Span(source, token.start + match.start(), token.start + match.end())
            fix = Fix("write the backslash itself", (Edit(at, "\\" + match[0]),), "unsafe")
            known = 'known are \\" \\\\ \\n \\t'
            yield Diagnostic("E0104", f"unknown escape `{match[0]}` in a text", at, known, help=fix.title, fixes=(fix,))


def chained_operators(source: Source, first: Token, second: Token) -> Diagnostic:
    """`a < b < c`, `0..1..2`."""
    if second.kind == "RANGE":
        message, advice = "a range has one start and one stop", "write start..stop"
    else:
        message = f"comparisons cannot be chained: `{first.text}` and `{second.text}`"
        advice = "compare twice and join with `and`, e.g. 0 < n and n < 8"
    labels = (Label(place(source, first), "the first one"),)
    return Diagnostic("E0117", message, place(source, second), labels=labels, help=advice)
