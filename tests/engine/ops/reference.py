"""What each layer computes, as plain loops in float64 after the formulas; slow, and written without looking at torch.

A reference takes settled attributes, inputs `N x C x H x W` (or `N x F`), and weights by role.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from striate.ops import BUILTIN
from tests.engine.ops.reference_activation import ACTIVATIONS, along_axis
from tests.engine.ops.reference_convs import CONVS
from tests.engine.ops.reference_filters import FILTERS
from tests.engine.ops.reference_indexing import INDEXING
from tests.engine.ops.reference_norm import NORMS
from tests.engine.ops.reference_pools import POOLS
from tests.engine.ops.reference_structure import STRUCTURE
from tests.engine.ops.reference_tokens import TOKENS
from tests.engine.ops.reference_windows import entry, inside, output_size, windows

Array = np.ndarray[Any, np.dtype[np.float64]]
Reference = Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Array | list[Array]]


def kernel_used(attributes: Mapping[str, Any], weights: Mapping[str, Array], rows: int = 0) -> Array:
    """Return the kernel that a layer computes with, from the one that is trained."""
    kernel = weights["weight"]
    if attributes["weight"] == "plain":
        return kernel
    if attributes["weight"] == "spectral":
        direction = weights["running_u"] / math.sqrt(sum(weights["running_u"] ** 2))
        pulled = sum(number * kernel.take(index, axis=rows) for index, number in enumerate(direction))
        return kernel / math.sqrt((np.asarray(pulled) ** 2).sum())
    out = np.zeros_like(kernel)
    groups = attributes["groups"] if rows else 1
    for group in range(groups):
        given = slice(group * len(kernel) // groups, (group + 1) * len(kernel) // groups)
        for number in range(kernel.shape[rows]):
            index = (given, number) if rows else (number,)
            entries = kernel[index]
            mean = entries.sum() / entries.size
            out[index] = (entries - mean) / math.sqrt(((entries - mean) ** 2).sum() / entries.size + 1e-5)
    return out


def conv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Sum of products of each window and each kernel."""
    values, kernel = inputs[0], kernel_used(attributes, weights)
    batch, channels, *sizes = values.shape
    each, made = channels // attributes["groups"], kernel.shape[0] // attributes["groups"]
    flat = kernel.reshape(*kernel.shape[:2], -1)
    out = np.zeros((batch, kernel.shape[0], *output_size(attributes, sizes)))
    for place, taps in windows(attributes, sizes):
        for filter_index in range(kernel.shape[0]):
            first = filter_index // made * each
            for number, tap in enumerate(taps):
                pixel = filled(values, tap, attributes["fill"])[:, first : first + each]
                out[(slice(None), filter_index, *place)] += pixel @ flat[filter_index, :, number]
    return with_bias(out, weights)


def filled(values: Array, place: Sequence[int], fill: str | float) -> Array:
    """Return the pixel at a place, `N x C`; beyond the image what fills the padding."""
    sizes = values.shape[2:]
    if not inside(place, sizes) and fill not in ("reflect", "replicate", "circular"):
        return np.full(values.shape[:2], 0.0 if fill == "zeros" else fill)
    found = []
    for at, size in zip(place, sizes, strict=True):
        if fill == "reflect":  # back and forth between the first pixel and the last one
            turn = at % (2 * size - 2) if size > 1 else 0
            found.append(min(turn, 2 * size - 2 - turn))
        else:
            found.append(at % size if fill == "circular" else min(max(at, 0), size - 1))
    return np.asarray(values[entry(found)])


def with_bias(values: Array, weights: Mapping[str, Array]) -> Array:
    """Add a bias per channel, where there is one."""
    if "bias" not in weights:
        return values
    return values + weights["bias"].reshape(-1, *(1 for _ in values.shape[2:]))


def deconv(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Each pixel stamps its kernel onto the output, `stride` apart; padding cuts the border away."""
    values, kernel = inputs[0], kernel_used(attributes, weights, rows=1)
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
    out, matrix = np.zeros((inputs[0].shape[0], attributes["features"])), kernel_used(attributes, weights)
    for image, feature in np.ndindex(*out.shape):
        out[image, feature] = sum(a * b for a, b in zip(inputs[0][image], matrix[feature], strict=True))
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


def told(holds: Callable[[float, float], bool]) -> Reference:
    """Return a reference that says of every pair of entries, sizes of 1 repeated, whether something holds."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        left, right = np.broadcast_arrays(*inputs)
        out = np.zeros(left.shape)
        for place in np.ndindex(*out.shape):
            out[place] = float(holds(left[place], right[place]))
        return out

    return rule


def chosen(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The second value where the first is not 0, the third elsewhere."""
    choice, left, right = np.broadcast_arrays(*inputs)
    out = np.zeros(choice.shape)
    for place in np.ndindex(*out.shape):
        out[place] = left[place] if choice[place] != 0 else right[place]
    return out


def stored(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The weight once for every image."""
    return np.stack([weights["weight"]] * inputs[0].shape[0])


def repeated(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Each entry at every place that it is repeated to."""
    value, like = inputs[0], attributes["like"]
    wanted = inputs[like].shape[1:] if like is not None else attributes["sizes"]
    sizes = [own if size == "auto" else size for own, size in zip(value.shape[1:], wanted, strict=True)]
    out = np.zeros([value.shape[0], *sizes])
    for place in np.ndindex(*out.shape):
        out[place] = value[tuple(min(index, size - 1) for index, size in zip(place, value.shape, strict=True))]
    return out


REFERENCES: Mapping[str, Reference] = {
    **ACTIVATIONS,
    **NORMS,
    **STRUCTURE,
    **POOLS,
    **TOKENS,
    **FILTERS,
    **CONVS,
    **INDEXING,
    "conv": conv,
    "deconv": deconv,
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
    "greater": told(lambda left, right: left > right),
    "greater_equal": told(lambda left, right: left >= right),
    "less": told(lambda left, right: left < right),
    "less_equal": told(lambda left, right: left <= right),
    "equal": told(lambda left, right: left == right),
    "logical_and": told(lambda left, right: left != 0 and right != 0),
    "logical_or": told(lambda left, right: left != 0 or right != 0),
    "logical_xor": told(lambda left, right: (left != 0) != (right != 0)),
    "where": chosen,
    "pow": told(lambda left, right: left**right),
    "fmod": told(math.fmod),
    "mod": merged(lambda left, right: left - right * np.floor(left / right)),
    "parameter": stored,
    "broadcast": repeated,
}
