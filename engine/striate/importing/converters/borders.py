"""Borders added and taken away: Pad, and CenterCropPad, which does either to reach a size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.importing.call import Call
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import BATCH, Value
from striate.ops.arguments import Choice
from striate.ops.sizes import product

_LARGEST = float(np.finfo(np.float32).max)
_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
Side = tuple[int, int]
"""How many rows before and after an axis."""


def _pad(call: Call) -> Value:
    value, node = call.value(), call.node
    call.demand_float(value)
    pads = node.numbers("pads", 1) or node.attribute("paddings")
    rank = call.rank(value)
    axes = node.numbers("axes", 3)
    if pads is None or len(pads) != 2 * (rank if axes is None else len(axes)):
        raise UnsupportedError("its pads are missing, or not two numbers per axis")
    mode = _MODES.get(node.attribute("mode", "constant"))
    if mode is None:
        raise UnsupportedError("its mode is none that ONNX knows")
    sides = [(0, 0)] * rank
    along = range(rank) if axes is None else [node.axis(rank, axis) for axis in axes]
    for index, axis in enumerate(along):
        sides[axis] = pads[index], pads[index + len(along)]
    if call.batched and any(sides[0]):
        raise UnsupportedError("it pads the batch")
    number = node.attribute("value") if node.opset < 11 else call.number(2)
    # -inf is what stands around an image before a maximum is taken; no number of an image is below the least float32.
    fill = float(np.clip(number or 0.0, -_LARGEST, _LARGEST)) if mode == "constant" else 0.0
    cut = [(-min(before, 0), -min(after, 0)) for before, after in sides[call.lead :]]
    added = [(max(before, 0), max(after, 0)) for before, after in sides[call.lead :]]
    if any(map(any, cut)) and any(map(any, added)) and mode != "constant":
        raise UnsupportedError("it takes rows away and repeats those at the border")
    return padded(call, without_border(call, value, cut), added, mode, fill)


def padded(call: Call, value: Value, sides: Sequence[Side], mode: str, fill: float) -> Value:
    """Return a value with rows added before and after each axis, the channels among them."""
    if not any(map(any, sides)):
        return value
    if value.flat:
        raise UnsupportedError("it pads a number without axes")
    if not any(sides[0]) and 2 <= len(value.sizes) <= 4:
        return _image_padded(call, value, sides[1:], mode, fill)
    if len(value.sizes) < 4:
        whole = _image_padded(call, reshaped(call, value, [1, *value.sizes]), sides, mode, fill)
        return reshaped(call, whole, whole.sizes[1:])
    if any(map(any, sides[1:])):
        value = padded(call, value, [(0, 0), *sides[1:]], mode, fill)
    rows = _image_padded(
        call, reshaped(call, value, [1, value.sizes[0], product(value.sizes[1:])]), [sides[0], (0, 0)], mode, fill
    )
    return reshaped(call, rows, [rows.sizes[1], *value.sizes[1:]])


def _image_padded(call: Call, value: Value, sides: Sequence[Side], mode: str, fill: float) -> Value:
    written = tuple(number for side in sides for number in side)
    return call.layer("pad", value, sides=written, mode=Choice(mode), value=fill)


def without_border(call: Call, value: Value, sides: Sequence[Side]) -> Value:
    """Return a value without rows before and after each axis."""
    if not any(map(any, sides)):
        return value
    if value.flat:
        raise UnsupportedError("it takes rows away from a number without axes")
    if not any(sides[0]) and 2 <= len(value.sizes) <= 4:
        return call.layer("crop", value, sides=tuple(number for side in sides[1:] for number in side))
    for axis, (before, after) in enumerate(sides, start=call.lead):
        if before or after:
            stop = -after if after else None
            value = call.layer("slice", value, axis=call.axis_name(value, axis), start=before, stop=stop)
    return value


def _centred(call: Call) -> Value:
    """Return a value with the sizes asked for: what is too much is cut off around the centre, what lacks is 0.

    Where the rows are odd in number, the one more lies behind.
    """
    value, wanted = call.value(), call.node.entries("shape", 1)
    call.demand_float(value)
    shape = call.shape(value)
    axes: Any = call.node.attribute("axes") or list(range(len(shape)))
    if wanted is None or len(wanted) != len(axes):
        raise UnsupportedError("its sizes are not one per axis")
    cut, added = [(0, 0)] * len(shape), [(0, 0)] * len(shape)
    for axis, size in zip(axes, wanted, strict=True):
        place = call.node.axis(len(shape), axis)
        given = shape[place]
        if size == given or (place == 0 and call.batched and size in (BATCH, call.images)):
            continue
        if not isinstance(given, int) or not isinstance(size, (int, np.integer)) or (place == 0 and call.batched):
            raise UnsupportedError("it changes the batch, or a size that is open")
        more = int(size) - given
        side = (abs(more) // 2, abs(more) - abs(more) // 2)
        (added if more > 0 else cut)[place] = side
    smaller = without_border(call, value, cut[call.lead :])
    return padded(call, smaller, added[call.lead :], "constant", 0.0)


CONVERTERS = {"Pad": _pad, "CenterCropPad": _centred}
