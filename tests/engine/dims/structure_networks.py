"""Pieces that move, resize and cut images, as a `.cnn` text and as torch functions that know nothing of striate.

Where torch lets a mistake pass in silence (a value without entries, a range that is clipped), the function refuses.
"""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.engine.dims.random_networks import CHANNELS, Function, Piece


def _demand(condition: bool) -> None:
    if not condition:
        raise ValueError("nothing is left, or not that much is there")


@st.composite
def resizing(draw: Any) -> Piece:
    numerator, denominator = draw(st.sampled_from([(2, 1), (3, 1), (1, 2), (3, 2), (2, 3), (5, 4), (1, 3)]))
    mode = draw(st.sampled_from(["nearest", "bilinear", "area"]))

    def compute(values: Tensor) -> Tensor:
        made = [size * numerator // denominator for size in values.shape[2:]]
        _demand(min(made) > 0)
        return functional.interpolate(values, made, mode=mode)

    return Piece(f"upsample({numerator} / {denominator}, mode = {mode})", compute)


@st.composite
def padding(draw: Any) -> Piece:
    top, bottom, left, right = (draw(st.integers(0, 5)) for _ in range(4))
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))

    def compute(values: Tensor) -> Tensor:
        return functional.pad(values, (left, right, top, bottom), mode=mode)

    return Piece(f"pad(({top}, {bottom}, {left}, {right}), mode = {mode})", compute)


@st.composite
def cropping(draw: Any) -> Piece:
    top, bottom = draw(st.integers(0, 5)), draw(st.integers(0, 5))

    def compute(values: Tensor) -> Tensor:
        _demand(values.shape[2] > top + bottom)
        return values[:, :, top : values.shape[2] - bottom]

    return Piece(f"crop(({top}, {bottom}, 0, 0))", compute)


@st.composite
def centre(draw: Any) -> Piece:
    height = draw(st.integers(1, 12))

    def compute(values: Tensor) -> Tensor:
        _demand(values.shape[2] >= height)
        first = (values.shape[2] - height) // 2
        return values[:, :, first : first + height]

    return Piece(f"crop(size = ({height}, in.width))", compute)


@st.composite
def slicing(draw: Any) -> Piece:
    start, step = draw(st.integers(-6, 6)), draw(st.integers(1, 3))
    stop = draw(st.one_of(st.none(), st.integers(-3, 12)))

    def compute(values: Tensor) -> Tensor:
        size = values.shape[2]
        first = start if start >= 0 else size + start
        end = size if stop is None else stop if stop >= 0 else size + stop
        _demand(0 <= first < end <= size)
        return values[:, :, first:end:step]

    written = "none" if stop is None else str(stop)
    return Piece(f"slice(height, {start}, {written}, step = {step})", compute)


def _convolved(channels: int, function: Function, text: str) -> Piece:
    """Return a piece that gives other channels, with a convolution that gives the usual ones again."""
    weight = torch.empty(CHANNELS, channels, 1, 1, device="meta")
    return Piece(f"{text} -> conv({CHANNELS}, 1, bias = false)", lambda v: functional.conv2d(function(v), weight))


def _split(parts: int, values: Tensor) -> Tensor:
    _demand(values.shape[2] % parts == 0)
    return values.split(values.shape[2] // parts, 2)[0]


def _chunk(parts: int, values: Tensor) -> Tensor:
    made = values.chunk(parts, 2)
    _demand(len(made) == parts)
    return made[0]


def _rolled(shift: int, values: Tensor) -> Tensor:
    _demand(values.shape[2] >= abs(shift))
    return values.roll(shift, 2)


def _reshaped(number: int, values: Tensor) -> Tensor:
    return values.reshape(len(values), CHANNELS, number, -1)


def fixed() -> st.SearchStrategy[Piece]:
    """Return pieces without numbers to choose."""
    return st.sampled_from(
        [
            _convolved(4 * CHANNELS, lambda v: functional.pixel_unshuffle(v, 2), "space_to_depth(2)"),
            _convolved(9 * CHANNELS, lambda v: functional.pixel_unshuffle(v, 3), "pixel_unshuffle(3)"),
            _convolved(CHANNELS // 4, lambda v: functional.pixel_shuffle(v, 2), "pixel_shuffle(2)"),
            Piece("split(2, axis = height)", lambda v: _split(2, v)),
            Piece("split(3, axis = height)", lambda v: _split(3, v)),
            Piece("chunk(3, axis = height)", lambda v: _chunk(3, v)),
            Piece("roll(3, axis = height)", lambda v: _rolled(3, v)),
            Piece("flip(axis = [height, width])", lambda v: v.flip((2, 3))),
            Piece("transpose -> transpose", lambda v: v.transpose(2, 3).transpose(2, 3)),
            Piece("tile(2)", lambda v: v.repeat(1, 1, 2, 2)),
            Piece("reshape([channels, 6, auto])", lambda v: _reshaped(6, v)),
            _convolved(2 * CHANNELS, lambda v: torch.cat((v, v.flip(3)), 1), "concat { identity; flip(width) }"),
            Piece("concat(axis = height) { identity; relu }", lambda v: torch.cat((v, v), 2)),
        ]
    )


pieces = st.one_of(resizing(), padding(), cropping(), centre(), slicing(), fixed())
