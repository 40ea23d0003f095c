"""What was meant by a value that an argument refuses: the nearest name, the number in quotes, the nearest legal number.

Every proposal is tried on the argument; what it refuses, too, is not proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from striate.elaborate.faults import meant
from striate.elaborate.network import LayerCall
from striate.elaborate.repairs.arguments import number_of
from striate.elaborate.values import Given
from striate.ops.arguments import Argument, ArgumentError, Choice, Flag, Kind, Optional, Padding
from striate_dsl.complaints import Grade
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Binary, Boolean, Expression, ListLiteral, Name, Number, Text, TupleLiteral, Unary

_PADDINGS = ("valid", "same", "half")

Proposal = tuple[str, Grade]
"""A text to be written in the place of a value, and how sure it is."""


def repairs_of_value(
    argument: Argument, value: Any, expression: Expression, names: Iterable[str] = ()
) -> tuple[Fix, ...]:
    """Return the best repair of a value that an argument has refused, or nothing.

    Args:
        argument: the argument.
        value: what the expression gives.
        expression: what is written.
        names: the names of values that could have been meant.
    """
    for text, grade in _proposals(argument.kind, value, expression, names):
        return (Fix(f"write {text}", (Edit(expression.span, text),), grade),)
    return ()


def repairs_in_call(layer: LayerCall, argument: Argument, given: Given) -> tuple[Fix, ...]:
    """Return the best repair of a value that a layer's argument has refused, or nothing."""
    expression = given.argument.value
    fitting = [name for name, item in layer.scope.names.items() if accepts(argument.kind, item.value)]
    return _without_inputs(layer, argument, given) or repairs_of_value(argument, given.value, expression, fitting)


def _without_inputs(layer: LayerCall, argument: Argument, given: Given) -> tuple[Fix, ...]:
    """Return the repair of `dense(1024, 10)`, the order of PyTorch: only the outputs are written."""
    written = layer.call.arguments or ()
    number = isinstance(given.value, int) and not isinstance(given.value, bool) and given.value > 1
    if not isinstance(argument.kind, Flag) or not number or len(written) < 2 or given.argument is not written[1]:
        return ()
    cut = Span(given.span.source, written[0].span.start, written[1].span.start)
    title = f"write the outputs only, {given.span.text}: the number of inputs is worked out"
    return (Fix(title, (Edit(cut, ""),), "unsafe"),)


def _proposals(kind: Kind, value: Any, expression: Expression, names: Iterable[str]) -> Iterator[Proposal]:
    if isinstance(value, Choice) and isinstance(expression, Name):
        near = meant(value.name, [*_choices(kind), *names])
        if near is not None:
            yield near, "unsafe"
    elif isinstance(value, str) and isinstance(expression, Text):
        yield from _unquoted(kind, value)
    elif isinstance(kind, Flag) and value in (0, 1) and isinstance(expression, Number):
        yield ("true" if value else "false"), "safe"
    elif isinstance(expression, Binary) and expression.operator == "/" and isinstance(value, float):
        if accepts(kind, int(value)):
            yield f"{expression.left.span.text} // {expression.right.span.text}", "unsafe"
    elif _is_literal(expression):
        yield from ((text, "unsafe") for text in _near_numbers(kind, value))


def _unquoted(kind: Kind, text: str) -> Iterator[Proposal]:
    """Propose what stands in quotes without them, where that is a legal value, or the legal name nearest to it."""
    inner = text.strip()
    number = number_of(inner) if inner and not inner.startswith("(") else ""
    if not isinstance(number, str) and accepts(kind, number):
        yield inner, "safe"
    near = meant(inner, _choices(kind))
    if near is not None:
        yield near, "safe" if near == inner else "unsafe"


def _near_numbers(kind: Kind, value: Any) -> Iterator[str]:
    """Propose a legal number near an illegal one: without its sign, of a percentage, once instead of for each axis."""
    if isinstance(value, bool):
        return
    if isinstance(value, (list, tuple)):
        if len(set(map(repr, value))) == 1 and accepts(kind, value[0]):
            yield str(value[0])
        elif len(value) > 2 and accepts(kind, tuple(value[:2])):
            yield f"({value[0]}, {value[1]})"
    elif isinstance(value, (int, float)):
        for near in (-value, value / 100 if value > 1 else None, *((1, 0) if isinstance(value, int) else ())):
            if near is not None and accepts(kind, near):
                yield f"{near:g}" if isinstance(near, float) else str(near)


def accepts(kind: Kind, value: Any) -> bool:
    """Return whether an argument of this kind takes a value."""
    try:
        kind.convert(value)
    except ArgumentError:
        return False
    return True


def _choices(kind: Kind) -> tuple[str, ...]:
    if isinstance(kind, Optional):
        return _choices(kind.kind)
    if isinstance(kind, Padding):
        return _PADDINGS
    names: tuple[str, ...] = getattr(kind, "choices", ())
    return names


def _is_literal(expression: Expression) -> bool:
    if isinstance(expression, Unary):
        return _is_literal(expression.operand)
    if isinstance(expression, (ListLiteral, TupleLiteral)):
        return all(map(_is_literal, expression.items))
    return isinstance(expression, (Number, Boolean))
