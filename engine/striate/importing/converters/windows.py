"""Convolution and transposed convolution, and the windows that slide over an image with padding of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from striate.importing.call import Call
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.ops.arguments import Choice


def interleaved(pads: Sequence[int]) -> tuple[int, ...]:
    """Return padding in the order of the language, before and after each axis, from ONNX's: all begins, all ends."""
    half = len(pads) // 2
    return tuple(pads[side * half + axis] for axis in range(half) for side in (0, 1))


def window_padding(
    call: Call, value: Value, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Any:
    """Return the padding of a window as it is written: numbers, or `same`.

    Raises:
        UnsupportedError: it takes rows away, or is SAME_LOWER on an open size.
    """
    how = call.node.attribute("auto_pad", "NOTSET")
    count = len(kernel)
    if how == "NOTSET":
        pads = call.node.attribute("pads") or [0] * (2 * count)
        if len(pads) != 2 * count:
            raise UnsupportedError(f"its pads are {len(pads)} numbers for {count} axes")
        if any(pad < 0 for pad in pads):
            raise UnsupportedError("its padding is below 0: it takes rows away")
        return interleaved(pads)
    if how == "VALID":
        return 0
    if how == "SAME_UPPER":
        return Choice("same")
    if how != "SAME_LOWER":
        raise UnsupportedError(f"its auto_pad is {how[:20]}, which ONNX does not know")
    pads_lower: list[int] = []
    for size, tall, step, apart in zip(value.sizes[1:], kernel, stride, dilation, strict=True):
        span = (tall - 1) * apart + 1
        if step == 1:
            total = span - 1
        elif isinstance(size, int):
            total = max((-(-size // step) - 1) * step + span - size, 0)
        else:
            raise UnsupportedError("its padding is SAME_LOWER, which depends on the size of the input here")
        pads_lower += [total - total // 2, total // 2]
    return tuple(pads_lower)


def window(call: Call, count: int, kernel: Sequence[int] | None = None) -> tuple[list[int], list[int], list[int]]:
    """Return kernel, stride and dilation of a window over so many axes.

    Raises:
        UnsupportedError: they do not fit together.
    """
    tall = call.node.attribute("kernel_shape") or (list(kernel) if kernel is not None else None)
    if tall is None:
        raise UnsupportedError("its kernel_shape is missing")
    stride = call.node.attribute("strides") or [1] * count
    dilation = call.node.attribute("dilations") or [1] * count
    if not len(tall) == len(stride) == len(dilation) == count:
        raise UnsupportedError(f"its kernel, strides and dilations are not {count} numbers each")
    return tall, stride, dilation


def image(call: Call) -> Value:
    """Return the image that a window slides over: a value with batch and channels.

    Raises:
        UnsupportedError: it has no batch axis or no channels.
    """
    value = call.value()
    if not call.batched or value.flat:
        raise UnsupportedError("it needs a batch axis and channels")
    return value


def _weights(call: Call) -> dict[str, Stored]:
    weights = {"weight": call.weight(1)}
    if call.stored(2) is not None:
        weights["bias"] = call.weight(2)
    return weights


def _conv(call: Call) -> Value:
    value, weights = image(call), _weights(call)
    call.demand_float(value)
    filters = weights["weight"].array
    count = len(value.sizes) - 1
    if filters.ndim != count + 2:
        raise UnsupportedError(f"its weight has {filters.ndim} axes, its input {count + 2}")
    kernel, stride, dilation = window(call, count, filters.shape[2:])
    return call.layer(
        "conv",
        value,
        weights,
        channels=filters.shape[0],
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=window_padding(call, value, kernel, stride, dilation),
        groups=call.node.attribute("group", 1),
        dilation=tuple(dilation),
        bias="bias" in weights,
    )


def _deform_conv(call: Call) -> Value:
    value = image(call)
    call.demand_float()
    weights = {"weight": call.weight(1)}
    if call.stored(3) is not None:
        weights["bias"] = call.weight(3)
    filters = weights["weight"].array
    kernel, stride, dilation = window(call, 2, filters.shape[2:])
    moves = {name: _moves(call, place) for name, place in (("offsets", 2), ("modulation", 4))}
    given = {name: moved for name, moved in moves.items() if moved is not None}
    named = {name: place for place, name in enumerate(given, start=1)}
    return call.layer(
        "deform_conv",
        [value, *given.values()],
        weights,
        channels=filters.shape[0],
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=window_padding(call, value, kernel, stride, dilation),
        groups=call.node.attribute("group", 1),
        dilation=tuple(dilation),
        offset_groups=call.node.attribute("offset_group", 1),
        bias="bias" in weights,
        offsets=named.get("offsets"),
        modulation=named.get("modulation"),
    )


def _moves(call: Call, place: int) -> Value | None:
    """Return offsets or modulation; those that are stored are the same for every image."""
    item = call.given[place] if place < len(call.given) else None
    if not isinstance(item, Stored):
        return item
    if call.images != len(item.array) or (item.array != item.array[:1]).any():
        raise UnsupportedError("its offsets are stored, and differ between the images of a batch")
    return call.parameter(Stored(item.names, item.array[0]))


def _deconv(call: Call) -> Value:
    value, weights = image(call), _weights(call)
    call.demand_float(value)
    filters, groups = weights["weight"].array, call.node.attribute("group", 1)
    count = len(value.sizes) - 1
    if filters.ndim != count + 2:
        raise UnsupportedError(f"its weight has {filters.ndim} axes, its input {count + 2}")
    kernel, stride, dilation = window(call, count, filters.shape[2:])
    extra = call.node.attribute("output_padding") or [0] * count
    pads = _deconv_padding(call, value, kernel, stride, dilation, extra)
    return call.layer(
        "deconv",
        value,
        weights,
        channels=filters.shape[1] * groups,
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=pads,
        output_padding=tuple(extra),
        groups=groups,
        dilation=tuple(dilation),
        bias="bias" in weights,
    )


def _deconv_padding(
    call: Call, value: Value, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], extra: list[int]
) -> tuple[int, ...]:
    """Return what is taken away around the output; may change `extra`, the rows added behind it.

    Raises:
        UnsupportedError: it would have to be added instead, or depends on an open size.
    """
    how, wanted = call.node.attribute("auto_pad", "NOTSET"), call.node.attribute("output_shape")
    if how in ("NOTSET", "VALID") and wanted is None:
        return tuple(window_padding(call, value, kernel, stride, dilation) or (0,) * (2 * len(kernel)))
    pads: list[int] = []
    for axis, size in enumerate(value.sizes[1:]):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        if wanted is None:
            total = span + extra[axis] - stride[axis]  # the output is in * stride
        elif isinstance(size, int):
            total = (size - 1) * stride[axis] + span + extra[axis] - wanted[len(wanted) - len(kernel) + axis]
        else:
            raise UnsupportedError("its output_shape depends on the size of the input")
        if total < 0 and -total < stride[axis]:
            extra[axis], total = extra[axis] - total, 0
        if total < 0:
            raise UnsupportedError("its output is larger than its windows reach")
        small, large = total // 2, total - total // 2
        pads += [small, large] if how == "SAME_UPPER" else [large, small]
    return tuple(pads)


def pixels(value: Value) -> int | None:
    """Return the number of pixels of a value, None where it is open."""
    known = [size for size in value.sizes[1:] if isinstance(size, int)]
    return prod(known) if len(known) == len(value.sizes) - 1 else None


CONVERTERS = {"Conv": _conv, "ConvTranspose": _deconv, "DeformConv": _deform_conv}
