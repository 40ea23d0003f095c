"""Distances of numbers: squared, absolute, and those between the two. The mean is over all entries.

The shapes of output and target must be equal: torch would stretch one over the other and compare what does not belong
together.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import comparable

Loss = Callable[[Tensor, Tensor], Tensor]


def mse() -> Loss:
    """Return the mean squared error."""
    return lambda output, target: functional.mse_loss(*comparable(output, target))


def half_mse() -> Loss:
    """Return half the mean squared error, whose gradient has no factor 2."""
    return lambda output, target: functional.mse_loss(*comparable(output, target)) / 2


def mae() -> Loss:
    """Return the mean absolute error."""
    return lambda output, target: functional.l1_loss(*comparable(output, target))


def huber(delta: float = 1.0) -> Loss:
    """Return Huber's loss: squared up to a distance `delta`, then straight with the slope `delta`."""
    return lambda output, target: functional.huber_loss(*comparable(output, target), delta=delta)


def smooth_l1(beta: float = 1.0) -> Loss:
    """Return the smooth L1 loss: squared up to a distance `beta`, then straight with the slope 1."""
    return lambda output, target: functional.smooth_l1_loss(*comparable(output, target), beta=beta)
