"""What the special convolutions compute, window by window in float64 after the formulas, without a look at torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Attributes = Mapping[str, Any]
Weights = Mapping[str, Array]
Reference = Callable[[Attributes, Sequence[Array], Weights], Array | list[Array]]
Place = tuple[int, ...]


def slid(attributes: Attributes, sizes: Sequence[int]) -> Iterator[tuple[Place, list[tuple[Place, Place]]]]:
    """Yield each place of the output with the entries of the kernel that meet a pixel there, and these pixels."""
    kernel, pads = attributes["kernel"], attributes["pad"]
    counts = []
    for axis, size in enumerate(sizes):
        extent = attributes["dilation"][axis] * (kernel[axis] - 1) + 1
        counts.append((size + pads[2 * axis] + pads[2 * axis + 1] - extent) // attributes["stride"][axis] + 1)
    for place in itertools.product(*map(range, counts)):
        met = []
        for tap in itertools.product(*map(range, kernel)):
            pixel = tuple(
                at * stride + step * entry - before
                for at, stride, step, entry, before in zip(
                    place, attributes["stride"], attributes["dilation"], tap, pads[::2], strict=True
                )
            )
            if all(0 <= at < size for at, size in zip(pixel, sizes, strict=True)):
                met.append((tap, pixel))
        yield place, met


def with_border(attributes: Attributes, image: Array) -> tuple[Attributes, Array]:
    """Return an image with its border as pixels of its own, and the attributes of a convolution without padding."""
    if attributes["fill"] == "zeros":
        return attributes, image
    pads = attributes["pad"]
    widths = [(0, 0), (0, 0), *zip(pads[::2], pads[1::2], strict=True)]
    modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    mode = modes.get(attributes["fill"], "constant")
    number = {} if mode != "constant" else {"constant_values": attributes["fill"]}
    return {**attributes, "pad": (0,) * len(pads)}, np.pad(image, widths, mode, **number)  # type: ignore[call-overload]


def output_sizes(attributes: Attributes, sizes: Sequence[int]) -> tuple[int, ...]:
    *_, (place, _) = slid(attributes, sizes)
    return tuple(at + 1 for at in place)


def table_conv(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    """One kernel for each pair of maps, in the order of the table."""
    attributes, image = with_border(attributes, inputs[0])
    out = np.zeros((len(image), len(attributes["table"]), *output_sizes(attributes, image.shape[2:])))
    number = 0
    for made, maps in enumerate(attributes["table"]):
        for seen in maps:
            for place, met in slid(attributes, image.shape[2:]):
                for tap, pixel in met:
                    out[(slice(None), made, *place)] += weights["weight"][(number, *tap)] * image[(..., seen, *pixel)]
            number += 1
        if "bias" in weights:
            out[:, made] += weights["bias"][made]
    return out


def local_conv(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    """A kernel for each place, counted row by row."""
    attributes, image = with_border(attributes, inputs[0])
    out = np.zeros((len(image), attributes["channels"], *output_sizes(attributes, image.shape[2:])))
    for number, (place, met) in enumerate(slid(attributes, image.shape[2:])):
        for made, seen in itertools.product(range(attributes["channels"]), range(image.shape[1])):
            for tap, pixel in met:
                out[(slice(None), made, *place)] += (
                    weights["weight"][(number, made, seen, *tap)] * image[(slice(None), seen, *pixel)]
                )
    return out + weights["bias"] if "bias" in weights else out


def at_place(channel: Array, row: float, column: float) -> float:
    """Return the value between four pixels; zeros lie beyond the border."""
    top, left, total = math.floor(row), math.floor(column), 0.0
    for down, right in itertools.product((0, 1), (0, 1)):
        share = (1 - abs(row - top - down)) * (1 - abs(column - left - right))
        if 0 <= top + down < channel.shape[0] and 0 <= left + right < channel.shape[1]:
            total += share * float(channel[top + down, left + right])
    return total


def deform_conv(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    """Offsets and modulation by a convolution, then each entry of the kernel at its own place."""
    image, (height, width) = inputs[0], attributes["kernel"]
    sizes = output_sizes(attributes, image.shape[2:])
    if attributes["offsets"] is None:
        moves = np.zeros((len(image), len(weights["offset_bias"]), *sizes)) + weights["offset_bias"][:, None, None]
        for place, met in slid(attributes, image.shape[2:]):
            for entry_met, pixel in met:
                moves[(..., *place)] += image[(..., *pixel)] @ weights["offset_weight"][(..., *entry_met)].T
    else:
        moves = inputs[attributes["offsets"]]
    taps, together = height * width, image.shape[1] // attributes["offset_groups"]
    first = 2 * attributes["offset_groups"] * taps
    made, each = weights["weight"].shape[0] // attributes["groups"], weights["weight"].shape[1]
    out = np.zeros((len(image), weights["weight"].shape[0], *sizes))
    for number, seen, row, column in itertools.product(range(len(image)), range(image.shape[1]), *map(range, sizes)):
        for tap, (down, right) in enumerate(np.ndindex(height, width)):
            entry = seen // together * taps + tap
            y, x = moves[number, 2 * entry, row, column], moves[number, 2 * entry + 1, row, column]
            if attributes["offsets"] is None:
                modulation = 1 / (1 + math.exp(-moves[number, first + entry, row, column]))
            else:
                weighed = attributes["modulation"]
                modulation = 1 if weighed is None else inputs[weighed][number, entry, row, column]
            y += row * attributes["stride"][0] - attributes["pad"][0] + down * attributes["dilation"][0]
            x += column * attributes["stride"][1] - attributes["pad"][2] + right * attributes["dilation"][1]
            read = modulation * at_place(image[number, seen], float(y), float(x))
            group = seen // each
            for channel in range(group * made, (group + 1) * made):
                out[number, channel, row, column] += weights["weight"][channel, seen % each, down, right] * read
    return out + weights["bias"][:, None, None] if "bias" in weights else out


def partial_conv(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> list[Array]:
    """Equations 1 and 2 of the paper, the mask's entries above 0 being valid."""
    image, mask = inputs[0], inputs[attributes["mask"]]
    sizes = output_sizes(attributes, image.shape[2:])
    out, seen = np.zeros((len(image), attributes["channels"], *sizes)), np.zeros((len(image), 1, *sizes))
    whole = math.prod(attributes["kernel"]) * mask.shape[1]
    for number, channel in itertools.product(range(len(image)), range(attributes["channels"])):
        for place, met in slid(attributes, image.shape[2:]):
            valid, total = 0, 0.0
            for tap, pixel in met:
                open_ones = [mask[(number, at, *pixel)] > 0 for at in range(mask.shape[1])]
                valid += sum(open_ones)
                for at in range(image.shape[1]):
                    if open_ones[at if len(open_ones) > 1 else 0]:
                        total += float(weights["weight"][(channel, at, *tap)] * image[(number, at, *pixel)])
            if valid:
                bias = float(weights["bias"][channel]) if "bias" in weights else 0.0
                out[(number, channel, *place)] = total * whole / valid + bias
                seen[(number, 0, *place)] = 1
    return [out, seen]


def coordinates(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    """A place among the pixels as numbers from -1 to 1, the last axis first."""
    image = inputs[0]
    axes = image.ndim - 2
    out = np.zeros((len(image), image.shape[1] + axes + attributes["radius"], *image.shape[2:]))
    out[:, : image.shape[1]] = image
    for place in np.ndindex(*image.shape[2:]):
        point = [-1 + 2 * at / (size - 1) if size > 1 else 0.0 for at, size in zip(place, image.shape[2:], strict=True)]
        added = point[::-1] + ([math.hypot(*point)] if attributes["radius"] else [])
        for channel, value in enumerate(added, start=image.shape[1]):
            out[(slice(None), channel, *place)] = value
    return out


CONVS: Mapping[str, Reference] = {
    "local_conv": local_conv,
    "deform_conv": deform_conv,
    "table_conv": table_conv,
    "partial_conv": partial_conv,
    "coordinates": coordinates,
}
