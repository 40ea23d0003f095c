"""Shapes what the front end says about a text, and holds the complaints about the values of literals.

The mistakes themselves are known to `odd_signs.py`, `brackets.py`, `nesting.py` and `unexpected.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from striate_dsl.lexer import Token
from striate_dsl.literals import ESCAPE, ESCAPES, LARGEST
from striate_dsl.source import Source, Span
from striate_dsl.syntax import ListLiteral, TupleLiteral

Grade = Literal["safe", "unsafe", "display"]


def place(source: Source, token: Token) -> Span:
    """Return the span of a token; one character where the token is a line break."""
    return Span(source, token.start, token.end)


def complaint(
    code: str,
    message: str,
    span: Span,
    label: str = "",
    *,
    advice: str | None = None,
    fix: Fix | None = None,
    labels: tuple[Label, ...] = (),
) -> Diagnostic:
    """Return an error; its help is the advice, or what the fix does."""
    said = advice or (fix.title if fix else None)
    return Diagnostic(code, message, span, label, labels=labels, help=said, fixes=(fix,) if fix else ())


def clipped(text: str) -> str:
    """Return a text as it may stand in a sentence: the first characters of one that is very long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def quoted(text: str) -> str:
    """Return what was written, marked as such and clipped."""
    return f"`{clipped(text)}`"


_LONGEST = 48


def edit(source: Source, start: int, end: int, replacement: str) -> Edit:
    """Return the edit that puts `replacement` in the place of the characters from `start` to `end`."""
    return Edit(Span(source, start, end), replacement)


def replacing(source: Source, token: Token, replacement: str, title: str, grade: Grade = "safe") -> Fix:
    """Return the fix that puts `replacement` in the place of a token."""
    return Fix(title, (edit(source, token.start, token.end, replacement),), grade)


def inserting(source: Source, offset: int, text: str, title: str, grade: Grade = "safe") -> Fix:
    """Return the fix that inserts `text` at an offset."""
    return Fix(title, (edit(source, offset, offset, text),), grade)


def never_closed(source: Source, opening: Token, offset: int, closing: str, title: str) -> Diagnostic:
    """A bracket or brace without its other half, which `closing` at `offset` would be."""
    closer = closing.strip()
    fix = inserting(source, offset, closing, title)
    label = f"this one has no `{closer}`"
    return complaint("E0106", f"`{opening.text}` is never closed", place(source, opening), label, fix=fix)


def add_merged(findings: list[Diagnostic], found: Diagnostic) -> None:
    """Add a `never_closed`, to the last finding if that one is closed at the same place: `f(g(3` is one complaint."""
    last = findings[-1] if findings else None
    old, new = (item.fixes[0].edits[0] if item and item.fixes else None for item in (last, found))
    if last is None or old is None or new is None or last.message[2:] != found.message[2:] or old.span != new.span:
        findings.append(found)
        return
    assert found.span is not None, "never_closed has a place"
    more = (*last.labels, Label(found.span, "nor has this one"))[:_MANY]
    both = Fix(last.fixes[0].title, (Edit(old.span, old.replacement + new.replacement),), "safe")
    findings[-1] = replace(last, labels=more, fixes=(both,))


_MANY = 5
"""So many further places are shown at most."""


def number_too_large(span: Span) -> Diagnostic:
    """`99999999999999999999`."""
    known = f"the largest whole number is {LARGEST:_}, the largest with an exponent about 1.8e308"
    return complaint("E0105", "this number is too large", span, known)


def unknown_escapes(source: Source, token: Token) -> Iterator[Diagnostic]:
    r"""`"a\qb"`: only `\"`, `\\`, `\n` and `\t` mean something."""
    for match in ESCAPE.finditer(token.text):
        if match[1] not in ESCAPES:
            at = Span(source, token.start + match.start(), token.start + match.end())
            fix = Fix(f"for a backslash, write it twice: \\{match[0]}", (Edit(at, "\\" + match[0]),), "unsafe")
            known = 'known are \\" \\\\ \\n \\t'
            yield complaint("E0104", f"unknown escape `{match[0]}` in a text", at, known, fix=fix)


def chained_operators(source: Source, first: Token, second: Token) -> Diagnostic:
    """`a < b < c`, `0..1..2`."""
    labels = (Label(place(source, first), "the first one"),)
    if second.kind == "RANGE":
        message, advice = "a range has one start and one stop", "write start..stop"
        return complaint("E0117", message, place(source, second), labels=labels, advice=advice)
    message = f"comparisons cannot be chained: `{first.text}` and `{second.text}`"
    between = source.text[first.end : second.start].strip()
    title = f"compare twice: … {first.text} {between} and {between} {second.text} …"
    fix = inserting(source, second.start, f"and {between} ", title, "unsafe")
    return complaint("E0117", message, place(source, second), labels=labels, fix=fix)


def language_not_first(span: Span) -> Diagnostic:
    """`language 1` behind another definition."""
    return complaint("E0113", "`language` stands in the first line of a file", span, advice="move it to the top")


def sizes_in_brackets(sizes: TupleLiteral | ListLiteral) -> Diagnostic:
    """`input image: (3, 32, 32)`."""
    written = " x ".join(item.span.text for item in sizes.items)
    fix = Fix(f"write {written}", (Edit(sizes.span, written),), "safe") if sizes.items else None
    return complaint("E0116", "the sizes of an input are separated by `x`, without brackets", sizes.span, fix=fix)


def nothing_defined(source: Source) -> Diagnostic:
    """An empty file, or one with comments only."""
    return complaint("E0118", "nothing is defined here", Span(source, 0, 0), advice=_EXAMPLE)


_EXAMPLE = """a file defines a model, e.g.
model Tiny(classes = 10) {
  input image: 3 x 32 x 32
  conv(16, 3) -> relu -> global_avgpool -> flatten -> dense(classes)
}"""
