"""How weights start: the promised spread, and a function of name and seed alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from striate.graph import Initializer, Weight
from striate.ops import BUILTIN
from striate.ops.initializers import INITIALIZERS, start_values
from tests.engine.ops.configurations import infer

FANS = {"fan_in": 144.0, "fan_out": 576.0}
VARIANCES = {"he": 2 / 144, "xavier": 2 / (144 + 576), "lecun": 1 / 144}
DRAWN = [name for name in INITIALIZERS if name not in ("zeros", "ones")]


def weight(rule: str, name: str = "layer.weight", shape: tuple[int, ...] = (200, 500)) -> Weight:
    return Weight(name, shape, Initializer(rule, FANS))


@pytest.mark.parametrize("rule", DRAWN)
def test_mean_and_variance(rule: str):
    values = start_values(weight(rule), 0).astype("float64").ravel()
    family, shape = rule.split("_")
    variance = VARIANCES[family]
    # Five standard errors: of the mean sqrt(v / n), of the variance v * sqrt((kurtosis - 1) / n).
    kurtosis = 3.0 if shape == "normal" else 1.8
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert abs(values.var() - variance) < 5 * variance * math.sqrt((kurtosis - 1) / values.size)


@pytest.mark.parametrize("rule", [rule for rule in DRAWN if rule.endswith("uniform")])
def test_uniform_rules_keep_their_bounds_and_reach_them(rule: str):
    values = start_values(weight(rule), 0)
    bound = math.sqrt(3 * VARIANCES[rule.partition("_")[0]])
    assert 0.999 * bound < abs(values).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("rule", [rule for rule in DRAWN if rule.endswith("normal")])
def test_normal_rules_have_tails(rule: str):
    values = start_values(weight(rule), 0)
    deviation = math.sqrt(VARIANCES[rule.partition("_")[0]])
    assert np.mean(np.abs(values) > 2 * deviation) == pytest.approx(0.0455, abs=0.005)


@pytest.mark.parametrize("rule", INITIALIZERS)
def test_values_are_float32_of_the_asked_size(rule: str):
    values = start_values(weight(rule, shape=(3, 4, 2, 5)), 7)
    assert values.dtype == np.float32
    assert values.shape == (3, 4, 2, 5)


@pytest.mark.parametrize("rule", DRAWN)
def test_name_and_seed_decide(rule: str):
    values = start_values(weight(rule), 3)
    assert np.array_equal(values, start_values(weight(rule), 3))
    assert not np.array_equal(values, start_values(weight(rule), 4))
    assert not np.array_equal(values, start_values(weight(rule, "layer2.weight"), 3))
    other = abs(np.corrcoef(values.ravel(), start_values(weight(rule, "layer2.weight"), 3).ravel())[0, 1])
    assert other < 5 / math.sqrt(values.size), "weights of two layers have nothing to do with each other"


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("he_normal", [0.0223778, -0.0251151, 0.1627217, -0.1261203]),
        ("xavier_uniform", [-0.0492410, -0.0770490, 0.0593078, 0.0118423]),
    ],
)
def test_values_stay_the_same_in_later_versions(rule: str, wanted: list[float]):
    """Runs are to be repeatable: another generator or another seed rule would change every network's start."""
    values = start_values(weight(rule, "features.conv1.weight", (2, 2)), 0)
    assert values.ravel().tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("rule", "entry"), [("zeros", 0.0), ("ones", 1.0)])
def test_constants(rule: str, entry: float):
    assert (start_values(weight(rule), 0) == entry).all()


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "fan_in", "fan_out"),
    [
        ("conv", {"channels": 8, "kernel": (3, 5)}, (4, 9, 9), 60, 120),
        ("conv", {"channels": 8, "kernel": 3, "groups": 4}, (4, 9, 9), 9, 18),
        ("dense", {"features": 10}, (84,), 84, 10),
        ("deconv", {"channels": 8, "kernel": 4, "stride": 2}, (6, 9, 9), 24, 128),
        ("deconv", {"channels": 8, "kernel": 4, "stride": 2, "groups": 2}, (6, 9, 9), 12, 64),
    ],
)
def test_fans(name: str, arguments: dict[str, object], shape: tuple[int, ...], fan_in: int, fan_out: int):
    """What one output entry sums over; each pixel of a transposed convolution gets a stride-th part of the kernel."""
    layer = infer(BUILTIN[name], arguments, [shape])
    kernel = BUILTIN[name].weights(layer.attributes, layer.inputs)[0]
    assert kernel.initializer == Initializer("he_normal", {"fan_in": fan_in, "fan_out": fan_out})


@pytest.mark.parametrize("name", ["conv", "deconv", "dense"])
def test_scale_is_kept_through_a_layer(name: str):
    """He's rule doubles the second moment, which a ReLU then halves."""
    import torch

    arguments = {"dense": {"features": 256}, "conv": {"channels": 64, "kernel": 3}}
    written = arguments.get(name, {"channels": 64, "kernel": 4, "stride": 2, "pad": 1})
    shape = (512,) if name == "dense" else (64, 16, 16)
    layer = infer(BUILTIN[name], written, [shape])
    weights = {
        spec.role: torch.from_numpy(start_values(Weight(spec.role, spec.shape, spec.initializer), 0))
        for spec in BUILTIN[name].weights(layer.attributes, layer.inputs)
    }
    result = layer.run([torch.randn(4, *shape)], weights)
    assert result.square().mean().item() == pytest.approx(2, rel=0.1)
