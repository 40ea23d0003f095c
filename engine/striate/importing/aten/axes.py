"""ATen's operators that move entries: other axes, parts, borders, values put together, images of another size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.dims import Dim
from striate.importing.aten.walk import Given, Rule, Turned, Walk, flowing, numbers, tensor
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value

_FAR = 2**62


def _view(walk: Walk, given: Given) -> Any:
    sizes = next(given[name] for name in ("size", "shape") if name in given)
    return walk.onnx("Reshape", tensor(given["self"]), list(sizes), allowzero=1)


def _flatten(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    shape = walk.shape(value)
    first, last = walk.axis(value, given["start_dim"]), walk.axis(value, given["end_dim"])
    if first == 0 and last > 0:
        raise UnsupportedError("it mixes the batch axis with others")
    return walk.onnx("Reshape", value, [*shape[:first], -1, *shape[last + 1 :]], allowzero=1)


def _unflatten(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    shape, axis = walk.shape(value), walk.axis(value, given["dim"])
    return walk.onnx("Reshape", value, [*shape[:axis], *given["sizes"], *shape[axis + 1 :]], allowzero=1)


def turned(walk: Walk, item: Any, order: Sequence[int]) -> Value | Turned:
    """Return a tensor with its axes in another order; where the batch is not in front, without a layer."""
    if isinstance(item, Turned):
        order = [item.order[axis] for axis in order]
        item = item.value
    if list(order) == list(range(len(order))):
        return tensor(item)
    if order[0] != 0 and tensor(item).is_plain:
        return Turned(tensor(item), tuple(order))
    made: Value = walk.onnx("Transpose", tensor(item), perm=list(order))
    return made


def _permute(walk: Walk, given: Given) -> Any:
    item = given["self"]
    return turned(walk, item, [walk.axis(item, axis) for axis in given["dims"]])


def _transpose(walk: Walk, given: Given) -> Any:
    item = given["self"]
    order = list(range(walk.rank(item)))
    first, second = walk.axis(item, given["dim0"]), walk.axis(item, given["dim1"])
    order[first], order[second] = order[second], order[first]
    return turned(walk, item, order)


def _squeeze(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    shape = walk.shape(value)
    wanted = given.get("dim", range(1, len(shape)))
    axes = [walk.axis(value, axis) for axis in ([wanted] if isinstance(wanted, int) else wanted)]
    ones = [axis for axis in axes if axis and shape[axis] == 1]
    return walk.onnx("Squeeze", value, ones) if ones else value


def _unsqueeze(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    return walk.onnx("Unsqueeze", value, [given["dim"] % (walk.rank(value) + 1)])


def _expand(walk: Walk, given: Given) -> Any:
    value, sizes = tensor(given["self"]), list(given["size"])
    shape = walk.shape(value)
    behind = len(sizes) - len(shape)
    if behind:
        raise UnsupportedError("it puts axes before the batch")
    return walk.onnx("Expand", value, [own if size == -1 else size for own, size in zip(shape, sizes, strict=True)])


def _slice(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    axis = walk.axis(value, given["dim"])
    start, end, step = given["start"] or 0, given["end"], given["step"]
    end = _FAR if end is None else end
    whole = isinstance(end, int) and end >= _FAR // 2
    if start == 0 and (whole or end == walk.shape(value)[axis]) and step == 1:
        return value
    return walk.onnx("Slice", value, [start], [_FAR if whole else end], [axis], [step])


def _narrow(walk: Walk, given: Given) -> Any:
    value, start = tensor(given["self"]), given["start"]
    return walk.onnx("Slice", value, [start], [start + given["length"]], [walk.axis(value, given["dim"])], [1])


def _select(walk: Walk, given: Given) -> Any:
    item = given["self"]
    axis, index = walk.axis(item, given["dim"]), given["index"]
    if not isinstance(item, Turned):
        return walk.onnx("Gather", tensor(item), Stored((), np.asarray(index, dtype=np.int64)), axis=axis)
    inner = item.order[axis]
    if inner == 0:
        raise UnsupportedError("it picks an image of the batch")
    picked = walk.onnx("Gather", item.value, Stored((), np.asarray(index, dtype=np.int64)), axis=inner)
    order = [place - (place > inner) for place in item.order if place != inner]
    return turned(walk, picked, order)


def _unbind(walk: Walk, given: Given) -> Any:
    item = given["self"]
    count = walk.shape(item)[walk.axis(item, given["dim"])]
    if not isinstance(count, int):
        raise UnsupportedError("into how many it comes apart depends on the size of the input")
    return [_select(walk, {"self": item, "dim": given["dim"], "index": index}) for index in range(count)]


def _parts(walk: Walk, value: Value, sizes: Sequence[int], axis: int) -> Any:
    if len(sizes) == 1:
        return [value]
    return walk.onnx("Split", value, list(sizes), axis=axis, outputs=len(sizes))


def _extent(walk: Walk, value: Value, axis: int) -> int:
    size = walk.shape(value)[axis]
    if not isinstance(size, int):
        raise UnsupportedError("it takes a value apart along an open size")
    return size


def _split(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    axis = walk.axis(value, given["dim"])
    size, each = _extent(walk, value, axis), given["split_size"]
    return _parts(walk, value, [min(each, size - first) for first in range(0, size, each)], axis)


def _split_sizes(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    sizes = given["split_sizes"] if "split_sizes" in given else given["split_size"]
    return _parts(walk, value, numbers(list(sizes), len(sizes)), walk.axis(value, given["dim"]))


def _chunk(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    axis = walk.axis(value, given["dim"])
    size = _extent(walk, value, axis)
    return _split(walk, {"self": value, "dim": axis, "split_size": -(-size // given["chunks"])})


def _cat(walk: Walk, given: Given) -> Any:
    items = given["tensors"]
    return walk.onnx("Concat", *items, axis=walk.axis(items[0], given["dim"]))


def _stack(walk: Walk, given: Given) -> Any:
    items = [tensor(item) for item in given["tensors"]]
    axis = given["dim"] % (walk.rank(items[0]) + 1)
    return walk.onnx("Concat", *(walk.onnx("Unsqueeze", item, [axis]) for item in items), axis=axis)


_BORDERS = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(mode: str | None = None) -> Rule:
    def rule(walk: Walk, given: Given) -> Any:
        value = tensor(given["self"])
        sides = given["pad"] if "pad" in given else given["padding"]
        rank = walk.rank(value)
        pads = [0] * (2 * rank)
        for place in range(len(sides) // 2):  # torch begins with the last axis
            axis = rank - 1 - place
            pads[axis], pads[rank + axis] = sides[2 * place], sides[2 * place + 1]
        chosen = mode or given.get("mode", "constant")
        fill = given.get("value")
        return walk.onnx("Pad", value, pads, float(fill or 0), mode=_BORDERS[chosen])

    return rule


def _repeat(walk: Walk, given: Given) -> Any:
    value = tensor(given["self"])
    if len(given["repeats"]) != walk.rank(value):
        raise UnsupportedError("it puts axes before the batch")
    return walk.onnx("Tile", value, list(given["repeats"]))


def _resize(mode: str) -> Rule:
    """Return torch's upsampling: to sizes, or by factors, of which torch takes the sizes and forgets the rest."""

    def rule(walk: Walk, given: Given) -> Any:
        value = flowing(given)
        sizes = given["output_size"]
        factors = given.get("scale_factors")
        coordinates = "align_corners" if given.get("align_corners") else "half_pixel"
        nearest = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        how: dict[str, Any] = {**nearest} if mode == "nearest" else {"coordinate_transformation_mode": coordinates}
        if sizes is None:
            if factors is None:
                raise UnsupportedError("neither a size nor a factor is given")
            return walk.onnx("Resize", value, None, [1.0, 1.0, *map(float, factors)], mode=mode, **how)
        whole: list[Dim] = [*walk.shape(value)[:2], *sizes]
        cubic: dict[str, Any] = {"cubic_coeff_a": -0.75} if mode == "cubic" else {}
        return walk.onnx("Resize", value, None, None, whole, mode=mode, **how, **cubic)

    return rule


def _shuffle(walk: Walk, given: Given) -> Any:
    return walk.onnx("DepthToSpace", tensor(given["self"]), blocksize=given["upscale_factor"], mode="CRD")


def _unshuffle(walk: Walk, given: Given) -> Any:
    return walk.layer("pixel_unshuffle", tensor(given["self"]), block=given["downscale_factor"])


def _channel_shuffle(walk: Walk, given: Given) -> Any:
    return walk.layer("channel_shuffle", tensor(given["self"]), groups=given["groups"])


_SCALED = {"nearest1d": "nearest", "nearest2d": "nearest", "nearest3d": "nearest", "linear1d": "linear",
           "bilinear2d": "linear", "trilinear3d": "linear", "bicubic2d": "cubic"}  # fmt: skip

RULES: Mapping[str, Rule] = {
    **{f"{name}.default": _view for name in ("view", "_unsafe_view", "reshape")},
    "flatten.using_ints": _flatten,
    "unflatten.int": _unflatten,
    "permute.default": _permute,
    "transpose.int": _transpose,
    "squeeze.default": _squeeze,
    "squeeze.dim": _squeeze,
    "squeeze.dims": _squeeze,
    "unsqueeze.default": _unsqueeze,
    "expand.default": _expand,
    "slice.Tensor": _slice,
    "narrow.default": _narrow,
    "select.int": _select,
    "unbind.int": _unbind,
    "split.Tensor": _split,
    "split.sizes": _split_sizes,
    "split_with_sizes.default": _split_sizes,
    "chunk.default": _chunk,
    "cat.default": _cat,
    "stack.default": _stack,
    "pad.default": _pad(),
    "constant_pad_nd.default": _pad("constant"),
    **{f"reflection_pad{count}d.default": _pad("reflect") for count in (1, 2, 3)},
    **{f"replication_pad{count}d.default": _pad("replicate") for count in (1, 2, 3)},
    "repeat.default": _repeat,
    **{f"upsample_{name}.{kind}": _resize(mode) for name, mode in _SCALED.items() for kind in ("vec", "default")},
    "pixel_shuffle.default": _shuffle,
    "pixel_unshuffle.default": _unshuffle,
    "channel_shuffle.default": _channel_shuffle,
    "native_channel_shuffle.default": _channel_shuffle,
}
