"""Scores against the definitions, batch by batch or at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from striate.train.objective import Objective
from striate.train.scoring import Scorer, Scores
from tests.engine.train.networks import TINY, load_with_recipe

RECIPE = load_with_recipe(TINY.replace("[accuracy]", "[accuracy, accuracy(top = 2)]"))[1]
CLASSES = ("a", "b", "c", "d")


def scored(outputs: torch.Tensor, targets: torch.Tensor, batch: int) -> Scores:
    scorer = Scorer(Objective(RECIPE.loss), RECIPE.metrics, CLASSES)
    for start in range(0, len(targets), batch):
        scorer.update(outputs[start : start + batch], targets[start : start + batch])
    return scorer.result()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_scores_follow_the_definitions(examples, batch, seed):
    chance = torch.Generator().manual_seed(seed)
    outputs = torch.randn(examples, 4, generator=chance)
    targets = torch.randint(4, (examples,), generator=chance)
    scores = scored(outputs, targets, batch)
    answers = outputs.argmax(1)
    assert scores.loss == pytest.approx(float(torch.nn.functional.cross_entropy(outputs, targets)), rel=1e-5)
    assert np.array_equal(scores.confusion, reference.confusion_matrix(targets, answers, labels=range(4)))
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        targets, answers, labels=range(4), zero_division=0
    )
    per_class = np.array([[item.precision, item.recall, item.f1, item.examples] for item in scores.per_class])
    np.testing.assert_allclose(per_class, np.array([precision, recall, f1, support]).T, atol=1e-9)
    assert scores.accuracy == pytest.approx(reference.accuracy_score(targets, answers))
    assert scores.metrics["accuracy"] == pytest.approx(scores.accuracy, abs=1e-6)
    best = outputs.topk(2, dim=1).indices.eq(targets[:, None]).any(1).float().mean()
    assert scores.metrics["accuracy(top = 2)"] == pytest.approx(float(best), abs=1e-6)


def test_maps_are_scored_pixel_by_pixel():
    targets = torch.tensor([[[0, 1], [2, 3]]])
    outputs = torch.nn.functional.one_hot(targets, 4).permute(0, 3, 1, 2).float()
    outputs[0, :, 1, 1] = torch.tensor([0.0, 9.0, 0.0, 0.0])
    scorer = Scorer(Objective(RECIPE.loss), RECIPE.metrics[:1], CLASSES)
    scorer.update(outputs, targets)
    scores = scorer.result()
    assert (scores.answers, scores.accuracy) == (4, 0.75)
    assert scores.confusion[3, 1] == 1
    assert scores.metrics["accuracy"] == pytest.approx(0.75)


def test_nothing_at_all():
    scores = Scorer(Objective(RECIPE.loss), (), CLASSES).result()
    assert (scores.answers, scores.accuracy, scores.loss) == (0, 0.0, 0.0)
