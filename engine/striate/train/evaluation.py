"""Measuring a network on a split, and applying it to images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from striate.lower.torch import Program
from striate.train.batches import whole_loader
from striate.train.failures import blamed
from striate.train.pictures import figure_png
from striate.train.scoring import Scorer, Scores
from striate.train.subject import Subject
from striate_dsl.diagnostics import DiagnosticError


def evaluate(
    subject: Subject, program: Program, split: str, device: torch.device | str = "cpu", *, draw: bool = False
) -> Scores:
    """Return the scores of a program on one split of the subject's data.

    Args:
        subject: model, recipe and data.
        program: the network; its weights are on `device`.
        split: `train`, `validation` or `test`.
        device: where to compute.
        draw: make the pictures of the metrics that have one.
    """
    recipe = subject.recipe
    scorer = Scorer(recipe.loss, recipe.metrics, subject.data.classes, device)
    program.eval()
    with torch.inference_mode():
        for images, targets in whole_loader(subject.data[split], recipe.batch):
            outputs = program(subject.pixels(images.to(device)))
            scorer.update(outputs, targets.to(device))
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
        "loss": scores.loss,
        "accuracy": scores.accuracy,
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
