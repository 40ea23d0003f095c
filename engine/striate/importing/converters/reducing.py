"""Many entries to one along axes, shares along an axis, and the place of the largest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from striate.importing.call import Call, name_of
from striate.importing.converters.axes import axes_argument
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.ops.arguments import Choice
from striate.ops.sizes import product

Rule = Callable[[Call], Value]


def reduction_axes(call: Call, value: Value) -> list[int]:
    """Return the places of the axes that a node reduces; all of them where none is named.

    Raises:
        UnsupportedError: the batch axis is among them.
    """
    return sorted({call.position(value, axis) for axis in _named_axes(call, value)})


def _named_axes(call: Call, value: Value) -> list[int]:
    axes, none_is_none = call.node.numbers("axes", 1), call.node.attribute("noop_with_empty_axes", 0)
    return axes or ([] if none_is_none else list(range(call.rank(value))))


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
    axis = axes_argument(rank, along)
    if keep or len(along) < rank:
        made = call.layer(name, value, axis=axis, keep=keep)
        return made if keep or value.is_plain else call.leaving_out(made, _named_axes(call, value))
    made = reshaped(call, call.layer(name, value, axis=axis, keep=True), [])
    return made if value.is_plain else call.leaving_out(made, _named_axes(call, value))


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
    if not value.is_plain:
        raise UnsupportedError("it takes all axes from one on together, and the batch is not the first")
    first, rank = call.position(value, call.node.attribute("axis", 1)), len(value.sizes)
    if all(size == 1 for size in value.sizes[first + 1 :]) or first == rank - 1:
        return call.layer(name, value, axis=name_of(rank, first))
    if first == 0:
        return call.layer(name, value, axis=Choice("all"))
    if first == 1:
        return call.layer(name, value, axis=Choice("space"))
    flat = reshaped(call, value, [*value.sizes[:first], product(value.sizes[first:])])
    return reshaped(call, call.layer(name, flat, axis=name_of(first + 1, first)), value.sizes)


def _place(name: str) -> Rule:
    """Return a rule for the place of the largest or smallest entry."""

    def rule(call: Call) -> Value:
        value, node = call.value(), call.node
        call.demand_float(value)
        place = call.position(value, node.attribute("axis", 0))
        keep, rank = bool(node.attribute("keepdims", 1)), len(value.sizes)
        axis, size = name_of(rank, place), value.sizes[place]
        last = bool(node.attribute("select_last_index", 0))
        if last and not isinstance(size, int):
            raise UnsupportedError("of equal entries it takes the last, along an axis whose size is open")
        given = call.layer("flip", value, axis=axis) if last else value
        kept = keep or rank == 1
        made = call.layer(name, given, axis=axis, keep=kept, kind=TensorProto.INT64)
        if last and isinstance(size, int):
            made = call.layer("linear", made, scale=-1.0, shift=float(size - 1))
        return made if keep or rank > 1 else reshaped(call, made, [])

    return rule


def _log_of(name: str) -> Rule:
    return _reduce(name, after="log")


def _centred(call: Call) -> Value:
    """Return a value with mean 0 and deviation 1 over some axes (MeanVarianceNormalization)."""
    value = call.value()
    call.demand_float(value)
    axes = call.node.attribute("axes") or [0, 2, 3]
    along = sorted({call.position(value, axis) for axis in axes})
    axis = axes_argument(len(value.sizes), along)
    moved = _less(call, value, call.layer("reduce_mean", value, axis=axis))
    return call.layer("div", [moved, call.layer("reduce_std", value, axis=axis, eps=0.0)])


def _less(call: Call, value: Value, other: Value) -> Value:
    return call.layer("sub", [value, call.layer("broadcast", [other, value], like=1)])


def _running(name: str) -> Rule:
    def rule(call: Call) -> Value:
        value, node = call.value(), call.node
        axis = call.number(1)
        call.demand_float(value)
        if axis is None:
            raise UnsupportedError("its axis is missing")
        exclusive, reverse = (bool(node.attribute(flag, 0)) for flag in ("exclusive", "reverse"))
        along = call.axis_name(value, int(axis))
        return call.layer(name, value, axis=along, exclusive=exclusive, reverse=reverse)

    return rule


def _hardmax(call: Call) -> Value:
    """Return 1 at the place of the largest entry along an axis, 0 elsewhere; of equal entries the first counts."""
    value, node = call.value(), call.node
    call.demand_float(value)
    place = call.position(value, node.attribute("axis", -1 if node.opset >= 13 else 1))
    rank, size = len(value.sizes), value.sizes[place]
    if not isinstance(size, int) or (node.opset < 13 and place < rank - 1):
        raise UnsupportedError("it works along an axis whose size is open, or along several")
    largest = call.layer("argmax", value, axis=name_of(rank, place))
    places = np.arange(size, dtype=np.float32).reshape([size if axis == place else 1 for axis in range(rank)])
    return call.layer("equal", [largest, call.parameter(Stored((f"{node.outputs[0]}/places",), places))])


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
    "ReduceProd": _reduce("reduce_prod"),
    "ReduceLogSum": _log_of("reduce_sum"),
    "ReduceLogSumExp": _reduce("reduce_logsumexp"),
    "MeanVarianceNormalization": _centred,
    "Hardmax": _hardmax,
    "CumSum": _running("cumsum"),
    "CumProd": _running("cumprod"),
    "ArgMax": _place("argmax"),
    "ArgMin": _place("argmin"),
}
