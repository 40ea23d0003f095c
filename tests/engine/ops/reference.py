"""What each layer computes, as plain loops in float64 after the formulas; slow, and written without looking at torch.

A reference takes settled attributes, inputs `N x C x H x W` (or `N x F`), and weights by role.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from striate.ops import BUILTIN
from tests.engine.ops.reference_activation import ACTIVATIONS, along_axis
from tests.engine.ops.reference_convs import CONVS
from tests.engine.ops.reference_filters import FILTERS
from tests.engine.ops.reference_norm import NORMS
from tests.engine.ops.reference_structure import STRUCTURE
from tests.engine.ops.reference_tokens import TOKENS

Array = np.ndarray[Any, np.dtype[np.float64]]
Reference = Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Array | list[Array]]


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


def conv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of products of each window and each kernel."""
    values, kernel = inputs[0], weights["weight"]
    batch, channels, *sizes = values.shape
    each, made = channels // attributes["groups"], kernel.shape[0] // attributes["groups"]
    flat = kernel.reshape(*kernel.shape[:2], -1)
    out = np.zeros((batch, kernel.shape[0], *output_size(attributes, sizes)))
    for place, taps in windows(attributes, sizes):
        for filter_index in range(kernel.shape[0]):
            first = filter_index // made * each
            for number, tap in enumerate(taps):
                if inside(tap, sizes):
                    pixel = values[(slice(None), slice(first, first + each), *tap)]
                    out[(slice(None), filter_index, *place)] += pixel @ flat[filter_index, :, number]
    return with_bias(out, weights)


def with_bias(values: Array, weights: Mapping[str, Array]) -> Array:
    """Add a bias per channel, where there is one."""
    if "bias" not in weights:
        return values
    return values + weights["bias"].reshape(-1, *(1 for _ in values.shape[2:]))


def deconv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Each pixel stamps its kernel onto the output, `stride` apart; padding cuts the border away."""
    values, kernel = inputs[0], weights["weight"]
    batch, channels, *sizes = values.shape
    strides, steps, pads = attributes["stride"], attributes["dilation"], attributes["pad"]
    made, each = kernel.shape[1], channels // attributes["groups"]
    full = [
        (size - 1) * stride + step * (extent - 1) + 1 + extra
        for size, stride, step, extent, extra in zip(
            sizes, strides, steps, kernel.shape[2:], attributes["output_padding"], strict=True
        )
    ]
    out = np.zeros((batch, made * attributes["groups"], *full))
    for channel in range(channels):
        first = channel // each * made
        for pixel in np.ndindex(*sizes):
            for tap in np.ndindex(*kernel.shape[2:]):
                stamp = values[(slice(None), channel, *pixel)][:, None] * kernel[(channel, slice(None), *tap)]
                place = [p * stride + t * step for p, stride, t, step in zip(pixel, strides, tap, steps, strict=True)]
                index: Any = (slice(None), slice(first, first + made), *place)
                out[index] += stamp
    kept = [slice(pads[2 * axis], size - pads[2 * axis + 1]) for axis, size in enumerate(full)]
    return with_bias(out, weights)[(slice(None), slice(None), *kept)]


def maxpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Largest pixel of each window; what lies outside of the image is no pixel."""
    values = inputs[0]
    sizes = values.shape[2:]
    out = np.zeros((*values.shape[:2], *output_size(attributes, sizes)))
    for place, taps in windows(attributes, sizes):
        seen = [values[entry(tap)] for tap in taps if inside(tap, sizes)]
        out[entry(place)] = np.max(seen, axis=0)
    return out


def avgpool(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of the pixels of each window over their number, or over the number of entries in the padded image."""
    values = inputs[0]
    sizes = values.shape[2:]
    pads = attributes["pad"] if attributes["count_include_pad"] else (0,) * (2 * len(sizes))
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
        share = attributes["alpha"] / (size if attributes["squares"] == "mean" else 1)
        divisor = (attributes["k"] + share * squares) ** attributes["beta"]
        out[:, channel] = values[:, channel] / divisor
    return out


def unit_length(entries: Array, attributes: Mapping[str, Any]) -> Array:
    """Divide by the length, or by eps where that is larger."""
    return entries / max(math.sqrt(sum(float(entry) ** 2 for entry in entries.ravel())), attributes["eps"])


def dense(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """One sum of products per output."""
    out = np.zeros((inputs[0].shape[0], attributes["features"]))
    for image, feature in np.ndindex(*out.shape):
        out[image, feature] = sum(a * b for a, b in zip(inputs[0][image], weights["weight"][feature], strict=True))
    return out + weights["bias"] if "bias" in weights else out


def passed_on(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The input itself."""
    return inputs[0]


def merged(combine: Callable[[Any, Any], Any]) -> Reference:
    """Return a reference that combines the inputs from left to right."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        result = inputs[0]
        for other in inputs[1:]:
            result = combine(result, other)
        return result

    return rule


REFERENCES: Mapping[str, Reference] = {
    **ACTIVATIONS,
    **NORMS,
    **STRUCTURE,
    **TOKENS,
    **FILTERS,
    **CONVS,
    "conv": conv,
    "deconv": deconv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "global_avgpool": global_avgpool,
    "global_maxpool": global_maxpool,
    "bn": bn,
    "lrn": lrn,
    "l2norm": along_axis(unit_length),
    "dense": dense,
    **dict.fromkeys((name for name, record in BUILTIN.items() if record.inference == "same"), passed_on),
    "dropconnect": dense,
    "add": merged(lambda left, right: left + right),
    "mul": merged(lambda left, right: left * right),
    "sub": merged(lambda left, right: left - right),
    "div": merged(lambda left, right: left / right),
    "maximum": merged(lambda left, right: np.where(left > right, left, right)),
    "minimum": merged(lambda left, right: np.where(left < right, left, right)),
}
