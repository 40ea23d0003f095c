"""Ranges and scales of 8 bits, held against the errors that they are meant to make small."""

from __future__ import annotations

import numpy as np
import pytest

from striate.onnx.precision.ranges import METHODS, Observed
from striate.onnx.precision.scales import (
    Scale,
    dequantized_weight,
    least_scales,
    quantized_weight,
    scale_of,
    weight_scales,
)


def observed(*batches) -> Observed:
    seen = Observed()
    for step in (Observed.widen, Observed.count):
        for batch in batches:
            step(seen, batch)
    return seen


def error(values, bounds) -> float:
    return float(np.square(scale_of(*bounds).rounded(values) - values).mean())


HEAVY = np.random.default_rng(0).standard_t(3, 20_000).astype(np.float32)
NORMAL = np.random.default_rng(1).standard_normal(20_000, dtype=np.float32)


def test_all_entries_of_all_batches_are_in_the_range_of_minmax():
    seen = observed(np.array([1.0, 2.0]), np.array([-3.0, 0.5]))
    assert seen.range("minmax") == (-3.0, 2.0)
    assert seen.counts.sum() == 4


@pytest.mark.parametrize("method", METHODS)
def test_zero_is_always_in_the_range(method):
    low, high = observed(np.linspace(2, 3, 100)).range(method)
    assert low == 0.0
    assert 2 < high <= 3
    low, high = observed(-np.linspace(2, 3, 100)).range(method)
    assert high == 0.0
    assert -3 <= low < -2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("constant", [0.0, 5.0, -5.0])
def test_values_that_are_all_the_same(method, constant):
    bounds = observed(np.full(10, constant, np.float32)).range(method)
    assert bounds == (min(constant, 0.0), max(constant, 0.0))
    assert scale_of(*bounds).rounded(np.float32([constant])) == pytest.approx([constant], rel=1e-6)


def test_the_percentile_leaves_out_single_entries():
    values = np.concatenate([NORMAL, np.float32([1000.0, -900.0])])
    low, high = observed(values).range("percentile")
    assert -5 < low < -3
    assert 3 < high < 5


@pytest.mark.parametrize("values", [HEAVY, NORMAL, np.maximum(HEAVY, 0), np.abs(NORMAL)])
def test_the_least_error_is_less_than_that_of_the_whole_range(values):
    seen = observed(values)
    chosen, whole = error(values, seen.range("mse")), error(values, seen.range("minmax"))
    assert chosen <= whole
    tried = [
        (low * seen.low, high * seen.high) for low in np.linspace(0.05, 1, 20) for high in np.linspace(0.05, 1, 20)
    ]
    assert chosen < 1.25 * min(error(values, bounds) for bounds in tried)


def test_a_scale_holds_both_ends_and_zero_itself():
    scale = scale_of(-1.0, 3.0)
    assert (scale.kind, scale.ends) == ("uint8", (0, 255))
    ends = scale.rounded(np.float32([-1, 0, 3, 10, -10]))
    assert ends[1] == 0
    assert np.abs(ends[[0, 2]] - [-1, 3]).max() <= scale.scale
    assert (ends[3], ends[4]) == (ends[2], ends[0])
    assert scale_of(0.0, 3.0).zero == 0
    assert scale_of(-1.0, 0.0).zero == 255


def test_symmetric_scales_have_no_zero_point():
    scale = scale_of(0.0, 12.7, symmetric=True)
    assert (scale.kind, scale.zero, scale.ends) == ("int8", 0, (-128, 127))
    assert scale.scale == pytest.approx(0.1)
    assert scale_of(0.0, 0.0, symmetric=True).scale == 1.0


def test_half_a_step_is_rounded_to_even_as_onnx_does():
    assert Scale(1.0, 0).rounded(np.float32([0.5, 1.5, 2.5])).tolist() == [0.0, 2.0, 2.0]


@pytest.mark.parametrize("axis", [0, 1, None])
def test_weights_are_off_by_half_a_step_at_most(axis):
    kernel = np.random.default_rng(0).standard_normal((4, 6, 3, 3), dtype=np.float32) * np.float32(
        np.geomspace(1e-3, 10, 4)[:, None, None, None]
    )
    kernel[2] = 0
    scales = weight_scales(kernel, axis)
    assert scales.shape == (() if axis is None else (kernel.shape[axis],))
    back = dequantized_weight(quantized_weight(kernel, scales, axis), scales, axis)
    steps = scales if axis is None else scales.reshape([-1 if place == axis else 1 for place in range(4)])
    assert (np.abs(back - kernel) <= 0.5001 * steps).all()
    assert not back[2].any()


def test_scales_grow_where_a_bias_would_not_fit_into_int32():
    kernel, bias = np.full((2, 3), 1e-9, np.float32), np.float32([5.0, 0.0])
    scales = weight_scales(kernel, 0, least_scales(bias, 0.01))
    assert (np.abs(bias / (scales * 0.01)) < 2**31).all()
    assert scales[1] == pytest.approx(1e-9 / 127)
