"""Many entries to one along axes, shares along an axis, and the place of the largest."""

from __future__ import annotations

from collections.abc import Callable

from onnx import TensorProto

from striate.importing.call import Call, name_of
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value
from striate.ops.arguments import Choice
from striate.ops.sizes import product

Rule = Callable[[Call], Value]


def reduction_axes(call: Call, value: Value) -> list[int]:
    """Return the places of the axes that a node reduces; all of them where none is named.

    Raises:
        UnsupportedError: the batch axis is among them.
    """
    axes = call.node.numbers("axes", 1)
    if not axes:
        if call.node.attribute("noop_with_empty_axes", 0):
            return []
        axes = list(range(call.rank(value)))
    return sorted({call.position(value, axis) for axis in axes})


def _reduce(name: str, before: str | None = None, after: str | None = None) -> Rule:
    """Return a rule for a reduction, with a function of each entry before or behind it."""

    def rule(call: Call) -> Value:
        value = call.value()
        call.demand_float(value)
        along = reduction_axes(call, value)
        if before is not None:
            value = call.layer(before, value)
        made = reduced(call, name, value, along) if along else value
        return made if after is None else call.layer(after, made)

    return rule


def reduced(call: Call, name: str, value: Value, along: list[int]) -> Value:
    """Return a value reduced along axes, which ONNX keeps or leaves out."""
    keep = bool(call.node.attribute("keepdims", 1))
    rank = len(value.sizes)
    axis = _axes(rank, along)
    if keep or len(along) < rank:
        return call.layer(name, value, axis=axis, keep=keep)
    return reshaped(call, call.layer(name, value, axis=axis, keep=True), [])


def _axes(rank: int, along: list[int]) -> object:
    if len(along) == rank:
        return Choice("all") if rank > 1 else Choice("channels")
    if along == list(range(1, rank)):
        return Choice("space")
    if len(along) == 1:
        return name_of(rank, along[0])
    return [name_of(rank, place) for place in along]


def _shares(name: str) -> Rule:
    def rule(call: Call) -> Value:
        value, node = call.value(), call.node
        call.demand_float(value)
        if node.opset >= 13:
            return call.layer(name, value, axis=call.axis_name(value, node.attribute("axis", -1)))
        return _flat_shares(call, value, name)

    return rule


def _flat_shares(call: Call, value: Value, name: str) -> Value:
    """Return the shares over all axes from one on, as before opset 13."""
    first, rank = call.position(value, call.node.attribute("axis", 1)), len(value.sizes)
    if all(size == 1 for size in value.sizes[first + 1 :]) or first == rank - 1:
        return call.layer(name, value, axis=name_of(rank, first))
    if first == 0:
        return call.layer(name, value, axis=Choice("all"))
    if first == 1:
        return call.layer(name, value, axis=Choice("space"))
    flat = reshaped(call, value, [*value.sizes[:first], product(value.sizes[first:])])
    return reshaped(call, call.layer(name, flat, axis=name_of(first + 1, first)), value.sizes)


def _argmax(call: Call) -> Value:
    value, node = call.value(), call.node
    call.demand_float(value)
    if node.attribute("select_last_index", 0):
        raise UnsupportedError("of equal entries it takes the last; the language takes the first")
    place = call.position(value, node.attribute("axis", 0))
    keep, rank = bool(node.attribute("keepdims", 1)), len(value.sizes)
    axis = name_of(rank, place)
    if keep or rank > 1:
        return call.layer("argmax", value, axis=axis, keep=keep, kind=TensorProto.INT64)
    return reshaped(call, call.layer("argmax", value, axis=axis, kind=TensorProto.INT64), [])


CONVERTERS: dict[str, Rule] = {
    "ReduceMean": _reduce("reduce_mean"),
    "ReduceSum": _reduce("reduce_sum"),
    "ReduceMax": _reduce("reduce_max"),
    "ReduceMin": _reduce("reduce_min"),
    "ReduceSumSquare": _reduce("reduce_sum", before="square"),
    "ReduceL1": _reduce("reduce_sum", before="abs"),
    "ReduceL2": _reduce("reduce_sum", before="square", after="sqrt"),
    "Softmax": _shares("softmax"),
    "LogSoftmax": _shares("log_softmax"),
    "ArgMax": _argmax,
}
