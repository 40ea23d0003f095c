"""What normalising layers compute, mean by mean in float64 after the formulas; written without looking at torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.engine.ops.reference_activation import Reference, along_axis, positions

Array = np.ndarray[Any, np.dtype[np.float64]]


def moments(entries: Array) -> tuple[float, float]:
    """Return the mean, and the mean of the squared distances from it."""
    listed = [float(entry) for entry in entries.ravel()]
    mean = sum(listed) / len(listed)
    return mean, sum((entry - mean) ** 2 for entry in listed) / len(listed)


def standardised(entries: Array, attributes: Mapping[str, Any]) -> Array:
    mean, variance = moments(entries)
    return (entries - mean) / math.sqrt(variance + attributes["eps"])


def scaled(values: Array, weights: Mapping[str, Array], along: Sequence[int] = (1,)) -> Array:
    """Apply a weight and a bias whose axes are those of the values at these positions."""
    out = values.copy()
    for place in np.ndindex(*out.shape):
        own = tuple(place[position] for position in along)
        out[place] = out[place] * (weights["weight"][own] if "weight" in weights else 1)
        out[place] += weights["bias"][own] if "bias" in weights else 0
    return out


def instancenorm(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    out = inputs[0].copy()
    for image, channel in np.ndindex(*out.shape[:2]):
        if attributes["running"]:
            deviation = math.sqrt(weights["running_var"][channel] + attributes["eps"])
            out[image, channel] = (out[image, channel] - weights["running_mean"][channel]) / deviation
        else:
            out[image, channel] = standardised(out[image, channel], attributes)
    return scaled(out, weights)


def instancenorm_statistics(
    attributes: Mapping[str, Any], values: Array, weights: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Return the running mean and variance after a batch in training: the mean of those of its images."""
    share, count = attributes["momentum"], math.prod(values.shape[2:])
    found = np.array([[moments(channel) for channel in image] for image in values]).mean(axis=0)
    mean = (1 - share) * weights["running_mean"] + share * found[:, 0]
    variance = (1 - share) * weights["running_var"] + share * found[:, 1] * count / (count - 1)
    return mean, variance


def layernorm(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    out = along_axis(standardised)(attributes, inputs, {})
    return scaled(out, weights, positions(attributes["axis"], out.ndim))


def rmsnorm(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    def divided(entries: Array, settings: Mapping[str, Any]) -> Array:
        squares = sum(float(entry) ** 2 for entry in entries.ravel())
        return entries / math.sqrt(squares / entries.size + settings["eps"])

    out = along_axis(divided)(attributes, inputs, {})
    return scaled(out, weights, positions(attributes["axis"], out.ndim))


def groupnorm(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    out = inputs[0].copy()
    each = out.shape[1] // attributes["groups"]
    for image in range(out.shape[0]):
        for first in range(0, out.shape[1], each):
            out[image, first : first + each] = standardised(out[image, first : first + each], attributes)
    return scaled(out, weights)


def grn(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    values = inputs[0]
    out = values.copy()
    for image in range(values.shape[0]):
        lengths = [math.sqrt(sum(float(pixel) ** 2 for pixel in channel.ravel())) for channel in values[image]]
        mean = sum(lengths) / len(lengths)
        for channel, length in enumerate(lengths):
            share = length / (mean + attributes["eps"])
            out[image, channel] += (
                weights["weight"][channel] * values[image, channel] * share + weights["bias"][channel]
            )
    return out


def adain(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    content, style = inputs
    out = content.copy()
    for image, channel in np.ndindex(*content.shape[:2]):
        mean, variance = moments(style[image, channel])
        entries = standardised(content[image, channel], attributes)
        out[image, channel] = entries * math.sqrt(variance + attributes["eps"]) + mean
    return out


NORMS: Mapping[str, Reference] = {
    "instancenorm": instancenorm,
    "layernorm": layernorm,
    "rmsnorm": rmsnorm,
    "groupnorm": groupnorm,
    "grn": grn,
    "adain": adain,
}
