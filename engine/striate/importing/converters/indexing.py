"""Entries by place: the largest ones, those at places that are stored or computed, and entries put to places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from striate.dims import Dim
from striate.importing.call import Call
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Stored, Value
from striate.ops.arguments import Choice
from striate.ops.sizes import product

_EXACT = 2**24
"""Whole numbers below which float32 holds every one."""

_COMBINE = {"none": "replace", "add": "add", "mul": "mul", "max": "maximum", "min": "minimum"}


def _topk(call: Call) -> list[Value]:
    value, node = call.value(), call.node
    call.demand_float(value)
    count = node.numbers("k", 1)
    if count is None or len(count) != 1:
        raise UnsupportedError("it does not say how many entries it takes")
    node.attribute("sorted")  # unsorted is any order, so a sorted one too
    axis = call.axis_name(value, node.attribute("axis", -1))
    best, places = call.layers("topk", value, k=count[0], axis=axis, largest=bool(node.attribute("largest", 1)))
    return [best, Value(places.number, places.sizes, TensorProto.INT64)]


def _given(call: Call, place: int, rank: int) -> Value:
    """Return an input of a number of axes as a value; a stored tensor becomes a parameter."""
    item = call.given[place] if place < len(call.given) else None
    if item is None:
        raise UnsupportedError(f"input {place + 1} is missing")
    if isinstance(item, Value):
        return item
    return call.parameter(Stored(item.names, _of_one_image(call, item.array, rank)))


def _of_one_image(call: Call, array: Array, rank: int) -> Array:
    """Return what a stored tensor has for every image of a batch.

    Raises:
        UnsupportedError: the images differ in it.
    """
    if array.ndim != rank:
        raise UnsupportedError("its inputs have different numbers of axes")
    if not call.batched:
        return array
    if call.images != len(array) or (array != array[:1]).any():
        raise UnsupportedError("it has stored places or entries that differ between the images of a batch")
    own: Array = array[0] if array.ndim > 1 else array[:1]
    return own


def _places(call: Call, place: int, rank: int, size: Dim) -> Value:
    """Return places as a value; those that are stored are counted from the front."""
    item = call.given[place] if place < len(call.given) else None
    if not isinstance(item, Stored):
        return _given(call, place, rank)
    return call.parameter(Stored(item.names, _from_front(_of_one_image(call, call.whole(place), rank), size)))


def _from_front(places: Array, size: Dim) -> Array:
    """Return places along an axis, those below 0 being counted from the end."""
    if places.size == 0:
        raise UnsupportedError("it names no place at all")
    if places.min() >= 0 and not isinstance(size, int):
        return places
    if not isinstance(size, int):
        raise UnsupportedError("it counts from the end of an open size")
    found: Array = np.where(places < 0, places + size, places)
    if found.min() < 0 or found.max() >= min(size, _EXACT):
        raise UnsupportedError(f"it names a place that does not exist, of {size}")
    return found


def _gather_elements(call: Call) -> Value:
    rank = call.rank(call.values[0])
    value = _given(call, 0, rank)
    axis = call.node.attribute("axis", 0)
    place = call.position(value, axis)
    places = _places(call, 1, rank, value.sizes[place])
    for other, (own, wanted) in enumerate(zip(value.sizes, places.sizes, strict=True)):
        if other != place and own != wanted:
            if not isinstance(wanted, int):
                raise UnsupportedError("its places have other open sizes than what they are taken from")
            name = call.axis_name(value, other + call.lead)
            value = call.layer("slice", value, axis=name, stop=wanted)
    return call.layer("gather", [value, places], indices=1, axis=call.axis_name(value, axis), kind=value.kind)


def _scatter_elements(call: Call) -> Value:
    rank = call.rank(call.values[0])
    value, values = _given(call, 0, rank), _given(call, 2, rank)
    call.demand_float(value, values)
    axis = call.node.attribute("axis", 0)
    place = call.position(value, axis)
    places = _places(call, 1, rank, value.sizes[place])
    if any(own != size for at, (own, size) in enumerate(zip(value.sizes, values.sizes, strict=True)) if at != place):
        raise UnsupportedError("it leaves rows out along another axis than that of its places")
    return _scattered(call, value, places, values, call.axis_name(value, axis))


def _scattered(call: Call, value: Value, places: Value, values: Value, axis: Any) -> Value:
    way = _COMBINE.get(call.node.attribute("reduction", "none"))
    if way is None:
        raise UnsupportedError("it combines entries in a way that ONNX does not know")
    inputs = [value, places, values]
    return call.layer("scatter", inputs, indices=1, values=2, axis=axis, combine=Choice(way))


def _counted(places: Array, sizes: Sequence[Dim]) -> tuple[Array, list[int]]:
    """Return the number of each row of coordinates along the first axes, and the sizes of those axes."""
    if places.ndim == 0:
        raise UnsupportedError("its places are no coordinates")
    known = [size for size in sizes[: places.shape[-1]] if isinstance(size, int)]
    if len(known) < places.shape[-1]:
        raise UnsupportedError("its places lie along an axis whose size is open")
    along = [_from_front(places[..., axis], size) for axis, size in enumerate(known)]
    if prod(known) >= _EXACT:
        raise UnsupportedError(f"it has more than {_EXACT:,} places, which float32 cannot count")
    return np.ravel_multi_index(tuple(along), tuple(known)), known


def _gather_nd(call: Call) -> Value:
    """Return the entries or rows at stored coordinates, chosen by their numbers."""
    value, places = call.value(), call.whole(1)
    batch = call.node.attribute("batch_dims", 0)
    if batch != call.lead:
        raise UnsupportedError(
            "its places lie along the batch axis, across the images" if call.batched else "it counts images"
        )
    if call.batched:
        places = _of_one_image(call, places, places.ndim)
    numbers, along = _counted(places, value.sizes)
    rest = list(value.sizes[len(along) :])
    rows = reshaped(call, value, [prod(along), *([product(rest)] if rest else [])])
    chosen = call.layer("select", rows, places=numbers.reshape(-1).tolist(), axis=Choice("channels"))
    return reshaped(call, chosen, [*numbers.shape, *rest])


def _scatter_nd(call: Call) -> Value:
    """Return a value with entries or rows put to stored coordinates."""
    value = _given(call, 0, call.rank(call.values[0]))
    places = call.whole(1)
    if call.batched:
        places = _within_images(call, places)
    numbers, along = _counted(places, value.sizes)
    rest = value.sizes[len(along) :]
    item = call.given[2]
    if isinstance(item, Stored):
        item = call.parameter(Stored(item.names, _of_one_image(call, item.array, item.array.ndim)))
    if item is None:
        raise UnsupportedError("input 3 is missing")
    call.demand_float(value, item)
    row = [product(rest)] if rest else []
    rows = reshaped(call, value, [prod(along), *row])
    values = reshaped(call, item, [numbers.size, *row])
    index = Stored((f"{call.node.outputs[0]}/places",), numbers.reshape(-1, *[1] * len(row)))
    made = _scattered(call, rows, call.parameter(index), values, Choice("channels"))
    return reshaped(call, made, value.sizes)


def _within_images(call: Call, places: Array) -> Array:
    """Return coordinates within one image, where every image has the same ones."""
    if places.ndim < 2:
        raise UnsupportedError("its places are no coordinates of each image")
    images = np.arange(len(places)).reshape(-1, *[1] * (places.ndim - 2))
    own = places[..., 1:]
    if call.images != len(places) or (places[..., 0] != images).any() or (own != own[:1]).any():
        raise UnsupportedError("its places lie along the batch axis, and differ between the images")
    if own.shape[-1] == 0:
        raise UnsupportedError("it replaces whole images")
    first: Array = own[0]
    return first


def _one_hot(call: Call) -> Value:
    value, values = call.value(), call.weight(2)
    count, stored = call.number(1), call.stored(2)
    if count is None or stored is None or values.array.size != 2:
        raise UnsupportedError("the number of classes or the two values are missing")
    rank = call.rank(value) + 1
    place = call.node.axis(rank, call.node.attribute("axis", -1)) - call.lead
    if place < 0:
        raise UnsupportedError("it puts an axis before the batch")
    sizes = [] if value.flat else list(value.sizes)
    numbers = reshaped(call, value, [*sizes[:place], 1, *sizes[place:]])
    off, on = (float(number) for number in values.array.reshape(-1))
    kind = helper.np_dtype_to_tensor_dtype(stored.array.dtype)
    axis = call.axis_name(numbers, place + call.lead)
    return call.layer("one_hot", numbers, classes=int(count), axis=axis, on=on, off=off, kind=kind)


def _reverse_sequence(call: Call) -> Value:
    """Return sequences of stored lengths turned around, each up to its own length."""
    value, node, lengths = call.value(), call.node, call.whole(1)
    over, along = node.attribute("batch_axis", 1), node.attribute("time_axis", 0)
    place = call.position(value, along)
    size, rank = value.sizes[place], call.rank(value)
    if not isinstance(size, int):
        raise UnsupportedError("it turns sequences whose length is open")
    if lengths.ndim != 1 or node.axis(rank, over) == node.axis(rank, along):
        raise UnsupportedError("it has not one length for each sequence")
    if lengths.min() < 0 or lengths.max() > size:
        raise UnsupportedError(f"its sequences are longer than {size}")
    steps = np.arange(size)
    places = np.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    if call.batched and node.axis(rank, over) == 0:
        places = _of_one_image(call, places, 2)[None]
        other = None
    else:
        other = call.position(value, over)
    shape = [1] * len(value.sizes)
    shape[place] = size
    if other is not None:
        shape[other] = len(lengths)
    turned = places.T if other is not None and other > place else places
    index = call.parameter(Stored((f"{node.outputs[0]}/places",), turned.reshape(shape)))
    return call.layer("gather", [value, index], indices=1, axis=call.axis_name(value, along), kind=value.kind)


CONVERTERS = {
    "TopK": _topk,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Scatter": _scatter_elements,
    "ScatterElements": _scatter_elements,
    "ScatterND": _scatter_nd,
    "OneHot": _one_hot,
    "ReverseSequence": _reverse_sequence,
}
