"""Every loss against its definition, written out in float64 numpy, over random inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.plugins.losses.definitions import OF_RECIPES, arcface, box_loss, cosface
from tests.plugins.losses.made import CLASSES, IN_RECIPES, RECORDS, made, random_call

WEIGHTS = [0.5, 2.0, 1.0, 0.25]
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "cross_entropy": [{"label_smoothing": 0.2}, {"class_weights": WEIGHTS, "label_smoothing": 0.1}],
    "categorical_cross_entropy": [{"label_smoothing": 0.2}, {"class_weights": WEIGHTS, "label_smoothing": 0.1}],
    "binary_cross_entropy": [{"label_smoothing": 0.2, "positive_weights": WEIGHTS}],
    "kl_divergence": [{"label_smoothing": 0.3}],
    "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.0, "class_weights": WEIGHTS}],
    "binary_focal": [{"gamma": 0.5, "alpha": None}, {"alpha": 0.9, "normalise": "positives"}],
    "cross_entropy_from_probabilities": [{"class_weights": WEIGHTS}],
    "categorical_cross_entropy_from_probabilities": [{"class_weights": WEIGHTS}],
    "binary_cross_entropy_from_probabilities": [{"class_weights": WEIGHTS}],
    "nll": [{"class_weights": WEIGHTS}],
    "huber": [{"delta": 0.3}],
    "smooth_l1": [{"beta": 0.3}],
    "hinge": [{"margin": 0.4}],
    "squared_hinge": [{"margin": 2.5}],
    "multi_class_hinge": [{"form": "all"}, {"form": "all", "squared": True}, {"squared": True, "margin": 3.0}],
    "dice": [
        {"smooth": 0.0, "per": "image"},
        {"squared": True, "background": False},
        {"class_weights": WEIGHTS, "per": "image", "background": False},
    ],
    "tversky": [{"gamma": 0.75, "per": "image"}, {"alpha": 0.1, "beta": 2.0, "class_weights": WEIGHTS}],
    "iou": [{"smooth": 0.5, "per": "image", "class_weights": WEIGHTS}],
    "triplet": [
        {"mining": mining, "squared": squared, "normalise": normalise, "margin": margin}
        for mining in ("all", "hard", "semi_hard")
        for squared, normalise, margin in ((True, True, 0.2), (False, False, 1.0), (True, False, 8.0))
    ],
    "contrastive": [{"margin": 3.0}],
    "nt_xent": [{"temperature": 0.07}],
}
"""Beside the defaults, which are tried for all."""

CASES = [
    pytest.param(name, arguments, maps, id=f"{name}-{number}-{'maps' if maps else 'images'}")
    for name in OF_RECIPES
    for number, arguments in enumerate([{}, *ARGUMENTS.get(name, [])])
    for maps in ((False, True) if RECORDS[name].output not in ("embeddings", "directions") else (False,))
]


def test_every_loss_of_recipes_has_a_definition():
    assert {*OF_RECIPES, "arcface", "cosface", "centre"} == set(IN_RECIPES)


@pytest.mark.parametrize(("name", "arguments", "maps"), CASES)
def test_a_loss_is_what_its_definition_says(name, arguments, maps):
    for seed in range(5):
        output, target = random_call(name, np.random.default_rng(seed), maps)
        expected = OF_RECIPES[name](output, target, **arguments)
        value = made(name, **arguments)(torch.from_numpy(output), torch.from_numpy(target))
        assert float(value) == pytest.approx(expected, rel=1e-9, abs=1e-11)
        low, high = RECORDS[name].range
        assert low - 1e-12 <= expected <= high + 1e-12


@pytest.mark.parametrize(("name", "by_definition"), [("arcface", arcface), ("cosface", cosface)])
@pytest.mark.parametrize("arguments", [{}, {"scale": 3.0, "margin": 1.2}, {"scale": 1.0, "margin": 0.0}])
def test_class_directions(name, by_definition, arguments):
    for seed in range(5):
        output, target = random_call(name, np.random.default_rng(seed))
        loss = made(name, **arguments)
        assert isinstance(loss, nn.Module)
        loss.double()
        weight = loss.weight.detach().numpy()
        value = loss(torch.from_numpy(output), torch.from_numpy(target))
        assert float(value.detach()) == pytest.approx(by_definition(output, target, weight, **arguments), rel=1e-7)


def test_past_half_a_turn_the_margin_of_arcface_goes_on_falling():
    """cos(theta + m) rises again behind theta + m = pi: a worse angle would cost less."""
    loss = made("arcface", {"features": 2, "classes": 2}, scale=4.0, margin=0.5).double()
    loss.load_state_dict({"weight": torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)})
    angles = torch.linspace(0, math.pi, 50, dtype=torch.float64)
    held = loss.held_back(angles.cos())
    assert (held.diff() < 0).all()


@pytest.mark.parametrize("name", ["box_iou", "box_giou", "box_diou", "box_ciou"])
def test_boxes(name):
    chance = np.random.default_rng(7)
    corner, sides = chance.uniform(0, 5, (2, 40, 2)), chance.uniform(0.1, 5, (2, 40, 2))
    output, target = np.concatenate([corner, corner + sides], axis=2)
    value = made(name)(torch.from_numpy(output), torch.from_numpy(target))
    assert float(value) == pytest.approx(box_loss(name)(output, target), rel=1e-9)


def test_centres_follow_the_batches_by_the_rule_of_the_paper():
    chance = np.random.default_rng(3)
    output, target = chance.normal(size=(6, 2)), np.array([0, 1, 0, 2, 1, 0])
    loss = made("centre", {"features": 2, "classes": 4}, rate=0.5).double()
    centres = np.zeros((4, 2))
    for _ in range(3):
        expected = np.mean([((row - centres[k]) ** 2).sum() / 2 for row, k in zip(output, target, strict=True)])
        assert float(loss(torch.from_numpy(output), torch.from_numpy(target))) == pytest.approx(expected)
        for number in range(4):
            members = output[target == number]
            centres[number] -= 0.5 * (centres[number] - members).sum(axis=0) / (1 + len(members))
        np.testing.assert_allclose(loss.centres.numpy(), centres)
    before = loss.centres.clone()
    loss.eval()(torch.from_numpy(output), torch.from_numpy(target))
    assert torch.equal(loss.centres, before), "measuring moves nothing"


def test_one_hot_shares_are_class_numbers():
    output, target = random_call("cross_entropy", np.random.default_rng(1), maps=True)
    scores, numbers = torch.from_numpy(output), torch.from_numpy(target)
    shares = nn.functional.one_hot(numbers, CLASSES).movedim(-1, 1).double()
    for arguments in ({}, {"label_smoothing": 0.2, "class_weights": WEIGHTS}):
        sparse = made("cross_entropy", **arguments)(scores, numbers)
        torch.testing.assert_close(made("categorical_cross_entropy", **arguments)(scores, shares), sparse)
    torch.testing.assert_close(made("kl_divergence")(scores, shares), made("cross_entropy")(scores, numbers))
    torch.testing.assert_close(
        made("cross_entropy_from_probabilities")(scores.softmax(1), numbers), made("cross_entropy")(scores, numbers)
    )
    torch.testing.assert_close(made("nll")(scores.log_softmax(1), numbers), made("cross_entropy")(scores, numbers))


def test_identities():
    output, target = random_call("dice", np.random.default_rng(2), maps=True)
    scores, numbers = torch.from_numpy(output), torch.from_numpy(target)
    halves = made("tversky", alpha=0.5, beta=0.5, smooth=0.5)(scores, numbers)
    torch.testing.assert_close(made("dice", smooth=1.0)(scores, numbers), halves)
    torch.testing.assert_close(made("focal", gamma=0.0)(scores, numbers), made("cross_entropy")(scores, numbers))
    wide = made("huber", delta=3.0)(scores, scores + 0.1)
    torch.testing.assert_close(wide, made("half_mse")(scores, scores + 0.1))
    torch.testing.assert_close(made("huber", delta=1.0)(scores, -scores), made("smooth_l1", beta=1.0)(scores, -scores))
