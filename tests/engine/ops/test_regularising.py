"""What regularising layers do in training: how often, to what, and that means stay; the examples of textbooks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from striate.ops import BUILTIN
from striate.ops.record import PenaltyCall
from tests.engine.ops.configurations import infer

IMAGES, CHANNELS, HEIGHT, WIDTH = 40, 60, 9, 7


def trained(name: str, arguments: dict[str, Any], value: Tensor, **weights: Tensor) -> Tensor:
    """Run a layer in training, repeatably."""
    torch.manual_seed(1)
    layer = infer(BUILTIN[name], arguments, [tuple(value.shape[1:])])
    return layer.run([value], weights, training=True)


def near(share: float, count: int) -> float:
    """Return five standard errors of a share found in so many draws."""
    return 5 * math.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize(
    ("name", "axes"), [("dropout", 4), ("spatial_dropout", 2), ("droppath", 1)], ids=["entries", "channels", "images"]
)
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_what_is_left_out_is_left_out_as_a_whole(name: str, axes: int, rate: float):
    value = torch.ones(IMAGES, CHANNELS, HEIGHT, WIDTH) if axes > 1 else torch.ones(4000, 3, 2, 2)
    result = trained(name, {"rate": rate}, value)
    assert sorted(result.unique().tolist()) == [0.0, pytest.approx(1 / (1 - rate))]
    whole = result.flatten(axes) if axes < 4 else result[..., None]
    assert (whole == whole[..., :1]).all(), "what goes together goes together"
    drawn = whole[..., 0]
    assert (drawn == 0).float().mean().item() == pytest.approx(rate, abs=near(rate, drawn.numel()))
    assert 0 < (drawn[0] == 0).float().mean() < 1 or axes == 1, "and is drawn for itself"


def test_nothing_is_left_out_at_rate_zero():
    value = torch.randn(3, 4, 5, 2)
    for name in ("dropout", "spatial_dropout", "droppath", "alpha_dropout"):
        assert torch.equal(trained(name, {"rate": 0}, value), value)


def test_the_rate_is_that_of_leaving_out():
    """A text calls the share that is kept p in one chapter and the share left out in another; the code is the latter.

    Printed for (2, 4, 6, 8) with the second entry left out at 1/2: (4, 0, 12, 16) in training, unchanged in evaluation.
    """
    layer = infer(BUILTIN["dropout"], {"rate": 0.5}, [(4,)])
    value, wanted = torch.tensor([[2.0, 4.0, 6.0, 8.0]]), torch.tensor([[4.0, 0.0, 12.0, 16.0]])
    found = False
    for seed in range(200):
        torch.manual_seed(seed)
        found = found or torch.equal(layer.run([value], {}, training=True), wanted)
    assert found
    assert torch.equal(layer.run([value], {}), value)


def test_alpha_dropout_keeps_mean_and_variance():
    result = trained("alpha_dropout", {"rate": 0.3}, torch.randn(100, 2000))
    assert result.mean().item() == pytest.approx(0, abs=0.02)
    assert result.var().item() == pytest.approx(1, abs=0.02)


def test_noise_has_its_deviation_and_is_drawn_for_each_entry():
    value = torch.full((IMAGES, CHANNELS, HEIGHT, WIDTH), 3.0)
    noise = trained("gaussian_noise", {"std": 0.5}, value) - value
    assert noise.mean().item() == pytest.approx(0, abs=5 * 0.5 / math.sqrt(noise.numel()))
    assert noise.std().item() == pytest.approx(0.5, rel=0.02)
    assert len(noise.unique()) > 0.9 * noise.numel()


class TestCutout:
    def test_a_hole_is_a_rectangle_in_all_channels(self):
        result = trained("cutout", {"size": (3, 2)}, torch.ones(300, 4, HEIGHT, WIDTH))
        assert (result == result[:, :1]).all()
        for blank in result[:, 0] == 0:
            rows, columns = blank.any(1), blank.any(0)
            assert torch.equal(blank, rows[:, None] & columns[None, :])
            for covered, extent in ((rows, 3), (columns, 2)):
                places = covered.nonzero().flatten()
                assert 1 <= len(places) <= extent
                assert places[-1] - places[0] == len(places) - 1
                assert len(places) == extent or places[0] == 0 or places[-1] == len(covered) - 1, "cut by the border"

    def test_every_pixel_is_a_centre(self):
        """The odd rectangle of one pixel blanks each of them equally often."""
        result = trained("cutout", {"size": 1}, torch.ones(6300, 1, HEIGHT, WIDTH))
        counts = (result == 0).sum((0, 1)).float()
        assert counts.sum() == 6300
        assert (counts - 100).abs().max() < 5 * math.sqrt(100)

    def test_holes_are_drawn_one_by_one(self):
        result = trained("cutout", {"size": 1, "holes": 3}, torch.ones(500, 1, HEIGHT, WIDTH))
        blanked = (result == 0).sum((1, 2, 3))
        assert blanked.max() == 3
        assert blanked.float().mean() > 2.8


class TestDropConnect:
    def test_each_image_has_weights_of_its_own(self):
        weight = torch.eye(50)
        result = trained(
            "dropconnect", {"features": 50, "rate": 0.4, "bias": False}, torch.ones(200, 50), weight=weight
        )
        assert sorted(result.unique().tolist()) == [0.0, pytest.approx(1 / 0.6)]
        assert (result == 0).float().mean().item() == pytest.approx(0.4, abs=near(0.4, result.numel()))
        assert not torch.equal(result[0], result[1])

    def test_the_mean_is_the_dense_layer(self):
        weights = {"weight": torch.randn(3, 8, dtype=torch.float64), "bias": torch.randn(3, dtype=torch.float64)}
        value = torch.randn(1, 8, dtype=torch.float64)
        mean = trained("dropconnect", {"features": 3, "rate": 0.3}, value.expand(60000, 8), **weights).mean(0)
        wanted = infer(BUILTIN["dense"], {"features": 3}, [(8,)]).run([value], weights)[0]
        torch.testing.assert_close(mean, wanted, rtol=0, atol=0.05)


class TestConcreteDropout:
    @pytest.mark.parametrize(("drops", "axes"), [("entries", 4), ("channels", 2)])
    def test_a_cold_mask_is_dropout_at_the_trained_rate(self, drops: str, axes: int):
        arguments = {"temperature": 0.001, "drops": drops}
        logit = torch.tensor([math.log(0.3 / 0.7)])
        result = trained("concrete_dropout", arguments, torch.ones(IMAGES, CHANNELS, HEIGHT, WIDTH), logit=logit)
        drawn = (result if axes == 4 else result[:, :, 0, 0]).flatten()
        assert (drawn < 0.01).float().mean().item() == pytest.approx(0.3, abs=near(0.3, drawn.numel()) + 0.01)
        assert drawn.max().item() == pytest.approx(1 / 0.7)
        if drops == "channels":
            assert (result == result[:, :, :1, :1]).all()

    def test_the_rate_begins_as_written(self):
        layer = infer(BUILTIN["concrete_dropout"], {"rate": 0.2}, [(8,)])
        (spec,) = BUILTIN["concrete_dropout"].weights(layer.attributes, layer.inputs)
        assert 1 / (1 + math.exp(-spec.initializer.settings["value"])) == pytest.approx(0.2)

    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
    def test_the_penalty_is_the_negative_entropy(self, rate: float):
        layer = infer(BUILTIN["concrete_dropout"], {"entropy": 0.5}, [(8, 3, 3)])
        logit = torch.tensor([math.log(rate / (1 - rate))], dtype=torch.float64, requires_grad=True)
        rule = BUILTIN["concrete_dropout"].penalty
        assert rule is not None
        found = rule(PenaltyCall(torch, layer.attributes, {"logit": logit}, layer.inputs))
        assert found.item() == pytest.approx(0.5 * 8 * (rate * math.log(rate) + (1 - rate) * math.log(1 - rate)))
        found.backward()
        assert logit.grad is not None
        # d/dp (p log p + (1 - p) log(1 - p)) = log(p / (1 - p)), times dp/dlogit = p (1 - p).
        assert logit.grad.item() == pytest.approx(0.5 * 8 * math.log(rate / (1 - rate)) * rate * (1 - rate))


def test_only_concrete_dropout_adds_to_the_loss():
    assert [name for name, record in BUILTIN.items() if record.penalty] == ["concrete_dropout"]
