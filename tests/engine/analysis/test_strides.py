"""Jump and start of values against formulas, against the gradients of torch, and merges that lie askew."""

from __future__ import annotations

from fractions import Fraction

import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.analysis.strides import Grid, misaligned, strides
from striate.ops import BUILTIN
from tests.engine.analysis.graph_maker import GraphMaker

SIZE = 160

windows = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=3
)


def seen_in_torch(layers: list[tuple[int, int, int, int]], position: int) -> tuple[int, int]:
    """The first and last pixel with a gradient at a position, by running convolutions of ones over a row."""
    row = torch.zeros(1, 1, SIZE, dtype=torch.float64, requires_grad=True)
    value = row
    for kernel, stride, padding, dilation in layers:
        ones = torch.ones(1, 1, kernel, dtype=torch.float64)
        value = torch.nn.functional.conv1d(value, ones, stride=stride, padding=padding, dilation=dilation)
    value[0, 0, position].backward()
    assert row.grad is not None
    touched = row.grad.flatten().nonzero().flatten()
    return int(touched[0]), int(touched[-1])


@given(windows)
def test_two_positions_off_the_border_lie_where_gradients_say(layers):
    maker = GraphMaker()
    value = maker.input("image", 1, SIZE, SIZE)
    for kernel, stride, padding, dilation in layers:
        value = maker.layer("conv", value, channels=1, kernel=kernel, stride=stride, pad=padding, dilation=dilation)
    (grid, _) = strides(maker.graph(value), BUILTIN.get)[value]["image"]
    middle = maker.types[value].shape[1] // 2

    for position in (middle, middle + 1):
        first, last = seen_in_torch(layers, position)
        assert grid.start + position * grid.jump == Fraction(first + last, 2)


def test_the_stem_of_resnet():
    maker = GraphMaker()
    stem = maker.layer("conv", maker.input("image", 3, 224, 224), channels=64, kernel=7, stride=2, pad=3)
    pool = maker.layer("maxpool", stem, kernel=3, stride=2, pad=1)

    # Odd kernels with half of themselves as padding keep the first centre on the first pixel.
    assert strides(maker.graph(pool), BUILTIN.get)[pool]["image"] == (Grid(Fraction(4), Fraction(0)),) * 2


def test_an_even_kernel_beside_an_odd_one_lies_askew():
    maker = GraphMaker()
    image = maker.input("image", 4, 16, 16)
    even = maker.layer("conv", image, name="even", channels=4, kernel=2, stride=2)
    odd = maker.layer("conv", image, name="odd", channels=4, kernel=3, stride=2, pad=1)
    graph = maker.graph(maker.layer("add", even, odd, name="sum"))

    height, width = misaligned(graph, BUILTIN.get)

    assert (height.node, height.source, height.axis, width.axis) == ("sum", "image", 0, 1)
    assert height.grids == {"even": Grid(Fraction(2), Fraction(1, 2)), "odd": Grid(Fraction(2), Fraction(0))}


def test_a_residual_block_lies_straight():
    maker = GraphMaker()
    image = maker.input("image", 4, 16, 16)
    body = maker.layer("conv", image, channels=4, kernel=3, stride=2, pad=1)
    body = maker.layer("conv", body, channels=4, kernel=3, pad=2, dilation=2)
    short = maker.layer("conv", image, channels=4, kernel=1, stride=2)

    assert misaligned(maker.graph(maker.layer("add", body, short)), BUILTIN.get) == ()


def test_a_value_that_sees_everything_has_no_grid():
    maker = GraphMaker()
    pooled = maker.layer("global_avgpool", maker.input("image", 4, 16, 16))

    assert strides(maker.graph(pooled), BUILTIN.get)[pooled] is None


def test_an_upsampled_value_lies_straight_on_the_value_that_was_pooled():
    maker = GraphMaker()
    image = maker.input("image", 4, 16, 16)
    up = maker.layer("deconv", maker.layer("maxpool", image, kernel=2), channels=4, kernel=2, stride=2)
    graph = maker.graph(maker.layer("concat", up, image))

    assert misaligned(graph, BUILTIN.get) == ()
