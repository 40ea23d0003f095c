"""Normalisation: batch, instance, layer, group and response norm, and unit length."""

from __future__ import annotations

import numpy as np

from striate.importing.call import Call, name_of
from striate.importing.converters.axes import axes_argument
from striate.importing.converters.windows import image
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.ops.arguments import Choice


def _batch_norm(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    if call.node.attribute("training_mode", 0) or (call.node.opset < 7 and not call.node.attribute("is_test", 0)):
        raise UnsupportedError("it is in training mode: it normalises by the batch at hand")
    if not call.node.attribute("spatial", 1):
        raise UnsupportedError("it normalises every pixel by statistics of its own")
    roles = ("weight", "bias", "running_mean", "running_var")
    weights = {role: call.weight(place) for place, role in enumerate(roles, start=1)}
    kept = call.node.attribute("momentum", 0.9)  # the share that the old statistics keep
    return call.layer("bn", value, weights, eps=call.node.attribute("epsilon", 1e-5), momentum=float(f"{1 - kept:.6g}"))


def _instance_norm(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    weights = {"weight": call.weight(1), "bias": call.weight(2)}
    plain = (weights["weight"].array == 1).all() and not weights["bias"].array.any()
    if plain and _is_written_out(call):
        return call.layer("instancenorm", value, eps=call.node.attribute("epsilon", 1e-5))
    return call.layer("instancenorm", value, weights, eps=call.node.attribute("epsilon", 1e-5), affine=True)


def _is_written_out(call: Call) -> bool:
    """Whether scale and offset are constants that striate's own export put there for a norm without weights."""
    return all("/" in name for place in (1, 2) for name in call.weight(place).names)


def _layer_norm(call: Call) -> Value | list[Value]:
    value = call.value()
    call.demand_float(value)
    if call.node.attribute("axis", -1) % call.rank(value) <= value.batch and not value.is_plain:
        raise UnsupportedError("it normalises along the batch axis, across the images")
    first, eps = call.position(value, call.node.attribute("axis", -1)), call.node.attribute("epsilon", 1e-5)
    axis, sizes = _last_axes(value, first), _known(value, first)
    if axis is not None and not any(call.node.outputs[1:]):
        weights = {"weight": _spread(call, 1, sizes, 1.0), "bias": _spread(call, 2, sizes, 0.0)}
        return call.layer("layernorm", value, weights, axis=axis, eps=eps)
    along = axes_argument(len(value.sizes), list(range(first, len(value.sizes))))
    mean = call.layer("reduce_mean", value, axis=along)
    deviation = call.layer("reduce_std", value, axis=along, eps=eps)
    centred = call.layer("sub", [value, call.layer("broadcast", [mean, value], like=1)])
    made = _scaled(call, call.layer("div", [centred, deviation]), sizes)
    return [made, mean, call.layer("reciprocal", deviation)]


def _rms_norm(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    first, eps = call.position(value, call.node.attribute("axis", -1)), call.node.attribute("epsilon", 1e-5)
    axis, sizes = _last_axes(value, first), _known(value, first)
    if axis is not None:
        return call.layer("rmsnorm", value, {"weight": _spread(call, 1, sizes, 1.0)}, axis=axis, eps=eps)
    along = axes_argument(len(value.sizes), list(range(first, len(value.sizes))))
    squares = call.layer("reduce_mean", call.layer("square", value), axis=along)
    length = call.layer("sqrt", call.layer("offset", squares, amount=eps))
    return _scaled(call, call.layer("div", [value, length]), sizes)


def _last_axes(value: Value, first: int) -> Choice | None:
    """Return the name of all axes from one on; None where they have none together."""
    rank = len(value.sizes)
    if first == rank - 1:
        return name_of(rank, first) if first == 0 else Choice("last")
    return {0: Choice("all"), 1: Choice("space")}.get(first)


def _known(value: Value, first: int) -> tuple[int, ...]:
    sizes = value.sizes[first:]
    known = tuple(size for size in sizes if isinstance(size, int))
    if len(known) < len(sizes):
        raise UnsupportedError("it has weights along an axis whose size is open")
    return known


def _scaled(call: Call, value: Value, sizes: tuple[int, ...]) -> Value:
    """Return a value times the scale and plus the offset of its last axes."""
    front = (1,) * (len(value.sizes) - len(sizes))
    for place, name in ((1, "mul"), (2, "add")):
        if call.stored(place) is None:
            continue
        stored = _spread(call, place, sizes, 0.0)
        other = call.parameter(Stored(stored.names, stored.array.reshape(*front, *sizes)))
        if name == "add":
            other = call.layer("broadcast", [other, value], like=1)
        value = call.layer(name, [value, other])
    return value


def _spread(call: Call, place: int, sizes: tuple[int, ...], fill: float) -> Stored:
    """Return a weight with the sizes that it is broadcast to."""
    if call.stored(place) is None:
        return Stored((f"{call.node.outputs[0]}/{place}",), np.full(sizes, fill, np.float32))
    stored = call.weight(place)
    try:
        return Stored(stored.names, np.broadcast_to(stored.array, sizes).copy())
    except ValueError:
        raise UnsupportedError("its weights do not have the sizes of what is normalised") from None


def _group_norm(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    groups, channels = call.node.attribute("num_groups", 1), value.sizes[0]
    weights = {"weight": call.weight(1), "bias": call.weight(2)}
    if weights["weight"].array.size == groups != channels:  # opset 18 has one scale per group
        if not isinstance(channels, int) or channels % groups:
            raise UnsupportedError("its groups do not divide the channels")
        weights = {
            role: Stored(item.names, np.repeat(item.array.reshape(-1), channels // groups))
            for role, item in weights.items()
        }
    return call.layer("groupnorm", value, weights, groups=groups, eps=call.node.attribute("epsilon", 1e-5))


def _lrn(call: Call) -> Value:
    value, size = image(call), call.node.attribute("size", 1)
    call.demand_float(value)
    if size % 2 == 0:
        raise UnsupportedError("it counts an even number of channels, the extra one behind each instead of before it")
    return call.layer(
        "lrn",
        value,
        size=size,
        alpha=call.node.attribute("alpha", 1e-4),
        beta=call.node.attribute("beta", 0.75),
        k=call.node.attribute("bias", 1.0),
    )


def _unit_length(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    if call.node.attribute("p", 2) == 1:
        axis = call.axis_name(value, call.node.attribute("axis", -1))
        total = call.layer("reduce_sum", call.layer("abs", value), axis=axis)
        return call.layer("div", [value, call.layer("clip", total, low=_LEAST, high=_LARGEST)])
    return call.layer("l2norm", value, axis=call.axis_name(value, call.node.attribute("axis", -1)))


_LEAST, _LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)

CONVERTERS = {
    "RMSNormalization": _rms_norm,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "LRN": _lrn,
    "LpNormalization": _unit_length,
}
