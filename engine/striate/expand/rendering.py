"""Expressions as text again: brackets only where precedence asks for them, names replaced on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.expand.literals import UnwritableError
from striate_dsl.syntax import (
    Argument,
    Attribute,
    Binary,
    Boolean,
    CallExpression,
    Conditional,
    Expression,
    Index,
    ListLiteral,
    Name,
    Number,
    Range,
    Text,
    TupleLiteral,
    Unary,
)

CONDITIONAL, NOT, COMPARISON, RANGE, PREFIX, POSTFIX = 0, 3, 4, 5, 8, 9
_STRENGTH = {"or": 1, "and": 2, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7}
"""How strongly an operator binds; comparisons and ranges, which cannot be chained, are not in it."""

Replace = Callable[[Name | Attribute], str | None]
"""The text in the place of a name or dotted name; None leaves it as it is. May raise `UnwritableError`."""

Settle = Callable[[Expression], str]
"""The text of an expression's value, where its parts have none. May raise `UnwritableError`."""


def expression_text(expression: Expression, replace: Replace | None = None, settle: Settle | None = None) -> str:
    """Return an expression as text.

    Raises:
        UnwritableError: a name in it stands for something without a text, and so does the whole.
    """
    return _Renderer(replace, settle).render(expression)[0]


class _Renderer:
    def __init__(self, replace: Replace | None, settle: Settle | None) -> None:
        self._replace = replace
        self._settle = settle
        self._rules: dict[type, Callable[[Any], tuple[str, int]]] = {
            Number: self._literal,
            Text: self._literal,
            Boolean: self._literal,
            Name: self._name,
            Attribute: self._attribute,
            ListLiteral: self._list,
            TupleLiteral: self._tuple,
            Unary: self._unary,
            Binary: self._binary,
            Conditional: self._conditional,
            Range: self._range,
            Index: self._index,
            CallExpression: self._call,
        }

    def render(self, expression: Expression) -> tuple[str, int]:
        """Return the text and how strongly it holds together."""
        try:
            return self._rules[type(expression)](expression)
        except UnwritableError:
            if self._settle is None:
                raise
            text = self._settle(expression)
            return text, _held(text)

    def _at_least(self, expression: Expression, strength: int) -> str:
        text, found = self.render(expression)
        return text if found >= strength else f"({text})"

    def _literal(self, item: Number | Text | Boolean) -> tuple[str, int]:
        return item.span.text, POSTFIX

    def _name(self, item: Name) -> tuple[str, int]:
        text = self._replace(item) if self._replace else None
        return (item.text, POSTFIX) if text is None else (text, _held(text))

    def _attribute(self, item: Attribute) -> tuple[str, int]:
        text = self._replace(item) if self._replace else None
        if text is not None:
            return text, _held(text)
        return f"{self._at_least(item.base, POSTFIX)}.{item.name.text}", POSTFIX

    def _list(self, item: ListLiteral) -> tuple[str, int]:
        return f"[{', '.join(self.render(part)[0] for part in item.items)}]", POSTFIX

    def _tuple(self, item: TupleLiteral) -> tuple[str, int]:
        inside = ", ".join(self.render(part)[0] for part in item.items)
        return (f"({inside},)" if len(item.items) == 1 else f"({inside})"), POSTFIX

    def _unary(self, item: Unary) -> tuple[str, int]:
        if item.operator == "not":
            return f"not {self._at_least(item.operand, NOT)}", NOT
        return f"{item.operator}{self._at_least(item.operand, POSTFIX)}", PREFIX

    def _binary(self, item: Binary) -> tuple[str, int]:
        strength = _STRENGTH.get(item.operator, COMPARISON)
        left = self._at_least(item.left, strength + (strength == COMPARISON))
        return f"{left} {item.operator} {self._at_least(item.right, strength + 1)}", strength

    def _conditional(self, item: Conditional) -> tuple[str, int]:
        value, condition = self._at_least(item.value, 1), self._at_least(item.condition, 1)
        return f"{value} if {condition} else {self.render(item.otherwise)[0]}", CONDITIONAL

    def _range(self, item: Range) -> tuple[str, int]:
        return f"{self._at_least(item.start, RANGE + 1)}..{self._at_least(item.stop, RANGE + 1)}", RANGE

    def _index(self, item: Index) -> tuple[str, int]:
        return f"{self._at_least(item.base, POSTFIX)}[{self.render(item.index)[0]}]", POSTFIX

    def _call(self, item: CallExpression) -> tuple[str, int]:
        name = item.function.text if isinstance(item.function, Name) else self._at_least(item.function, POSTFIX)
        return f"{name}({', '.join(map(self._argument, item.arguments))})", POSTFIX

    def _argument(self, item: Argument) -> str:
        text = self.render(item.value)[0]
        return text if item.name is None else f"{item.name.text} = {text}"


def _held(text: str) -> int:
    """Return how strongly a replacement holds together: a negative number and a range need brackets in places."""
    return PREFIX if text.startswith("-") else RANGE if ".." in text and not text.startswith('"') else POSTFIX
