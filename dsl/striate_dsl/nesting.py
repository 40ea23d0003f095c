"""Limits how deep brackets, operators and `else if` may nest, so that no reader of the tree runs out of stack."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from striate_dsl.complaints import complaint, place
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.lexer import Token
from striate_dsl.limits import NESTING
from striate_dsl.source import Source

CALL_DEPTH = 10_000
"""Python calls within calls while a tree is walked or a model built; a level of nesting takes about six."""

_OPENING = frozenset({"LPAR", "LSQUARE", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQUARE", "RBRACE"})
_DEEPENING = frozenset({"SIGN", "TIMES", "COMPARE", "AND", "OR", "NOT", "RANGE", "DOT", "IF", "ELSE"})
_LEVELLING = frozenset({"COMMA", "NEWLINE", "ARROW", "EQUALS"})


def too_deep(source: Source, tokens: list[Token]) -> Diagnostic | None:
    """Return a complaint about the first token that lies deeper than `limits.NESTING`, if there is one.

    Every open bracket is a level, and so is every operator before the token in the same expression: `a + b + c` is a
    tree of two levels.
    """
    depth, floor, deepest = 0, 0, NESTING.value
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
        if depth > deepest:
            return complain(source, token)
    return None


def complain(source: Source, token: Token) -> Diagnostic:
    """Return the complaint about a token that lies too deep."""
    advice = f"name parts of it with `let`, or make them blocks of their own; {NESTING.advice}"
    message = f"this is nested more than {NESTING.value} levels deep"
    return complaint("E0107", message, place(source, token), advice=advice)


@contextmanager
def room_for_nesting() -> Iterator[None]:
    """Let Python's calls nest as deep as bodies within bodies within blocks do in any sensible file."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, CALL_DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
