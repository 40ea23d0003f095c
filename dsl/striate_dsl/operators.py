"""Orders a flat run of operands and operators by precedence (from `or`, the weakest, to the sign of a number)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from striate_dsl.lexer import Token
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Binary, Expression, Unary

_COMPARISON, _RANGE = 4, 5
_BINARY = {"OR": 1, "AND": 2, "COMPARE": _COMPARISON, "RANGE": _RANGE, "SIGN": 6, "TIMES": 7}
_PREFIX = {"NOT": 3, "SIGN": 8}
_NOT_CHAINED = frozenset({_COMPARISON, _RANGE})


@dataclass(slots=True)
class Prefixed:
    """An operand behind `-`, `+` or `not`, before precedences are known (`not a == b` is `not (a == b)`)."""

    sign: Token
    operand: Expression | Prefixed


Item = Expression | Prefixed | Token
"""An operand or an operator; a run of items begins and ends with an operand, and the two kinds alternate."""

MakeBinary = Callable[[Token, Expression, Expression], Expression]


class Ordering:
    """One run of operators, ordered with two stacks; `chained` hears of `a < b < c` and `a..b..c`."""

    def __init__(self, source: Source, make: MakeBinary, chained: Callable[[Token, Token], None]) -> None:
        self._source = source
        self._make = make
        self._chained = chained
        self._operands: list[Expression] = []
        self._waiting: list[tuple[int, Token, bool]] = []

    def order(self, items: list[Item]) -> Expression:
        """Return the tree of the run."""
        for item in items:
            if isinstance(item, Token):
                self._operator(item)
            else:
                self._operand(item)
        while self._waiting:
            self._apply()
        return self._operands.pop()

    def _operator(self, token: Token) -> None:
        strength = _BINARY[token.kind]
        while self._waiting and self._waiting[-1][0] >= strength:
            other = self._waiting[-1]
            if other[0] == strength and strength in _NOT_CHAINED:
                self._chained(other[1], token)
            self._apply()
        self._waiting.append((strength, token, False))

    def _operand(self, item: Expression | Prefixed) -> None:
        while isinstance(item, Prefixed):
            self._waiting.append((_PREFIX[item.sign.kind], item.sign, True))
            item = item.operand
        self._operands.append(item)

    def _apply(self) -> None:
        _, token, prefix = self._waiting.pop()
        right = self._operands.pop()
        if prefix:
            sign = cast(Literal["-", "+", "not"], token.text)
            self._operands.append(Unary(Span(self._source, token.start, right.span.end), sign, right))
        else:
            self._operands.append(self._make(token, self._operands.pop(), right))


def binary(source: Source, token: Token, left: Expression, right: Expression) -> Binary:
    """Return the node of an arithmetic operator, a comparison, `and` or `or`."""
    return Binary(Span(source, left.span.start, right.span.end), token.text, left, right)
