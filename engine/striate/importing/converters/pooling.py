"""Pooling: the maximum, average or p-norm of a sliding window, and of a whole image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from onnx import TensorProto

from striate.dims import Dim
from striate.importing.call import Call
from striate.importing.converters.windows import image, window, window_padding
from striate.importing.findings import UnsupportedError
from striate.importing.network import PLANES, Stored, Value

_SMALL = frozenset({TensorProto.INT8, TensorProto.UINT8})


def _maxpool(call: Call) -> Value | list[Value]:
    value = image(call)
    if value.kind not in _SMALL:  # whose entries float32 holds exactly
        call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    wants_places = any(call.node.outputs[1:])
    if wants_places and call.node.attribute("storage_order", 0):
        raise UnsupportedError("its places count the pixels column by column")
    made = call.layers(
        "maxpool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=window_padding(call, value, kernel, stride, dilation),
        dilation=tuple(dilation),
        ceil=bool(call.node.attribute("ceil_mode", 0)),
        indices=wants_places,
    )
    if not wants_places:
        return made[0]
    form = "" if call.images == value.sizes[0] == 1 else PLANES
    return [made[0], replace(made[1], kind=TensorProto.INT64, form=form)]


def _unpool(call: Call) -> Value:
    value, node = image(call), call.node
    call.demand_float(value)
    kernel, stride, _ = window(call, len(value.sizes) - 1)
    pads = node.attribute("pads") or [0] * 2 * len(kernel)
    if len(pads) != 2 * len(kernel):
        raise UnsupportedError(f"its pads are {len(pads)} numbers for {len(kernel)} axes")
    spans = zip(value.sizes[1:], stride, kernel, pads[: len(kernel)], pads[len(kernel) :], strict=True)
    pooled: list[Dim] = [(size - 1) * step + tall - before - after for size, step, tall, before, after in spans]
    wanted = node.entries("output_shape", 2)
    sizes: list[Dim] = pooled if wanted is None else list(wanted[2:])
    places = _places_within(call, sizes, whole=sizes == pooled)
    known = tuple(int(size) for size in sizes if isinstance(size, int))
    if len(known) == len(sizes):
        return call.layer("max_unpool", [value, places], indices=1, size=known)
    like = call.network.sized(tuple(sizes))
    if like is None:
        raise UnsupportedError("its size depends on the input, and no value has that size")
    return call.layer("max_unpool", [value, places, like], indices=1, like=2)


def _places_within(call: Call, sizes: list[Dim], *, whole: bool) -> Value:
    """Return the places as the language counts them: within a channel of the image that is made.

    Args:
        call: the node.
        sizes: height and width of that image.
        whole: whether the windows of the pooling reach over all of it.

    Raises:
        UnsupportedError: they were counted in an image of another size, or cannot be told to be places of maxima.
    """
    item = call.given[1] if len(call.given) > 1 else None
    if isinstance(item, Stored):
        known = [size for size in sizes if isinstance(size, int)]
        if call.images != 1 or len(known) < len(sizes) or not whole:
            raise UnsupportedError("its places are stored, and not those of one image of the size that is made")
        return call.parameter(Stored(item.names, item.array[0] % prod(known)))
    value = call.value(1)
    layer = call.network.maker(value)
    if layer is None or layer.record.name != "maxpool":
        raise UnsupportedError("its places are no second value of a MaxPool")
    if list(layer.given[0].shape[1:]) != sizes:
        raise UnsupportedError("its places were counted in an image of another size than it makes")
    return value


def _avgpool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    if set(dilation) != {1}:
        raise UnsupportedError("its window has dilations, which the average has not in the language")
    pad = window_padding(call, value, kernel, stride, dilation)
    return call.layer(
        "avgpool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=pad,
        ceil=bool(call.node.attribute("ceil_mode", 0)),
        count_include_pad=bool(call.node.attribute("count_include_pad", 0)) and pad != 0 and _is_padded(pad),
    )


def _lppool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    if set(dilation) != {1}:
        raise UnsupportedError("its window has dilations, which the norm has not in the language")
    return call.layer(
        "lppool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        p=float(call.node.attribute("p", 2)),
        pad=window_padding(call, value, kernel, stride, dilation),
        ceil=bool(call.node.attribute("ceil_mode", 0)),
    )


def _global_lppool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    return call.layer("global_lppool", value, p=float(call.node.attribute("p", 2)))


def _is_padded(pad: object) -> bool:
    return not isinstance(pad, tuple) or any(pad)


def _whole(name: str) -> Callable[[Call], Value]:
    def rule(call: Call) -> Value:
        value = image(call)
        call.demand_float(value)
        return call.layer(name, value)

    return rule


CONVERTERS = {
    "MaxPool": _maxpool,
    "AveragePool": _avgpool,
    "GlobalAveragePool": _whole("global_avgpool"),
    "GlobalLpPool": _global_lppool,
    "GlobalMaxPool": _whole("global_maxpool"),
    "LpPool": _lppool,
    "MaxUnpool": _unpool,
}
