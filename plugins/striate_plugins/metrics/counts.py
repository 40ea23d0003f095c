"""Metrics that count answers, of images (`N x classes` scores) or pixels (`N x classes x H x W`): torchmetrics'."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import (
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
    MulticlassFBetaScore,
    MulticlassJaccardIndex,
    MulticlassMatthewsCorrCoef,
    MulticlassPrecision,
    MulticlassRecall,
    MulticlassSpecificity,
)

from striate_plugins.metrics.scores import demand_scores


class OfScores:
    """Metrics that are fed with scores: torchmetrics would take numbers of the targets' size for classes answered."""

    num_classes: Any  # torchmetrics has it as a number or none

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in a batch.

        Raises:
            ValueError: there is not a score for every class.
        """
        demand_scores(outputs, targets, self.num_classes)
        super().update(outputs, targets)  # type: ignore[misc]  # the metric that this is mixed into


class Precision(OfScores, MulticlassPrecision):
    """TP / (TP + FP)."""


class Recall(OfScores, MulticlassRecall):
    """TP / (TP + FN)."""


class Specificity(OfScores, MulticlassSpecificity):
    """TN / (TN + FP)."""


class FBeta(OfScores, MulticlassFBetaScore):
    """(1 + β²) P R / (β² P + R)."""


class JaccardIndex(OfScores, MulticlassJaccardIndex):
    """TP / (TP + FP + FN)."""


class CohenKappa(OfScores, MulticlassCohenKappa):
    """(p_o - p_e) / (1 - p_e)."""


class MatthewsCorrelation(OfScores, MulticlassMatthewsCorrCoef):
    """The correlation of answers and classes."""


def precision(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FP)."""
    return Precision(num_classes=classes, average=_named(average))


def recall(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FN)."""
    return Recall(num_classes=classes, average=_named(average))


def specificity(classes: int, average: str = "macro") -> Metric:
    """Return TN / (TN + FP)."""
    return Specificity(num_classes=classes, average=_named(average))


def f1(classes: int, average: str = "macro", beta: float = 1.0) -> Metric:
    """Return (1 + β²) P R / (β² P + R)."""
    return FBeta(beta=beta, num_classes=classes, average=_named(average))


def dice(classes: int, average: str = "macro") -> Metric:
    """Return 2 TP / (2 TP + FP + FN), counted over all images of a split."""
    return FBeta(beta=1.0, num_classes=classes, average=_named(average))


def iou(classes: int, average: str = "macro") -> Metric:
    """Return TP / (TP + FP + FN), counted over all images of a split; a class that occurs nowhere is left out."""
    return JaccardIndex(num_classes=classes, average=_named(average))


def kappa(classes: int, weights: str = "none") -> Metric:
    """Return Cohen's kappa."""
    given: Any = None if weights == "none" else weights
    return CohenKappa(num_classes=classes, weights=given)


def matthews(classes: int) -> Metric:
    """Return the correlation of Matthews."""
    return MatthewsCorrelation(num_classes=classes)


def confusion(classes: int, show: str = "truth") -> Confusion:
    """Return the share of right answers, with the counts behind it."""
    return Confusion(classes, show)


class Confusion(OfScores, MulticlassConfusionMatrix):
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
