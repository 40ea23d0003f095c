"""What activations compute, entry by entry in float64 after the formulas; written without looking at torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Reference = Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Array]


def entrywise(function: Callable[..., float]) -> Reference:
    """Return a reference that applies a function of one number, and of the attributes by name, to every entry."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        out = np.zeros_like(inputs[0])
        for place in np.ndindex(*out.shape):
            out[place] = function(float(inputs[0][place]), **attributes)
        return out

    return rule


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def log_sigmoid(value: float) -> float:
    return -math.log1p(math.exp(-value))


def normal_probability(value: float) -> float:
    """The chance that a standard normal number is below a value."""
    return 0.5 * math.erfc(-value / math.sqrt(2))


def gelu(value: float, form: str = "exact") -> float:
    if form == "exact":
        return value * normal_probability(value)
    return 0.5 * value * (1 + math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)))


def elu(value: float, alpha: float = 1.0) -> float:
    return value if value > 0 else alpha * math.expm1(value)


def softplus(value: float, beta: float, threshold: float) -> float:
    return value if beta * value > threshold else math.log1p(math.exp(beta * value)) / beta


def clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def prelu(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """A slope for each channel, or the one slope for all."""
    out = inputs[0].copy()
    for place in np.ndindex(*out.shape):
        if out[place] < 0:
            out[place] *= weights["weight"][place[1] if attributes["slopes"] == "channels" else 0]
    return out


def swish(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    beta = weights["beta"][0] if attributes["trainable"] else attributes["beta"]
    return entrywise(lambda value: value * sigmoid(beta * value))({}, inputs, {})


def positions(axis: str, axes: int) -> tuple[int, ...]:
    """Return where a named axis stands in an array of so many axes, the batch at 0."""
    names = {2: "C", 3: "CL", 4: "CHW", 5: "CDHW"}[axes]
    if axis == "last":
        return (axes - 1,)
    if axis in ("space", "all"):
        return tuple(range(2 if axis == "space" else 1, axes))
    return (1 + names.index(axis[0].upper()),)


def groups_along(values: Array, axis: str) -> list[tuple[Any, ...]]:
    """Return an index for each set of entries that lie along the named axes."""
    along = positions(axis, values.ndim)
    kept = [range(size) if place not in along else [slice(None)] for place, size in enumerate(values.shape)]
    found: list[tuple[Any, ...]] = [()]
    for choices in kept:
        found = [(*index, choice) for index in found for choice in choices]
    return found


def along_axis(function: Callable[[Array, Mapping[str, Any]], Array]) -> Reference:
    """Return a reference that applies a function to each set of entries along the attribute `axis`."""

    def rule(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
        out = np.zeros_like(inputs[0])
        for index in groups_along(out, attributes["axis"]):
            out[index] = function(inputs[0][index], attributes)
        return out

    return rule


def softmax(entries: Array) -> Array:
    powers = np.exp(entries - entries.max())
    return powers / powers.sum()


def maxout(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """The largest of the channels `pieces * c` to `pieces * c + pieces - 1`."""
    values, pieces = inputs[0], attributes["pieces"]
    made = [values[:, first : first + pieces].max(axis=1) for first in range(0, values.shape[1], pieces)]
    return np.stack(made, axis=1)


def glu(attributes: Mapping[str, Any], inputs: Sequence[Array], weights: Mapping[str, Array]) -> Array:
    """Channel c times the gate of channel c + C / 2."""
    half = inputs[0].shape[1] // 2
    gates: Mapping[str, Callable[[float], float]] = {
        "sigmoid": sigmoid,
        "silu": lambda value: value * sigmoid(value),
        "gelu": gelu,
        "relu": lambda value: max(value, 0.0),
        "linear": lambda value: value,
    }
    gate = gates[attributes["gate"]]
    out = inputs[0][:, :half].copy()
    for place in np.ndindex(*out.shape):
        image, channel, *pixel = place
        out[place] *= gate(float(inputs[0][(image, channel + half, *pixel)]))
    return out


def chosen(entries: Array, attributes: Mapping[str, Any]) -> Array:
    """One at the largest entry, or the shares of a softmax."""
    if not attributes["hard"]:
        return softmax(entries / attributes["temperature"])
    out = np.zeros(entries.size)
    out[max(range(entries.size), key=entries.ravel().tolist().__getitem__)] = 1
    return out.reshape(entries.shape)


ACTIVATIONS: Mapping[str, Reference] = {
    "relu": entrywise(lambda value: max(value, 0.0)),
    "relu6": entrywise(lambda value: clipped(value, 0, 6)),
    "leaky_relu": entrywise(lambda value, slope: value if value > 0 else slope * value),
    "prelu": prelu,
    "rrelu": entrywise(lambda value, lower, upper: value if value > 0 else (lower + upper) / 2 * value),
    "threshold": entrywise(lambda value, at, below: value if value > at else below),
    "clip": entrywise(clipped),
    "elu": entrywise(elu),
    "selu": entrywise(lambda value: 1.0507009873554805 * elu(value, 1.6732632423543772)),
    "celu": entrywise(lambda value, alpha: max(value, 0) + min(alpha * math.expm1(value / alpha), 0)),
    "silu": entrywise(lambda value: value * sigmoid(value)),
    "swish": swish,
    "mish": entrywise(lambda value: value * math.tanh(math.log1p(math.exp(value)))),
    "gelu": entrywise(gelu),
    "tanh": entrywise(math.tanh),
    "sigmoid": entrywise(sigmoid),
    "log_sigmoid": entrywise(log_sigmoid),
    "hardsigmoid": entrywise(lambda value, form: clipped(value / (6 if form == "torch" else 5) + 0.5, 0, 1)),
    "hardswish": entrywise(lambda value: value * clipped(value + 3, 0, 6) / 6),
    "softsign": entrywise(lambda value: value / (1 + abs(value))),
    "softplus": entrywise(softplus),
    "step": entrywise(lambda value, at: 1.0 if value >= at else 0.0),
    "softmax": along_axis(lambda entries, attributes: softmax(entries)),
    "log_softmax": along_axis(lambda entries, attributes: np.log(softmax(entries))),
    "softmin": along_axis(lambda entries, attributes: softmax(-entries)),
    "gumbel_softmax": along_axis(chosen),
    "gumbel_sigmoid": entrywise(
        lambda value, temperature, hard: float(value > 0) if hard else sigmoid(value / temperature)
    ),
    "maxout": maxout,
    "glu": glu,
    "linear": entrywise(lambda value, scale, shift: scale * value + shift),
    "exp": entrywise(math.exp),
    "log": entrywise(math.log),
    "sqrt": entrywise(math.sqrt),
    "abs": entrywise(abs),
    "neg": entrywise(lambda value: -value),
    "square": entrywise(lambda value: value**2),
    "reciprocal": entrywise(lambda value: 1 / value),
    **{
        name: entrywise(getattr(math, name))
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf")
    },
    "ceil": entrywise(lambda value: float(math.ceil(value))),
    "floor": entrywise(lambda value: float(math.floor(value))),
    "round": entrywise(lambda value: float(round(value))),
    "sign": entrywise(lambda value: float((value > 0) - (value < 0))),
    "power": entrywise(lambda value, exponent: value**exponent),
    "logical_not": entrywise(lambda value: float(value == 0)),
}
