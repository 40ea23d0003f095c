"""Where the windows over a sequence, an image or a volume lie, found by walking along it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def window_starts(size: int, before: int, after: int, extent: int, stride: int, *, ceil: bool) -> list[int]:
    """Return where windows begin, in pixels of the image, by walking along it.

    Rounding down keeps windows that end inside the padded image. Rounding up keeps one more that reaches over its end,
    unless it begins behind the image and the padding before it, counted from the image's first pixel.
    """
    starts = []
    start = -before
    while start + extent <= size + after:
        starts.append(start)
        start += stride
    reaches_over = start + extent > size + after > start + extent - stride
    if ceil and reaches_over and start < size:
        starts.append(start)
    return [start for start in starts if not ceil or start < size]


Window = tuple[tuple[int, ...], list[tuple[int, ...]]]
"""The place of an output entry, and the places that its window reads; some lie outside of the image."""


def windows(attributes: Mapping[str, Any], sizes: Sequence[int]) -> Iterator[Window]:
    """Yield the windows over a sequence, an image or a volume, in the order of the output."""
    kernel, pads = attributes["kernel"], attributes["pad"]
    steps = attributes.get("dilation") or (1,) * len(kernel)
    starts = [
        window_starts(
            size,
            pads[2 * axis],
            pads[2 * axis + 1],
            steps[axis] * (kernel[axis] - 1) + 1,
            attributes["stride"][axis],
            ceil=attributes.get("ceil", False),
        )
        for axis, size in enumerate(sizes)
    ]
    for place in np.ndindex(*map(len, starts)):
        begin = [starts[axis][index] for axis, index in enumerate(place)]
        taps = np.ndindex(*kernel)
        yield place, [tuple(b + s * t for b, s, t in zip(begin, steps, tap, strict=True)) for tap in taps]


def entry(place: Sequence[int]) -> Any:
    """Return the index of a place, for all images and channels."""
    return (..., *place)


def inside(place: Sequence[int], sizes: Sequence[int]) -> bool:
    """Whether a place is a pixel."""
    return all(0 <= at < size for at, size in zip(place, sizes, strict=True))


def output_size(attributes: Mapping[str, Any], sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the number of windows along each axis."""
    *_, (place, _) = windows(attributes, sizes)
    return tuple(index + 1 for index in place)
