"""Which range of a value 8 bits are spread over: observed on images, by one of three methods.

`minmax` takes everything; `percentile` leaves out the outermost entries; `mse` takes the range within those with the
least squared error, as the finer steps of a narrow range may outweigh the few entries that it cuts off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.onnx.precision.scales import LEVELS

Array = np.ndarray[Any, Any]

METHODS = ("mse", "percentile", "minmax")
"""The methods by name, the default first."""

BINS = 2048
"""Bins of a histogram; 8 bits have 256 steps, so that a step is several bins wide whatever is cut off."""

KEPT = 0.9999
"""The share of entries that `percentile` keeps."""

_CUTS = 32
"""How many narrower ranges `mse` tries on each side."""


@dataclass(slots=True)
class Observed:
    """What has been seen of a value: its range first, then how its entries lie in it.

    Attributes:
        low: the smallest entry, or 0 if all are larger: zero is always among the 256 numbers, for padding.
        high: the largest entry, or 0 if all are smaller.
        counts: entries other than 0 per bin of equal width from `low` to `high`.
    """

    low: float = 0.0
    high: float = 0.0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def widen(self, values: Array) -> None:
        """Take entries into the range."""
        self.low = min(self.low, float(values.min(initial=0.0)))
        self.high = max(self.high, float(values.max(initial=0.0)))

    def count(self, values: Array) -> None:
        """Take entries into the histogram, when the range is known; zeros are left out, which any range holds."""
        if self.high > self.low:
            self.counts += np.histogram(values[values != 0], BINS, (self.low, self.high))[0]

    def range(self, method: str) -> tuple[float, float]:
        """Return the range that a method chooses; it holds 0."""
        if method == "minmax" or self.high <= self.low:
            return self.low, self.high
        return self._percentile() if method == "percentile" else self._least_error()

    def _edges(self) -> Array:
        return np.linspace(self.low, self.high, BINS + 1)

    def _percentile(self) -> tuple[float, float]:
        share = np.cumsum(self.counts) / self.counts.sum()
        first = int(np.searchsorted(share, (1 - KEPT) / 2, side="right"))
        last = int(np.searchsorted(share, 1 - (1 - KEPT) / 2))
        edges = self._edges()
        low = edges[first] if self.low < 0 else 0.0
        high = edges[min(last, BINS - 1) + 1] if self.high > 0 else 0.0
        return min(float(low), 0.0), max(float(high), 0.0)

    def _least_error(self) -> tuple[float, float]:
        """Try narrower ranges, the upper end first and then the lower one, and take that with the least error."""
        edges = self._edges()
        middles, low, high = (edges[:-1] + edges[1:]) / 2, self.low, self.high
        cuts = np.linspace(1.0, 1.0 / _CUTS, _CUTS)
        high = min((self.high * cut for cut in cuts), key=lambda end: self._error(middles, low, end))
        low = min((self.low * cut for cut in cuts), key=lambda end: self._error(middles, end, high))
        return float(low), float(high)

    def _error(self, middles: Array, low: float, high: float) -> float:
        """Return the squared error of all entries: of rounding within the range, of cutting off beyond it."""
        step = (high - low) / LEVELS
        if step == 0:
            return float("inf")
        beyond = np.maximum(middles - high, 0) + np.maximum(low - middles, 0)
        errors = np.where(beyond > 0, beyond**2, step**2 / 12)
        return float((errors * self.counts).sum())
