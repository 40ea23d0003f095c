"""The layers that slide a window over their input, by name: what lints about kernels, strides and padding look at."""

from __future__ import annotations

POOLS = ("maxpool", "avgpool", "minpool", "lppool", "mixed_pool", "stochastic_pool")
"""Pooling layers with a kernel, a stride, a padding and a rounding."""

WINDOWED = ("conv", *POOLS)
"""These and convolutions; transposed convolutions have their own arithmetic."""
