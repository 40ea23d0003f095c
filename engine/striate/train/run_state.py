"""Where a training run stands: how far it is, what it has scored so far, and its best weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from striate.host.records import MetricRecord
from striate.host.training_records import EpochOutcome
from striate.train.parts import Part


@dataclass(frozen=True, slots=True)
class EpochScore:
    """One finished epoch, counted from 1: learning rate at its end, losses, validation metrics, and its seconds."""

    epoch: int
    rate: float
    train_loss: float
    validation_loss: float
    metrics: Mapping[str, float]
    seconds: float

    def beats(self, other: EpochScore | None, first: Part[MetricRecord] | None) -> bool:
        """Whether this epoch is better: by the first metric, and where that is equal or missing by the loss."""
        if other is None:
            return True
        if first is not None:
            name = str(first)
            mine, theirs = self.metrics[name], other.metrics[name]
            if mine != theirs:
                return (mine > theirs) == first.record.higher_is_better
        return self.validation_loss < other.validation_loss

    def outcome(self, first: Part[MetricRecord] | None) -> EpochOutcome:
        """Return the epoch as a schedule sees it, the score by the first metric."""
        if first is None:
            return EpochOutcome(self.validation_loss, self.validation_loss)
        value = self.metrics[str(first)]
        return EpochOutcome(self.validation_loss, -value if first.record.higher_is_better else value)


@dataclass(slots=True)
class RunState:
    """A run between two steps.

    Attributes:
        epoch: how many epochs are finished.
        batch: how many batches of the current one are done.
        loss_sum: sum of the training loss over the examples of the current epoch, in float64.
        seen: how many examples that are.
        history: the finished epochs.
        best: the best of them.
        best_weights: its weights by name.
        best_loss_weights: the weights that its losses had of their own, by name.
        finished: whether the last epoch is done or training stopped early.
        average: the average of the weights by name, if the recipe has one and it has begun.
        averaged: how often it was moved.
        rates: rate and loss of every step, in a run that is there to find a rate.
        came_apart: whether such a run is over because the loss has risen far above its lowest; weights then stay.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    seen: int = 0
    history: list[EpochScore] = field(default_factory=list)
    best: EpochScore | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    finished: bool = False
    best_loss_weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    averaged: int = 0
    rates: list[tuple[float, float]] = field(default_factory=list)
    came_apart: bool = False

    @property
    def waited(self) -> int:
        """Finished epochs since the best one."""
        return self.epoch - self.best.epoch if self.best else 0

    def outcomes(self, first: Part[MetricRecord] | None) -> tuple[EpochOutcome, ...]:
        """Return the finished epochs as a schedule sees them, the score by the first metric."""
        return tuple(score.outcome(first) for score in self.history)

    def next_epoch(self) -> None:
        """Step over to the next epoch."""
        self.epoch, self.batch, self.seen = self.epoch + 1, 0, 0
        self.loss_sum = torch.zeros_like(self.loss_sum)

    def to_plain(self) -> dict[str, Any]:
        """Return the state as numbers, texts and tensors."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "loss_sum": self.loss_sum,
            "seen": self.seen,
            "history": [asdict(score) for score in self.history],
            "best": None if self.best is None else self.best.epoch,
            "best_weights": self.best_weights,
            "finished": self.finished,
            "best_loss_weights": self.best_loss_weights,
            "average": self.average,
            "averaged": self.averaged,
            "rates": self.rates,
            "came_apart": self.came_apart,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RunState:
        """Return the state that `to_plain` gave away."""
        history = [EpochScore(**score) for score in plain["history"]]
        best = next((score for score in history if score.epoch == plain["best"]), None)
        return cls(
            plain["epoch"],
            plain["batch"],
            plain["loss_sum"],
            plain["seen"],
            history,
            best,
            dict(plain["best_weights"]),
            plain["finished"],
            dict(plain["best_loss_weights"]),
            dict(plain["average"]),
            plain["averaged"],
            list(plain["rates"]),
            plain["came_apart"],
        )
