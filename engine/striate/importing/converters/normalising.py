"""Normalisation: batch, instance, layer, group and response norm, and unit length."""

from __future__ import annotations

import numpy as np

from striate.importing.call import Call, name_of
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


def _layer_norm(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    if any(call.node.outputs[1:]):
        raise UnsupportedError("its mean or deviation is used")
    first = call.position(value, call.node.attribute("axis", -1))
    rank = len(value.sizes)
    if first == rank - 1:
        axis = name_of(rank, first) if first == 0 else Choice("last")
    elif first == 0:
        axis = Choice("all")
    elif first == 1:
        axis = Choice("space")
    else:
        raise UnsupportedError(f"it normalises the last {rank - first} of {rank} axes, for which there is no name")
    sizes = value.sizes[first:]
    known = tuple(size for size in sizes if isinstance(size, int))
    if len(known) < len(sizes):
        raise UnsupportedError("it has weights along an axis whose size is open")
    weights = {"weight": _spread(call, 1, known, 1.0), "bias": _spread(call, 2, known, 0.0)}
    return call.layer("layernorm", value, weights, axis=axis, eps=call.node.attribute("epsilon", 1e-5))


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
    if call.node.attribute("p", 2) != 2:
        raise UnsupportedError("it divides by the sum of sizes; only lengths (p = 2) are read")
    return call.layer("l2norm", value, axis=call.axis_name(value, call.node.attribute("axis", -1)))


CONVERTERS = {
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "LRN": _lrn,
    "LpNormalization": _unit_length,
}
