"""Bodies as in Python: a head that ends in a colon, and lines behind it that are indented more.

Comes before `braces.py`: puts the braces in that were meant, so that nothing else is reported because of them.
"""

from __future__ import annotations

import re

from striate_dsl.complaints import complaint, edit, place
from striate_dsl.diagnostics import Diagnostics, Fix
from striate_dsl.lexer import END, Token
from striate_dsl.source import Source

_SUSPECT = re.compile(r":[ \t]*(?:#[^\n]*)?\n")
_HEADS = frozenset({"block", "model", "train", "export", "search", "profile", "repeat", "for", "if", "else"})


def repair(source: Source, tokens: list[Token], findings: Diagnostics) -> list[Token]:
    """Return the tokens with braces around the bodies that have none."""
    if not _SUSPECT.search(source.text):
        return tokens
    out: list[Token] = []
    closing: dict[int, int] = {}
    for at, token in enumerate(tokens):
        last = _body_end(source, tokens, at) if token.kind == "COLON" else None
        if last is None:
            out.append(token)
        else:
            _complain(source, tokens, at, last, findings)
            out.append(Token("LBRACE", "{", token.start, token.end))
            closing[last] = closing.get(last, 0) + 1
        out += [Token("RBRACE", "", token.end, token.end)] * closing.pop(at, 0)
    return out


def _body_end(source: Source, tokens: list[Token], colon: int) -> int | None:
    """The last token of the body behind a colon, or None where it ends no head or nothing is indented behind it."""
    if tokens[colon + 1].kind != "NEWLINE":
        return None
    first = colon
    while first and tokens[first - 1].kind != "NEWLINE":
        first -= 1
    head = next((token for token in tokens[first:colon] if token.kind != "RBRACE"), None)
    if head is None or head.text not in _HEADS or any(token.kind == "LBRACE" for token in tokens[first:colon]):
        return None
    margin = _indent(source, tokens[first])
    last, at = None, colon + 1
    while tokens[at].kind != END:
        begins = tokens[at - 1].kind == "NEWLINE" and tokens[at].kind != "NEWLINE"
        if begins and _indent(source, tokens[at]) <= margin:
            break
        if tokens[at].kind != "NEWLINE":
            last = at
        at += 1
    return last


def _indent(source: Source, token: Token) -> int:
    line = source.line_text(source.position(token.start)[0])
    return len(line) - len(line.lstrip())


def _complain(source: Source, tokens: list[Token], colon: int, last: int, findings: Diagnostics) -> None:
    token, end = tokens[colon], tokens[last].end
    line = source.line_text(source.position(token.start)[0])
    margin = line[: len(line) - len(line.lstrip())]
    edits = (edit(source, tokens[colon - 1].end, token.end, " {"), edit(source, end, end, f"\n{margin}}}"))
    fix = Fix("write { … } around the body", edits, "safe")
    message = "a body stands in braces { … }, not behind a colon"
    findings.add(complaint("E0110", message, place(source, token), fix=fix))
