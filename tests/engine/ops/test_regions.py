"""Pooling of regions: numbers worked out by hand, other images of the batch, open sizes in ONNX, gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from striate.dims import symbol
from striate.model import load_source
from striate.ops import BUILTIN
from striate_dsl.source import Source
from tests.engine.ops.configurations import REGIONS, infer, legal_calls
from tests.engine.ops.onnx_model import Session, one_layer_model
from tests.engine.ops.reference import REFERENCES

COUNTING = torch.arange(64.0).reshape(1, 1, 8, 8)


def run(name: str, arguments: dict[str, Any], value: Tensor, rois: Tensor) -> Tensor:
    layer = infer(BUILTIN[name], {"rois": 1, **arguments}, [tuple(value.shape[1:]), tuple(rois.shape[1:])])
    return layer.run([value, rois], {})


def boxes(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor([rows])


class TestByHand:
    @pytest.mark.parametrize(
        ("box", "wanted"),
        [((0, 0, 3, 3), [9, 11, 25, 27]), ((1, 1, 6, 6), [27, 30, 51, 54]), ((6, 6, 20, 20), [63, 0, 0, 0])],
    )
    def test_roi_pool(self, box: tuple[float, ...], wanted: list[float]):
        assert run("roi_pool", {"size": 2}, COUNTING, boxes(box)).flatten().tolist() == wanted

    def test_halves_are_rounded_away_from_zero(self):
        """Corners 2.5 and 4.5 are 3 and 5, not 2 and 4."""
        assert run("roi_pool", {"size": 1}, COUNTING, boxes((2.5, 0, 4.5, 0))).item() == 5

    def test_roi_align_of_a_linear_image_is_its_value_in_the_middle(self):
        found = run("roi_align", {"size": 2, "aligned": True}, COUNTING, boxes((1, 2, 5, 6)))
        # Parts have their middles at x = 2 and 4, y = 3 and 5; the centre of pixel (0, 0) is (0.5, 0.5).
        wanted = [8 * (y - 0.5) + x - 0.5 for y in (3, 5) for x in (2, 4)]
        assert found.flatten().tolist() == pytest.approx(wanted)
        shifted = run("roi_align", {"size": 2}, COUNTING, boxes((0.5, 1.5, 4.5, 5.5)))
        assert shifted.flatten().tolist() == pytest.approx(wanted)

    def test_psroi_pool_takes_a_channel_for_each_part(self):
        value = torch.arange(4.0).reshape(1, 4, 1, 1).expand(1, 4, 6, 6)
        assert run("psroi_pool", {"size": 2}, value, boxes((0, 0, 3, 3))).flatten().tolist() == [0, 1, 2, 3]

    def test_psroi_pool_averages_rounded_regions(self):
        # Corners 1 and 2.4 are 1 and 2, both of them inside: pixels 1 and 2 of both axes.
        found = run("psroi_pool", {"size": 1}, COUNTING, boxes((1, 1, 2.4, 2.4)))
        assert found.item() == (9 + 10 + 17 + 18) / 4


@pytest.mark.parametrize("name", REGIONS)
def test_regions_may_read_another_image_of_the_batch(name: str):
    value = torch.randn(3, 4, 6, 7)
    rows = torch.tensor([[2.0, 1, 1, 4, 5], [0, 0, 2, 6, 3]])
    crossed = run(name, {"size": 2}, value, torch.stack([rows] * 3))
    own = run(name, {"size": 2}, value, torch.stack([rows[:, 1:]] * 3))
    for image in range(3):
        torch.testing.assert_close(crossed[image, :, 0], own[2, :, 0])
        torch.testing.assert_close(crossed[image, :, 1], own[0, :, 1])


def test_regions_far_larger_than_the_image_cost_what_the_image_does():
    value, rois = torch.randn(1, 2, 5, 6, dtype=torch.float64), boxes((-300.0, -200, 500, 900)).double()
    layer = infer(BUILTIN["roi_align"], {"rois": 1, "size": (3, 2)}, [(2, 5, 6), (1, 4)])
    wanted = REFERENCES["roi_align"](layer.attributes, [value.numpy(), rois.numpy()], {})
    torch.testing.assert_close(layer.run([value, rois], {}), torch.from_numpy(wanted))
    vast = boxes((-1e9, -1e9, 1e9, 1e9)).double()
    assert torch.isfinite(layer.run([value, vast], {})).all()


@pytest.mark.parametrize("name", ["roi_align", "psroi_pool"])
@pytest.mark.parametrize("numbers", [4, 5])
def test_shares_are_exact_in_mixed_precision(name: str, numbers: int):
    value, rows = torch.randn(2, 4, 9, 8), torch.tensor([[1.3, 0.4, 5.1, 7.7]] * 2)[:, None]
    rois = rows if numbers == 4 else torch.cat([torch.tensor([[[0.0]], [[1.0]]]), rows], 2)
    wanted = run(name, {"size": 2}, value, rois)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(run(name, {"size": 2}, value, rois), wanted)
        rounded = run(name, {"size": 2}, value.to(torch.bfloat16), rois)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), wanted, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", ["roi_pool", "psroi_pool"])
@pytest.mark.parametrize(("extent", "parts"), [(57, 7), (29, 11), (10, 3), (114, 7)])
def test_parts_end_where_those_of_onnx_runtime_end(name: str, extent: int, parts: int):
    """In float32, 7 * (57 / 7) is more than 57, so that Caffe's rounding up takes a row more than there should be."""
    value = torch.arange(float(extent + 5)).reshape(1, 1, -1, 1).repeat(1, 1 if name == "roi_pool" else parts, 1, 3)
    rois = boxes((0.0, 0.0, 2.0, extent - 1.0))
    arguments = {"rois": 1, "size": (parts, 1)}
    layer = infer(BUILTIN[name], arguments, [tuple(value.shape[1:]), (1, 4)])
    found = Session(one_layer_model(layer, {}, 17)).run([value, rois])
    torch.testing.assert_close(torch.from_numpy(found), layer.run([value, rois], {}))


@pytest.mark.parametrize("numbers", [4, 5])
@pytest.mark.parametrize("name", REGIONS)
def test_open_sizes_in_onnx(name: str, numbers: int):
    arguments = {"rois": 1, "size": (2, 3), "spatial_scale": 0.5}
    opened = infer(BUILTIN[name], arguments, [(6, symbol("H"), symbol("W")), (symbol("K"), numbers)])
    session = Session(one_layer_model(opened, {}, 17))
    for height, width, each in ((5, 7, 3), (9, 4, 1)):
        values = opened.tensors([(6, height, width), (each, numbers)], 2)
        found = torch.from_numpy(session.run(values))
        torch.testing.assert_close(found, opened.run(values, {}), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REGIONS)
@settings(max_examples=15)
@given(data=st.data())
def test_random_regions_in_onnx(name: str, data: st.DataObject):
    layer, shapes = data.draw(legal_calls(BUILTIN[name]))
    values = layer.tensors(shapes, 2)
    found = torch.from_numpy(Session(one_layer_model(layer, {}, 17)).run(values))
    torch.testing.assert_close(found, layer.run(values, {}), rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_of_the_largest_pixel_and_none_of_the_corners():
    value, rois = COUNTING.clone().requires_grad_(), boxes((0.0, 0, 3, 3)).requires_grad_()
    for name, touched in (("roi_pool", 1), ("roi_align", 9), ("psroi_pool", 16)):
        (gradient, corners) = torch.autograd.grad(
            run(name, {"size": 1}, value, rois).sum(), (value, rois), allow_unused=True
        )
        assert corners is None
        assert gradient.sum().item() == pytest.approx(1)
        assert (gradient != 0).sum() >= touched


def test_a_head_for_regions_is_written_with_convolutions_over_them():
    text = """model Head(classes = 3) {
  input image: 3 x H x W
  input rois: 5 x 4
  image -> conv(8, 3, stride = 2, pad = 1) -> relu -> roi_align(rois, 7, spatial_scale = 0.5, aligned = true)
  conv(16, (1, 7, 7)) -> relu -> conv(classes, 1)
  output scores
}
"""
    model = load_source(Source("head.cnn", text))
    found = model.to_torch()(torch.randn(2, 3, 40, 32), torch.rand(2, 5, 4) * 20)
    assert found.shape == (2, 3, 5, 1, 1)
