"""Small random networks in two forms: as a `.cnn` text, and as plain torch functions that know nothing of striate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

CHANNELS = 4

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Piece:
    """A part of a flow: its text, and what torch computes for it (an exception where it refuses)."""

    text: str
    function: Function

    def accepts(self, height: int, width: int) -> bool:
        """Whether torch computes the network for an image of this size."""
        try:
            self.function(torch.empty(1, CHANNELS, height, width, device="meta"))
        except (RuntimeError, ValueError):
            return False
        return True


def _numbers(draw: Any, largest: int) -> tuple[int, int]:
    pair: tuple[int, int] = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    return pair if draw(st.booleans()) else (pair[0], pair[0])


def _padded_same(values: Tensor, extent: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    pads: list[int] = []
    for axis in (1, 0):  # functional.pad begins with the last axis
        size = values.shape[2 + axis]
        total = max((-(-size // stride[axis]) - 1) * stride[axis] + extent[axis] - size, 0)
        pads += (total // 2, total - total // 2)
    return functional.pad(values, pads)


@st.composite
def convolutions(draw: Any) -> Piece:
    kernel, stride = _numbers(draw, 5), _numbers(draw, 3)
    dilation = _numbers(draw, 2)
    extent = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    weight = torch.empty(CHANNELS, CHANNELS, *kernel, device="meta")
    form = draw(st.sampled_from(["number", "half", "same"]))
    pad: Any = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    written = {"number": f"{pad}", "half": "half", "same": "same"}[form]
    if form == "half":
        pad = ((extent[0] - 1) // 2, (extent[1] - 1) // 2)

    def compute(values: Tensor) -> Tensor:
        if form == "same":
            return functional.conv2d(_padded_same(values, extent, stride), weight, None, stride, 0, dilation)
        return functional.conv2d(values, weight, None, stride, pad, dilation)

    return Piece(
        f"conv({CHANNELS}, {kernel}, stride = {stride}, pad = {written}, dilation = {dilation}, bias = false)", compute
    )


@st.composite
def poolings(draw: Any) -> Piece:
    kernel, stride = _numbers(draw, 4), _numbers(draw, 3)
    pad = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))  # torch's own limit
    ceil = draw(st.booleans())
    name, function = draw(st.sampled_from([("maxpool", functional.max_pool2d), ("avgpool", functional.avg_pool2d)]))

    def compute(values: Tensor) -> Tensor:
        return function(values, kernel, stride, pad, ceil_mode=ceil)

    return Piece(f"{name}({kernel}, stride = {stride}, pad = {pad}, ceil = {str(ceil).lower()})", compute)


@st.composite
def deconvolutions(draw: Any) -> Piece:
    kernel, stride = _numbers(draw, 4), _numbers(draw, 3)
    pad = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    extra = (draw(st.integers(0, stride[0] - 1)), draw(st.integers(0, stride[1] - 1)))
    weight = torch.empty(CHANNELS, CHANNELS, *kernel, device="meta")

    def compute(values: Tensor) -> Tensor:
        result = functional.conv_transpose2d(values, weight, None, stride, pad, extra)
        if result.numel() == 0:  # without data torch lets an empty result pass
            raise ValueError("nothing is left")
        return result

    return Piece(
        f"deconv({CHANNELS}, {kernel}, stride = {stride}, pad = {pad}, output_padding = {extra}, bias = false)", compute
    )


def chained(pieces: list[Piece]) -> Piece:
    """Return pieces one behind the other."""

    def compute(values: Tensor) -> Tensor:
        for piece in pieces:
            values = piece.function(values)
        return values

    return Piece(" -> ".join(piece.text for piece in pieces) or "identity", compute)


@st.composite
def merges(draw: Any, branch: st.SearchStrategy[Piece]) -> Piece:
    """Two branches added or joined; torch would repeat a size of 1 in a sum, striate does not."""
    first, second = draw(branch), draw(branch)
    joined = draw(st.booleans())
    weight = torch.empty(CHANNELS, 2 * CHANNELS, 1, 1, device="meta")

    def compute(values: Tensor) -> Tensor:
        left, right = first.function(values), second.function(values)
        if joined:
            return functional.conv2d(torch.cat((left, right), 1), weight)
        if left.shape != right.shape:
            raise ValueError("sizes differ")
        return left + right

    name = "concat" if joined else "add"
    after = f" -> conv({CHANNELS}, 1, bias = false)" if joined else ""
    return Piece(f"{name} {{ {first.text}; {second.text} }}{after}", compute)


layers = st.one_of(convolutions(), poolings(), deconvolutions())


def _unet(down: Piece, inside: Piece, up: Piece) -> Piece:
    """A skip connection around a way down and up, as in U-Net."""
    weight = torch.empty(CHANNELS, 2 * CHANNELS, 1, 1, device="meta")

    def compute(values: Tensor) -> Tensor:
        lower = up.function(inside.function(down.function(values)))
        return functional.conv2d(torch.cat((lower, values), 1), weight)

    body = f"{{ {down.text} -> {inside.text} -> {up.text} }}; identity"
    return Piece(f"concat {{ {body} }} -> conv({CHANNELS}, 1, bias = false)", compute)


def halving() -> st.SearchStrategy[Piece]:
    weight = torch.empty(CHANNELS, CHANNELS, 3, 3, device="meta")
    return st.sampled_from(
        [
            Piece("maxpool(2)", lambda values: functional.max_pool2d(values, 2)),
            Piece(
                f"conv({CHANNELS}, 3, stride = 2, pad = 1, bias = false)",
                lambda values: functional.conv2d(values, weight, None, 2, 1),
            ),
            Piece("avgpool(3, stride = 3)", lambda values: functional.avg_pool2d(values, 3, 3)),
        ]
    )


def doubling() -> st.SearchStrategy[Piece]:
    def factor(times: int) -> Piece:
        weight = torch.empty(CHANNELS, CHANNELS, times, times, device="meta")
        return Piece(
            f"deconv({CHANNELS}, {times}, stride = {times}, bias = false)",
            lambda values: functional.conv_transpose2d(values, weight, None, times),
        )

    return st.sampled_from([factor(2), factor(3)])


def flows() -> st.SearchStrategy[Piece]:
    """Return chains, branches and U-shapes, nested a few times."""
    weight = torch.empty(CHANNELS, CHANNELS, 3, 3, device="meta")
    keeping = st.sampled_from(
        [
            Piece(
                f"conv({CHANNELS}, 3, pad = 1, bias = false)",
                lambda values: functional.conv2d(values, weight, None, 1, 1),
            ),
            Piece("relu", functional.relu),
            Piece("maxpool(3, stride = 1, pad = 1)", lambda values: functional.max_pool2d(values, 3, 1, 1)),
        ]
    )
    plain = st.lists(layers, max_size=3).map(chained)
    likely = st.one_of(keeping, halving())

    def grown(inner: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
        return st.one_of(
            st.builds(_unet, halving(), inner, doubling()),
            merges(st.one_of(inner, likely)),
            st.lists(inner, min_size=1, max_size=2).map(chained),
        )

    return st.recursive(st.one_of(plain, keeping, layers), grown, max_leaves=5)
