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


def same_classes(expected: Array, actual: Array, tolerance: float) -> bool:
    """Return whether the largest entry along the channels (`N x C …`) is at the same place everywhere.

    A place where it is not counts as the same if the two channels are closer together in the expected array than the
    differences that the tolerance allows: such a tie has no right answer.
    """
    theirs = np.expand_dims(actual.argmax(1), 1)
    margin = expected.max(1, keepdims=True) - np.take_along_axis(expected, theirs, 1)
    return bool(margin.max(initial=0.0) <= 2 * tolerance * max(float(np.abs(expected).max()), SMALLEST_SCALE))
