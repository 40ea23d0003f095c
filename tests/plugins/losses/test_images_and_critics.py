"""Features, Gram matrices, total variation, adversaries and their gradient penalty against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from striate_plugins.losses.image_features import gram
from tests.plugins.losses.made import RECORDS, made

CHANCE = np.random.default_rng(12)
MAPS = CHANCE.normal(size=(2, 2, 3, 4, 5))


def by_hand_gram(maps: np.ndarray) -> np.ndarray:
    flat = maps.reshape(*maps.shape[:2], -1)
    return np.array([[[(a * b).sum() for b in image] for a in image] for image in flat])


def test_the_gram_matrix_is_that_of_the_text():
    maps = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, :, None, :]
    assert gram(maps).tolist() == [[[5.0, 11.0], [11.0, 25.0]]]


@pytest.mark.parametrize("normalise", ["none", "size", "gatys"])
def test_style(normalise):
    made_maps, wanted = torch.from_numpy(MAPS)
    apart = by_hand_gram(MAPS[0]) - by_hand_gram(MAPS[1])
    size = 3 * 20
    divisor = {"none": 1, "size": size**2, "gatys": 4 * size**2}[normalise]
    expected = (apart**2).sum(axis=(1, 2)).mean() / divisor
    loss = made("style", normalise=normalise, weights=[1.0, 0.5])
    assert float(loss([made_maps] * 2, [wanted] * 2)) == pytest.approx(1.5 * expected)
    with pytest.raises(ValueError, match="the output has 1 layers, the target 1, and weights has 2"):
        loss([made_maps], [wanted])


def test_content_and_perceptual():
    first, second = torch.from_numpy(MAPS)
    squares = (MAPS[0] - MAPS[1]) ** 2
    assert float(made("content")(first, second)) == pytest.approx(squares.mean())
    assert float(made("content", reduction="sum")(first, second)) == pytest.approx(squares.sum() / 2)
    loss = made("perceptual", weight=0.5, pixel_weight=2.0)
    assert float(loss(first, second, [first, second], [second, second])) == pytest.approx(2.5 * squares.mean())
    assert float(loss(first, second, [], [])) == pytest.approx(2 * squares.mean())


@pytest.mark.parametrize("form", ["absolute", "squared", "length"])
def test_total_variation(form):
    images = MAPS[0]
    total = 0.0
    for image in images.reshape(-1, 4, 5):
        for i in range(4):
            for j in range(5):
                down = image[i + 1, j] - image[i, j] if i < 3 else None
                right = image[i, j + 1] - image[i, j] if j < 4 else None
                steps = [value for value in (down, right) if value is not None]
                if form == "length":
                    total += math.hypot(*steps) if len(steps) == 2 else 0.0
                else:
                    total += sum(abs(value) if form == "absolute" else value**2 for value in steps)
    assert float(made("total_variation", form=form)(torch.from_numpy(images))) == pytest.approx(total / images.size)


def test_total_variation_of_a_flat_image_has_a_finite_slope():
    image = torch.ones(1, 1, 4, 4, requires_grad=True)
    made("total_variation", form="length")(image).backward()
    assert torch.equal(image.grad, torch.zeros_like(image))


def log_sigmoid(score: float) -> float:
    return math.log(1 / (1 + math.exp(-score)))


def test_adversaries():
    real, fake = CHANCE.normal(size=(2, 6))
    given = torch.from_numpy(real), torch.from_numpy(fake)
    game = -np.mean([log_sigmoid(s) for s in real]) - np.mean([log_sigmoid(-s) for s in fake])
    critics = {
        "minimax": game,
        "non_saturating": game,
        "least_squares": np.mean((real - 1) ** 2) / 2 + np.mean(fake**2) / 2,
        "wasserstein": fake.mean() - real.mean(),
        "hinge": np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
    }
    generators = {
        "minimax": np.mean([log_sigmoid(-s) for s in fake]),
        "non_saturating": -np.mean([log_sigmoid(s) for s in fake]),
        "least_squares": np.mean((fake - 1) ** 2) / 2,
        "wasserstein": -fake.mean(),
        "hinge": -fake.mean(),
    }
    for form, expected in critics.items():
        assert float(made("gan_critic", form=form)(*given)) == pytest.approx(expected)
        assert float(made("gan_generator", form=form)(given[1])) == pytest.approx(generators[form])


def test_the_value_of_the_game_at_a_draw():
    draw = torch.zeros(4, 1)
    assert -float(made("gan_critic", form="minimax")(draw, draw)) == pytest.approx(-1.3862944, abs=1e-7)


@pytest.mark.parametrize("form", ["minimax", "non_saturating"])
@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_sure_critics_give_finite_losses(form, size):
    scores = torch.full((2, 1), size, requires_grad=True)
    value = made("gan_critic", form=form)(scores, scores) + made("gan_generator", form=form)(scores)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(scores.grad).all()


def test_the_non_saturating_form_keeps_a_slope_where_the_critic_is_sure():
    """What the paper changed it for: with log(1 - D) a generator that is found out at once learns nothing."""
    slopes = {}
    for form in ("minimax", "non_saturating"):
        score = torch.tensor([[-20.0]], requires_grad=True)
        made("gan_generator", form=form)(score).backward()
        slopes[form] = abs(float(score.grad))
    assert slopes["minimax"] < 1e-8
    assert slopes["non_saturating"] == pytest.approx(1)


def test_gradient_penalty():
    critic = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    real, fake = torch.from_numpy(CHANCE.normal(size=(2, 5, 3)))
    mix = torch.linspace(0, 1, 5, dtype=torch.float64)
    value = made("gradient_penalty", weight=3.0)(critic, real, fake, mix)
    lengths, step = [], 1e-6
    for row in range(5):
        point = mix[row] * real[row] + (1 - mix[row]) * fake[row]
        moves = [step * torch.eye(3, dtype=torch.float64)[axis] for axis in range(3)]
        slope = [float((critic(point + move) - critic(point - move)).detach()) / 2 / step for move in moves]
        lengths.append(math.hypot(*slope))
    assert float(value.detach()) == pytest.approx(3 * np.mean([(length - 1) ** 2 for length in lengths]), rel=1e-6)
    value.backward()
    assert critic[0].weight.grad.abs().sum() > 0, "the critic learns from its slope"


def test_gradient_penalty_of_a_flat_critic_is_finite():
    weight = torch.zeros(3, requires_grad=True)
    value = made("gradient_penalty")(lambda images: images @ weight, torch.ones(2, 3), torch.zeros(2, 3))
    value.backward()
    assert float(value.detach()) == 10
    assert torch.isfinite(weight.grad).all()


def test_gradient_penalty_draws_from_the_generator_it_is_given():
    real, fake = torch.ones(4, 2), torch.zeros(4, 2)

    def drawn(seed: int) -> float:
        chance = torch.Generator().manual_seed(seed)
        return float(made("gradient_penalty")(lambda x: x.square().sum(1), real, fake, generator=chance).detach())

    assert drawn(1) == drawn(1) != drawn(2)


def test_no_gradient_goes_to_the_teacher():
    teacher = torch.randn(2, 3, requires_grad=True)
    student = torch.randn(2, 3, requires_grad=True)
    made("distillation")(student, teacher).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_losses_of_several_tensors_are_not_for_recipes():
    assert not RECORDS["style"].in_recipes
    assert RECORDS["dice"].in_recipes
