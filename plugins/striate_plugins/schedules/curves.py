"""The curves of the schedules. Each returns the factor of the learning rate as a function of the epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

Curve = Callable[[float], float]


def constant(epochs: int, warmup: float = 0.0) -> Curve:
    """Return the factor 1 behind the warm-up."""
    return lambda epoch: _warm(epoch, warmup)


def cosine(epochs: int, warmup: float = 0.0, floor: float = 0.0) -> Curve:
    """Return `floor + (1 - floor) * (1 + cos(pi * t)) / 2`, where t runs from 0 behind the warm-up to 1 at the end."""

    def curve(epoch: float) -> float:
        if epoch < warmup:
            return _warm(epoch, warmup)
        progress = min((epoch - warmup) / (epochs - warmup), 1.0) if epochs > warmup else 1.0
        return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

    return curve


def step(epochs: int, every: int, factor: float = 0.1, warmup: float = 0.0) -> Curve:
    """Return `factor` to the power of the number of times that `every` epochs have passed."""
    return lambda epoch: _warm(epoch, warmup) * factor ** (int(epoch) // every)


def _warm(epoch: float, warmup: float) -> float:
    return epoch / warmup if epoch < warmup else 1.0
