"""The same entries with other axes: reshape, flatten, transpose, squeeze, unsqueeze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from striate.dims import Dim, Expr
from striate.importing.call import Call, name_of
from striate.importing.findings import UnsupportedError
from striate.importing.network import BATCH, Merged, Value, has_batch, text_of
from striate.ops.arguments import Choice
from striate.ops.shape_arguments import AUTO
from striate.ops.sizes import product


def _reshape(call: Call) -> Value:
    entries = call.node.entries("shape", 1)
    if entries is None:
        raise UnsupportedError("its sizes are missing")
    value = call.value()
    wanted = [int(item) if isinstance(item, (int, np.integer)) else item for item in entries]
    if not call.node.attribute("allowzero", 0):
        shape = call.shape(value)
        if any(item == 0 and place >= len(shape) for place, item in enumerate(wanted) if isinstance(item, int)):
            raise UnsupportedError("it keeps the size of an axis that its input has not")
        wanted = [shape[place] if isinstance(item, int) and item == 0 else item for place, item in enumerate(wanted)]
    if not call.batched and call.merged is None:
        return reshaped(call, value, wanted)
    sizes, batch, merged = around_batch(call, value, wanted)
    norm = _group_norm(call, value, sizes) if batch == 0 and not merged else None
    made = call.placing(reshaped(call, value, sizes) if norm is None else norm, batch)
    return replace(made, merged=merged)


def _group_norm(call: Call, value: Value, sizes: Sequence[Dim]) -> Value | None:
    """Return the norm over groups of channels that exporters write as one over rows: groups into rows, norm, and back.

    None where a value is not that norm before it is brought back to its sizes.
    """
    norm = call.network.maker(value)
    rows = call.network.maker_of(norm.inputs[0]) if norm is not None and norm.record.name == "instancenorm" else None
    if norm is None or rows is None or rows.record.name != "reshape" or list(rows.given[0].shape) != list(sizes):
        return None
    groups, channels = norm.given[0].shape[0], sizes[0]
    plain = [(item.array == number).all() for role, number in _PLAIN.items() if (item := norm.weights.get(role))]
    divides = isinstance(groups, int) and isinstance(channels, int) and channels % groups == 0
    if len(norm.given[0].shape) != 2 or len(sizes) < 2 or not divides or not all(plain):
        return None
    source = Value(rows.inputs[0], tuple(sizes), value.kind)
    return call.layer("groupnorm", source, groups=groups, eps=norm.attributes["eps"], affine=False)


_PLAIN = {"weight": 1, "bias": 0}
"""Weights of a norm that change nothing."""


def around_batch(call: Call, value: Value, wanted: Sequence[Dim]) -> tuple[list[Dim], int, Merged]:
    """Return the sizes without the batch, which axis it is, and how that is one with an axis of the language.

    Entries stay in their order, so the batch is the axis before which as many entries lie as before; in the same axis
    there may be entries of one image behind it, as where windows of all images follow each other, or before it.

    Raises:
        UnsupportedError: there is no such axis, as far as can be told.
    """
    if not wanted:
        raise UnsupportedError("it leaves no batch axis")
    own = () if value.flat else value.sizes
    first = value.batch + (value.merged == "inner")
    before, found = product(own[:first]), []
    for place, size in enumerate(wanted):
        ahead, behind = list(wanted[:place]), list(wanted[place + 1 :])
        if any(isinstance(each, Expr) and has_batch(each) for each in (*ahead, *behind)) or -1 in ahead:
            continue
        share = _share(call, size, product(own), [*ahead, *behind])
        if share == 1 and product(ahead) == before:
            return [*ahead, *behind], place, ""
        if share is None:
            continue
        sizes = [*ahead, share, *behind]
        # Of one image both hold; rows of a matrix, and axes that stay behind the batch, then say which is meant.
        if product(sizes[: place + 1]) == before and (len(wanted) == 2 or tuple(behind) == own[first:]):
            return sizes, place, "inner"
        if product(ahead) == before:
            found.append((sizes, place))
    if not found:
        raise UnsupportedError("it mixes the batch axis with others")
    sizes, place = found[0]
    return sizes, place, "outer"


def _share(call: Call, size: Dim, every: Dim, rest: Sequence[Dim]) -> Dim | None:
    """Return how many entries of one image an axis has beside the batch; None where it is not the batch at all."""
    if size == -1:
        return _quotient(every, product(rest)) if -1 not in rest else None
    if isinstance(size, Expr) and has_batch(size):
        if size == BATCH:
            return 1
        share = _quotient(every, product(rest)) if -1 not in rest else None
        return share if share is not None and share * BATCH == size else None
    if call.images is None or isinstance(size, Expr) or size % call.images:
        return None
    return size // call.images


def reshaped(call: Call, value: Value, sizes: Sequence[Dim]) -> Value:
    """Return the entries of a value with other sizes, of which one may be -1.

    Raises:
        UnsupportedError: the language cannot say what they become.
    """
    settled = _settled(value, sizes)
    before = call.network.source(value, ("reshape", "flatten"))
    if before is not None and all(isinstance(size, int) for size in settled):
        return reshaped(call, before, settled)
    if not settled:
        return replace(reshaped(call, value, [1]), flat=True)
    if settled == list(value.sizes):
        return replace(value, flat=False)
    if len(settled) == 1:
        return call.layer("flatten", value)
    return call.layer("reshape", value, sizes=_written(value, settled, sizes))


def _settled(value: Value, sizes: Sequence[Dim]) -> list[Dim]:
    """Return the sizes with the one that is left open worked out."""
    if sum(size == -1 for size in sizes) > 1 or any(isinstance(size, int) and size < -1 for size in sizes):
        raise UnsupportedError("it leaves several sizes open")
    known = product(size for size in sizes if size != -1)
    every = product(value.sizes)
    if known == 0:
        raise UnsupportedError("it makes a tensor without entries")
    if -1 not in sizes:
        if isinstance(known, int) and isinstance(every, int) and known != every:
            raise UnsupportedError(f"{text_of(value.sizes)} cannot become {text_of(sizes)}")
        return list(sizes)
    return [_quotient(every, known) if size == -1 else size for size in sizes]


def _quotient(every: Dim, known: Dim) -> Dim:
    if every == known:
        return 1
    if isinstance(known, Expr):
        if isinstance(every, Expr) and (times := _multiple(every, known)):
            return times
        raise UnsupportedError("a size cannot be worked out: it is left over by open ones")
    if isinstance(every, int) and every % known:
        raise UnsupportedError(f"{every} entries cannot be arranged in rows of {known}")
    return every // known


def _multiple(every: Expr, known: Expr) -> int:
    """Return how many times an open size another one is; 0 where that is no whole number."""
    term, factor = next(iter(known.terms.items()))
    times = every.terms.get(term, 0) // factor
    return times if known * times == every else 0


def _written(value: Value, settled: Sequence[Dim], sizes: Sequence[Dim]) -> list[Any]:
    """Return sizes as `reshape` takes them: numbers, axes whose size stays, and one that is worked out."""
    left = list(range(len(value.sizes)))
    written: list[Any] = []
    for place, size in enumerate(settled):
        if isinstance(size, int) and sizes[place] != -1:
            written.append(size)
            continue
        same = [axis for axis in left if value.sizes[axis] == size]
        if isinstance(size, Expr) and same:
            axis = place if place in same else same[0]
            left.remove(axis)
            written.append(name_of(len(value.sizes), axis))
        elif isinstance(size, int):
            written.append(size)
        else:
            written.append(Choice(AUTO))
    if sum(item == Choice(AUTO) for item in written) > 1 or Choice("last") in written:
        raise UnsupportedError("sizes that depend on the input cannot all be worked out")
    return written


def _flatten(call: Call) -> Value:
    value = call.value()
    axis = call.node.attribute("axis", 1)
    rank = call.rank(value)
    axis = axis + rank if axis < 0 else axis
    if not call.batched:
        return reshaped(call, value, [product(value.sizes[:axis]), product(value.sizes[axis:])])
    if axis != 1:
        raise UnsupportedError("it mixes the batch axis with others")
    return reshaped(call, value, [product(() if value.flat else value.sizes)])


def _transpose(call: Call) -> Value:
    value = call.value()
    rank = call.rank(value)
    order = call.node.attribute("perm") or list(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise UnsupportedError("its order does not name every axis once")
    own = value.batch if call.batched else rank
    places = [axis - (axis > own) for axis in order if axis != own]
    if value.is_plain and places == [0, 3, 1, 4, 2] and (made := _shuffled(call, value)) is not None:
        return made
    made = value if places == sorted(places) else permuted(call, value, places)
    return call.placing(made, order.index(value.batch)) if call.batched or call.merged is not None else made


def _shuffled(call: Call, value: Value) -> Value | None:
    """Return what channels into pixels is before its last reshape, as exporters write it: C x r x r x H x W turned."""
    before = call.network.source(value, ("reshape",))
    channels, block, again, height, width = value.sizes
    if before is None or block != again or before.sizes[1:] != (height, width) or not isinstance(block, int):
        return None
    pixels = call.layer("pixel_shuffle", before, block=block)
    return call.layer("reshape", pixels, sizes=[channels, height, block, width, block])


def permuted(call: Call, value: Value, places: Sequence[int]) -> Value:
    """Return a value with its axes in another order: `places` of the input in the order of the output."""
    rank = len(value.sizes)
    if rank > MOST_NAMED:
        return _permuted_in_parts(call, value, list(places))
    moved = [place for place in range(rank) if places[place] != place]
    if len(moved) == 2:
        first, second = (name_of(rank, place) for place in moved)
        return call.layer("transpose", value, first=first, second=second)
    return call.layer("permute", value, order=[name_of(rank, place) for place in places])


MOST_NAMED = 4
"""Axes of a value that all have names."""


def _permuted_in_parts(call: Call, value: Value, places: list[int]) -> Value:
    """Return a value of more axes than have names in another order.

    Axes of size 1 move without moving an entry, and axes that stay behind each other move as one. What is left over is
    moved to the front axis by axis, the last one first.
    """
    wanted = [value.sizes[place] for place in places]
    runs: list[list[int]] = []
    for place in (place for place in places if value.sizes[place] != 1):
        kept = [axis for axis in range(runs[-1][-1] + 1, place) if value.sizes[axis] != 1] if runs else [0]
        if runs and place > runs[-1][-1] and not kept:
            runs[-1].append(place)
        else:
            runs.append([place])
    order = [sorted(runs).index(run) for run in runs]
    sizes = [product(value.sizes[axis] for axis in run) for run in sorted(runs)]
    made = reshaped(call, value, sizes or [1])
    if len(sizes) <= MOST_NAMED:
        if order != sorted(order):
            made = permuted(call, made, order)
        return reshaped(call, made, wanted)
    left = list(range(len(sizes)))
    for axis in reversed(order):
        at = left.index(axis)
        before, behind = (product(sizes[each] for each in part) for part in (left[:at], left[at + 1 :]))
        if at:
            made = permuted(call, reshaped(call, made, [before, sizes[axis], behind]), [1, 0, 2])
        left = [axis, *left[:at], *left[at + 1 :]]
    return reshaped(call, made, wanted)


def _squeeze(call: Call) -> Value:
    value = call.value()
    axes = call.node.numbers("axes", 1)
    if axes is None:
        if not value.is_plain or (call.batched and call.images == 1):
            raise UnsupportedError("it takes away every axis of size 1, the batch with them")
        places = {place for place, size in enumerate(value.sizes) if size == 1}
    else:
        places = {call.position(value, axis) for axis in axes}
    if any(value.sizes[place] != 1 for place in places):
        raise UnsupportedError("it takes away an axis that is not known to have size 1")
    made = reshaped(call, value, [size for place, size in enumerate(value.sizes) if place not in places])
    return call.leaving_out(made, axes or [])


def _unsqueeze(call: Call) -> Value:
    value = call.value()
    axes = call.node.numbers("axes", 1)
    if axes is None:
        raise UnsupportedError("its axes are missing")
    rank = call.rank(value) + len(axes)
    if any(not -rank <= axis < rank for axis in axes):
        raise UnsupportedError(f"it puts an axis where a tensor of {rank} has none")
    new = {axis % rank for axis in axes}
    if len(new) < len(axes):
        raise UnsupportedError("it puts two axes in one place")
    old = [place for place in range(rank) if place not in new]
    batch = old[value.batch] if call.batched else rank
    left = iter(() if value.flat else value.sizes)
    made = reshaped(call, value, [1 if place in new else next(left) for place in range(rank) if place != batch])
    return call.placing(made, old[value.batch] if call.batched or call.merged is not None else 0)


def _expand(call: Call) -> Value:
    entries = call.node.entries("shape", 1)
    value = call.value()
    if entries is None or value.flat:
        raise UnsupportedError("its sizes are missing, or its input is one number per image")
    wanted: list[Dim] = [int(item) if isinstance(item, (int, np.integer)) else item for item in entries]
    missing = len(wanted) - call.rank(value)
    if missing > 0 and call.batched:
        raise UnsupportedError("it puts axes before the batch")
    if missing > 0:
        value = reshaped(call, value, [*[1] * missing, *value.sizes])
    wanted = [*[1] * -missing, *wanted]
    if call.batched and wanted[0] not in (1, BATCH, call.images):
        raise UnsupportedError("it repeats the images of the batch")
    sizes = [own if size == 1 else size for own, size in zip(value.sizes, wanted[call.lead :], strict=True)]
    if tuple(sizes) == value.sizes:
        return value
    whole = [size for size in sizes if isinstance(size, int)]
    if len(whole) == len(sizes):
        return call.layer("broadcast", value, sizes=whole)
    like = call.network.whole(tuple(sizes))
    if like is None:
        raise UnsupportedError("its size depends on the input, and no value has that size")
    return call.layer("broadcast", [value, like], like=1)


CONVERTERS = {
    "Expand": _expand,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
}
