"""Metrics of the scores themselves, not only of the highest one: areas under curves, and calibration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassCalibrationError, MulticlassPrecisionRecallCurve, MulticlassROC
from torchmetrics.utilities.data import dim_zero_cat

from striate_plugins.metrics.scores import demand_scores

Curves = list[tuple[Tensor, Tensor]]
"""Per class the places along the horizontal and the vertical axis."""

_SUM = 1e-3
"""How far from 1 probabilities of one image may add up."""


def roc(classes: int, average: str = "macro", thresholds: int | None = None) -> RocArea:
    """Return the mean area under the ROC curves of the classes, each against the rest."""
    return RocArea(classes, average, thresholds)


def pr(classes: int, average: str = "macro", thresholds: int | None = None) -> AveragePrecision:
    """Return the mean average precision of the classes, each against the rest."""
    return AveragePrecision(classes, average, thresholds)


def calibration_error(classes: int, bins: int = 15, norm: str = "l1") -> Metric:
    """Return the distance of confidence and accuracy over bins of confidence."""
    return ScoreCalibrationError(num_classes=classes, n_bins=bins, norm=norm)  # type: ignore[arg-type]  # one of its names


def probabilities(outputs: Tensor) -> Tensor:
    """Return the scores of a network as probabilities: their softmax, unless they are probabilities as they stand."""
    ready = bool((outputs >= 0).all()) and bool(((outputs.sum(dim=1) - 1).abs() < _SUM).all())
    return outputs if ready else outputs.softmax(dim=1)


class ScoreCalibrationError(MulticlassCalibrationError):
    """torchmetrics' calibration error, of scores."""

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in a batch."""
        demand_scores(outputs, targets, self.num_classes)
        super().update(probabilities(outputs), targets)


class RocArea(MulticlassROC):
    """The ROC curve of each class against the rest, and as one number the mean of the areas below them."""

    def __init__(self, classes: int, average: str, thresholds: int | None) -> None:
        super().__init__(num_classes=classes, thresholds=thresholds)
        self.weighted = average == "weighted"

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in a batch."""
        demand_scores(outputs, targets, self.num_classes)
        super().update(probabilities(outputs), targets)

    def curves(self) -> Curves:
        """Return the share of false alarms and of hits by class, from few answers to all."""
        with _quiet():
            false, true, _ = super().compute()
        return [
            (along, up) if along[0] <= along[-1] else (along.flip(0), up.flip(0))
            for along, up in zip(false, true, strict=True)
        ]

    def compute(self) -> Tensor:  # type: ignore[override]  # one number, as every metric here
        """Return the mean area; classes without examples, or without others, are left out."""
        return _mean(self.areas(), _examples(self), self.weighted)

    def areas(self) -> list[Tensor]:
        """Return the area below each curve, by trapezoids; not a number where there is no curve."""
        found = [torch.trapezoid(true, false) for false, true in self.curves()]
        return _known(found, _examples(self))


class AveragePrecision(MulticlassPrecisionRecallCurve):
    """The precision-recall curve of each class against the rest, and as one number the mean average precision."""

    def __init__(self, classes: int, average: str, thresholds: int | None) -> None:
        super().__init__(num_classes=classes, thresholds=thresholds)
        self.weighted = average == "weighted"

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take in a batch."""
        demand_scores(outputs, targets, self.num_classes)
        super().update(probabilities(outputs), targets)

    def curves(self) -> Curves:
        """Return recall and precision by class, recall falling; where nothing is answered, precision is 1."""
        with _quiet():
            precisions, recalls, _ = super().compute()
        return [(recall, precision.nan_to_num(1.0)) for recall, precision in zip(recalls, precisions, strict=True)]

    def compute(self) -> Tensor:  # type: ignore[override]  # one number, as every metric here
        """Return the mean average precision; classes without examples, or without others, are left out."""
        return _mean(self.areas(), _examples(self), self.weighted)

    def areas(self) -> list[Tensor]:
        """Return the average precision of each class: precision times the recall gained, without interpolation."""
        found = [-(recall.diff() * precision[:-1]).sum() for recall, precision in self.curves()]
        return _known(found, _examples(self))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torchmetrics from warning of classes that do not occur: they are left out of every mean."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _examples(metric: Any) -> Tensor:
    """Return how many examples of each class a metric of curves has seen."""
    if metric.thresholds is None:
        targets = dim_zero_cat(metric.target).flatten()
        return targets.bincount(minlength=metric.num_classes)
    found: Tensor = metric.confmat[0, :, 1].sum(dim=-1)
    return found


def _known(areas: list[Tensor], examples: Tensor) -> list[Tensor]:
    """Return areas, with those of classes that all or none of the examples belong to not a number."""
    whole = examples.sum()
    return [
        area if 0 < count < whole else torch.full_like(area, torch.nan)
        for area, count in zip(areas, examples, strict=True)
    ]


def _mean(areas: list[Tensor], examples: Tensor, weighted: bool) -> Tensor:
    values = torch.stack(areas)
    there = values.isfinite()
    if not there.any():
        return torch.tensor(torch.nan)
    weights = (examples if weighted else torch.ones_like(examples)) * there
    return (values.where(there, 0) * weights).sum() / weights.sum()
