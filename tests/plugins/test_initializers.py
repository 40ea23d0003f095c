"""Initialisers against torch, scipy and their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional, init

from striate.graph import Initializer, Weight
from striate.ops.initializers import start_values, weight_generator
from striate.plugin import WeightInfo
from striate_plugins.initializers import plain, scaled, structured

CONV = WeightInfo("conv1.weight", (32, 1, 3, 3), 9, 288)
DENSE = WeightInfo("dense1.weight", (128, 21632), 21632, 128)
WIDE = WeightInfo("conv2.weight", (64, 32, 5, 5), 800, 1600)


def drawn(rule, info, seed=0):
    return rule(info, np.random.default_rng(seed))


def torch_start(function, info, **arguments):
    torch.manual_seed(1)
    return function(torch.empty(info.shape), **arguments).double().numpy()


# ------------------------------------------------------------------------------------------ by the fans


@pytest.mark.parametrize(
    ("rule", "info", "deviation"),
    [  # golden values of the texts
        (scaled.he_normal(), CONV, 0.4714045208),
        (scaled.he_normal(), WeightInfo("w", (64, 64, 3, 3), 576, 576), 0.0589255651),
        (scaled.he_normal(), DENSE, 0.009615385),
        (scaled.lecun_normal(), CONV, 0.3333333333),
        (scaled.lecun_normal(), DENSE, 0.006799104),
        (scaled.xavier_normal(), DENSE, 0.0095870624),
        (scaled.he_normal("fan_out"), CONV, math.sqrt(2 / 288)),
        (scaled.he_normal("fan_avg", "tanh"), CONV, 5 / 3 / math.sqrt((9 + 288) / 2)),
        (plain.normal(0.1), CONV, 0.1),
    ],
)
def test_deviations(rule, info, deviation):
    standard = np.random.default_rng(0).standard_normal(info.shape, dtype="float32")
    np.testing.assert_allclose(drawn(rule, info), deviation * standard, rtol=1e-5)


@pytest.mark.parametrize(
    ("rule", "info", "bound"),
    [
        (scaled.xavier_uniform(), CONV, 0.1421338109),
        (scaled.xavier_uniform(), DENSE, 0.0166052791),
        (scaled.he_uniform(), CONV, math.sqrt(6 / 9)),
        (scaled.lecun_uniform(), CONV, math.sqrt(3 / 9)),
        (plain.uniform(-0.3, 0.3), CONV, 0.3),
    ],
)
def test_bounds(rule, info, bound):
    even = np.random.default_rng(0).random(info.shape, dtype="float32")
    np.testing.assert_allclose(drawn(rule, info), bound * (2 * even - 1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("rule", "function", "arguments"),
    [
        (scaled.he_normal(), init.kaiming_normal_, {"nonlinearity": "relu"}),
        (scaled.he_normal("fan_out", "leaky_relu", 0.2), init.kaiming_normal_, {"a": 0.2, "mode": "fan_out"}),
        (scaled.he_uniform(nonlinearity="selu"), init.kaiming_uniform_, {"nonlinearity": "selu"}),
        (scaled.xavier_normal(), init.xavier_normal_, {}),
        (scaled.xavier_uniform("tanh"), init.xavier_uniform_, {"gain": 5 / 3}),
        (plain.truncated_normal(0.5, 0.2, -1, 2), init.trunc_normal_, {"mean": 0.2, "std": 0.5, "a": -0.3, "b": 1.2}),
        (plain.uniform(-1, 3), init.uniform_, {"a": -1, "b": 3}),
        (plain.normal(2, 1), init.normal_, {"mean": 1, "std": 2}),
    ],
)
def test_distributions_are_torchs(rule, function, arguments):
    ours, theirs = drawn(rule, WIDE).ravel(), torch_start(function, WIDE, **arguments).ravel()
    assert ours.dtype == np.float32
    assert stats.ks_2samp(ours, theirs).statistic < 0.015, "51,200 draws each: 0.015 has a chance of 1e-5"


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "selu"])
def test_gains_are_torchs(name):
    assert scaled.gain_of(name) == pytest.approx(init.calculate_gain(name))
    assert scaled.gain_of("leaky_relu", 0.3) == pytest.approx(init.calculate_gain("leaky_relu", 0.3))


@pytest.mark.parametrize(
    "name", ["he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "lecun_normal", "lecun_uniform"]
)
def test_defaults_draw_what_layers_of_this_name_draw(name):
    weight = Weight("a.weight", (8, 4, 3, 3), Initializer(name, {"fan_in": 36, "fan_out": 72}))
    info = WeightInfo(weight.name, weight.shape, 36, 72)
    ours = getattr(scaled, name)()(info, weight_generator(weight.name, 7))
    np.testing.assert_allclose(ours, start_values(weight, 7), rtol=2e-7)


def test_truncated_rules_have_the_variance_that_was_asked_for():
    values = drawn(scaled.he_normal(truncated=True), WIDE)
    deviation = math.sqrt(2 / 800)
    assert values.std() == pytest.approx(deviation, rel=0.02)
    assert abs(values).max() <= 2 * deviation / 0.8796 * 1.0001
    theirs = stats.truncnorm(-2, 2, scale=deviation / stats.truncnorm(-2, 2).std())
    assert stats.kstest(values.ravel(), theirs.cdf).statistic < 0.01


def test_bounds_that_leave_nothing():
    with pytest.raises(ValueError, match="lies"):
        plain.truncated_normal(1.0, low=5, high=6)
    with pytest.raises(ValueError, match="is above"):
        plain.uniform(1, -1)


def test_constants():
    for rule, value in ((plain.zeros(), 0), (plain.ones(), 1), (plain.constant(0.1), np.float32(0.1))):
        assert (drawn(rule, CONV) == value).all()


# ------------------------------------------------------------------------------------------ by structure


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((6, 20), 0),
        ((20, 6), 0),
        ((7, 7), 0),
        ((16, 4, 3, 3), 0),
        ((64, 2, 3, 3), 0),
        ((8, 12, 2, 2), 1),
        ((5, 2, 3), 0),
    ],
)
def test_orthogonal(shape, axis):
    values = drawn(structured.orthogonal(1.5), WeightInfo("w", shape, 1, 1, axis))
    rows = np.moveaxis(values, axis, 0).reshape(shape[axis], -1).astype("float64")
    product = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
    np.testing.assert_allclose(product, 2.25 * np.eye(len(product)), atol=2e-6)
    assert values.dtype == np.float32


def test_orthogonal_matrices_have_no_preferred_direction():
    first = [drawn(structured.orthogonal(), WeightInfo("w", (2, 2), 1, 1), seed) for seed in range(400)]
    angles = np.array([math.atan2(matrix[0, 1], matrix[0, 0]) for matrix in first])
    assert stats.kstest(angles, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3
    assert 120 < sum(np.linalg.det(matrix) > 0 for matrix in first) < 280


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_torchs(groups):
    for shape in ((6, 4 // groups, 3, 3), (4, 6 // groups, 5), (4, 4 // groups, 3, 3, 3)):
        theirs = init.dirac_(torch.empty(shape), groups)
        assert np.array_equal(drawn(structured.dirac(), WeightInfo("w", shape, 1, 1, 0, groups)), theirs.numpy())


def test_dirac_passes_on_what_comes():
    images = torch.randn(2, 4, 6, 7)
    for groups in (1, 2, 4):
        kernel = drawn(structured.dirac(2.0), WeightInfo("w", (4, 4 // groups, 3, 3), 1, 1, 0, groups))
        made = functional.conv2d(images, torch.from_numpy(kernel), padding=1, groups=groups)
        assert torch.equal(made, 2 * images)
        kernel = drawn(structured.dirac(), WeightInfo("w", (4, 4 // groups, 3, 3), 1, 1, 1, groups))
        made = functional.conv_transpose2d(images, torch.from_numpy(kernel), padding=1, groups=groups)
        assert torch.equal(made, images)
    assert np.array_equal(drawn(structured.dirac(), WeightInfo("w", (3, 5), 1, 1)), np.eye(3, 5))


@pytest.mark.parametrize(("stride", "kernel", "pad"), [(2, 4, 1), (3, 5, 1), (4, 8, 2)])
@pytest.mark.parametrize("groups", [1, 3])
def test_bilinear_enlarges_as_interpolation_does(stride, kernel, pad, groups):
    images = torch.rand(1, 3, 8, 9)
    info = WeightInfo("w", (3, 3 // groups, kernel, kernel), 1, 1, 1, groups)
    weight = torch.from_numpy(drawn(structured.bilinear(), info))
    made = functional.conv_transpose2d(images, weight, stride=stride, padding=pad, groups=groups)
    expected = functional.interpolate(images, scale_factor=stride, mode="bilinear", align_corners=False)
    inner = (..., slice(stride, -stride), slice(stride, -stride))
    torch.testing.assert_close(made[inner], expected[inner], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("rule", "info", "said"),
    [
        (structured.bilinear(), CONV, "transposed"),
        (structured.bilinear(), WeightInfo("w", (3, 3), 1, 1), "transposed"),
        (structured.orthogonal(), WeightInfo("b", (3,), 1, 1), "rows and columns"),
        (structured.dirac(), WeightInfo("b", (3,), 1, 1), "output channels"),
    ],
)
def test_weights_that_do_not_fit(rule, info, said):
    with pytest.raises(ValueError, match=said):
        drawn(rule, info)


@pytest.mark.parametrize("axis", [0, 1])
def test_sparse(axis):
    values = drawn(structured.sparse(0.85, 0.5), WeightInfo("w", (30, 40, 3, 3), 1, 1, axis))
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    assert ((rows == 0).sum(axis=1) == math.ceil(0.85 * rows.shape[1])).all()
    assert values[values != 0].std() == pytest.approx(0.5, rel=0.05)
    assert len({tuple(row == 0) for row in rows}) == len(rows), "each channel has zeros of its own"
