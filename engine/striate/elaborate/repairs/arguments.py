"""The repairs that a layer's own rule proposes, tried on the layer and turned into edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from striate.elaborate.network import LayerCall
from striate.graph import TensorType, format_shape
from striate.ops.arguments import PADDINGS, ArgumentError
from striate.ops.fills import FILLS
from striate.ops.problems import Check, LayerError, Problem
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Boolean, Expression, ListLiteral, Name, Number, Text, TupleLiteral, Unary

Changes = tuple[tuple[str, str], ...]


def repairs_of(layer: LayerCall, problem: Problem) -> tuple[Fix, ...]:
    """Return the repairs of a problem, the best first; what does not work when it is tried is left out."""
    if problem.before:
        start = layer.call.span.start
        edit = Edit(Span(layer.call.span.source, start, start), f"{problem.before} -> ")
        return (Fix(f"{problem.before} -> {layer.written}", (edit,), "unsafe"),)
    return tuple(fix for changes in (problem.repair, *problem.alternatives) if changes for fix in _fix(layer, changes))


def _fix(layer: LayerCall, changes: Changes) -> Iterator[Fix]:
    output = _output(layer, changes)
    if output is None:
        return
    title = f"{', '.join(f'{name} = {text}' for name, text in changes)}, which gives {format_shape(output)}"
    edits = []
    for name, text in changes:
        edit = _edit(layer, name, text)
        if edit is None:
            yield Fix(title, ())
            return
        edits.append(edit)
    yield Fix(title, tuple(edits), "unsafe")


def _edit(layer: LayerCall, name: str, text: str) -> Edit | None:
    """Return the edit of an argument that the call itself gives, or has room for."""
    given = layer.arguments.get(name)
    call = layer.call
    if given is not None:
        inside = given.span.source is call.span.source and call.span.start <= given.span.start < call.span.end
        return Edit(given.span, text) if inside and is_literal(given.argument.value) else None
    if call.body is None and call.callee.span.text == layer.record.name and call.arguments:
        end = call.arguments[-1].span.end
        return Edit(Span(call.span.source, end, end), f", {name} = {text}")
    return None


def is_literal(value: Expression) -> bool:
    """Whether a value is written as itself, so that another one can be written in its place."""
    if isinstance(value, Unary):
        return is_literal(value.operand)
    if isinstance(value, TupleLiteral | ListLiteral):
        return all(map(is_literal, value.items))
    return isinstance(value, Number | Boolean | Text) or (isinstance(value, Name) and value.text in _CHOICES)


_CHOICES = frozenset({*PADDINGS, *FILLS, "constant"})
"""Names that another value can be written for: how much padding, and what it holds."""


def _output(layer: LayerCall, changes: Changes) -> TensorType | None:
    """Return what the layer gives with other arguments, None where it refuses them too."""
    inputs = tuple(item.value.type for item in layer.incoming if item.value.type is not None)
    values = {name: number_of(text) for name, text in changes}
    try:
        attributes: dict[str, Any] = {}
        for item in layer.record.arguments:
            given = layer.arguments.get(item.name)
            value = item.default if given is None else given.value
            attributes[item.name] = item.kind.convert(values.get(item.name, value))
        return layer.record.shape(layer.record.settle(attributes, inputs), inputs, Check())[0]
    except (LayerError, ArgumentError):
        return None


def number_of(text: str) -> int | float | tuple[int, ...] | str:
    """Return what the text of a proposed value means: a number, a tuple of whole numbers, or a name."""
    if text.startswith("("):
        return tuple(int(part) for part in text.strip("()").split(","))
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
