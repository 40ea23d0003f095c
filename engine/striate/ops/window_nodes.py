"""ONNX nodes that cut an image into windows and put it together again, also where its size is open.

Images come as `N x H x W x C` here; windows are `N x windows x T x C` with the `T` pixels of a window row by row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.dims import Dim
from striate.ops.decomposition import Decomposition
from striate.ops.tokens import onnx_places

_END = 2**63 - 1
_FLOAT = 1
"""ONNX's number for float32."""


def rolled(write: Decomposition, image: str, shift: Sequence[int]) -> str:
    """Write an image moved down and right; what leaves at one end comes in at the other."""
    for position, by in enumerate(shift, start=1):
        if by:
            cut, place = write.sizes([-by]), write.sizes([position])
            tail = write("Slice", image, cut, write.sizes([_END]), place)
            image = write("Concat", tail, write("Slice", image, write.sizes([0]), cut, place), axis=position)
    return image


def parted(write: Decomposition, image: str, space: Sequence[Dim], window: Sequence[int], features: int) -> str:
    """Write the windows of an image."""
    sizes = _cut_sizes(write, image, space, window, features, inner=True)
    cut = write("Transpose", write("Reshape", image, sizes), perm=[0, 1, 3, 2, 4, 5])
    return write("Reshape", cut, write.sizes([0, _count(space, window), math.prod(window), features]))


def merged(
    write: Decomposition, windows: str, image: str, space: Sequence[Dim], window: Sequence[int], features: int
) -> str:
    """Write the image that windows were cut from; `image` has its size."""
    sizes = _cut_sizes(write, image, space, window, features, inner=False)
    cut = write("Transpose", write("Reshape", windows, sizes), perm=[0, 1, 3, 2, 4, 5])
    known = [size for size in space if isinstance(size, int)]
    whole = write.sizes([0, *known, features]) if len(known) == 2 else write("Shape", image)
    return write("Reshape", cut, whole)


def _count(space: Sequence[Dim], window: Sequence[int]) -> int:
    """Return the number of windows, or -1 where it is not known."""
    known = [size // side for size, side in zip(space, window, strict=True) if isinstance(size, int)]
    return math.prod(known) if len(known) == 2 else -1


def _cut_sizes(
    write: Decomposition, image: str, space: Sequence[Dim], window: Sequence[int], features: int, *, inner: bool
) -> str:
    """Write the sizes of an image cut along both axes: `N, H/h, h, W/w, w, C`, or `N, H/h, W/w, h, w, C`."""
    counts = [_windows_along(size, side) for size, side in zip(space, window, strict=True)]
    if counts.count(-1) < 2:
        first, second = counts
        middle = [first, window[0], second, window[1]] if inner else [first, second, *window]
        return write.sizes([0, *middle, features])
    along = [
        write("Div", write.size_of(image, position), write.sizes([side]))
        for position, side in enumerate(window, start=1)
    ]
    sides = [write.sizes([side]) for side in window]
    listed = [along[0], sides[0], along[1], sides[1]] if inner else [*along, *sides]
    return write("Concat", write.sizes([0]), *listed, write.sizes([features]), axis=0)


def _windows_along(size: Dim, side: int) -> int:
    return size // side if isinstance(size, int) else -1


def relative_places(window: Sequence[int]) -> list[int]:
    """Return the row of the table of biases for each pair of pixels of a window."""
    height, width = window
    pixels = [(row, column) for row in range(height) for column in range(width)]
    return [
        (row - other_row + height - 1) * (2 * width - 1) + column - other_column + width - 1
        for row, column in pixels
        for other_row, other_column in pixels
    ]


def region_numbers(
    write: Decomposition, image: str, space: Sequence[Dim], window: Sequence[int], shift: Sequence[int]
) -> str:
    """Write the number of the region of every pixel, window by window: those of one region lie side by side.

    The numbers are floats, as ONNX's shape inference takes lists of whole numbers for sizes and adds them up as such.
    """
    lines = [
        _line(write, image, position, size, side, by)
        for position, (size, side, by) in enumerate(zip(space, window, shift, strict=True), start=1)
    ]
    rows = write("Unsqueeze", write("Mul", lines[0], write.number(3)), write.sizes([1]))
    numbers = write("Reshape", write("Add", rows, lines[1]), _grid_sizes(write, image, space, window))
    return write("Transpose", numbers, perm=[0, 2, 1, 3])


def _grid_sizes(write: Decomposition, image: str, space: Sequence[Dim], window: Sequence[int]) -> str:
    counts = [_windows_along(size, side) for size, side in zip(space, window, strict=True)]
    if counts.count(-1) < 2:
        return write.sizes([counts[0], window[0], counts[1], window[1]])
    along = [
        write("Div", write.size_of(image, position), write.sizes([side]))
        for position, side in enumerate(window, start=1)
    ]
    return write("Concat", along[0], write.sizes([window[0]]), along[1], write.sizes([window[1]]), axis=0)


def _line(write: Decomposition, image: str, position: int, size: Dim, side: int, shift: int) -> str:
    """Write the numbers along one axis: 0 before the last window, then 1, and 2 for what came from the beginning."""
    if isinstance(size, int):
        regions = [(place >= size - side) + (place >= size - shift) for place in range(size)]
        return write.numbers(regions if shift else [0] * size)
    places = onnx_places(write, image, size, position)
    if shift == 0:
        return write("Mul", write("Cast", places, to=_FLOAT), write.number(0))
    whole = write.size_of(image, position)
    later = [
        write("Cast", write("GreaterOrEqual", places, write("Sub", whole, write.sizes([less]))), to=_FLOAT)
        for less in (side, shift)
    ]
    return write("Add", *later)
