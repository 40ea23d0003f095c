"""The curves of the schedules. Each returns the factor of the learning rate as a function of the epoch."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Literal

Curve = Callable[[float], float]


def constant(epochs: int, warmup: float = 0.0) -> Curve:
    """Return the factor 1 behind the warm-up."""
    return lambda epoch: _warm(epoch, warmup)


def cosine(epochs: int, warmup: float = 0.0, floor: float = 0.0) -> Curve:
    """Return `floor + (1 - floor) * (1 + cos(pi * t)) / 2`, where t runs from 0 behind the warm-up to 1 at the end."""

    def curve(epoch: float) -> float:
        if epoch < warmup:
            return _warm(epoch, warmup)
        return _wave(_progress(epoch, epochs, warmup), floor)

    return curve


def step(epochs: int, every: int, factor: float = 0.1, warmup: float = 0.0) -> Curve:
    """Return `factor` to the power of the number of times that `every` epochs have passed."""
    return lambda epoch: _warm(epoch, warmup) * factor ** (int(epoch) // every)


def multi_step(epochs: int, at: Sequence[float], factor: float = 0.1, warmup: float = 0.0) -> Curve:
    """Return `factor` to the power of the number of epochs in `at` that have passed."""
    places = tuple(at)
    return lambda epoch: _warm(epoch, warmup) * factor ** bisect_right(places, epoch)


def exponential(epochs: int, factor: float = 0.95, smooth: bool = False, warmup: float = 0.0) -> Curve:
    """Return `factor` to the power of the finished epochs, or with `smooth` of the epoch with its fraction."""
    return lambda epoch: _warm(epoch, warmup) * factor ** (epoch if smooth else int(epoch))


def polynomial(epochs: int, power: float = 0.9, floor: float = 0.0, warmup: float = 0.0) -> Curve:
    """Return `floor + (1 - floor) * (1 - t) ** power`, where t runs from 0 behind the warm-up to 1 at the end."""

    def curve(epoch: float) -> float:
        if epoch < warmup:
            return _warm(epoch, warmup)
        return float(floor + (1 - floor) * (1 - _progress(epoch, epochs, warmup)) ** power)

    return curve


def warm_restarts(epochs: int, first: float, times: float = 1.0, floor: float = 0.0, warmup: float = 0.0) -> Curve:
    """Return cosine waves of `first`, `first * times`, `first * times**2`, … epochs behind the warm-up.

    The length of a wave is that of its own cycle, counted from the last restart, not that of the whole run.
    """

    def curve(epoch: float) -> float:
        if epoch < warmup:
            return _warm(epoch, warmup)
        since, length = epoch - warmup, first
        if times == 1:
            return _wave(math.fmod(since, length) / length, floor)
        while since >= length:  # once per wave; a closed form would lose the exact place of a restart
            since, length = since - length, length * times
        return _wave(since / length, floor)

    return curve


def one_cycle(
    epochs: int,
    rise: float = 0.3,
    start: float = 0.04,
    end: float = 4e-6,
    shape: Literal["cosine", "linear"] = "cosine",
    momenta: tuple[float, float] | None = None,
) -> Callable[[float], float | tuple[float, float]]:
    """Return a cycle from `start` to 1 and on to `end`, with momenta that fall while the rate rises, if any."""
    between = _cosine_between if shape == "cosine" else _linear_between

    def curve(epoch: float) -> float | tuple[float, float]:
        t = min(epoch / epochs, 1.0)
        if t < rise:
            factor, moment = between(start, 1.0, t / rise), (1, 0, t / rise)
        else:
            place = (t - rise) / (1 - rise) if rise < 1 else 0.0
            factor, moment = between(1.0, end, place), (0, 1, place)
        if momenta is None:
            return factor
        first, last, place = moment
        return factor, between(momenta[first], momenta[last], place)

    return curve


def range_test(epochs: int, times: float = 1e6, shape: Literal["exponential", "linear"] = "exponential") -> Curve:
    """Return a factor that grows from 1 to `times` over the run."""
    if shape == "linear":
        return lambda epoch: 1 + (times - 1) * epoch / epochs
    return lambda epoch: float(times ** (epoch / epochs))


def _progress(epoch: float, epochs: int, warmup: float) -> float:
    """Return how much of the run behind the warm-up is done, from 0 to 1."""
    return min((epoch - warmup) / (epochs - warmup), 1.0) if epochs > warmup else 1.0


def _wave(t: float, floor: float) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * t)) / 2


def _cosine_between(first: float, last: float, t: float) -> float:
    return first + (last - first) * (1 - math.cos(math.pi * t)) / 2


def _linear_between(first: float, last: float, t: float) -> float:
    return first + (last - first) * t


def _warm(epoch: float, warmup: float) -> float:
    return epoch / warmup if epoch < warmup else 1.0
