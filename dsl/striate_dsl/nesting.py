"""Limits how deep brackets, operators and `else if` may nest, so that no reader of the tree runs out of stack."""

from __future__ import annotations

from striate_dsl.complaints import complaint, place
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.lexer import Token
from striate_dsl.source import Source

DEEPEST = 200

_OPENING = frozenset({"LPAR", "LSQUARE", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQUARE", "RBRACE"})
_DEEPENING = frozenset({"SIGN", "TIMES", "COMPARE", "AND", "OR", "NOT", "RANGE", "DOT", "IF", "ELSE"})
_LEVELLING = frozenset({"COMMA", "NEWLINE", "ARROW", "EQUALS"})


def too_deep(source: Source, tokens: list[Token]) -> Diagnostic | None:
    """Return a complaint about the first token that lies more than `DEEPEST` levels deep, if there is one.

    Every open bracket is a level, and so is every operator before the token in the same expression: `a + b + c` is a
    tree of two levels.
    """
    depth, floor = 0, 0
    outer: list[tuple[int, int]] = []
    for token in tokens:
        kind = token.kind
        if kind in _DEEPENING:
            depth += 1
        elif kind in _LEVELLING:
            depth = floor
        elif kind in _OPENING:
            outer.append((depth, floor))
            depth += 1
            floor = depth
        elif kind in _CLOSING:
            if outer:
                depth, floor = outer.pop()
                depth += kind != "RBRACE"
            continue
        else:
            continue
        if depth > DEEPEST:
            return complain(source, token)
    return None


def complain(source: Source, token: Token) -> Diagnostic:
    """Return the complaint about a token that lies too deep."""
    advice = "name parts of it with `let`, or make them blocks of their own"
    message = f"this is nested more than {DEEPEST} levels deep"
    return complaint("E0107", message, place(source, token), advice=advice)
