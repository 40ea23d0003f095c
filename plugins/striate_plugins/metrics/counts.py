"""Metrics that count answers, of images (`N x classes` scores) or pixels (`N x classes x H x W`): torchmetrics'."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import (
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassFBetaScore,
    MulticlassJaccardIndex,
    MulticlassMatthewsCorrCoef,
    MulticlassPrecision,
    MulticlassRecall,
    MulticlassSpecificity,
)


def precision(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FP)."""
    return MulticlassPrecision(num_classes=classes, average=_named(average))


def recall(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FN)."""
    return MulticlassRecall(num_classes=classes, average=_named(average))


def specificity(classes: int, average: str = "macro") -> Metric:
    """Return TN / (TN + FP)."""
    return MulticlassSpecificity(num_classes=classes, average=_named(average))


def f1(classes: int, average: str = "macro", beta: float = 1.0) -> Metric:
    """Return (1 + β²) P R / (β² P + R)."""
    return MulticlassFBetaScore(beta=beta, num_classes=classes, average=_named(average))


def dice(classes: int, average: str = "macro") -> Metric:
    """Return 2 TP / (2 TP + FP + FN), counted over all images of a split."""
    return MulticlassF1Score(num_classes=classes, average=_named(average))


def iou(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FP + FN), counted over all images of a split; a class that occurs nowhere is left out."""
    return MulticlassJaccardIndex(num_classes=classes, average=_named(average))


def kappa(classes: int, weights: str = "none") -> Metric:
    """Return Cohen's kappa."""
    given: Any = None if weights == "none" else weights
    return MulticlassCohenKappa(num_classes=classes, weights=given)


def matthews(classes: int) -> Metric:
    """Return the correlation of Matthews."""
    return MulticlassMatthewsCorrCoef(num_classes=classes)


def confusion(classes: int, show: str = "truth") -> Confusion:
    """Return the share of right answers, with the counts behind it."""
    return Confusion(classes, show)


class Confusion(MulticlassConfusionMatrix):
    """The confusion matrix; as one number, the share of its diagonal.

    Attributes:
        shown: what the picture shows: `counts`, shares of each true class (`truth`) or of the `answers`.
    """

    def __init__(self, classes: int, shown: str) -> None:
        super().__init__(num_classes=classes)
        self.shown = shown

    def compute(self) -> Tensor:
        """Return the share of right answers."""
        counts = self.counts()
        return counts.trace() / counts.sum()

    def counts(self) -> Tensor:
        """Return the counts: rows are true classes, columns answers."""
        counted: Tensor = super().compute()
        return counted


def _named(average: str) -> Any:
    """Return the name of an average as torchmetrics' annotations want it: one of a few literals."""
    return average
