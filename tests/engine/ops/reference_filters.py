"""What fixed image filters compute, window by window in float64 after the formulas, without a look at torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Attributes = Mapping[str, Any]
Reference = Callable[[Attributes, Sequence[Array], Mapping[str, Array]], Array]


def beyond(channel: Array, row: int, column: int, fill: str | float) -> float:
    """Return the pixel at a place that may lie outside of the image."""
    row, column = (seen(place, size, fill) for place, size in zip((row, column), channel.shape, strict=True))
    if row < 0 or column < 0:
        return 0.0 if fill == "zeros" else float(fill)
    return float(channel[row, column])


def seen(place: int, size: int, fill: str | float) -> int:
    """Return which place of a line shows at a place before or behind it; -1 for none."""
    if fill == "circular":
        return place % size
    if fill == "reflect":
        while not 0 <= place < size:
            place = -place if place < 0 else 2 * (size - 1) - place
        return place
    if fill == "replicate":
        return 0 if place < 0 else min(place, size - 1)
    return place if 0 <= place < size else -1


def windows(image: Array, kernel: tuple[int, int], fill: str | float) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield each place `(image, channel, row, column)` and the pixels around it."""
    height, width = kernel
    for place in np.ndindex(*image.shape):
        channel, (row, column) = image[place[:2]], place[2:]
        rows = range(row - height // 2, row + height // 2 + 1)
        columns = range(column - width // 2, column + width // 2 + 1)
        yield place, np.array([[beyond(channel, r, c, fill) for c in columns] for r in rows])


def over_windows(kernel_of: Callable[[Attributes], tuple[int, int]], value: Callable[..., float]) -> Reference:
    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        out = np.zeros_like(inputs[0])
        for place, window in windows(inputs[0], kernel_of(attributes), attributes["fill"]):
            out[place] = value(window, attributes)
        return out

    return rule


def weighed(kernel: Callable[[Attributes], Any]) -> Reference:
    def size(attributes: Attributes) -> tuple[int, int]:
        height, width = np.shape(kernel(attributes))
        return height, width

    return over_windows(size, lambda window, attributes: float(np.sum(window * np.array(kernel(attributes)))))


def slope(across: Sequence[Sequence[int]]) -> Reference:
    kernel = np.array(across)

    def value(window: Array, attributes: Attributes) -> float:
        x, y = float(np.sum(window * kernel)), float(np.sum(window * kernel.T))
        return {"x": x, "y": y, "magnitude": math.hypot(x, y)}[attributes["direction"]]

    return over_windows(lambda attributes: (3, 3), value)


def laplacian(attributes: Attributes) -> list[list[int]]:
    corner = {"four": 0, "eight": 1}[attributes["neighbours"]]
    return [[corner, 1, corner], [1, -4 - 4 * corner, 1], [corner, 1, corner]]


def sharpen(attributes: Attributes) -> Array:
    pixel = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    return pixel - attributes["amount"] * np.array(laplacian({"neighbours": "four"}))


def bell(attributes: Attributes) -> Array:
    height, width = attributes["kernel"]
    weights = np.zeros((height, width))
    for row, column in np.ndindex(height, width):
        down, right = row - (height - 1) / 2, column - (width - 1) / 2
        vertical, horizontal = attributes["sigma"]
        weights[row, column] = math.exp(-(down**2) / (2 * vertical**2) - right**2 / (2 * horizontal**2))
    return weights / weights.sum()


def bilateral(window: Array, attributes: Attributes) -> float:
    total, norm = 0.0, 0.0
    middle = tuple(side // 2 for side in window.shape)
    for place in np.ndindex(*window.shape):
        far = sum((a - b) ** 2 for a, b in zip(place, middle, strict=True)) / (2 * attributes["sigma_space"] ** 2)
        other = float(window[place] - window[middle]) ** 2 / (2 * attributes["sigma_color"] ** 2)
        weight = math.exp(-far) * math.exp(-other)
        total, norm = total + weight * float(window[place]), norm + weight
    return total / norm


def own_kernel(attributes: Attributes) -> tuple[int, int]:
    height, width = attributes["kernel"]
    return height, width


FILTERS: Mapping[str, Reference] = {
    "sobel": slope([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "prewitt": slope([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]),
    "laplacian": weighed(laplacian),
    "sharpen": weighed(sharpen),
    "emboss": weighed(lambda attributes: [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
    "box_blur": over_windows(own_kernel, lambda window, attributes: float(window.sum() / window.size)),
    "gaussian_blur": weighed(bell),
    "median_blur": over_windows(own_kernel, lambda window, attributes: statistics.median(window.ravel().tolist())),
    "bilateral": over_windows(own_kernel, bilateral),
}
