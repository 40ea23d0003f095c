"""The schedule that watches validation: torch's ReduceLROnPlateau as a function of the finished epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from striate.plugin import EpochOutcome


def plateau(
    epochs: int,
    factor: float = 0.1,
    patience: int = 10,
    watch: Literal["loss", "metric"] = "loss",
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    floor: float = 0.0,
    warmup: float = 0.0,
) -> Callable[[float, Sequence[EpochOutcome]], float]:
    """Return what torch's schedule makes of a rate of 1 when it is told the finished epochs one by one.

    Nothing is kept but the epochs, so that a resumed run comes to the same rate.
    """

    @lru_cache(maxsize=2)
    def reached(values: tuple[float, ...]) -> float:
        # A metric for which higher is better comes negated. Of numbers below 0, a share less is no better one: they are
        # told as they were, to be made large.
        turned = any(value < 0 for value in values)
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler = ReduceLROnPlateau(
            optimizer,
            "max" if turned else "min",
            factor=factor,
            patience=patience,
            threshold=threshold,
            threshold_mode=threshold_mode,
            cooldown=cooldown,
            min_lr=floor,
            eps=0.0,
        )
        for value in values:
            scheduler.step(-value if turned else value)
        return float(optimizer.param_groups[0]["lr"])

    def curve(epoch: float, finished: Sequence[EpochOutcome]) -> float:
        values = tuple(outcome.loss if watch == "loss" else outcome.score for outcome in finished)
        warm = epoch / warmup if epoch < warmup else 1.0
        return warm * reached(values)

    return curve
