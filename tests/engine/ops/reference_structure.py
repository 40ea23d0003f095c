"""What layers compute that move entries or merge values, place by place in float64; written without looking at torch.

Like all references these take settled attributes and inputs with the batch in front; several outputs are a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.engine.ops.reference_activation import positions

Array = np.ndarray[Any, np.dtype[np.float64]]
Attributes = Mapping[str, Any]
Weights = Mapping[str, Array]
Result = Array | list[Array]
Reference = Callable[[Attributes, Sequence[Array], Weights], Result]
Place = tuple[int, ...]


def places_along(names: Any, axes: int) -> tuple[int, ...]:
    """Return the positions of one or several named axes."""
    listed = names if isinstance(names, tuple) else (names,)
    return tuple(sorted(place for name in listed for place in positions(name, axes)))


def filled(shape: Sequence[int], entry: Callable[[Place], float | Array]) -> Array:
    """Return an array made place by place."""
    out = np.zeros(tuple(shape))
    for place in np.ndindex(*out.shape):
        out[place] = entry(place)
    return out


def counted(value: Array) -> list[Array]:
    """Return the entries of each image in row-major order, by walking through it."""
    return [np.array([image[place] for place in np.ndindex(*image.shape)]) for image in value]


def arranged(value: Array, sizes: Sequence[int]) -> Array:
    """Return the entries of each image in row-major order with other sizes."""
    out = np.zeros((len(value), *sizes))
    for image, entries in enumerate(counted(value)):
        for number, place in enumerate(np.ndindex(*sizes)):
            out[(image, *place)] = entries[number]
    return out


def worked_out(sizes: Sequence[Any], total: int) -> list[int]:
    known = math.prod(size for size in sizes if size != "auto")
    return [total // known if size == "auto" else size for size in sizes]


def reshape(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    sizes = [
        value.shape[positions(size, value.ndim)[0]] if isinstance(size, str) and size != "auto" else size
        for size in attributes["sizes"]
    ]
    return arranged(value, worked_out(sizes, math.prod(value.shape[1:])))


def unflatten(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    (place,) = positions(attributes["axis"], value.ndim)
    sizes = worked_out(attributes["sizes"], value.shape[place])
    return arranged(value, [*value.shape[1:place], *sizes, *value.shape[place + 1 :]])


def flatten(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    (place,) = positions(attributes["from"], value.ndim)
    return arranged(value, [*value.shape[1:place], math.prod(value.shape[place:])])


def reordered(value: Array, order: Sequence[int]) -> Array:
    """Return a value whose axis i is the axis order[i] of the input."""

    def entry(place: Place) -> float:
        source = [0] * value.ndim
        for axis, original in enumerate(order):
            source[original] = place[axis]
        return float(value[tuple(source)])

    return filled([value.shape[axis] for axis in order], entry)


def permute(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    axes = inputs[0].ndim
    return reordered(inputs[0], [0, *(positions(name, axes)[0] for name in attributes["order"])])


def transpose(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    order = list(range(inputs[0].ndim))
    (first,), (second,) = (positions(attributes[name], inputs[0].ndim) for name in ("first", "second"))
    order[first], order[second] = second, first
    return reordered(inputs[0], order)


def picked(value: Array, axis: int, sources: Sequence[int]) -> Array:
    """Return the value with the named places along an axis, in that order."""
    shape = [*value.shape[:axis], len(sources), *value.shape[axis + 1 :]]
    return filled(shape, lambda place: float(value[(*place[:axis], sources[place[axis]], *place[axis + 1 :])]))


def mirrored(place: int, size: int) -> int:
    """Walk back and forth between the outermost places, without standing on them twice."""
    while not 0 <= place < size:
        place = -place if place < 0 else 2 * (size - 1) - place
    return place


def pad(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value, sides, mode = inputs[0], attributes["sides"], attributes["mode"]
    for axis in range(value.ndim - 2):
        size = value.shape[axis + 2]
        wanted = range(-sides[2 * axis], size + sides[2 * axis + 1])
        if mode == "constant":
            widths = [(0, 0)] * value.ndim
            widths[axis + 2] = (sides[2 * axis], sides[2 * axis + 1])
            value = np.pad(value, widths, constant_values=attributes["value"])
        else:
            source = {
                "reflect": lambda place, size=size: mirrored(place, size),
                "replicate": lambda place, size=size: min(max(place, 0), size - 1),
                "circular": lambda place, size=size: place % size,
            }[mode]
            value = picked(value, axis + 2, [source(place) for place in wanted])
    return value


def wanted_space(attributes: Attributes, inputs: Sequence[Array]) -> tuple[int, ...]:
    return tuple(attributes["size"]) if attributes["like"] is None else inputs[attributes["like"]].shape[2:]


def crop(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value, sides = inputs[0], attributes["sides"]
    for axis in range(2, value.ndim):
        size = value.shape[axis]
        if sides is None:
            left = wanted_space(attributes, inputs)[axis - 2]
            first = math.floor((size - left) / 2)
        else:
            first, left = sides[2 * axis - 4], size - sides[2 * axis - 4] - sides[2 * axis - 3]
        value = picked(value, axis, range(first, first + left))
    return value


def expand(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    for axis, size in enumerate(wanted_space(attributes, inputs), start=2):
        value = picked(value, axis, [0] * size if value.shape[axis] == 1 else range(size))
    return value


def sliced(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    (axis,) = positions(attributes["axis"], inputs[0].ndim)
    size = inputs[0].shape[axis]
    start, stop = attributes["start"], attributes["stop"]
    first = start + size if start < 0 else start
    end = size if stop is None else stop + size if stop < 0 else stop
    return picked(inputs[0], axis, [place for place in range(first, end) if (place - first) % attributes["step"] == 0])


def select(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return picked(inputs[0], positions(attributes["axis"], inputs[0].ndim)[0], attributes["places"])


def cut(value: Array, axis: int, sizes: Sequence[int]) -> list[Array]:
    """Return parts of the sizes given, one after the other."""
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [picked(value, axis, range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def split(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> list[Array]:
    (axis,) = positions(attributes["axis"], inputs[0].ndim)
    size, parts = inputs[0].shape[axis], attributes["parts"]
    if isinstance(parts, int):
        return cut(inputs[0], axis, [size // parts] * parts)
    rest = size - sum(part for part in parts if part != "auto")
    return cut(inputs[0], axis, [rest if part == "auto" else part for part in parts])


def chunk(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> list[Array]:
    (axis,) = positions(attributes["axis"], inputs[0].ndim)
    size, parts = inputs[0].shape[axis], attributes["parts"]
    each = math.ceil(size / parts)
    return cut(inputs[0], axis, [min(each, size - number * each) for number in range(parts)])


def roll(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    (axis,) = positions(attributes["axis"], inputs[0].ndim)
    size = inputs[0].shape[axis]
    return picked(inputs[0], axis, [(place - attributes["shift"]) % size for place in range(size)])


def flip(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    for axis in places_along(attributes["axis"], value.ndim):
        value = picked(value, axis, range(value.shape[axis] - 1, -1, -1))
    return value


def tile(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value = inputs[0]
    for axis in places_along(attributes["axis"], value.ndim):
        value = picked(value, axis, list(range(value.shape[axis])) * attributes["times"])
    return value


# ------------------------------------------------------------------------------------------------ resizing


def cubic(distance: float, a: float = -0.75) -> float:
    """The weight of a pixel at a distance, after Keys."""
    x = abs(distance)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def source(place: int, given: int, made: int, coordinates: str) -> float:
    """Where an output place lies in the input."""
    if coordinates == "half_pixel":
        return (place + 0.5) * given / made - 0.5
    if coordinates == "asymmetric":
        return place * given / made
    return place * (given - 1) / (made - 1) if made > 1 else 0.0


def shares(mode: str, coordinates: str | None, given: int, made: int) -> Array:
    """Return the weight of every input place (columns) in every output place (rows)."""
    out = np.zeros((made, given))
    for place in range(made):
        if mode == "area":
            covered = range(place * given // made, -(-(place + 1) * given // made))
            out[place, list(covered)] = 1 / len(covered)
            continue
        assert coordinates is not None
        if mode == "nearest":
            numerator = (2 * place + 1) * given if coordinates == "half_pixel" else 2 * place * given
            out[place, numerator // (2 * made)] = 1
            continue
        at = source(place, given, made, coordinates)
        reach, weight = (2, cubic) if mode == "bicubic" else (1, lambda distance: max(1 - abs(distance), 0.0))
        for pixel in range(math.floor(at) - reach + 1, math.floor(at) + reach + 1):
            out[place, min(max(pixel, 0), given - 1)] += weight(at - pixel)
    return out


def resized(attributes: Attributes, value: Array, made: Sequence[int]) -> Array:
    mode = {"bilinear": "linear", "trilinear": "linear"}.get(attributes["mode"], attributes["mode"])
    for axis, size in enumerate(made, start=2):
        weights = shares(mode, attributes["coordinates"], value.shape[axis], size)
        value = np.moveaxis(np.moveaxis(value, axis, -1) @ weights.T, -1, axis)
    return value


def upsample(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    made = [
        math.floor(size * scale + 1e-6) for size, scale in zip(inputs[0].shape[2:], attributes["scale"], strict=True)
    ]
    return resized(attributes, inputs[0], made)


def resize(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return resized(attributes, inputs[0], wanted_space(attributes, inputs))


# ------------------------------------------------------------------------------------------------ shuffling


def deep_channel(order: str, channel: int, row: int, column: int, block: int, channels: int) -> int:
    """Return the deep channel that holds a pixel of a block."""
    if order == "CRD":
        return channel * block * block + row * block + column
    return (row * block + column) * channels + channel


def to_space(order: str | None) -> Reference:
    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        value, block, named = inputs[0], attributes["block"], order or attributes["order"]
        batch, deep, height, width = value.shape
        channels = deep // block**2

        def entry(place: Place) -> float:
            image, channel, y, x = place
            at = deep_channel(named, channel, y % block, x % block, block, channels)
            return float(value[image, at, y // block, x // block])

        return filled((batch, channels, height * block, width * block), entry)

    return rule


def to_depth(order: str | None) -> Reference:
    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        value, block, named = inputs[0], attributes["block"], order or attributes["order"]
        batch, channels, height, width = value.shape
        out = np.zeros((batch, channels * block**2, height // block, width // block))
        for image, channel, y, x in np.ndindex(*value.shape):
            at = deep_channel(named, channel, y % block, x % block, block, channels)
            out[image, at, y // block, x // block] = value[image, channel, y, x]
        return out

    return rule


def channel_shuffle(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    groups, each = attributes["groups"], inputs[0].shape[1] // attributes["groups"]
    return picked(inputs[0], 1, [group * each + number for number in range(each) for group in range(groups)])


# ------------------------------------------------------------------------------------------------ sampling


def reflected(at: float, low: float, high: float) -> float:
    """Fold a coordinate back into a range."""
    if high == low:
        return 0.0
    while not low <= at <= high:
        at = 2 * low - at if at < low else 2 * high - at
    return at


def pixel_at(plane: Array, y: int, x: int, outside: str, align: bool) -> float:
    """Return a pixel of one channel, or what lies outside of it."""
    height, width = plane.shape
    if outside == "zeros":
        return float(plane[y, x]) if 0 <= y < height and 0 <= x < width else 0.0
    if outside == "reflection":
        edge = 0.0 if align else 0.5
        y = round(reflected(y, -edge, height - 1 + edge))
        x = round(reflected(x, -edge, width - 1 + edge))
    return float(plane[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])


def taps(mode: str, at: float) -> Iterator[tuple[int, float]]:
    """Yield the pixels that make a value at a coordinate, with their weights."""
    low = math.floor(at)
    if mode == "nearest":
        yield round(at), 1.0
    elif mode == "bilinear":
        yield low, low + 1 - at
        yield low + 1, at - low
    else:
        for pixel in range(low - 1, low + 3):
            yield pixel, cubic(at - pixel)


def grid_sample(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value, grid = inputs[0], inputs[attributes["grid"]]
    align, outside, mode = attributes["align_corners"], attributes["outside"], attributes["mode"]

    def coordinate(number: float, size: int) -> float:
        at = (number + 1) / 2 * (size - 1) if align else ((number + 1) * size - 1) / 2
        if mode == "bicubic" or outside == "zeros":
            return at
        if outside == "reflection":
            edge = 0.0 if align else 0.5
            at = reflected(at, -edge, size - 1 + edge)
        return min(max(at, 0.0), size - 1.0)

    def entry(place: Place) -> float:
        image, channel, row, column = place
        x = coordinate(grid[image, 0, row, column], value.shape[3])
        y = coordinate(grid[image, 1, row, column], value.shape[2])
        plane = value[image, channel]
        return sum(
            down * across * pixel_at(plane, pixel_y, pixel_x, outside, align)
            for pixel_y, down in taps(mode, y)
            for pixel_x, across in taps(mode, x)
        )

    return filled((*value.shape[:2], *grid.shape[2:]), entry)


def affine_grid(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    height, width = wanted_space(attributes, inputs)

    def end(number: int, size: int) -> float:
        if attributes["align_corners"]:
            return 2 * number / (size - 1) - 1 if size > 1 else 0.0
        return (2 * number + 1) / size - 1

    def entry(place: Place) -> float:
        image, channel, row, column = place
        a, b, c = inputs[0][image, 3 * channel : 3 * channel + 3]
        return float(a * end(column, width) + b * end(row, height) + c)

    return filled((len(inputs[0]), 2, height, width), entry)


# ------------------------------------------------------------------------------------------------ reductions


def reduced(function: Callable[[Array, Attributes], float]) -> Reference:
    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        value = inputs[0]
        along = places_along(attributes["axis"], value.ndim)
        out = np.zeros([1 if axis in along else size for axis, size in enumerate(value.shape)])
        for place in np.ndindex(*out.shape):
            index = tuple(slice(None) if axis in along else each for axis, each in enumerate(place))
            out[place] = function(value[index].ravel(), attributes)
        kept = [size for axis, size in enumerate(out.shape) if axis not in along]
        return out if attributes["keep"] else out.reshape(kept)

    return rule


def deviation(entries: Array, attributes: Attributes) -> float:
    mean = sum(entries) / len(entries)
    squares = sum((entry - mean) ** 2 for entry in entries)
    return math.sqrt(squares / (len(entries) - attributes["correction"]) + attributes["eps"])


def running(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    (axis,) = places_along(attributes["axis"], inputs[0].ndim)
    out = np.zeros(inputs[0].shape)
    size = out.shape[axis]
    for place in np.ndindex(*out.shape):
        own = place[axis]
        places = range(own, size) if attributes["reverse"] else range(own + 1)
        counted = [each for each in places if each != own or not attributes["exclusive"]]
        out[place] = sum(float(inputs[0][(*place[:axis], each, *place[axis + 1 :])]) for each in counted)
    return out


def running_product(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    (axis,) = places_along(attributes["axis"], inputs[0].ndim)
    out = np.zeros(inputs[0].shape)
    for line in np.ndindex(*out.shape[:axis], 1, *out.shape[axis + 1 :]):
        product = 1.0
        size = out.shape[axis]
        for own in range(size - 1, -1, -1) if attributes["reverse"] else range(size):
            place = (*line[:axis], own, *line[axis + 1 :])
            before, product = product, product * float(inputs[0][place])
            out[place] = before if attributes["exclusive"] else product
    return out


def largest_place(entries: Array, attributes: Attributes) -> float:
    return float(min(place for place, entry in enumerate(entries) if entry == max(entries)))


# ------------------------------------------------------------------------------------------------ merges


def concat(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return np.concatenate(inputs, axis=positions(attributes["axis"], inputs[0].ndim)[0])


def stack(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    first = inputs[0]
    return filled(
        (*first.shape[:2], len(inputs), *first.shape[2:]), lambda place: inputs[place[2]][place[:2] + place[3:]]
    )


def average(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return filled(inputs[0].shape, lambda place: sum(float(value[place]) for value in inputs) / len(inputs))


def matmul(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    left, right = inputs

    def entry(place: Place) -> float:
        *matrix, row, column = place
        return sum(float(left[(*matrix, row, each)] * right[(*matrix, each, column)]) for each in range(left.shape[-1]))

    return filled((*left.shape[:-1], right.shape[-1]), entry)


def compared(function: Callable[[Array, Array, Attributes], float]) -> Reference:
    """Return a reference that makes one number of the channels of two values at each pixel."""

    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        left, right = inputs

        def entry(place: Place) -> float:
            index: tuple[Any, ...] = (place[0], slice(None), *place[2:])
            return function(left[index], right[index], attributes)

        return filled((left.shape[0], 1, *left.shape[2:]), entry)

    return rule


def dot(left: Array, right: Array) -> float:
    return sum(float(a * b) for a, b in zip(left, right, strict=True))


def cosine(left: Array, right: Array, attributes: Attributes) -> float:
    lengths = [max(math.sqrt(dot(value, value)), attributes["eps"]) for value in (left, right)]
    return dot(left, right) / lengths[0] / lengths[1]


def scale(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return filled(inputs[0].shape, lambda place: float(inputs[0][place]) * attributes["factor"])


def offset(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    return filled(inputs[0].shape, lambda place: float(inputs[0][place]) + attributes["amount"])


STRUCTURE: Mapping[str, Reference] = {
    "reshape": reshape,
    "unflatten": unflatten,
    "flatten": flatten,
    "permute": permute,
    "transpose": transpose,
    "pad": pad,
    "crop": crop,
    "expand": expand,
    "slice": sliced,
    "select": select,
    "split": split,
    "chunk": chunk,
    "roll": roll,
    "flip": flip,
    "tile": tile,
    "upsample": upsample,
    "resize": resize,
    "pixel_shuffle": to_space("CRD"),
    "pixel_unshuffle": to_depth("CRD"),
    "depth_to_space": to_space(None),
    "space_to_depth": to_depth(None),
    "channel_shuffle": channel_shuffle,
    "grid_sample": grid_sample,
    "affine_grid": affine_grid,
    "reduce_mean": reduced(lambda entries, attributes: float(sum(entries)) / len(entries)),
    "reduce_sum": reduced(lambda entries, attributes: float(sum(entries))),
    "reduce_max": reduced(lambda entries, attributes: float(max(entries))),
    "reduce_min": reduced(lambda entries, attributes: float(min(entries))),
    "reduce_prod": reduced(lambda entries, attributes: math.prod(map(float, entries))),
    "reduce_logsumexp": reduced(lambda entries, attributes: math.log(sum(map(math.exp, entries)))),
    "cumsum": running,
    "cumprod": running_product,
    "reduce_std": reduced(deviation),
    "argmax": reduced(largest_place),
    "argmin": reduced(lambda entries, attributes: largest_place(-entries, attributes)),
    "concat": concat,
    "stack": stack,
    "average": average,
    "matmul": matmul,
    "dot": compared(lambda left, right, attributes: dot(left, right)),
    "cosine_similarity": compared(cosine),
    "l2_distance": compared(lambda left, right, attributes: math.sqrt(dot(left - right, left - right))),
    "scale": scale,
    "offset": offset,
}
