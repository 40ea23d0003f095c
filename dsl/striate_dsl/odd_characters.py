"""Explains characters that the language does not know: look-alikes, invisible ones, and all the rest.

`odd_signs.py` asks for these where the lexer met such a character or a word that contains one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from striate_dsl.complaints import clipped, complaint, edit, place, quoted, replacing
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Fix
from striate_dsl.lexer import SIGNS, Token, stand_ins
from striate_dsl.source import Source, Span

_CYRILLIC = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
)
_GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
_LETTERS = dict(zip(_CYRILLIC + _GREEK, "aeopcyxijsdqwhABEKMHOPCTYXIJSABEZHIKMNOPTYXo", strict=True))
_SIGNS_BY_MEANING = {
    "-": "\u2013\u2014\u2212\u2010\u2011",
    "->": "\u2192\u27f6\u21d2\u2794\u279c",
    "x": "\u00d7",
    "*": "\u00b7\u22c5",
    "/": "\u00f7\u2044\u2215",
    "<=": "\u2264",
    ">=": "\u2265",
    "!=": "\u2260",
    "..": "\u2026",
}
_SIGNS = {char: meant for meant, chars in _SIGNS_BY_MEANING.items() for char in chars}
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = _TURNING | frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")


def odd_word(source: Source, token: Token) -> tuple[Diagnostic, list[Token]]:
    """Return what there is to say about a word with letters beyond a-z, and the name that it was meant to be."""
    span = place(source, token)
    meant = "".join(_look_alike(char) or char for char in token.text)
    odd = [char for char in token.text if not char.isascii()]
    named = ", ".join(_named(char) for char in list(dict.fromkeys(odd))[:3])
    if meant.isascii() and meant.isidentifier():
        fix = replacing(source, token, meant, f"write {meant} with plain letters")
        message = f"{quoted(token.text)} contains letters that only look like a-z"
        found = complaint("E0103", message, span, named, fix=fix)
        return found, stand_ins(meant, token.start, token.end)
    advice = "names consist of the letters a-z and A-Z, digits and _"
    found = complaint("E0102", f"{quoted(token.text)} cannot be a name", span, named, advice=advice)
    return found, [Token("NAME", token.text, token.start, token.end)]


def goes_on(token: Token, following: Token) -> bool:
    """Whether two unknown characters stand side by side and are equally meaningless: they make one complaint."""
    adjacent = following.kind == "BAD" and token.end == following.start
    pair = (token.text, following.text)
    return adjacent and not any(_look_alike(char) or _blank(char) or char in _INVISIBLE for char in pair)


def _blank(char: str) -> bool:
    return unicodedata.category(char) in {"Zs", "Zl", "Zp"} or char in "\f\v\x1c\x1d\x1e\x1f\x85"


def _look_alike(char: str) -> str | None:
    """The plain character that a letter or sign looks like, if any."""
    if 0xFF01 <= ord(char) <= 0xFF5E:  # the full-width forms of ASCII
        return chr(ord(char) - 0xFEE0)
    return _LETTERS.get(char) or _SIGNS.get(char)


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}"


def odd_character(source: Source, token: Token, end: int, findings: Diagnostics) -> Iterator[Token]:
    """Report the characters up to `end` and yield the tokens that they stand for."""
    char, span = token.text, Span(source, token.start, end)
    meant = _look_alike(char)
    if meant is not None:
        fix = replacing(source, token, meant, f"write {meant}")
        findings.add(complaint("E0103", f"`{char}` is not the sign `{meant}`", span, _named(char), fix=fix))
        if meant in SIGNS or meant.isalnum():
            yield from stand_ins(meant, token.start, token.end)
    elif char in _INVISIBLE or _blank(char):
        findings.add(_unseen(source, token, span))
    else:
        findings.add(_unknown(source, token, span))


def unclosed_quote(source: Source, token: Token) -> Diagnostic:
    """Return the complaint about a single quote without its other half on the line."""
    span = Span(source, token.start, token.start + 1)
    return complaint("E0104", "this text is never closed", span, 'a text stands in double quotes " "')


def _unseen(source: Source, token: Token, span: Span) -> Diagnostic:
    char = token.text
    if _blank(char):
        fix = replacing(source, token, " ", "write a plain space")
        return complaint("E0103", "this blank is not a plain space", span, _named(char), fix=fix)
    turning = " that turns the direction of the text" if char in _TURNING else ""
    fix = replacing(source, token, "", "delete it")
    return complaint("E0103", f"an invisible character{turning} is hidden here", span, _named(char), fix=fix)


def _unknown(source: Source, token: Token, span: Span) -> Diagnostic:
    char = token.text
    if char == "\0":
        fix = Fix("delete it", (edit(source, span.start, span.end, ""),), "unsafe")
        return complaint("E0102", "a NUL byte is in the text", span, "is this a text file?", fix=fix)
    if char == "\\":
        advice = "a line goes on inside ( ) and [ ], or when the next one begins with ->"
        return complaint("E0102", "a line is not continued with `\\` here", span, advice=advice)
    shown = clipped(span.text) if span.text.isprintable() else _named(char)
    label = "" if char.isascii() else _named(char)
    fix = Fix("delete it", (edit(source, span.start, span.end, ""),), "unsafe")
    return complaint("E0102", f"`{shown}` means nothing here", span, label, fix=fix)
