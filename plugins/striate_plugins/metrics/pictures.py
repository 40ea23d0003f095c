"""What metrics draw for the report: the confusion matrix, ROC curves and precision-recall curves."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from striate_plugins.metrics.counts import Confusion
from striate_plugins.metrics.curves import AveragePrecision, Curves, RocArea

_MOST_NAMED = 12
"""Classes up to which each curve has its own entry in the legend; of more, those with the smallest areas have."""


def confusion(metric: Confusion, classes: tuple[str, ...]) -> Figure:
    """Return the confusion matrix: counts, or shares of its rows or columns."""
    counts = metric.counts().double().cpu().numpy()
    axis_of_sum = {"truth": 1, "answers": 0}.get(metric.shown)
    whole = 1.0 if axis_of_sum is None else counts.sum(axis=axis_of_sum, keepdims=True).clip(min=1)
    shown = counts / whole
    side = 2.2 + 0.42 * len(classes) if len(classes) <= 2 * _MOST_NAMED else 7.0
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.add_subplot()
    axis.imshow(shown, cmap="Blues", vmin=0)
    title = {"counts": "counts", "truth": "shares of each true class", "answers": "shares of the answers"}[metric.shown]
    axis.set(xlabel="answer", ylabel="true class", title=f"Confusion: {title}")
    if len(classes) <= 2 * _MOST_NAMED:
        axis.set_xticks(range(len(classes)), classes, rotation=0 if max(map(len, classes)) < 4 else 90)
        axis.set_yticks(range(len(classes)), classes)
        _number_cells(axis, shown, counts=axis_of_sum is None)
    return figure


def roc(metric: RocArea, classes: tuple[str, ...]) -> Figure:
    """Return the ROC curves, each class against the rest."""
    figure, axis = _plane("share of false alarms", "share of hits", "ROC, each class against the rest")
    axis.plot([0, 1], [0, 1], color="#888888", linestyle=":", linewidth=1)
    _draw(axis, metric.curves(), metric.areas(), classes, "AUC")
    return figure


def pr(metric: AveragePrecision, classes: tuple[str, ...]) -> Figure:
    """Return the precision-recall curves, each class against the rest."""
    figure, axis = _plane("recall", "precision", "Precision and recall, each class against the rest")
    _draw(axis, metric.curves(), metric.areas(), classes, "AP", drawstyle="steps-post")
    return figure


def _number_cells(axis: Axes, shown: np.ndarray[tuple[int, int], np.dtype[np.float64]], *, counts: bool) -> None:
    most = shown.max(initial=0.0)
    for row, column in zip(*np.nonzero(shown), strict=True):
        value = shown[row, column]
        colour = "white" if value > 0.6 * most else "black"
        text = f"{value:.0f}" if counts else f"{value:.2f}".removeprefix("0")
        axis.text(column, row, text, ha="center", va="center", color=colour, fontsize="x-small")


def _plane(along: str, up: str, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.4, 4.4), layout="constrained")
    axis = figure.add_subplot()
    axis.set(xlabel=along, ylabel=up, title=title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axis.grid(alpha=0.3)
    return figure, axis


def _draw(
    axis: Axes,
    curves: Curves,
    areas: list[torch.Tensor],
    classes: tuple[str, ...],
    what: str,
    drawstyle: str = "default",
) -> None:
    """Draw the curves that there are; the classes that the network is worst at come first in the legend."""
    there = [number for number, area in enumerate(areas) if bool(area.isfinite())]
    worst = sorted(there, key=lambda number: float(areas[number]))
    for place, number in enumerate(worst):
        along, up = (part.cpu().numpy() for part in curves[number])
        label = f"{classes[number]}: {what} {float(areas[number]):.3f}" if place < _MOST_NAMED else None
        axis.plot(along, up, label=label, linewidth=1.2, drawstyle=drawstyle)
    if worst:
        title = None if len(worst) <= _MOST_NAMED else f"the {_MOST_NAMED} worst of {len(worst)}"
        axis.legend(fontsize="x-small", title=title, title_fontsize="x-small")
