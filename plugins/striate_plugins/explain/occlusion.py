"""Occlusion (Zeiler and Fergus, 2014): how far the score falls when a part of the image is covered."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.factories import AttributionRequest, RefusedError

_BATCH = 64
"""Covered images that the network sees at once."""


def occlusion(request: AttributionRequest, size: int, stride: int, value: float) -> Tensor:
    """Return how far the score falls, for every pixel the mean over the squares that cover it, as `H x W`.

    Args:
        request: the question.
        size: side of the square in pixels.
        stride: how far it moves; where steps do not come out even, a last one reaches the border.
        value: what covered entries are, as the network takes them.

    Raises:
        RefusedError: the square is larger than the image, or leaves pixels out.
    """
    image = request.image
    height, width = image.shape[2:]
    if size > min(height, width) or stride > size:
        what = "is larger than the image" if size > min(height, width) else f"leaves pixels out at a stride of {stride}"
        raise RefusedError(f"a square of {size} x {size} {what} ({height} x {width})")
    places = [(row, column) for row in _starts(height, size, stride) for column in _starts(width, size, stride)]
    fallen, covered = torch.zeros_like(image[0, 0]), torch.zeros_like(image[0, 0])
    with torch.inference_mode():
        whole = request.score(request.values(image))
        for first in range(0, len(places), _BATCH):
            part = places[first : first + _BATCH]
            images = image.repeat(len(part), 1, 1, 1)
            for number, (row, column) in enumerate(part):
                images[number, :, row : row + size, column : column + size] = value
            for (row, column), fall in zip(part, whole - request.score(request.values(images)), strict=True):
                fallen[row : row + size, column : column + size] += fall
                covered[row : row + size, column : column + size] += 1
        return fallen / covered


def _starts(extent: int, size: int, stride: int) -> list[int]:
    """Return where squares begin along an axis, the last one at the border."""
    starts = list(range(0, extent - size + 1, stride))
    return starts if starts[-1] == extent - size else [*starts, extent - size]
