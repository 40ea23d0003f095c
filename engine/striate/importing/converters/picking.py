"""Parts of values and copies of them: slice, gather, split, tile, and channels into pixels."""

from __future__ import annotations

from striate.importing.call import Call
from striate.importing.converters.shaping import reshaped
from striate.importing.converters.windows import image
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value
from striate.ops.arguments import Choice

_FAR = 2**31 - 1
"""From here on the end of a range means all that is left, as exporters write it."""


def _slice(call: Call) -> Value:
    value, node = call.value(), call.node
    starts, ends = node.numbers("starts", 1), node.numbers("ends", 2)
    if starts is None or ends is None:
        raise UnsupportedError("its range is missing")
    axes = node.numbers("axes", 3) or list(range(len(starts)))
    steps = node.numbers("steps", 4) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise UnsupportedError("its starts, ends, axes and steps are not equal in number")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if call.batched and node.axis(call.rank(value), axis) == 0 and start == 0 and step == 1 and end >= _FAR:
            continue  # every image
        value = _sliced(call, value, axis, (start, end, step))
    return value


def _sliced(call: Call, value: Value, axis: int, part: tuple[int, int, int]) -> Value:
    """Return a range along one axis; ONNX moves places that do not exist to the ends."""
    start, end, step = part
    place = call.position(value, axis)
    size = value.sizes[place]
    if step < 0:
        return _backwards(call, value, axis, (start, end, step))
    if isinstance(size, int):
        start, end, _ = slice(start, end).indices(size)
        if end <= start:
            raise UnsupportedError("it takes nothing")
        stop = None if end == size else end
    else:
        stop = None if end >= _FAR else end
    if start == 0 and stop is None and step == 1:
        return value
    return call.layer("slice", value, axis=call.axis_name(value, axis), start=start, stop=stop, step=step)


def _backwards(call: Call, value: Value, axis: int, part: tuple[int, int, int]) -> Value:
    """Return a range whose places fall: the same places rising, turned around."""
    start, end, step = part
    size, name = value.sizes[call.position(value, axis)], call.axis_name(value, axis)
    if step == -1 and (start == -1 or start >= _FAR or start == size - 1) and end <= -_FAR:
        return call.layer("flip", value, axis=name)
    if not isinstance(size, int):
        raise UnsupportedError("it goes backwards over a part of an axis whose size is open")
    places = range(size)[slice(start, end, step)]
    if not places:
        raise UnsupportedError("it takes nothing")
    if len(places) < size:
        value = call.layer("slice", value, axis=name, start=places[-1], stop=places[0] + 1, step=-step)
    return call.layer("flip", value, axis=name)


def _gather(call: Call) -> Value:
    value, places = call.value(), call.stored(1)
    if places is None:
        raise UnsupportedError("its places are missing")
    axis = call.node.attribute("axis", 0)
    place = call.position(value, axis)
    size = value.sizes[place]
    wanted = [int(item) for item in places.array.reshape(-1)]
    if any(item < 0 for item in wanted):
        if not isinstance(size, int):
            raise UnsupportedError("it counts from the end of an open size")
        wanted = [item + size if item < 0 else item for item in wanted]
    if not wanted:
        raise UnsupportedError("it takes nothing")
    name = call.axis_name(value, axis)
    first, last = wanted[0], wanted[-1] + 1
    if wanted == list(range(first, last)) and last > first:
        stop = None if last == size else last
        made = value if (first, stop) == (0, None) else call.layer("slice", value, axis=name, start=first, stop=stop)
    else:
        made = call.layer("select", value, places=wanted, axis=name)
    if places.array.ndim == 1:
        return made
    made = reshaped(call, made, [*value.sizes[:place], *places.array.shape, *value.sizes[place + 1 :]])
    if places.array.ndim == 0:
        return call.leaving_out(made, [axis])
    if not value.is_plain and axis % call.rank(value) < value.batch:
        raise UnsupportedError("it makes several axes of one before the batch axis")
    return made


def _split(call: Call) -> list[Value]:
    value, node = call.value(), call.node
    axis = node.attribute("axis", 0)
    node.attribute("num_outputs")  # as many as there are outputs
    place, count = call.position(value, axis), len(node.outputs)
    size, sizes = value.sizes[place], node.numbers("split", 1)
    name = call.axis_name(value, axis)
    if count == 1:
        return [value]
    if sizes is None:
        even = not isinstance(size, int) or size % count == 0
        return call.layers("split" if even else "chunk", value, parts=count, axis=name)
    if len(sizes) != count or any(part < 1 for part in sizes):
        raise UnsupportedError("its parts are not as many as its outputs, or hold nothing")
    if len(set(sizes)) == 1 and size == sizes[0] * count:
        return call.layers("split", value, parts=count, axis=name)
    return call.layers("split", value, parts=sizes, axis=name)


def _tile(call: Call) -> Value:
    value, times = call.value(), call.node.numbers("repeats", 1)
    if times is None or len(times) != call.rank(value):
        raise UnsupportedError("its repeats are missing, or not one per axis")
    if call.batched and times[0] != 1:
        raise UnsupportedError("it repeats the images of the batch")
    for axis, count in enumerate(times):
        if count < 1:
            raise UnsupportedError("it makes a tensor without entries")
        if count > 1:
            value = call.layer("tile", value, times=count, axis=call.axis_name(value, axis))
    return value


def _depth_to_space(call: Call) -> Value:
    value = image(call)
    order, block = call.node.attribute("mode", "DCR"), call.node.attribute("blocksize", 1)
    if order == "CRD":
        return call.layer("pixel_shuffle", value, block=block)
    return call.layer("depth_to_space", value, block=block)


def _space_to_depth(call: Call) -> Value:
    order = Choice(call.node.attribute("mode", "DCR"))
    return call.layer("space_to_depth", image(call), block=call.node.attribute("blocksize", 1), order=order)


CONVERTERS = {
    "Slice": _slice,
    "Gather": _gather,
    "Split": _split,
    "Tile": _tile,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
