"""The pictures of a run as PNG files: learning curves, confusion matrix, augmented images. Drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from striate.host.records import MetricRecord
from striate.train.parts import Part
from striate.train.rate_test import Trace, smoothed, suggested_rate
from striate.train.run_state import EpochScore
from striate.train.scoring import Scores

Array = np.ndarray[Any, Any]

_DPI = 130
_MOST_NUMBERED = 25
"""Classes up to which the matrix shows its numbers and all its names."""


def draw_curves(history: Sequence[EpochScore], best: EpochScore, metrics: tuple[Part[MetricRecord], ...]) -> bytes:
    """Return a PNG of the losses and, where there are metrics, of the first one, over the epochs."""
    figure = Figure(figsize=(4.6 * (1 + bool(metrics)), 3.4), layout="constrained")
    epochs = [score.epoch for score in history]
    losses = figure.add_subplot(1, 1 + bool(metrics), 1)
    losses.plot(epochs, [score.train_loss for score in history], label="training", color="#7a7a7a")
    losses.plot(epochs, [score.validation_loss for score in history], label="validation", color="#0b5cad")
    losses.set(xlabel="epoch", ylabel="loss", title="Loss")
    axes = [losses]
    if metrics:
        name, factor = str(metrics[0]), 100 if metrics[0].record.percent else 1
        scores = figure.add_subplot(1, 2, 2)
        values = [score.metrics[name] * factor for score in history]
        scores.plot(epochs, values, label="validation", color="#0b5cad")
        scores.set(xlabel="epoch", ylabel=f"{name} (%)" if factor == 100 else name, title=name.capitalize())
        axes.append(scores)
    for axis in axes:
        axis.axvline(best.epoch, color="#c44e00", linestyle=":", label=f"best: epoch {best.epoch}")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    return figure_png(figure)


def draw_rates(trace: Trace) -> bytes:
    """Return a PNG of the loss of every step of a range test over its rate, with the rate that suits."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axis = figure.add_subplot()
    rates, losses = [rate for rate, _ in trace], [loss for _, loss in trace]
    means = smoothed(losses)
    axis.plot(rates, losses, label="loss of the step", color="#b0b0b0", linewidth=0.8)
    axis.plot(rates, means, label="its running mean", color="#0b5cad")
    found = suggested_rate(trace)
    if found is not None:
        axis.axvline(found, color="#c44e00", linestyle=":", label=f"falls most steeply: {found:.2g}")
    axis.set(xlabel="learning rate", ylabel="loss", title="Range test", xscale="log")
    if means:
        axis.set_ylim(top=max(1.1 * means[0], 1.2 * min(means)))
    axis.grid(alpha=0.3)
    axis.legend(fontsize="small")
    return figure_png(figure)


def draw_confusion(scores: Scores) -> bytes:
    """Return a PNG of the confusion matrix: rows are true classes, shaded by the share of the row."""
    size = len(scores.classes)
    numbered = size <= _MOST_NUMBERED
    side = 2.2 + 0.38 * size if numbered else 7.0
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.add_subplot()
    rows = scores.confusion.sum(axis=1, keepdims=True)
    shares = scores.confusion / rows.clip(min=1)
    right = np.eye(size, dtype=bool)
    axis.imshow(np.where(right, shares, np.nan), cmap="Blues", vmin=0, vmax=1)
    # Mistakes are few where a network is any good, so they get a colour of their own that is full at a fifth of a row.
    axis.imshow(np.where(right | (shares == 0), np.nan, shares), cmap="Oranges", vmin=-0.05, vmax=0.2)
    axis.set(xlabel="answer", ylabel="true class", title="Confusion matrix, test split")
    if numbered:
        axis.set_xticks(range(size), scores.classes, rotation=0 if max(map(len, scores.classes)) < 4 else 90)
        axis.set_yticks(range(size), scores.classes)
        for row in range(size):
            for column in range(size):
                if count := scores.confusion[row, column]:
                    shade = "white" if shares[row, column] > (0.5 if row == column else 0.15) else "black"
                    axis.text(column, row, str(count), ha="center", va="center", color=shade, fontsize="small")
    return figure_png(figure)


def draw_augmented(rows: Sequence[Sequence[tuple[Array, str]]], columns: Sequence[str]) -> bytes:
    """Return a PNG of images in a grid.

    Args:
        rows: images (`H x W` or `H x W x 3`, 0 to 1) with what is written below them.
        columns: what is written above each column.
    """
    figure = Figure(figsize=(1.35 * len(columns), 1.5 * len(rows) + 0.3), layout="constrained")
    for row, images in enumerate(rows):
        for column, (image, caption) in enumerate(images):
            axis = figure.add_subplot(len(rows), len(columns), row * len(columns) + column + 1)
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_xlabel(caption, fontsize="x-small")
            if row == 0:
                axis.set_title(columns[column], fontsize="small")
    return figure_png(figure)


def figure_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file.

    Raises:
        ValueError: it is no figure of matplotlib.
    """
    if not isinstance(figure, Figure):
        raise ValueError(f"a matplotlib Figure is due, not a {type(figure).__name__}")
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", dpi=_DPI)
    return stream.getvalue()
