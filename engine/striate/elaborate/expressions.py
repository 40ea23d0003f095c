"""The value of an expression: numbers, texts, lists, sizes of values, layers and blocks by name.

Sizes may be symbolic; arithmetic works on them, a choice (`if`, comparison) does not, because it would make two graphs
of one file.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from striate.dims import Expr, format_dim
from striate.elaborate.faults import Fault, UnknownValueError, fault, renaming, suggestion
from striate.elaborate.values import BlockRef, Bound, CallValue, Given, LayerRef, UsedFile, ValueRef
from striate.ops.arguments import Choice, format_value
from striate_dsl.syntax import (
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

LARGEST = 2**63
"""Numbers stay below this, so that no file can make numbers that fill the memory."""

LONGEST = 100_000
"""Lists have at most so many entries, for the same reason."""

_AXES = {"channels": 0, "height": 1, "width": 2}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _extreme(choose: Callable[..., Any], *values: Any) -> Any:
    """Return the smallest or largest value; of a range without going through it."""
    if len(values) == 1 and isinstance(values[0], range) and values[0]:
        return choose(values[0][0], values[0][-1])
    return choose(*values)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": partial(_extreme, min),
    "max": partial(_extreme, max),
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
    "len": len,
    "abs": abs,
}


class Environment(Protocol):
    """Where an expression finds what its names stand for."""

    def lookup(self, name: Name) -> Any:
        """Return what a name stands for, or None where it is no name here."""

    def known_names(self) -> list[str]:
        """Return the names that `lookup` finds, for suggestions."""

    @property
    def open_calls(self) -> bool:
        """Whether calls of unknown functions are a plugin's business (recipes) instead of a mistake."""


def evaluate(expression: Expression, environment: Environment) -> Any:
    """Return the value of an expression.

    Raises:
        Fault: a mistake in it.
        UnknownValueError: it reads the size of a value that could not be worked out.
    """
    return _RULES[type(expression)](expression, environment)


def type_name(value: Any) -> str:
    """Return what a value is, in words."""
    names: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "a truth value"),
        ((int, float), "a number"),
        (Expr, "an open size"),
        (str, "a text"),
        ((list, tuple), "a list"),
        (range, "a range"),
        (Choice, "a plain name"),
        (ValueRef, "a value of the network"),
        ((LayerRef, BlockRef, Bound), "a layer or block"),
        (UsedFile, "a file"),
    ]
    return next((words for kind, words in names if isinstance(value, kind)), "something else")


def _literal(expression: Number | Text | Boolean, environment: Environment) -> Any:
    return expression.value


def _name(expression: Name, environment: Environment) -> Any:
    value = environment.lookup(expression)
    return Choice(expression.text) if value is None else value


def _list(expression: ListLiteral, environment: Environment) -> list[Any]:
    return [evaluate(item, environment) for item in expression.items]


def _tuple(expression: TupleLiteral, environment: Environment) -> tuple[Any, ...]:
    return tuple(evaluate(item, environment) for item in expression.items)


def _unary(expression: Unary, environment: Environment) -> Any:
    value = evaluate(expression.operand, environment)
    if expression.operator == "not":
        return not truth(value, expression.operand, environment)
    _demand_number(value, expression.operand, environment)
    return -value if expression.operator == "-" else value


def _binary(expression: Binary, environment: Environment) -> Any:
    sign = expression.operator
    left = evaluate(expression.left, environment)
    if sign in ("and", "or"):
        if truth(left, expression.left, environment) is (sign == "or"):
            return sign == "or"
        return truth(evaluate(expression.right, environment), expression.right, environment)
    right = evaluate(expression.right, environment)
    if sign in _COMPARISONS:
        return _compare(expression, left, right)
    if sign == "+" and isinstance(left, list) and isinstance(right, list):
        return _bounded(left + right, expression)
    _demand_number(left, expression.left, environment)
    _demand_number(right, expression.right, environment)
    return _calculate(expression, left, right)


def _calculate(expression: Binary, left: Any, right: Any) -> Any:
    if expression.operator in ("/", "//", "%"):
        if isinstance(right, Expr) or (expression.operator == "/" and isinstance(left, Expr)):
            raise fault(
                "E0312",
                f"{expression.operator} cannot be worked out for an open size",
                expression.span,
                help="divide open sizes by whole numbers with //",
            )
        if right == 0 or (isinstance(left, Expr) and (not isinstance(right, int) or right < 0)):
            raise fault("E0312", f"cannot divide by {right}", expression.right.span)
    if (isinstance(left, Expr) and isinstance(right, float)) or (isinstance(right, Expr) and isinstance(left, float)):
        raise fault("E0312", "an open size can only be combined with whole numbers", expression.span)
    return _bounded(_ARITHMETIC[expression.operator](left, right), expression)


def _bounded(result: Any, expression: Expression) -> Any:
    if isinstance(result, (int, float)) and not abs(result) < LARGEST:
        raise fault("E0313", "this number is too large (2^63 or more)", expression.span)
    if isinstance(result, list) and len(result) > LONGEST:
        raise fault("E0313", f"this list is too long (more than {LONGEST:,} entries)", expression.span)
    return result


def _compare(expression: Binary, left: Any, right: Any) -> bool:
    if isinstance(left, Expr) or isinstance(right, Expr):
        if left == right and expression.operator in ("==", "<=", ">="):
            return True
        size = left if isinstance(left, Expr) else right
        raise fault(
            "E0314",
            f"cannot compare {format_dim(size)}: the size is left open",
            expression.span,
            notes=("a choice must come out the same for every input size, so that one file is one network",),
            help="fix the size in the input line, or choose by a parameter",
        )
    try:
        return bool(_COMPARISONS[expression.operator](_comparable(left), _comparable(right)))
    except TypeError:
        raise fault("E0312", f"cannot compare {type_name(left)} with {type_name(right)}", expression.span) from None


def _comparable(value: Any) -> Any:
    if isinstance(value, Choice):
        return value.name
    return tuple(value) if isinstance(value, list) else value


def _conditional(expression: Conditional, environment: Environment) -> Any:
    holds = truth(evaluate(expression.condition, environment), expression.condition, environment)
    return evaluate(expression.value if holds else expression.otherwise, environment)


def _range(expression: Range, environment: Environment) -> range:
    bounds = []
    for end in (expression.start, expression.stop):
        value = evaluate(end, environment)
        if isinstance(value, bool) or not isinstance(value, int):
            raise fault("E0312", f"a range goes between whole numbers, not {type_name(value)}", end.span)
        bounds.append(value)
    return range(bounds[0], bounds[1])


def _attribute(expression: Attribute, environment: Environment) -> Any:
    base = evaluate(expression.base, environment)
    name = expression.name.text
    if isinstance(base, Choice) and isinstance(expression.base, Name):
        raise unknown_name(expression.base, environment)
    if isinstance(base, UsedFile):
        return _block_of(base, expression)
    if not isinstance(base, ValueRef):
        raise fault("E0312", f"{type_name(base)} has no {name}", expression.span)
    if base.type is None:
        raise UnknownValueError
    shape = base.type.shape
    if name == "features" and len(shape) == 1:
        return shape[0]
    if name == "rank":
        return len(shape)
    if name not in _AXES or _AXES[name] >= len(shape):
        legal = ["channels", "height", "width"][: len(shape)]
        raise fault(
            "E0315",
            f"{expression.base.span.text} has no {name}",
            expression.name.span,
            notes=(f"its size is {' x '.join(format_dim(extent) for extent in shape)}",),
            help=f"it has {', '.join([*legal, 'rank'])}",
        )
    return shape[_AXES[name]]


def _block_of(file: UsedFile, expression: Attribute) -> BlockRef:
    name = expression.name.text
    if name not in file.blocks:
        raise fault(
            "E0301",
            f"there is no block {name} in {file.alias}",
            expression.name.span,
            help=suggestion(name, file.blocks),
        )
    return BlockRef(file.blocks[name])


def _index(expression: Index, environment: Environment) -> Any:
    base = evaluate(expression.base, environment)
    position = evaluate(expression.index, environment)
    if not isinstance(base, (list, tuple, range)):
        raise fault("E0312", f"{type_name(base)} has no entries to pick", expression.base.span)
    if isinstance(position, bool) or not isinstance(position, int) or not -len(base) <= position < len(base):
        raise fault(
            "E0316",
            f"entry {format_value(position)} does not exist: the list has {len(base)}",
            expression.index.span,
            help=f"entries are numbered from 0 to {len(base) - 1}" if base else None,
        )
    return base[position]


def _call(expression: CallExpression, environment: Environment) -> Any:
    name = expression.function
    if isinstance(name, Name):
        target = environment.lookup(name)
        if isinstance(target, (LayerRef, BlockRef)):
            return _bind(target, expression, environment)
        if target is None and name.text in _FUNCTIONS:
            return _apply(expression, name.text, environment)
        if target is None and environment.open_calls:
            return _open_call(name.text, expression, environment)
        if target is None:
            raise fault(
                "E0301",
                f"there is no layer, block or function {name.text}",
                name.span,
                help=suggestion(name.text, [*_FUNCTIONS, *environment.known_names()]),
            )
    if isinstance(name, Attribute):
        target = _attribute(name, environment)
        if isinstance(target, BlockRef):
            return _bind(target, expression, environment)
    raise fault("E0312", f"{name.span.text} cannot be called", name.span)


def _bind(target: LayerRef | BlockRef, expression: CallExpression, environment: Environment) -> Bound:
    given = [Given(evaluate(item.value, environment), item.value.span, item) for item in expression.arguments]
    positional = tuple(item for item in given if item.argument.name is None)
    named = {item.argument.name.text: item for item in given if item.argument.name is not None}
    return Bound(target, positional, named)


def _open_call(name: str, expression: CallExpression, environment: Environment) -> CallValue:
    positional = tuple(evaluate(item.value, environment) for item in expression.arguments if item.name is None)
    named = {
        item.name.text: evaluate(item.value, environment) for item in expression.arguments if item.name is not None
    }
    return CallValue(name, expression.span, positional, named)


def _apply(expression: CallExpression, name: str, environment: Environment) -> Any:
    values = [evaluate(item.value, environment) for item in expression.arguments]
    if any(item.name is not None for item in expression.arguments):
        raise fault("E0312", f"{name} takes no named arguments", expression.span)
    if any(isinstance(value, Expr) for value in values):
        raise fault("E0314", f"{name} cannot be worked out for an open size", expression.span)
    try:
        return _bounded(_FUNCTIONS[name](*values), expression)
    except (TypeError, ValueError, OverflowError):
        kinds = ", ".join(type_name(value) for value in values) or "nothing"
        raise fault("E0312", f"{name} cannot be applied to {kinds}", expression.span) from None


def truth(value: Any, expression: Expression, environment: Environment) -> bool:
    """Return a truth value; numbers and lists are none.

    Raises:
        Fault: the value is something else.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, Choice) and isinstance(expression, Name):
        raise unknown_name(expression, environment)
    raise fault(
        "E0312",
        f"a condition must be true or false, not {type_name(value)}",
        expression.span,
        help=f"compare it, e.g. {expression.span.text} != 0" if isinstance(value, (int, float)) else None,
    )


def unknown_name(name: Name, environment: Environment) -> Fault:
    """Return the fault for a name that stands for nothing here, with the nearest known one."""
    known = environment.known_names()
    fixes = renaming(name.text, known, name.span)
    return fault("E0302", f"there is no {name.text} here", name.span, help=suggestion(name.text, known), fixes=fixes)


def _demand_number(value: Any, expression: Expression, environment: Environment) -> None:
    if isinstance(value, Choice) and isinstance(expression, Name):
        raise unknown_name(expression, environment)
    if isinstance(value, bool) or not isinstance(value, (int, float, Expr)):
        raise fault("E0312", f"cannot calculate with {type_name(value)}", expression.span)


_RULES: dict[type, Callable[[Any, Environment], Any]] = {
    Number: _literal,
    Text: _literal,
    Boolean: _literal,
    Name: _name,
    ListLiteral: _list,
    TupleLiteral: _tuple,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Range: _range,
    Attribute: _attribute,
    Index: _index,
    CallExpression: _call,
}
