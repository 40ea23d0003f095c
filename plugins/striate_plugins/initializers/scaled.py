"""Initialisers that set the variance by the fans of the layer, after Glorot, He and LeCun.

A sum over `fan_in` independent products has `fan_in` times the variance of one: with the variance 1 / fan_in the scale
stays, and with gain² / fan_in it also stays through what follows the layer.
"""

from __future__ import annotations

import math

import numpy as np

from striate.plugin import WeightInfo
from striate_plugins.initializers.plain import Array, Rule, within

_CUT = 2.0
_CUT_DEVIATION = 0.87962566103423978
"""Standard deviation of the standard normal distribution that is cut at two deviations."""


def gain_of(nonlinearity: str, slope: float = 0.01) -> float:
    """Return by how much a layer's weights must be larger for what follows it; the factors are torch's.

    Raises:
        KeyError: an unknown name.
    """
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    return gains[nonlinearity]


def he_normal(mode: str = "fan_in", nonlinearity: str = "relu", slope: float = 0.01, truncated: bool = False) -> Rule:
    """Return He's rule with a normal distribution."""
    kind = "truncated_normal" if truncated else "normal"
    return variance_scaling(gain_of(nonlinearity, slope) ** 2, mode, kind)


def he_uniform(mode: str = "fan_in", nonlinearity: str = "relu", slope: float = 0.01) -> Rule:
    """Return He's rule with an even distribution."""
    return variance_scaling(gain_of(nonlinearity, slope) ** 2, mode, "uniform")


def xavier_normal(nonlinearity: str = "linear", slope: float = 0.01, truncated: bool = False) -> Rule:
    """Return Glorot's rule with a normal distribution."""
    kind = "truncated_normal" if truncated else "normal"
    return variance_scaling(gain_of(nonlinearity, slope) ** 2, "fan_avg", kind)


def xavier_uniform(nonlinearity: str = "linear", slope: float = 0.01) -> Rule:
    """Return Glorot's rule with an even distribution."""
    return variance_scaling(gain_of(nonlinearity, slope) ** 2, "fan_avg", "uniform")


def lecun_normal(truncated: bool = False) -> Rule:
    """Return LeCun's rule with a normal distribution."""
    return variance_scaling(1.0, "fan_in", "truncated_normal" if truncated else "normal")


def lecun_uniform() -> Rule:
    """Return LeCun's rule with an even distribution."""
    return variance_scaling(1.0, "fan_in", "uniform")


def variance_scaling(scale: float, mode: str, distribution: str) -> Rule:
    """Return the rule with the variance `scale / fan`.

    Args:
        scale: the numerator.
        mode: which fan: `fan_in`, `fan_out`, or `fan_avg` for their mean.
        distribution: `normal`, `uniform`, or `truncated_normal`, which is cut at two standard deviations and then
            widened, so that the variance is what was asked for.
    """

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        fans = {"fan_in": info.fan_in, "fan_out": info.fan_out, "fan_avg": (info.fan_in + info.fan_out) / 2}
        variance = scale / fans[mode]
        if distribution == "uniform":
            bound = math.sqrt(3 * variance)  # evenly on [-b, b] is a variance of b² / 3
            values = generator.random(info.shape, dtype="float32")
            values *= 2 * bound
            values -= bound
            return values
        if distribution == "truncated_normal":
            values = within(info.shape, generator, -_CUT, _CUT)
            values *= math.sqrt(variance) / _CUT_DEVIATION
            return values
        values = generator.standard_normal(info.shape, dtype="float32")
        values *= math.sqrt(variance)
        return values

    return rule
