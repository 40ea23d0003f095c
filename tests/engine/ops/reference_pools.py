"""Pooling layers as plain loops in float64 after the formulas; see `reference.py`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tests.engine.ops.reference_windows import entry, inside, output_size, windows

Array = np.ndarray[Any, np.dtype[np.float64]]


Rule = Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Array | list[Array]]


def pooled(attributes: Mapping[str, Any], values: Array, take: Callable[[Array], Array]) -> Array:
    """Return what `take` makes of the pixels of each window, `pixels x N x C`; what lies outside is no pixel."""
    sizes = values.shape[2:]
    out = np.zeros((*values.shape[:2], *output_size(attributes, sizes)))
    for place, taps in windows(attributes, sizes):
        out[entry(place)] = take(np.stack([values[entry(tap)] for tap in taps if inside(tap, sizes)]))
    return out


def maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> list[Array]:
    """Largest pixel of each window, and the first place that holds it, counted row by row."""
    values = inputs[0]
    best = pooled(attributes, values, lambda pixels: pixels.max(axis=0))
    if not attributes["indices"]:
        return [best]
    sizes = values.shape[2:]
    places = np.zeros_like(best)
    for place, taps in windows(attributes, sizes):
        seen = [tap for tap in taps if inside(tap, sizes)]
        for which in np.ndindex(*values.shape[:2]):
            found = max(seen, key=lambda tap: values[(*which, *tap)])
            places[(*which, *place)] = np.ravel_multi_index(found, sizes)
    return [best, places]


def avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of the pixels of each window over their number, or over the number of entries in the padded image."""
    values = inputs[0]
    sizes = values.shape[2:]
    pads = attributes["pad"] if attributes.get("count_include_pad") else (0,) * (2 * len(sizes))
    wider = [size + before + after for size, before, after in zip(sizes, pads[::2], pads[1::2], strict=True)]
    out = np.zeros((*values.shape[:2], *output_size(attributes, sizes)))
    for place, taps in windows(attributes, sizes):
        seen = [values[entry(tap)] for tap in taps if inside(tap, sizes)]
        moved = ([at + before for at, before in zip(tap, pads[::2], strict=True)] for tap in taps)
        out[entry(place)] = np.sum(seen, axis=0) / sum(inside(tap, wider) for tap in moved)
    return out


def global_avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum over the image, over its number of pixels."""
    return sum_of_pixels(inputs[0]) / math.prod(inputs[0].shape[2:])


def sum_of_pixels(values: Array) -> Array:
    """Return `N x C x 1 x 1` of an image, and so for sequences and volumes."""
    total = np.zeros((*values.shape[:2], *(1 for _ in values.shape[2:])))
    for place in np.ndindex(*values.shape[2:]):
        total[entry([0] * len(place))] += values[entry(place)]
    return total


def global_maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Largest pixel of the image."""
    best = np.full((*inputs[0].shape[:2], *(1 for _ in inputs[0].shape[2:])), -math.inf)
    for place in np.ndindex(*inputs[0].shape[2:]):
        first = entry([0] * len(place))
        best[first] = np.maximum(best[first], inputs[0][entry(place)])
    return best


def minpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Smallest pixel of each window."""
    return pooled(attributes, inputs[0], lambda pixels: pixels.min(axis=0))


def norm(pixels: Array, exponent: float) -> Array:
    """Return the p-norm over the first axis."""
    return np.asarray(sum(abs(pixel) ** exponent for pixel in pixels) ** (1 / exponent))


def lppool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The p-norm of the pixels of each window."""
    return pooled(attributes, inputs[0], lambda pixels: norm(pixels, attributes["p"]))


def mixed_pool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """A share of the maximum, the rest of the average."""
    largest = pooled(attributes, inputs[0], lambda pixels: pixels.max(axis=0))
    average = pooled(attributes, inputs[0], lambda pixels: pixels.mean(axis=0))
    share = np.array([attributes["share"]])
    if attributes["learned"] != "none":
        share = 1 / (1 + np.exp(-weights["logit"]))
    share = share.reshape(-1, *(1 for _ in inputs[0].shape[2:]))
    return np.asarray(share * largest + (1 - share) * average)


def whole(values: Array, take: Callable[[Array], Array]) -> Array:
    """Return what `take` makes of all pixels, `pixels x N x C`, as an image of one pixel."""
    pixels = np.stack([values[entry(place)] for place in np.ndindex(*values.shape[2:])])
    return take(pixels).reshape(*values.shape[:2], *(1 for _ in values.shape[2:]))


def global_minpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Smallest pixel of the image."""
    return whole(inputs[0], lambda pixels: pixels.min(axis=0))


def global_lppool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The p-norm of all pixels."""
    return whole(inputs[0], lambda pixels: norm(pixels, attributes["p"]))


def parts(values: Array, size: Sequence[int], take: Callable[[Array], Array]) -> Array:
    """Return what `take` makes of the pixels of each part of the image."""
    sizes = values.shape[2:]
    out = np.zeros((*values.shape[:2], *size))
    for place in np.ndindex(*size):
        spans = [
            range(math.floor(part * given / made), math.ceil((part + 1) * given / made))
            for part, given, made in zip(place, sizes, size, strict=True)
        ]
        cut = values[(slice(None), slice(None), *(slice(span.start, span.stop) for span in spans))]
        out[entry(place)] = take(np.moveaxis(cut.reshape(*values.shape[:2], -1), 2, 0))
    return out


def adaptive_avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The average of each part."""
    return parts(inputs[0], attributes["size"], lambda pixels: pixels.mean(axis=0))


def adaptive_maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The maximum of each part."""
    return parts(inputs[0], attributes["size"], lambda pixels: pixels.max(axis=0))


def spp(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The parts of every level one after the other, channel by channel within a level."""
    rule = adaptive_maxpool if attributes["mode"] == "maximum" else adaptive_avgpool
    axes = inputs[0].ndim - 2
    levels = [rule({"size": (count,) * axes}, inputs, weights) for count in attributes["bins"]]
    return np.concatenate([level.reshape(level.shape[0], -1) for level in levels], axis=1)


def max_unpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Each entry at its place, in the order of the entries."""
    values, places = inputs[0], inputs[attributes["indices"]]
    like = attributes["like"]
    out = np.zeros((*values.shape[:2], *(attributes["size"] if like is None else inputs[like].shape[2:])))
    for at in np.ndindex(*values.shape):
        out[(*at[:2], *np.unravel_index(round(places[at]), out.shape[2:]))] = values[at]
    return out


def stochastic_pool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The mean of each window, every pixel weighted by its share in the sum of those above 0."""

    def mean(pixels: Array) -> Array:
        out = np.zeros(pixels.shape[1:])
        for which in np.ndindex(*out.shape):
            above = [pixel for pixel in pixels[(slice(None), *which)] if pixel > 0]
            out[which] = sum(pixel / sum(above) * pixel for pixel in above)
        return out

    return pooled(attributes, inputs[0], mean)


def fractional_maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The maximum of windows whose places are those of the offset 1/2."""
    values, kernel = inputs[0], attributes["kernel"]
    sizes, size = values.shape[2:], attributes["size"]
    if size is None:
        shares = [Fraction(ratio).limit_denominator(10_000) for ratio in attributes["ratio"]]
        size = [math.floor(given * share) for given, share in zip(sizes, shares, strict=True)]
    out = np.zeros((*values.shape[:2], *size))
    for place in np.ndindex(*size):
        cuts = []
        for at, given, made, extent in zip(place, sizes, size, kernel, strict=True):
            step = Fraction(given - extent, max(made - 1, 1))
            start = math.floor((at + Fraction(1, 2)) * step) - math.floor(step / 2)
            start = given - extent if at == made - 1 else start
            cuts.append(slice(start, start + extent))
        out[entry(place)] = values[(slice(None), slice(None), *cuts)].reshape(*values.shape[:2], -1).max(axis=2)
    return out


def regions(
    attributes: Mapping[str, Any], inputs: Sequence[Array]
) -> Iterator[tuple[tuple[int, int], Array, list[float]]]:
    """Yield the place of every region, the image `C x H x W` that it reads, and its corners."""
    rois = inputs[attributes["rois"]]
    for image, number in np.ndindex(*rois.shape[:2]):
        row = [float(entry) for entry in rois[image, number]]
        read = round(row[0]) if len(row) == 5 else image
        yield (image, number), inputs[0][read], row[-4:]


def half_up(value: float) -> int:
    """Return the nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def span(part: int, parts: int, extent: float, start: float, size: int) -> range:
    """Return the pixels of a part of an extent, in float32 as in Caffe, less those outside of the image."""
    step = np.float32(extent) / np.float32(parts)
    low = math.floor(np.float32(part) * step + np.float32(start))
    high = math.ceil(np.float32(part + 1) * step + np.float32(start))
    return range(min(max(low, 0), size), min(max(high, 0), size))


def roi_pool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The largest pixel of each part, region by region."""
    (height, width), scale = attributes["size"], attributes["spatial_scale"]
    images, each = inputs[attributes["rois"]].shape[:2]
    out = np.zeros((images, inputs[0].shape[1], each, height, width))
    for (image, number), pixels, corners in regions(attributes, inputs):
        left, top, right, bottom = (half_up(np.float64(corner) * scale) for corner in corners)
        for i, j in np.ndindex(height, width):
            rows = span(i, height, max(bottom - top + 1, 1), 0, 10**9)
            columns = span(j, width, max(right - left + 1, 1), 0, 10**9)
            seen = [
                pixels[:, y + top, x + left]
                for y in rows
                for x in columns
                if 0 <= y + top < pixels.shape[1] and 0 <= x + left < pixels.shape[2]
            ]
            if seen:
                out[image, :, number, i, j] = np.max(seen, axis=0)
    return out


def between(pixels: Array, y: float, x: float) -> Array:
    """Return the value between the four nearest pixels; 0 for a point more than a pixel outside."""
    _, height, width = pixels.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(pixels.shape[0])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    total = np.zeros(pixels.shape[0])
    for row in range(height):
        for column in range(width):
            total += max(0, 1 - abs(y - row)) * max(0, 1 - abs(x - column)) * pixels[:, row, column]
    return total


def roi_align(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The average of the points of each part."""
    (height, width), scale = attributes["size"], attributes["spatial_scale"]
    shift = 0.5 if attributes["aligned"] else 0
    images, each = inputs[attributes["rois"]].shape[:2]
    out = np.zeros((images, inputs[0].shape[1], each, height, width))
    for (image, number), pixels, corners in regions(attributes, inputs):
        left, top, right, bottom = (corner * scale - shift for corner in corners)
        tall, wide = bottom - top, right - left
        if not attributes["aligned"]:
            tall, wide = max(tall, 1), max(wide, 1)
        down = attributes["sampling_ratio"] or max(math.ceil(tall / height), 0)
        across = attributes["sampling_ratio"] or max(math.ceil(wide / width), 0)
        for i, j in np.ndindex(height, width):
            points = [
                between(
                    pixels, top + (i + (a + 0.5) / down) * tall / height, left + (j + (b + 0.5) / across) * wide / width
                )
                for a in range(down)
                for b in range(across)
            ]
            out[image, :, number, i, j] = sum(points) / max(len(points), 1)
    return out


def psroi_pool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The average of each part, of the channels that belong to it."""
    (height, width), scale = attributes["size"], np.float32(attributes["spatial_scale"])
    images, each = inputs[attributes["rois"]].shape[:2]
    made = inputs[0].shape[1] // (height * width)
    out = np.zeros((images, made, each, height, width))
    for (image, number), pixels, corners in regions(attributes, inputs):
        left, top = (np.float32(half_up(corner)) * scale for corner in corners[:2])
        right, bottom = (np.float32(half_up(corner) + 1) * scale for corner in corners[2:])
        for i, j in np.ndindex(height, width):
            rows = span(i, height, max(bottom - top, np.float32(0.1)), top, pixels.shape[1])
            columns = span(j, width, max(right - left, np.float32(0.1)), left, pixels.shape[2])
            for channel in range(made):
                score = pixels[(channel * height + i) * width + j]
                seen = [score[y, x] for y in rows for x in columns]
                out[image, channel, number, i, j] = sum(seen) / max(len(seen), 1)
    return out


POOLS: Mapping[str, Rule] = {
    "maxpool": maxpool,
    "avgpool": avgpool,
    "minpool": minpool,
    "lppool": lppool,
    "mixed_pool": mixed_pool,
    "global_avgpool": global_avgpool,
    "global_maxpool": global_maxpool,
    "global_minpool": global_minpool,
    "global_lppool": global_lppool,
    "adaptive_avgpool": adaptive_avgpool,
    "adaptive_maxpool": adaptive_maxpool,
    "spp": spp,
    "stochastic_pool": stochastic_pool,
    "fractional_maxpool": fractional_maxpool,
    "max_unpool": max_unpool,
    "roi_pool": roi_pool,
    "roi_align": roi_align,
    "psroi_pool": psroi_pool,
}
