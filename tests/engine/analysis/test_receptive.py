"""Receptive fields against gradients: an input pixel is in the field of an output if its gradient is not zero."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from striate.analysis.receptive import Field, receptive_field
from striate.analysis.strides import misaligned
from striate.dims import symbol
from striate.ops import BUILTIN
from tests.engine.analysis.graph_maker import GraphMaker

SIDE = 72
MARGIN = 10
Step = Callable[["Twin"], None]


class Twin:
    """One random network twice: as a graph and as the result of torch operations with kernels of ones."""

    def __init__(self) -> None:
        self.maker = GraphMaker()
        self.current = self.maker.input("image", 1, SIDE, SIDE)
        self.image = torch.ones(1, 1, SIDE, SIDE, dtype=torch.float64, requires_grad=True)
        self.values: dict[str, Tensor] = {"image": self.image}

    @property
    def channels(self) -> int:
        return self.values[self.current].shape[1]

    @property
    def sides(self) -> tuple[int, int]:
        height, width = self.values[self.current].shape[2:]
        return height, width

    def add(self, op: str, *inputs: str, result: Tensor, **arguments) -> str:
        name = self.maker.layer(op, *inputs, **arguments)
        assert tuple(result.shape[1:]) == self.maker.types[name].shape
        self.values[name] = result
        return name

    def conv(self, source: str, kernel, stride=(1, 1), dilation=(1, 1), pad=(0, 0, 0, 0)) -> str:
        values = self.values[source]
        channels = values.shape[1]
        top, bottom, left, right = pad
        weight = torch.ones(channels, channels, *kernel, dtype=torch.float64)
        padded = functional.pad(values, (left, right, top, bottom))
        result = functional.conv2d(padded, weight, None, stride, 0, dilation)
        return self.add(
            "conv",
            source,
            result=result,
            channels=channels,
            kernel=kernel,
            stride=stride,
            dilation=dilation,
            pad=pad,
            bias=False,
        )

    def half(self, source: str, kernel: int, dilation: int, stride: int = 1) -> str:
        around = dilation * (kernel - 1) // 2
        return self.conv(source, (kernel, kernel), (stride, stride), (dilation, dilation), (around,) * 4)

    def pool(self, source: str, kernel, stride, pad: int = 0) -> str:
        result = functional.avg_pool2d(self.values[source], kernel, stride, pad)
        return self.add("avgpool", source, result=result, kernel=kernel, stride=stride, pad=pad)

    def deconv(self, source: str, kernel, stride, dilation=(1, 1), pad=(0, 0), extra=(0, 0)) -> str:
        values = self.values[source]
        weight = torch.ones(values.shape[1], values.shape[1], *kernel, dtype=torch.float64)
        result = functional.conv_transpose2d(values, weight, None, stride, pad, extra, 1, dilation)
        return self.add(
            "deconv",
            source,
            result=result,
            channels=values.shape[1],
            kernel=kernel,
            stride=stride,
            dilation=dilation,
            pad=(pad[0], pad[0], pad[1], pad[1]),
            output_padding=extra,
            bias=False,
        )

    def seen(self, row: int, column: int) -> list[tuple[int, int] | None]:
        """First and last row, then column, of the pixels that one entry of the current value depends on."""
        entry = self.values[self.current][0, :, row, column].sum()
        (gradient,) = torch.autograd.grad(entry, self.image, retain_graph=True)
        lines = [gradient[0, 0].abs().sum(1 - axis).nonzero().flatten().tolist() for axis in (0, 1)]
        return [(line[0], line[-1]) if line else None for line in lines]


def pairs(low: int, high: int):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def conv_step(kernel, stride, dilation, pad) -> Step:
    def run(twin: Twin) -> None:
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        assume(all(side >= span for side, span in zip(twin.sides, spans, strict=True)))
        twin.current = twin.conv(twin.current, kernel, stride, dilation, pad)

    return run


def pool_step(kernel, stride) -> Step:
    def run(twin: Twin) -> None:
        assume(all(side >= k for side, k in zip(twin.sides, kernel, strict=True)))
        twin.current = twin.pool(twin.current, kernel, stride)

    return run


def deconv_step(kernel, stride, dilation, pad) -> Step:
    def run(twin: Twin) -> None:
        pads = tuple(min(p, k - 1) for p, k in zip(pad, kernel, strict=True))
        extra = tuple(s - 1 for s in stride)
        assume(max(twin.sides) * max(stride) < 200)
        twin.current = twin.deconv(twin.current, kernel, stride, dilation, pads, extra)

    return run


def residual_step(kernel: int, dilation: int) -> Step:
    def run(twin: Twin) -> None:
        before = twin.current
        branch = twin.half(before, kernel, dilation)
        twin.current = twin.add("add", before, branch, result=twin.values[before] + twin.values[branch])

    return run


def concat_step(kernels: tuple[int, int], dilation: int, stride: int) -> Step:
    def run(twin: Twin) -> None:
        assume(twin.channels < 4)
        first, second = (twin.half(twin.current, kernel, dilation, stride) for kernel in kernels)
        joined = torch.cat([twin.values[first], twin.values[second]], 1)
        twin.current = twin.add("concat", first, second, result=joined)

    return run


def hourglass_step(factor: int, kernel: int) -> Step:
    """Down and up again, added to what it started from, as in U-Net."""

    def run(twin: Twin) -> None:
        assume(all(side % factor == 0 and side > factor for side in twin.sides))
        before = twin.current
        down = twin.half(twin.pool(before, (factor, factor), (factor, factor)), kernel, 1)
        up = twin.deconv(down, (factor, factor), (factor, factor))
        twin.current = twin.add("add", before, up, result=twin.values[before] + twin.values[up])

    return run


STEPS = st.one_of(
    st.builds(conv_step, pairs(1, 4), pairs(1, 3), pairs(1, 2), st.tuples(*[st.integers(0, 2)] * 4)),
    st.builds(pool_step, pairs(1, 3), pairs(1, 3)),
    st.builds(deconv_step, pairs(1, 4), pairs(1, 3), pairs(1, 2), pairs(0, 2)),
    st.builds(residual_step, st.sampled_from([1, 3, 5]), st.integers(1, 3)),
    st.builds(concat_step, st.sampled_from([(1, 3), (3, 5), (5, 1)]), st.integers(1, 2), st.integers(1, 2)),
    st.builds(hourglass_step, st.sampled_from([2, 3]), st.sampled_from([1, 3])),
)


def build(steps: list[Step]) -> tuple[Twin, Field]:
    twin = Twin()
    for step in steps:
        step(twin)
    field = receptive_field(twin.maker.graph(twin.current), BUILTIN.get).fields[twin.current]
    assert isinstance(field, Field)
    return twin, field


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=1, max_size=5))
@example(steps=[deconv_step((3, 2), (2, 3), (1, 1), (1, 0)), conv_step((3, 3), (2, 1), (1, 1), (1, 1, 1, 1))])
@example(steps=[pool_step((2, 2), (2, 2)), deconv_step((1, 1), (2, 2), (1, 1), (0, 0)), residual_step(3, 1)])
@example(steps=[deconv_step((1, 1), (3, 3), (1, 1), (0, 0)), conv_step((2, 4), (1, 1), (2, 2), (0, 0, 0, 0))])
@example(steps=[deconv_step((4, 3), (3, 2), (2, 2), (1, 2)), conv_step((3, 3), (2, 3), (2, 1), (1, 1, 1, 1))])
@example(steps=[deconv_step((3, 3), (2, 2), (2, 2), (0, 0)), conv_step((2, 2), (1, 1), (2, 2), (0, 0, 0, 0))])
def test_every_position_sees_the_pixels_that_have_a_gradient(steps: list[Step]):
    twin, field = build(steps)
    tracks = field.axes["image"]
    assert [len(axis) for axis in tracks] == [1, 1], "none of these branches differ in stride"
    checked = 0
    middle = [side // 2 for side in twin.sides]
    for offset in range(4):
        position = [min(centre + offset, side - 1) for centre, side in zip(middle, twin.sides, strict=True)]
        wanted = [axis[0].at(place) for axis, place in zip(tracks, position, strict=True)]
        if any(low < MARGIN or high >= SIDE - MARGIN for low, high in wanted if low <= high):
            continue
        found = twin.seen(*position)
        if any(low > high for low, high in wanted):
            assert found == [None, None]
        else:
            assert found == wanted
        checked += 1
    assume(checked)


@settings(max_examples=30)
@given(steps=st.lists(STEPS, min_size=1, max_size=4))
def test_the_extent_is_the_largest_that_a_position_sees(steps: list[Step]):
    twin, field = build(steps)
    wanted = field.extent(twin.maker.types[twin.current])
    tracks = [axis[0] for axis in field.axes["image"]]
    rows, columns = (
        [
            place
            for place in range(side // 2 - 4, side // 2 + 5)
            if 0 <= place < side and track.at(place)[0] >= MARGIN and track.at(place)[1] < SIDE - MARGIN
        ]
        for side, track in zip(twin.sides, tracks, strict=True)
    )
    assume(len(rows) >= tracks[0].period and len(columns) >= tracks[1].period)
    tall = max(_length(twin.seen(row, columns[0])[0]) for row in rows)
    wide = max(_length(twin.seen(rows[0], column)[1]) for column in columns)
    if tall and wide:  # the other axis may be one of those where the chosen position sees nothing
        assert (tall, wide) == wanted


def _length(seen: tuple[int, int] | None) -> int:
    return 0 if seen is None else seen[1] - seen[0] + 1


def test_branches_of_different_strides_drift_apart():
    """A path that halves and one that crops meet: entry i sees pixel 2 * i along one and i + 2 along the other."""
    twin = Twin()
    halved = twin.pool("image", (2, 2), (2, 2))
    cropped = twin.conv("image", (37, 37))
    twin.current = twin.add("add", halved, cropped, result=twin.values[halved] + twin.values[cropped])
    fields = receptive_field(twin.maker.graph(twin.current), BUILTIN.get)
    seen = [twin.seen(place, place) for place in range(twin.sides[0])]
    assert fields.of(twin.current) == tuple(max(_length(place[axis]) for place in seen) for axis in (0, 1))


def test_drifting_branches_of_an_open_size_see_an_open_field():
    maker = GraphMaker()
    image = maker.input("image", 1, symbol("H"), 8)
    halved = maker.layer("maxpool", image, kernel=(2, 1))
    cropped = maker.layer("conv", image, channels=1, kernel=(5, 1))
    joined = maker.layer("add", halved, cropped)
    assert receptive_field(maker.graph(joined), BUILTIN.get).of(joined) == "all"


def test_a_gate_of_one_pixel_is_seen_by_every_position():
    """Position i sees itself and, through the gate, the first four pixels: the last position sees all 16."""
    maker = GraphMaker()
    image = maker.input("image", 2, 16, 16)
    gate = maker.layer("conv", maker.layer("avgpool", image, kernel=(4, 16), stride=(13, 1)), channels=2, kernel=1)
    assert maker.types[gate].shape == (2, 1, 1)
    gated = maker.layer("mul", image, gate)
    assert receptive_field(maker.graph(gated), BUILTIN.get).of(gated) == (16, 16)


def test_each_input_has_its_own_field():
    """Fields in different inputs are not added up: they are different pictures."""
    maker = GraphMaker()
    left, right = maker.input("left", 1, 20, 20), maker.input("right", 1, 20, 20)
    narrow = maker.layer("conv", left, channels=1, kernel=(3, 5), pad="half")
    wide = maker.layer("conv", right, channels=1, kernel=(7, 1), pad="half")
    joined = maker.layer("concat", narrow, wide)
    fields = receptive_field(maker.graph(joined), BUILTIN.get)
    assert fields.of(joined) == (7, 5)
    assert fields.largest(joined) == 7


@pytest.mark.parametrize("op", ["global_avgpool", "global_maxpool"])
def test_global_pooling_and_what_follows_see_everything(op: str):
    maker = GraphMaker()
    image = maker.input("image", 3, 12, 12)
    local = maker.layer("conv", image, channels=3, kernel=3, pad=1)
    gate = maker.layer("sigmoid", maker.layer(op, local))
    gated = maker.layer("mul", local, gate)
    fields = receptive_field(maker.graph(gated), BUILTIN.get)
    assert (fields.of(local), fields.of(gate), fields.of(gated)) == ((3, 3), "all", "all")
    assert fields.largest(gated) == float("inf")


def test_a_chain_of_upsampling_layers_stays_bounded():
    """Ten doublings have 1,024 phases; the field is then given by one interval that holds them all."""
    maker = GraphMaker()
    value = maker.input("image", 1, 4, 4)
    for _ in range(10):
        value = maker.layer("deconv", value, channels=1, kernel=3, stride=2, pad="same")
    field = receptive_field(maker.graph(value), BUILTIN.get).fields[value]
    assert isinstance(field, Field)
    assert all(track.period <= 256 for axis in field.axes["image"] for track in axis)
    assert 2 <= field.extent(maker.types[value])[0] <= 4


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        pytest.param([("conv", 3, 1)] * 3, 7, id="three 3x3 see as much as one 7x7"),
        pytest.param([("conv", 11, 4), ("maxpool", 3, 2), ("conv", 5, 1), ("maxpool", 3, 2)], 67, id="AlexNet, pool2"),
        pytest.param([("conv", 5, 1), ("avgpool", 2, 2), ("conv", 5, 1), ("avgpool", 2, 2)], 16, id="LeNet-5, S4"),
    ],
)
def test_published_fields(layers: list[tuple[str, int, int]], wanted: int):
    maker = GraphMaker()
    value = maker.input("image", 1, 227, 227)
    for op, kernel, stride in layers:
        more = {"channels": 1} if op == "conv" else {}
        value = maker.layer(op, value, kernel=kernel, stride=stride, **more)
    assert receptive_field(maker.graph(value), BUILTIN.get).of(value) == (wanted, wanted)


def test_a_reduced_axis_is_seen_once_over():
    """One position stands for all 12 columns: it sees those, and not as many again beside them."""
    maker = GraphMaker()
    image = maker.input("image", 3, 9, 12)
    for keep in (True, False):
        reduced = maker.layer("reduce_mean", image, axis="width", keep=keep)
        assert receptive_field(maker.graph(reduced), BUILTIN.get).of(reduced) == (1, 12)


def test_layers_behind_axes_that_are_gone_do_not_take_the_next_ones_for_them():
    """The classes of pixels are H x W, whose channels are the rows: their mean sees the whole image."""
    maker = GraphMaker()
    image = maker.input("image", 3, 9, 12)
    classes = maker.layer("argmax", maker.layer("conv", image, channels=4, kernel=3), keep=False)
    mean = maker.layer("reduce_mean", classes, axis="channels")
    fields = receptive_field(maker.graph(mean), BUILTIN.get)
    assert (fields.of(classes), fields.of(mean)) == ((3, 3), "all")


def test_flat_values_know_how_much_their_entries_see_and_not_which():
    maker = GraphMaker()
    image = maker.input("image", 2, 8, 8)
    narrow = maker.layer("flatten", maker.layer("conv", image, channels=2, kernel=3, pad=1))
    wide = maker.layer("flatten", maker.layer("conv", image, channels=8, kernel=5, pad=2, stride=2))
    bent, both = maker.layer("relu", narrow), maker.layer("add", narrow, wide)
    graph = maker.graph(maker.layer("add", bent, both))
    fields = receptive_field(graph, BUILTIN.get)
    assert (fields.of(narrow), fields.of(wide), fields.of(bent)) == ((3, 3), (5, 5), (3, 3))
    assert fields.of(both) == "all", "entry 64 is the first pixel of one and the last but one row of the other"
    assert misaligned(graph, BUILTIN.get) == ()


def test_a_flat_value_is_repeated_like_any_other():
    maker = GraphMaker()
    features, one = maker.input("features", 9), maker.input("one", 1)
    compared = maker.layer("greater", features, one)
    field = receptive_field(maker.graph(compared), BUILTIN.get).fields[compared]
    assert isinstance(field, Field)
    assert [field.axes[name][0][0].at(7) for name in ("features", "one")] == [(7, 7), (0, 0)]


def test_a_value_of_which_the_size_is_read_is_not_seen():
    maker = GraphMaker()
    image = maker.input("image", 1, 20, 20)
    skip = maker.layer("conv", image, channels=1, kernel=9)
    narrow = maker.layer("conv", image, channels=1, kernel=3)
    graph = maker.graph(maker.layer("crop", narrow, skip, like=1))
    assert receptive_field(graph, BUILTIN.get).of(graph.nodes[-1].name) == (3, 3)


def test_half_a_pixel_is_none():
    """Nearest neighbours by the centres of pixels: between two of them there is nothing to see."""
    maker = GraphMaker()
    pooled = maker.layer("maxpool", maker.input("image", 1, 12, 12), kernel=2)
    small = maker.layer("upsample", pooled, scale=(1, 0.5), coordinates="half_pixel")
    assert receptive_field(maker.graph(small), BUILTIN.get).of(small) == (2, 2)
