"""Initialisers that do not look at the size of the layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.plugin import WeightInfo

Array = np.ndarray[Any, np.dtype[np.float32]]
Rule = Callable[[WeightInfo, np.random.Generator], Array]

_LEAST_SHARE = 0.01
"""How much of the normal distribution must be left between two bounds: drawing again would take too long."""


def zeros() -> Rule:
    """Return the rule that every entry is 0."""
    return constant(0.0)


def ones() -> Rule:
    """Return the rule that every entry is 1."""
    return constant(1.0)


def constant(value: float) -> Rule:
    """Return the rule that every entry is the same number."""
    return lambda info, generator: np.full(info.shape, value, dtype="float32")


def normal(std: float, mean: float = 0.0) -> Rule:
    """Return the rule of a normal distribution."""

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        values = generator.standard_normal(info.shape, dtype="float32")
        values *= std
        values += mean
        return values

    return rule


def truncated_normal(std: float, mean: float = 0.0, low: float = -2.0, high: float = 2.0) -> Rule:
    """Return the rule of a normal distribution without its tails.

    Args:
        std: standard deviation of the whole distribution.
        mean: its mean.
        low: the lower bound, in standard deviations from the mean.
        high: the upper bound, likewise.

    Raises:
        ValueError: next to nothing lies between the bounds.
    """
    share = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    if share < _LEAST_SHARE:
        raise ValueError(f"between low = {low:g} and high = {high:g} lies {100 * max(share, 0):.2g} % of the values")

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        values = within(info.shape, generator, low, high)
        values *= std
        values += mean
        return values

    return rule


def within(shape: tuple[int, ...], generator: np.random.Generator, low: float, high: float) -> Array:
    """Return standard normal numbers, each drawn again until it lies between the bounds."""
    values = generator.standard_normal(shape, dtype="float32")
    while (outside := (values < low) | (values > high)).any():
        values[outside] = generator.standard_normal(int(outside.sum()), dtype="float32")
    return values


def uniform(low: float, high: float) -> Rule:
    """Return the rule of an even distribution.

    Raises:
        ValueError: the bounds are the wrong way round.
    """
    if low > high:
        raise ValueError(f"low = {low:g} is above high = {high:g}")

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        values = generator.random(info.shape, dtype="float32")
        values *= high - low
        values += low
        return values

    return rule
