"""How far arrays are apart, and where they mean other classes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from striate.onnx.comparison import Difference, compare, other_classes


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype="float32")


@pytest.mark.parametrize(
    ("expected", "actual", "absolute", "relative"),
    [
        (array(1, -4), array(1, -4), 0.0, 0.0),
        (array(1, -4), array(1.5, -4), 0.5, 0.125),
        (array(1000, 0), array(1001, 0), 1.0, 0.001),
        (array(0, 0), array(1e-4, 0), 1e-4, 0.1),
        (array(), array(), 0.0, 0.0),
        (array(1), array(math.nan), math.inf, math.inf),
        (array(1), array(math.inf), math.inf, math.inf),
        (array(1, 1), array(1), math.inf, math.inf),
    ],
)
def test_differences_are_shares_of_the_largest_entry(expected, actual, absolute, relative):
    difference = compare(expected, actual)
    assert difference.absolute == pytest.approx(absolute)
    assert difference.relative == pytest.approx(relative)


def test_the_larger_of_each_is_kept():
    assert Difference(1.0, 0.1).or_larger(Difference(0.5, 0.2)) == Difference(1.0, 0.2)
    assert str(Difference(1.2e-6, 3e-7)) == "1.2e-06 (relative 3.0e-07)"


def test_other_classes_are_counted_per_image_and_per_pixel():
    assert other_classes(np.eye(3, dtype="float32"), np.eye(3, dtype="float32")) == 0
    assert other_classes(array(1, 2, 3)[None], array(1, 3, 2)[None]) == 1
    maps = np.zeros((1, 2, 2, 2), dtype="float32")
    tipped = maps.copy()
    tipped[0, 1, 0] = 1
    assert other_classes(maps, tipped) == 2
