"""How well outputs answer: loss, metrics and confusion over a split, gathered batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.host.records import Factory, MetricRecord
from striate.train.neighbours import nearest_scores
from striate.train.objective import VECTORS, Goal, Objective
from striate.train.parts import Part

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: how many of the answers are right, how many of its examples were found, and how many there are."""

    name: str
    precision: float
    recall: float
    f1: float
    examples: int


@dataclass(frozen=True)
class Scores:
    """The result on a split.

    Attributes:
        loss: mean over the examples; not a number where the loss has weights of its own that are not known.
        metrics: the recipe's metrics as they are written there.
        confusion: counts, one row per true class and one column per answer; all 0 where there is no class to answer.
        classes: the class names.
        pictures: PNG files by metric, where they were asked for and the metric has one.
        notes: which picture could not be drawn, and why.
    """

    loss: float
    metrics: dict[str, float]
    confusion: Array
    classes: tuple[str, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        """Number of answers: images, or pixels where every pixel has one."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.confusion.trace()) / max(self.answers, 1)

    @cached_property
    def per_class(self) -> tuple[ClassScore, ...]:
        """Precision, recall and their harmonic mean by class; 0 where there is nothing to divide by."""
        right = self.confusion.diagonal()
        answered, there = self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return tuple(
            ClassScore(
                name,
                _share(right[row], answered[row]),
                _share(right[row], there[row]),
                _share(2 * right[row], answered[row] + there[row]),
                int(there[row]),
            )
            for row, name in enumerate(self.classes)
        )


class Scorer:
    """Gathers the scores of one split.

    Args:
        objective: the loss, in the state in which it is to be measured; None leaves the loss unknown.
        metrics: the recipe's metrics.
        classes: the class names.
        goal: what outputs are compared with. For classes they are `N x classes` or `N x classes x H x W`; vectors
            (`N x D`) answer with the class of the nearest other image of the split; images answer nothing.
        device: where outputs are.
    """

    def __init__(
        self,
        objective: Objective | None,
        metrics: Sequence[Part[MetricRecord]],
        classes: tuple[str, ...],
        goal: Goal = "classes",
        device: torch.device | str = "cpu",
    ) -> None:
        self.classes = classes
        self._objective, self._goal = objective, goal
        self._parts = tuple(metrics)
        self._metrics = {str(part): part.make(len(classes)).to(device) for part in metrics}
        self._sum = torch.zeros((), dtype=torch.float64, device=device)
        self._seen = 0
        self._confusion = torch.zeros(len(classes) ** 2, dtype=torch.int64, device=device)
        self._vectors: list[tuple[Tensor, Tensor]] = []

    def update(self, outputs: Tensor, targets: Tensor, images: Tensor | None = None) -> None:
        """Take in one batch; `images` (0 to 1) are needed where the goal is to give them back."""
        outputs = outputs.float()
        if self._objective is not None:
            self._sum += self._objective(outputs, targets, images).double() * len(targets)
        self._seen += len(targets)
        if self._goal in VECTORS:
            self._vectors.append((outputs, targets))
        elif self._goal == "classes":
            self._count(outputs, targets)

    def _count(self, scores: Tensor, targets: Tensor) -> None:
        for metric in self._metrics.values():
            metric.update(scores, targets)
        pairs = targets.flatten() * len(self.classes) + scores.argmax(dim=1).flatten()
        self._confusion += pairs.bincount(minlength=len(self._confusion))

    def drawable(self) -> Iterator[tuple[Part[MetricRecord], Factory, Any]]:
        """Yield the metrics that have a picture, with what draws it and what they have gathered."""
        for part in self._parts:
            if part.record.picture is not None:
                yield part, part.record.picture, self._metrics[str(part)]

    def result(self) -> Scores:
        """Return the scores of everything taken in so far."""
        size = len(self.classes)
        if self._vectors:
            outputs, targets = (torch.cat(parts) for parts in zip(*self._vectors, strict=True))
            self._vectors.clear()
            self._count(nearest_scores(outputs, targets, size, angles=self._goal == "directions"), targets)
        return Scores(
            math.nan if self._objective is None else float(self._sum) / max(self._seen, 1),
            {name: float(metric.compute()) for name, metric in self._metrics.items()},
            self._confusion.reshape(size, size).cpu().numpy(),
            self.classes,
        )


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
