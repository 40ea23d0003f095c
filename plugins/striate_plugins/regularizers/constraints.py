"""Regularisers that change the weights after every step, so that they stay within a set."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from striate.plugin import RegularizedWeight

Change = Callable[[tuple[RegularizedWeight, ...]], None]

_LEAST = 1e-12
"""A channel of zeros has no direction, and stays as it is."""


def max_norm(limit: float) -> Change:
    """Return the change that shortens the weights of each output channel to a Euclidean length."""

    def change(weights: tuple[RegularizedWeight, ...]) -> None:
        for weight in weights:
            weight.tensor.mul_((limit / _lengths(weight)).clamp(max=1))

    return change


def unit_norm() -> Change:
    """Return the change that brings the weights of each output channel to length 1."""

    def change(weights: tuple[RegularizedWeight, ...]) -> None:
        for weight in weights:
            weight.tensor.div_(_lengths(weight))

    return change


def non_negative() -> Change:
    """Return the change that leaves no weight below 0."""

    def change(weights: tuple[RegularizedWeight, ...]) -> None:
        for weight in weights:
            weight.tensor.clamp_(min=0)

    return change


def _lengths(weight: RegularizedWeight) -> Tensor:
    """Return the length of each output channel's weights, in a shape that multiplies the weight."""
    shape = [1] * weight.tensor.dim()
    shape[weight.output_axis] = -1
    lengths: Tensor = torch.linalg.vector_norm(weight.rows(), dim=1)
    return lengths.clamp(min=_LEAST).reshape(shape)
