"""Measuring a network on a split, and applying it to images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from striate.lower.torch import Program
from striate.train.batches import whole_loader
from striate.train.failures import blamed
from striate.train.objective import Objective
from striate.train.pictures import figure_png
from striate.train.scoring import Scorer, Scores
from striate.train.subject import Subject
from striate_dsl.diagnostics import DiagnosticError


def evaluate(
    subject: Subject,
    program: Program | Callable[[Tensor], Tensor],
    split: str,
    device: torch.device | str = "cpu",
    objective: Objective | None = None,
    *,
    draw: bool = False,
) -> Scores:
    """Return the scores of a program on one split of the subject's data.

    Args:
        subject: model, recipe and data.
        program: the network, its weights on `device`; or what another back end computes it with, on the processor.
        split: `train`, `validation` or `test`.
        device: where to compute.
        objective: the loss. Without one it is made of the recipe; where a loss has weights of its own, which lie in
            the state of a run and not among the network's, the loss then stays unknown.
        draw: make the pictures of the metrics that have one.
    """
    recipe = subject.recipe
    if objective is None and not recipe.loss.own_weights:
        objective = subject.objective()
    if objective is not None:
        objective.to(device).eval()
    scorer = Scorer(objective, recipe.metrics, subject.data.classes, subject.goal, device)
    if isinstance(program, Program):
        program.eval()
    with torch.inference_mode():
        for images, targets in whole_loader(subject.data[split], recipe.batch):
            shown = images.to(device)
            scorer.update(program(subject.pixels(shown)), targets.to(device), shown)
    scores = scorer.result()
    return replace(scores, **_drawn(scorer)) if draw else scores


def _drawn(scorer: Scorer) -> dict[str, Any]:
    """Return the metrics' pictures, and a note for each that cannot be drawn: a finished run is not lost for one."""
    pictures: dict[str, bytes] = {}
    notes: list[str] = []
    for part, draw, metric in scorer.drawable():
        try:
            with blamed(part, "be drawn"):
                pictures[str(part)] = figure_png(draw(metric, scorer.classes))
        except DiagnosticError as error:
            notes += [item.message for item in error.diagnostics]
    return {"pictures": pictures, "notes": tuple(notes)}


def scores_document(scores: Scores) -> dict[str, Any]:
    """Return scores as plain values for JSON."""
    return {
        "loss": None if math.isnan(scores.loss) else scores.loss,
        "accuracy": scores.accuracy if scores.answers else None,
        "metrics": scores.metrics,
        "answers": scores.answers,
        "classes": [
            {
                "name": item.name,
                "precision": item.precision,
                "recall": item.recall,
                "f1": item.f1,
                "examples": item.examples,
            }
            for item in scores.per_class
        ],
        "confusion": scores.confusion.tolist(),
    }
