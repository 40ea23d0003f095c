"""By which share an average of the weights moves towards them, as a function of the place in the run."""

from __future__ import annotations

from collections.abc import Callable

Share = Callable[[float, int], float | None]


def ema(epochs: int, decay: float = 0.999, ramp: bool = False) -> Share:
    """Return `1 - decay` at every step; with `ramp` at most `(1 + n) / (10 + n)` of the average is kept."""

    def share(epoch: float, moved: int) -> float:
        return 1 - (min(decay, (1 + moved) / (10 + moved)) if ramp else decay)

    return share


def swa(epochs: int, start: float = 0.75, every: int = 1) -> Share:
    """Return `1 / (n + 1)` at the end of every so-manieth epoch behind the start, which makes the plain mean."""
    first = int(start * epochs) + 1

    def share(epoch: float, moved: int) -> float | None:
        if epoch != int(epoch) or epoch < first or (int(epoch) - first) % every:
            return None
        return 1 / (moved + 1)

    return share
