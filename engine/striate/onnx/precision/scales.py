"""Scales and zero points: the number that 8 bits stand for is `scale x (q - zero)`.

Values have one scale and a zero point, weights one scale per output channel and none (Jacob et al., Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018). Biases are int32 with the product
of both scales, so that they add to the sum of products as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ENDS: Mapping[str, tuple[int, int]] = {"uint8": (0, 255), "int8": (-128, 127)}
"""The ends of the types of 8 bits."""

LEVELS = 255
"""Steps between the lowest and the highest of 256 numbers."""

LARGEST_WEIGHT = 127
"""Weights leave -128 out, so that they are symmetric."""

_LARGEST_BIAS = 2.0**30
"""Biases stay below this, so that the sum they are added to does not overflow."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a value of 8 bits is to be read.

    Attributes:
        scale: the size of a step.
        zero: the step that stands for 0.
        kind: `uint8`, or `int8` with a zero point of 0.
    """

    scale: float
    zero: int
    kind: str = "uint8"

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest step."""
        return ENDS[self.kind]

    def rounded(self, values: Array) -> Array:
        """Return the numbers that are left of values; half a step is rounded to even, as ONNX does."""
        quantized = np.clip(np.rint(values / np.float32(self.scale)) + self.zero, *self.ends)
        return np.asarray((quantized - self.zero) * np.float32(self.scale), dtype=np.float32)


def scale_of(low: float, high: float, *, symmetric: bool = False) -> Scale:
    """Return the scale of values between `low` and `high`, of which one is 0 or below and one 0 or above.

    Args:
        low: the lower end.
        high: the upper end.
        symmetric: int8 with a zero point of 0, as some accelerators need it, at the price of half the steps where all
            values are positive; else uint8, which ONNX Runtime has more kernels for on x86.
    """
    if symmetric:
        return Scale(float(np.float32(max(-low, high) / LARGEST_WEIGHT)) or 1.0, 0, "int8")
    if high <= low:
        return Scale(1.0, 0)
    scale = float(np.float32((high - low) / LEVELS))
    return Scale(scale, int(np.clip(round(-low / scale), 0, LEVELS)))


def weight_scales(kernel: Array, axis: int | None, least: Array | float = 0.0) -> Array:
    """Return the scales of a kernel, float32: one per output channel, or a single one without an axis.

    Args:
        kernel: the weights.
        axis: the axis of output channels.
        least: scales below which a bias would not fit into int32.
    """
    sizes = np.abs(kernel)
    others = tuple(place for place in range(kernel.ndim) if place != axis)
    largest = sizes.max(axis=others) if axis is not None else np.asarray(sizes.max())
    scales = np.maximum(largest / LARGEST_WEIGHT, least)
    return np.where(scales > 0, scales, 1.0).astype(np.float32)


def least_scales(bias: Array, scale: float) -> Array:
    """Return the smallest scale per channel with which a bias fits into int32."""
    return np.asarray(np.abs(bias) / (scale * _LARGEST_BIAS))


def quantized_weight(kernel: Array, scales: Array, axis: int | None) -> Array:
    """Return a kernel as int8."""
    steps = np.rint(kernel / _along(scales, kernel.ndim, axis))
    return np.clip(steps, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8)


def dequantized_weight(quantized: Array, scales: Array, axis: int | None) -> Array:
    """Return the numbers that an int8 kernel stands for."""
    return (quantized.astype(np.float32) * _along(scales, quantized.ndim, axis)).astype(np.float32)


def _along(scales: Array, rank: int, axis: int | None) -> Array:
    shape = [1] * rank
    if axis is not None:
        shape[axis] = -1
    return scales.reshape(shape)
