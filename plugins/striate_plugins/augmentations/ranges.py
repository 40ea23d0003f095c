"""Kinds of arguments: between which two numbers something is drawn, and how many bits are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from striate.plugin import ArgumentError, Integer, Real


@dataclass(frozen=True, slots=True)
class RealRange:
    """A pair `(low, high)` of numbers within bounds."""

    minimum: float = -math.inf
    maximum: float = math.inf

    def describe(self) -> str:
        return f"a pair (low, high), each {Real(self.minimum, self.maximum).describe()}"

    def convert(self, value: Any) -> tuple[float, float]:
        items = list(value) if isinstance(value, tuple | list) else []
        if len(items) != 2:
            raise _refused(self, value)
        low, high = (Real(self.minimum, self.maximum).convert(item) for item in items)
        if low > high:
            raise _refused(self, value)
        return low, high


@dataclass(frozen=True, slots=True)
class Bits:
    """A whole number from 1 to 8."""

    def describe(self) -> str:
        return "a whole number from 1 to 8"

    def convert(self, value: Any) -> int:
        bits = Integer(1).convert(value)
        if bits > 8:
            raise _refused(self, value)
        return bits


def _refused(kind: RealRange | Bits, value: Any) -> ArgumentError:
    return ArgumentError(f"must be {kind.describe()}, not {value}")
