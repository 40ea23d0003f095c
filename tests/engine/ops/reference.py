"""What each layer computes, as plain loops in float64 after the formulas; slow, and written without looking at torch.

A reference takes settled attributes, inputs `N x C x H x W` (or `N x F`), and weights by role.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Reference = Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Array]


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


def windows(attributes: Mapping[str, Any], height: int, width: int) -> Iterator[tuple[int, int, list[int], list[int]]]:
    """Yield the output place, and the rows and columns that the window reads; some lie outside of the image."""
    top, bottom, left, right = attributes["pad"]
    (tall, wide), (down, across) = attributes["kernel"], attributes["stride"]
    below, beside = attributes.get("dilation", (1, 1))
    ceil = attributes.get("ceil", False)
    starts_down = window_starts(height, top, bottom, below * (tall - 1) + 1, down, ceil=ceil)
    starts_across = window_starts(width, left, right, beside * (wide - 1) + 1, across, ceil=ceil)
    for row, start_row in enumerate(starts_down):
        for column, start_column in enumerate(starts_across):
            rows = [start_row + below * index for index in range(tall)]
            columns = [start_column + beside * index for index in range(wide)]
            yield row, column, rows, columns


def output_size(attributes: Mapping[str, Any], height: int, width: int) -> tuple[int, int]:
    """Return the number of windows down and across."""
    *_, (row, column, _, _) = windows(attributes, height, width)
    return row + 1, column + 1


def conv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of products of each window and each kernel."""
    values, kernel = inputs[0], weights["weight"]
    batch, channels, height, width = values.shape
    each, made = channels // attributes["groups"], kernel.shape[0] // attributes["groups"]
    out = np.zeros((batch, kernel.shape[0], *output_size(attributes, height, width)))
    for row, column, rows, columns in windows(attributes, height, width):
        for filter_index in range(kernel.shape[0]):
            first = filter_index // made * each
            for i, y in enumerate(rows):
                for j, x in enumerate(columns):
                    if 0 <= y < height and 0 <= x < width:
                        pixel = values[:, first : first + each, y, x]
                        out[:, filter_index, row, column] += pixel @ kernel[filter_index, :, i, j]
    return out + weights["bias"][:, None, None] if "bias" in weights else out


def deconv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Each pixel stamps its kernel onto the output, `stride` apart; padding cuts the border away."""
    values, kernel = inputs[0], weights["weight"]
    batch, channels, height, width = values.shape
    (down, across), (below, beside) = attributes["stride"], attributes["dilation"]
    top, bottom, left, right = attributes["pad"]
    extra_down, extra_across = attributes["output_padding"]
    made, each = kernel.shape[1], channels // attributes["groups"]
    tall = (height - 1) * down + below * (kernel.shape[2] - 1) + 1 + extra_down
    wide = (width - 1) * across + beside * (kernel.shape[3] - 1) + 1 + extra_across
    out = np.zeros((batch, made * attributes["groups"], tall, wide))
    for channel in range(channels):
        first = channel // each * made
        for y, x, i, j in np.ndindex(height, width, *kernel.shape[2:]):
            stamp = values[:, channel, y, x, None] * kernel[channel, :, i, j]
            out[:, first : first + made, y * down + i * below, x * across + j * beside] += stamp
    if "bias" in weights:
        out += weights["bias"][:, None, None]
    return out[:, :, top : tall - bottom, left : wide - right]


def maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Largest pixel of each window; what lies outside of the image is no pixel."""
    values = inputs[0]
    batch, channels, height, width = values.shape
    out = np.zeros((batch, channels, *output_size(attributes, height, width)))
    for row, column, rows, columns in windows(attributes, height, width):
        seen = [values[:, :, y, x] for y in rows for x in columns if 0 <= y < height and 0 <= x < width]
        out[:, :, row, column] = np.max(seen, axis=0)
    return out


def avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of the pixels of each window over their number, or over the number of entries in the padded image."""
    values = inputs[0]
    batch, channels, height, width = values.shape
    top, bottom, left, right = attributes["pad"] if attributes["count_include_pad"] else (0, 0, 0, 0)
    out = np.zeros((batch, channels, *output_size(attributes, height, width)))
    for row, column, rows, columns in windows(attributes, height, width):
        seen = [values[:, :, y, x] for y in rows for x in columns if 0 <= y < height and 0 <= x < width]
        count = sum(-top <= y < height + bottom and -left <= x < width + right for y in rows for x in columns)
        out[:, :, row, column] = np.sum(seen, axis=0) / count
    return out


def global_avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum over the image, over its number of pixels."""
    return sum_of_pixels(inputs[0]) / (inputs[0].shape[2] * inputs[0].shape[3])


def sum_of_pixels(values: Array) -> Array:
    """Return `N x C x 1 x 1`."""
    total = np.zeros((*values.shape[:2], 1, 1))
    for y, x in np.ndindex(*values.shape[2:]):
        total[:, :, 0, 0] += values[:, :, y, x]
    return total


def global_maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Largest pixel of the image."""
    best = np.full((*inputs[0].shape[:2], 1, 1), -math.inf)
    for y, x in np.ndindex(*inputs[0].shape[2:]):
        best[:, :, 0, 0] = np.maximum(best[:, :, 0, 0], inputs[0][:, :, y, x])
    return best


def bn(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Batch normalisation with the running statistics."""
    return normalised(inputs[0], weights["running_mean"], weights["running_var"], attributes["eps"], weights)


def bn_training(
    attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]
) -> tuple[Array, Array, Array]:
    """Batch normalisation with the batch's statistics; returns the output and the new running mean and variance."""
    values, momentum = inputs[0], attributes["momentum"]
    per_channel = [values[:, channel].ravel() for channel in range(values.shape[1])]
    mean = np.array([entries.sum() / entries.size for entries in per_channel])
    squares = np.array([((entries - entries.sum() / entries.size) ** 2).sum() for entries in per_channel])
    count = per_channel[0].size
    out = normalised(values, mean, squares / count, attributes["eps"], weights)
    running_mean = (1 - momentum) * weights["running_mean"] + momentum * mean
    running_var = (1 - momentum) * weights["running_var"] + momentum * squares / (count - 1)
    return out, running_mean, running_var


def normalised(values: Array, mean: Array, variance: Array, eps: float, weights: Mapping[str, Array]) -> Array:
    """Return `(in - mean) / sqrt(variance + eps) * weight + bias`, channel by channel."""
    out = np.zeros_like(values)
    for channel in range(values.shape[1]):
        scaled = (values[:, channel] - mean[channel]) / math.sqrt(variance[channel] + eps)
        out[:, channel] = scaled * weights["weight"][channel] + weights["bias"][channel]
    return out


def lrn(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Divide by the weighted squares of `size` channels; an even size has the extra channel before."""
    values, size = inputs[0], attributes["size"]
    out = np.zeros_like(values)
    for channel in range(values.shape[1]):
        near = range(channel - size // 2, channel - size // 2 + size)
        squares = sum((values[:, other] ** 2 for other in near if 0 <= other < values.shape[1]), np.zeros(()))
        divisor = (attributes["k"] + attributes["alpha"] / size * squares) ** attributes["beta"]
        out[:, channel] = values[:, channel] / divisor
    return out


def softmax(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Exponentials over their sum along the channels."""
    powers = np.exp(inputs[0] - inputs[0].max())
    out = np.zeros_like(powers)
    total = sum((powers[:, channel] for channel in range(powers.shape[1])), np.zeros(()))
    for channel in range(powers.shape[1]):
        out[:, channel] = powers[:, channel] / total
    return out


def l2norm(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Divide by the length along the channels, or by eps where that is larger."""
    values = inputs[0]
    squares = sum((values[:, channel] ** 2 for channel in range(values.shape[1])), np.zeros(()))
    return values / np.maximum(np.sqrt(squares), attributes["eps"])[:, None]


def dense(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """One sum of products per output."""
    out = np.zeros((inputs[0].shape[0], attributes["features"]))
    for image, feature in np.ndindex(*out.shape):
        out[image, feature] = sum(a * b for a, b in zip(inputs[0][image], weights["weight"][feature], strict=True))
    return out + weights["bias"] if "bias" in weights else out


def flatten(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """All entries, the last axis running fastest."""
    values = inputs[0]
    out = np.zeros((values.shape[0], math.prod(values.shape[1:])))
    for image in range(values.shape[0]):
        for place, index in enumerate(np.ndindex(*values.shape[1:])):
            out[image, place] = values[image][index]
    return out


def merged(combine: Callable[[Any, Any], Any]) -> Reference:
    """Return a reference that combines the inputs from left to right."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        result = inputs[0]
        for other in inputs[1:]:
            result = combine(result, other)
        return result

    return rule


def entrywise(function: Callable[[float], float]) -> Reference:
    """Return a reference that applies a function of one number to every entry."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        return np.vectorize(function, otypes=[np.float64])(inputs[0])

    return rule


REFERENCES: Mapping[str, Reference] = {
    "conv": conv,
    "deconv": deconv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "global_avgpool": global_avgpool,
    "global_maxpool": global_maxpool,
    "bn": bn,
    "lrn": lrn,
    "l2norm": l2norm,
    "relu": entrywise(lambda value: max(value, 0.0)),
    "relu6": entrywise(lambda value: min(max(value, 0.0), 6.0)),
    "tanh": entrywise(math.tanh),
    "sigmoid": entrywise(lambda value: 1 / (1 + math.exp(-value))),
    "softmax": softmax,
    "dense": dense,
    "flatten": flatten,
    "dropout": entrywise(lambda value: value),
    "identity": entrywise(lambda value: value),
    "add": merged(lambda left, right: left + right),
    "mul": merged(lambda left, right: left * right),
    "concat": merged(lambda left, right: np.concatenate([left, right], axis=1)),
}
