"""Measuring a network on a split, and applying it to images."""

from __future__ import annotations

from typing import Any

import torch

from striate.lower.torch import Program
from striate.train.batches import whole_loader
from striate.train.scoring import Scorer, Scores
from striate.train.subject import Subject


def evaluate(subject: Subject, program: Program, split: str, device: torch.device | str = "cpu") -> Scores:
    """Return the scores of a program, whose weights are on `device`, on one split of the subject's data."""
    recipe = subject.recipe
    scorer = Scorer(recipe.loss, recipe.metrics, subject.data.classes, device)
    program.eval()
    with torch.inference_mode():
        for images, targets in whole_loader(subject.data[split], recipe.batch):
            outputs = program(subject.pixels(images.to(device)))
            scorer.update(outputs, targets.to(device))
    return scorer.result()


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
