"""The value of an expression: numbers, texts, lists, sizes of values, layers and blocks by name.

Sizes may be symbolic; arithmetic works on them, a choice (`if`, comparison) does not, because it would make two graphs
of one file.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any, Protocol

from striate.dims import Expr, format_dim
from striate.dims.extent import is_too_large, is_too_long
from striate.elaborate.faults import Fault, UnknownValueError, fault, renaming, suggestion
from striate.elaborate.functions import FUNCTIONS
from striate.elaborate.missing import unknown_function
from striate.elaborate.values import BlockRef, Bound, CallValue, Given, LayerRef, UsedFile, ValueRef, entries_in
from striate.ops.arguments import Choice, quote_value
from striate.ops.geometry import axis_names
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.limits import LIST, SIZE_TERMS
from striate_dsl.paths import dotted_text
from striate_dsl.source import Span
from striate_dsl.syntax import (
    Attribute,
    Binary,
    Boolean,
    CallExpression,
    Conditional,
    Expression,
    Identifier,
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

SIZES = ("channels", "depth", "height", "width", "length", "features", "rank")
"""What can be asked about a value, behind a dot."""

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


class Environment(Protocol):
    """Where an expression finds what its names stand for."""

    def lookup(self, name: Name) -> Any:
        """Return what a name stands for, or None where it is no name here."""

    def layer(self, name: str) -> LayerRef | None:
        """Return the layer of a name, also where the name stands for a value."""

    def called(self, name: str, place: Span) -> LayerRef | None:
        """Return the layer that a call at a place means, loading the plugin that has it; None where nobody does.

        Raises:
            Fault: several plugins provide it.
        """

    def known_names(self) -> list[str]:
        """Return the names that `lookup` finds, for suggestions."""

    def spend(self, entries: int, span: Span) -> None:
        """Count entries of lists that an expression copies, compares or looks through: there is an end to it."""

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
    if value is not None:
        return value
    path, dot, size = expression.text.rpartition(".")
    if dot and size in SIZES:  # of `stage1.0.conv1.channels`, one word of the text, the end may be a size
        source, middle = expression.span.source, expression.span.end - len(size)
        base = Name(Span(source, expression.span.start, middle - 1), path)
        return _attribute(
            Attribute(expression.span, base, Identifier(Span(source, middle, expression.span.end), size)), environment
        )
    return Choice(expression.text)


def _list(expression: ListLiteral, environment: Environment) -> Any:
    return _measured([evaluate(item, environment) for item in expression.items], expression, environment)


def _tuple(expression: TupleLiteral, environment: Environment) -> Any:
    return _measured(tuple(evaluate(item, environment) for item in expression.items), expression, environment)


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
        _demand_meaning(expression, left, right, environment)
        for side in (left, right):
            _measured(side, expression, environment)
        return _compare(expression, left, right)
    if sign == "+" and isinstance(left, list) and isinstance(right, list):
        if len(left) + len(right) > LIST.value:
            raise _too_long(expression)
        return _measured(left + right, expression, environment)
    _demand_number(left, expression.left, environment)
    _demand_number(right, expression.right, environment)
    return _calculate(expression, left, right)


def _demand_meaning(expression: Binary, left: Any, right: Any, environment: Environment) -> None:
    """Demand that a plain name is compared with another one, or with a text; with a number it is a slip.

    Raises:
        Fault: a side of the comparison stands for nothing.
    """
    for side, value, other in ((expression.left, left, right), (expression.right, right, left)):
        if isinstance(side, Name) and isinstance(value, Choice) and not isinstance(other, (Choice, str)):
            raise unknown_name(side, environment)


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
    if isinstance(result, Expr) and is_too_large(result):
        raise fault("E0343", "a number in this size is too large (2^63 or more)", expression.span)
    if isinstance(result, Expr) and is_too_long(result):
        message = f"this size has more than {SIZE_TERMS.value:,} terms and roundings"
        raise fault("E0343", message, expression.span, help=SIZE_TERMS.advice)
    return result


def _measured(value: Any, expression: Expression, environment: Environment) -> Any:
    """Return a value; where it is a list, its entries (those of lists in it included) are counted."""
    if isinstance(value, (list, tuple)):
        entries = entries_in(value, LIST.value)
        environment.spend(entries, expression.span)
        if entries > LIST.value:
            raise _too_long(expression)
    return value


def _too_long(expression: Expression) -> Fault:
    return fault(
        "E0313", f"this list is too long (more than {LIST.value:,} entries)", expression.span, help=LIST.advice
    )


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
    if bounds[1] - bounds[0] > sys.maxsize:
        raise fault("E0313", "this range is too long (2^63 numbers or more)", expression.span)
    return range(bounds[0], bounds[1])


def _attribute(expression: Attribute, environment: Environment) -> Any:
    path, name = dotted_text(expression), expression.name.text
    named = environment.lookup(Name(expression.span, path)) if path is not None else None
    if named is not None:
        return named
    base = evaluate(expression.base, environment)
    if isinstance(base, Choice) and path is not None and name not in SIZES:
        return Choice(path)
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
    axes = ("channels", *axis_names(len(shape) - 1))
    if name not in axes:
        legal = list(axes)
        raise fault(
            "E0315",
            f"{expression.base.span.text} has no {name}",
            expression.name.span,
            notes=(f"its size is {' x '.join(format_dim(extent) for extent in shape)}",),
            help=f"it has {', '.join([*legal, 'rank'])}",
            fixes=renaming(name, [*legal, "rank"], expression.name.span),
        )
    return shape[axes.index(name)]


def _block_of(file: UsedFile, expression: Attribute) -> BlockRef:
    name = expression.name.text
    if name not in file.blocks:
        raise fault(
            "E0301",
            f"there is no block {name} in {file.alias}",
            expression.name.span,
            help=suggestion(name, file.blocks),
            fixes=renaming(name, file.blocks, expression.name.span),
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
            f"entry {quote_value(position)} does not exist: the list has {len(base)}",
            expression.index.span,
            help=f"entries are numbered from 0 to {len(base) - 1}" if base else None,
        )
    return base[position]


def _call(expression: CallExpression, environment: Environment) -> Any:
    name = expression.function
    if isinstance(name, Name):
        target = environment.lookup(name)
        if isinstance(target, ValueRef):
            target = environment.layer(name.text) or target
        # abs is a layer too: with arguments, of which the layer takes none, it is the function.
        is_function = name.text in FUNCTIONS and (target is None or isinstance(target, LayerRef))
        if isinstance(target, (LayerRef, BlockRef)) and not (is_function and expression.arguments):
            return _bind(target, expression, environment)
        if is_function:
            return _apply(expression, name.text, environment)
        if target is None and environment.open_calls:
            return _open_call(name.text, expression, environment)
        layer = environment.called(name.text, name.span) if target is None else None
        if layer is not None:
            return _bind(layer, expression, environment)
        if target is None:
            raise unknown_function(name, expression, [*FUNCTIONS, *environment.known_names()])
    if isinstance(name, Attribute):
        target = _attribute(name, environment)
        if isinstance(target, Choice) and environment.open_calls:
            return _open_call(target.name, expression, environment)
        if isinstance(target, Choice):
            target = environment.called(target.name, name.span)
        if isinstance(target, (LayerRef, BlockRef)):
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
    values = [_measured(evaluate(item.value, environment), expression, environment) for item in expression.arguments]
    if any(item.name is not None for item in expression.arguments):
        raise fault("E0312", f"{name} takes no named arguments", expression.span)
    if any(isinstance(value, Expr) for value in values):
        raise fault("E0314", f"{name} cannot be worked out for an open size", expression.span)
    try:
        return _bounded(FUNCTIONS[name](*values), expression)
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
    message = f"a condition must be true or false, not {type_name(value)}"
    if not isinstance(value, (int, float)):
        raise fault("E0312", message, expression.span)
    written = f"{expression.span.text} != 0"
    fixes = (Fix(f"write {written}", (Edit(expression.span, written),), "unsafe"),)
    raise fault(
        "E0312",
        message,
        expression.span,
        help=f"compare it, e.g. {written}",
        fixes=fixes if isinstance(expression, (Name, Attribute)) else (),
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
