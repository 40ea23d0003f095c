"""Initialisers that look at a kernel as a whole: as a matrix, a picture of a filter, or a pattern of connections."""

from __future__ import annotations

import math
from math import prod

import numpy as np

from striate.plugin import WeightInfo
from striate_plugins.initializers.plain import Array, Rule


def orthogonal(gain: float = 1.0) -> Rule:
    """Return the rule of random orthogonal rows (or columns, where there are more rows than fit).

    The matrix is `out x (in * kernel)`. The Q of the QR decomposition of a normal matrix is spread evenly over all
    orthogonal matrices once the signs of R's diagonal are taken out (Mezzadri, 2007, arXiv:math-ph/0609050).
    """

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        if len(info.shape) < 2:
            raise ValueError("it takes a weight with rows and columns")
        axis = info.output_axis
        rows = info.shape[axis]
        columns = prod(info.shape) // rows
        drawn = generator.standard_normal((max(rows, columns), min(rows, columns)))
        upright, triangle = np.linalg.qr(drawn)
        upright *= np.where(np.diag(triangle) < 0, -1.0, 1.0)
        matrix = upright if rows >= columns else upright.T
        others = tuple(size for place, size in enumerate(info.shape) if place != axis)
        return np.moveaxis(gain * matrix.reshape(rows, *others), 0, axis).astype("float32")

    return rule


def dirac(gain: float = 1.0) -> Rule:
    """Return the rule of the identity; channels beyond the smaller of the two numbers get and give nothing."""

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        values = np.zeros(info.shape, dtype="float32")
        middle = tuple(size // 2 for size in info.shape[2:])
        for place in _diagonal(info):
            values[(*place, *middle)] = gain
        return values

    return rule


def bilinear() -> Rule:
    """Return the rule of bilinear interpolation: with stride s, a kernel of 2s - s % 2 enlarges s times."""

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        if len(info.shape) < 3 or info.output_axis != 1:
            raise ValueError("it takes the kernel of a transposed convolution")
        kernel = np.ones(())
        for size in info.shape[2:]:
            kernel = np.multiply.outer(kernel, _tent(size))
        values = np.zeros(info.shape, dtype="float32")
        for place in _diagonal(info):
            values[place] = kernel
        return values

    return rule


def sparse(sparsity: float, std: float) -> Rule:
    """Return the rule of a normal distribution in which each output channel has so large a share of zeros."""

    def rule(info: WeightInfo, generator: np.random.Generator) -> Array:
        axis = info.output_axis if len(info.shape) > 1 else 0
        values = np.moveaxis(std * generator.standard_normal(info.shape, dtype="float32"), axis, 0)
        rows = values.reshape(values.shape[0], -1)
        silent = math.ceil(sparsity * rows.shape[1])
        order = generator.random(rows.shape).argsort(axis=1)
        np.put_along_axis(rows, order[:, :silent], 0.0, axis=1)
        return np.moveaxis(rows.reshape(values.shape), 0, axis)

    return rule


def _diagonal(info: WeightInfo) -> list[tuple[int, int]]:
    """Return where output channel and input channel are the same, as the first two places in the weight.

    A kernel is `out x in / groups x …`, that of a transposed convolution `in x out / groups x …`: either way the
    first axis counts all channels and the second those of a group.
    """
    if len(info.shape) < 2:
        raise ValueError("it takes a weight with output channels and input channels")
    across, within = info.shape[0], info.shape[1]
    own = across // info.groups
    return [(place, place % own) for place in range(across) if place % own < within]


def _tent(size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the weights of linear interpolation along one axis: a tent over its middle."""
    places = np.arange(size, dtype="float64")
    return np.asarray(1 - np.abs(places - (size - 1) / 2) / math.ceil(size / 2))
