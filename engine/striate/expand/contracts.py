"""Contracts of networks and conditions on inputs with the names in them replaced by what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from striate.dims import Expr, format_dim
from striate.elaborate.environment import ScopeEnvironment
from striate.elaborate.expressions import evaluate
from striate.elaborate.faults import Fault
from striate.elaborate.scope import Scope
from striate.elaborate.values import ValueRef
from striate.expand.literals import IsFree, UnwritableError, literal, quoted
from striate.expand.rendering import expression_text
from striate.ops.arguments import Choice
from striate_dsl.paths import dotted_text
from striate_dsl.syntax import Assert, Attribute, Expression, Name

NameOf = Callable[[ValueRef], str]
"""The name under which a value is written."""


def settled_expression(
    expression: Expression, scope: Scope, environment: ScopeEnvironment, name_of: NameOf, is_free: IsFree
) -> str:
    """Return an expression in which parameters, loop variables and constants are replaced by their values.

    Sizes of values, open sizes and totals of the network stay as they are.

    Raises:
        UnwritableError: something in it has no text.
    """

    def replace(item: Name | Attribute) -> str | None:
        path = dotted_text(item)
        if path is None or path == "in" or path.startswith("in."):
            return None
        if isinstance(item, Attribute) and path not in scope.names:
            return None
        value = environment.lookup(Name(item.span, path))
        if value is None or isinstance(value, Expr):
            return None
        return name_of(value) if isinstance(value, ValueRef) else literal(value, is_free)

    def settle(part: Expression) -> str:
        try:
            return literal(evaluate(part, environment), is_free)
        except Fault as error:
            raise UnwritableError(error.diagnostic.message) from None

    return expression_text(expression, replace, settle)


def settled_message(statement: Assert, scope: Scope) -> str:
    """Return a contract's message in quotes, names of the block or model in it replaced; totals stay."""
    assert statement.message is not None, "called for contracts with a message"

    def fill(match: re.Match[str]) -> str:
        binding = scope.names.get(match[1])
        return match[0] if binding is None else _readable(binding.value)

    return quoted(re.sub(r"\{(\w+)\}", fill, statement.message.value))


def _readable(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, ValueRef) and value.type is not None:
        return " x ".join(format_dim(size) for size in value.type.shape)
    return format_dim(value) if isinstance(value, Expr) else str(value)


def pixel_settings(contract: Mapping[str, Any], is_free: IsFree) -> dict[str, str]:
    """Return the entries of an input's body as text."""
    return {key: _pixel_value(key, value, is_free) for key, value in contract.items()}


def _pixel_value(key: str, value: Any, is_free: IsFree) -> str:
    if isinstance(value, str):
        return literal(Choice(value), is_free)
    numbers = [int(item) if float(item).is_integer() else item for item in value]
    if key == "range":
        whole = all(isinstance(item, int) and item >= 0 for item in numbers)
        return f"{numbers[0]}..{numbers[1]}" if whole else literal(tuple(numbers), is_free)
    return literal(numbers[0] if len(numbers) == 1 else numbers, is_free)
