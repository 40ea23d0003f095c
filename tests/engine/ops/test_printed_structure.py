"""Layers that move, resize and compare entries at numbers that textbooks print, each checked by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from striate.dims import symbol
from striate.ops import BUILTIN
from tests.engine.ops.configurations import infer


def run(name: str, arguments: dict[str, Any], *values: Any) -> Any:
    """Run a layer on values without a batch, given as nested lists; returns nested lists."""
    tensors = [torch.tensor(value, dtype=torch.float64)[None] for value in values]
    layer = infer(BUILTIN[name], arguments, [tuple(item.shape[1:]) for item in tensors])
    return layer.run(tensors, {})[0].tolist()


ROWS = [[[0, 1], [2, 3]]]


@pytest.mark.parametrize(
    ("coordinates", "first", "second"),
    [
        ("align_corners", [0, 1 / 3, 2 / 3, 1], [2 / 3, 1, 4 / 3, 5 / 3]),
        ("half_pixel", [0, 0.25, 0.75, 1], [0.5, 0.75, 1.25, 1.5]),
        ("asymmetric", [0, 0.5, 1, 1], [1, 1.5, 2, 2]),
    ],
)
def test_bilinear_upsampling(coordinates: str, first: list[float], second: list[float]):
    image = run("upsample", {"scale": 2, "mode": "bilinear", "coordinates": coordinates}, ROWS)[0]
    assert image[0] == pytest.approx(first)
    assert image[1] == pytest.approx(second)


def test_nearest_upsampling_repeats_pixels():
    assert run("upsample", {"scale": 2}, ROWS) == [[[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]]


def test_nearest_pixels_of_factors_that_are_not_whole_are_exact():
    """In float32 some of these places come out one too low."""
    for given in range(1, 40):
        for made in range(1, 40):
            row = [[[float(place) for place in range(given)]]]
            seen = run("resize", {"size": (1, made), "mode": "nearest"}, row)[0][0]
            assert seen == [place * given // made for place in range(made)]


def test_a_mirrored_image():
    """x(i, W - 1 - j): a text that says W - j begins with a pixel that is not there."""
    assert run("flip", {"axis": "width"}, [[[1, 2, 3], [4, 5, 6]]]) == [[[3, 2, 1], [6, 5, 4]]]


def test_pixel_shuffle_lays_channels_out_as_a_block():
    assert run("pixel_shuffle", {"block": 2}, [[[1]], [[2]], [[3]], [[4]]]) == [[[1, 2], [3, 4]]]


def test_the_two_orders_of_channels():
    deep = [[[channel]] for channel in range(8)]
    assert run("depth_to_space", {"block": 2, "order": "CRD"}, deep) == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    assert run("depth_to_space", {"block": 2, "order": "DCR"}, deep) == [[[0, 2], [4, 6]], [[1, 3], [5, 7]]]


@pytest.mark.parametrize(
    ("groups", "order"),
    [
        (2, [0, 4, 1, 5, 2, 6, 3, 7]),
        (4, [0, 2, 4, 6, 1, 3, 5, 7]),
        (3, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
    ],
)
def test_channel_shuffle_takes_from_each_group_in_turn(groups: int, order: list[int]):
    assert run("channel_shuffle", {"groups": groups}, sorted(order)) == order


def test_faces_are_compared_by_angle_or_distance():
    left, right = [1.0, 0.0], [1.0, 1.0]
    assert run("cosine_similarity", {}, left, right) == pytest.approx([0.70710678])
    assert run("l2_distance", {}, left, right) == pytest.approx([1])
    first, second = torch.randn(2, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64).tolist()
    first, second = (run("l2norm", {}, value) for value in (first, second))
    (cosine,), (distance,) = run("cosine_similarity", {}, first, second), run("l2_distance", {}, first, second)
    assert distance**2 == pytest.approx(2 - 2 * cosine)


def test_padding_forms():
    row = [[1, 2, 3]]
    assert run("pad", {"sides": 2, "mode": "reflect"}, row) == [[3, 2, 1, 2, 3, 2, 1]]
    assert run("pad", {"sides": 2, "mode": "replicate"}, row) == [[1, 1, 1, 2, 3, 3, 3]]
    assert run("pad", {"sides": (2, 1), "mode": "circular"}, row) == [[2, 3, 1, 2, 3, 1]]
    assert run("pad", {"sides": (1, 0), "value": 9}, row) == [[9, 1, 2, 3]]


def test_an_odd_row_goes_below():
    assert run("crop", {"size": 2}, [[1, 2, 3, 4, 5]]) == [[2, 3]]


SIZES = [
    ("upsample", {"scale": 2}, ["H", "W"], ["2*H", "2*W"]),
    ("upsample", {"scale": 1.5, "mode": "area"}, ["H", "W"], ["H + floor(H/2)", "W + floor(W/2)"]),
    ("pad", {"sides": (1, 2, 0, 3)}, ["H", "W"], ["H + 3", "W + 3"]),
    ("crop", {"sides": (1, 2)}, ["H", "W"], ["H - 2", "W - 4"]),
    ("slice", {"axis": "height", "start": 1, "step": 2}, ["H", "W"], ["floor(H/2)", "W"]),
    ("slice", {"axis": "width", "start": -3}, ["H", "W"], ["H", "3"]),
    ("pixel_shuffle", {"block": 2}, ["H", "W"], ["2*H", "2*W"]),
    ("space_to_depth", {"block": 2}, ["H", "W"], ["floor(H/2)", "floor(W/2)"]),
    ("tile", {"times": 3}, ["H", "W"], ["3*H", "3*W"]),
]


@pytest.mark.parametrize(("name", "arguments", "given", "made"), SIZES)
def test_open_sizes_stay_formulas(name: str, arguments: dict[str, Any], given: list[str], made: list[str]):
    layer = infer(BUILTIN[name], arguments, [(8, *map(symbol, given))])
    assert [str(size) for size in layer.outputs[0].shape[1:]] == made


CONDITIONS = [
    ("space_to_depth", {"block": 2}, ["H is a multiple of 2", "W is a multiple of 2"]),
    ("split", {"parts": 3, "axis": "height"}, ["H is a multiple of 3"]),
    ("reshape", {"sizes": ["channels", 6, "auto"]}, ["H*W is a multiple of 6"]),
    ("reshape", {"sizes": [8, "width", 4]}, ["8*H = 32"]),
    ("crop", {"size": 5}, ["H - 5 >= 0", "W - 5 >= 0"]),
    ("pad", {"sides": 3, "mode": "reflect"}, ["H >= 4", "W >= 4"]),
    ("roll", {"shift": -2, "axis": "width"}, ["W >= 2"]),
    ("select", {"places": [0, 4], "axis": "height"}, ["H >= 5"]),
]


@pytest.mark.parametrize(("name", "arguments", "conditions"), CONDITIONS)
def test_conditions_on_open_sizes(name: str, arguments: dict[str, Any], conditions: list[str]):
    layer = infer(BUILTIN[name], arguments, [(8, symbol("H"), symbol("W"))])
    assert [str(condition) for condition in layer.check.open] == conditions
