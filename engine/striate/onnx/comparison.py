"""How far two arrays are apart, and whether they mean the same classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

SMALLEST_SCALE = 1e-3
"""A difference is a share of the largest entry, or of this where all entries are smaller: zeros must stay near zero."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference of two arrays, as it is and as a share of the largest entry of the expected one."""

    absolute: float
    relative: float

    def or_larger(self, other: Difference) -> Difference:
        """Return the larger of each."""
        return Difference(max(self.absolute, other.absolute), max(self.relative, other.relative))

    def __str__(self) -> str:
        return f"{self.absolute:.1e} (relative {self.relative:.1e})"


def compare(expected: Array, actual: Array) -> Difference:
    """Return how far two arrays are apart; infinitely where their sizes differ or an entry is not finite."""
    if expected.shape != actual.shape or not (is_finite(expected) and is_finite(actual)):
        return Difference(math.inf, math.inf)
    if not expected.size:
        return Difference(0.0, 0.0)
    absolute = float(np.abs(np.subtract(expected, actual, dtype=np.float64)).max())
    return Difference(absolute, absolute / max(float(np.abs(expected).max()), SMALLEST_SCALE))


def is_finite(values: Array) -> bool:
    """Return whether no entry is infinite or not a number."""
    return bool(np.isfinite(values).all())


def other_classes(expected: Array, actual: Array) -> int:
    """Return at how many places (images, or pixels of images) the largest channel of `N x C …` is another one."""
    return int(np.count_nonzero(expected.argmax(1) != actual.argmax(1)))
