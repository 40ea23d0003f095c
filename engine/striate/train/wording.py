"""Scores in words, the same on the terminal and in the report."""

from __future__ import annotations

from striate.host.records import MetricRecord
from striate.train.parts import Part
from striate.train.rate_test import suggested_rate
from striate.train.run_state import EpochScore, RunState


def score_text(score: EpochScore, metrics: tuple[Part[MetricRecord], ...]) -> str:
    """Return an epoch's losses and metrics in one line."""
    return f"loss {score.train_loss:.4f}  {validation_text(score, metrics)}"


def validation_text(score: EpochScore, metrics: tuple[Part[MetricRecord], ...]) -> str:
    """Return what an epoch scored on the validation split."""
    texts = [f"{part} {metric_text(part, score.metrics[str(part)])}" for part in metrics]
    return "validation: " + "  ".join([f"loss {score.validation_loss:.4f}", *texts])


def rate_text(run: RunState) -> str:
    """Return what a range test has found."""
    rate = suggested_rate(run.rates)
    if rate is None:
        return "none: the loss never fell; begin with a lower rate"
    ended = "" if run.came_apart else "; the loss did not rise to the end: test higher rates too"
    return f"{rate:.2g}, where the loss falls most steeply over the logarithm of the rate{ended}"


def metric_text(part: Part[MetricRecord], value: float) -> str:
    """Return a metric's value with its unit, e.g. `98.3 %`."""
    return f"{100 * value:.1f} %" if part.record.percent else f"{value:.4g}"
