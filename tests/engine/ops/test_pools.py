"""What pooling layers do beside what every layer is held to: chance, gradients, shares, the numbers of textbooks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from striate.model import load_source
from striate.ops import BUILTIN, LayerError
from striate_dsl.source import Source
from tests.engine.ops.configurations import Layer, infer
from tests.engine.ops.onnx_model import one_layer_model
from tests.engine.ops.test_regularising import near

COUNTING = torch.arange(16.0).reshape(1, 1, 4, 4) + 1


def run(name: str, arguments: dict[str, Any], *values: Tensor, training: bool = False) -> Tensor:
    layer = infer(BUILTIN[name], arguments, [tuple(value.shape[1:]) for value in values])
    return layer.run(values, layer.weights(dtype=values[0].dtype), training=training)


class TestPrintedNumbers:
    """Numbers of lecture notes and textbooks, each worked out again by hand."""

    def test_minimum(self):
        image = torch.tensor([[1.0, 3, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [9, 8, 6, 5]])[None, None]
        assert run("minpool", {"kernel": 2}, image)[0, 0].tolist() == [[1, 2], [2, 0]]
        assert run("minpool", {"kernel": 2}, COUNTING)[0, 0].tolist() == [[1, 3], [9, 11]]

    def test_indices_and_the_way_back(self):
        image = torch.tensor([[1.0, 5, 2, 0], [3, 4, 8, 1], [0, 2, 1, 6], [7, 1, 3, 2]])[None, None]
        best, places = infer(BUILTIN["maxpool"], {"kernel": 2, "indices": True}, [(1, 4, 4)]).results([image], {})
        assert best[0, 0].tolist() == [[5, 8], [7, 6]]
        assert places[0, 0].tolist() == [[1, 6], [12, 11]]
        back = run("max_unpool", {"indices": 1, "size": 4}, best, places)
        assert back[0, 0].tolist() == [[0, 5, 0, 0], [0, 0, 8, 0], [0, 0, 0, 6], [7, 0, 0, 0]]

    def test_the_bins_of_a_pyramid(self):
        image = torch.arange(36.0).reshape(1, 1, 6, 6)
        thirds = [3.5, 5.5, 7.5, 15.5, 17.5, 19.5, 27.5, 29.5, 31.5]
        found = run("spp", {"bins": [1, 2, 3, 6], "mode": "average"}, image)[0].tolist()
        assert found == [17.5, 7, 10, 25, 28, *thirds, *range(36)]

    def test_five_to_three(self):
        row = torch.tensor([[[1.0, 2, 4, 8, 16]]])
        assert run("adaptive_avgpool", {"size": 3}, row)[0, 0].tolist() == pytest.approx([1.5, 14 / 3, 12])

    def test_norms(self):
        row = torch.tensor([[[3.0, -4, 0, 0]]])
        assert run("lppool", {"kernel": 2}, row).tolist() == [[[5, 0]]]
        assert run("lppool", {"kernel": 2, "p": 1}, row).tolist() == [[[7, 0]]]
        assert run("global_lppool", {}, row).tolist() == [[[5]]]


@pytest.mark.parametrize("name", ["lppool", "global_lppool"])
@pytest.mark.parametrize("exponent", [1, 1.5, 2, 3])
def test_windows_of_zeros_have_a_gradient(name: str, exponent: float):
    """The root has none at 0, so that relu before a norm would fill weights with NaN."""
    value = torch.zeros(1, 1, 4, 4, requires_grad=True)
    arguments = {"p": exponent, **({"kernel": 2} if name == "lppool" else {})}
    run(name, arguments, value).sum().backward()
    assert value.grad is not None
    assert torch.equal(value.grad, torch.zeros_like(value))


@pytest.mark.parametrize("name", ["lppool", "global_lppool", "stochastic_pool"])
def test_squares_in_half_precision_stay_finite(name: str):
    value = torch.full((1, 1, 2, 2), 1000.0, dtype=torch.float16)
    result = run(name, {} if name == "global_lppool" else {"kernel": 2}, value)
    assert result.dtype == torch.float16
    assert result.item() == (1000 if name == "stochastic_pool" else 2000)


class TestStochasticPool:
    def test_pixels_are_drawn_by_their_share(self):
        torch.manual_seed(3)
        value = torch.tensor([[1.0, 2.0], [-3.0, 5.0]]).repeat(1, 1, 100, 100)
        drawn = run("stochastic_pool", {"kernel": 2}, value, training=True)
        for pixel, share in ((1, 1 / 8), (2, 2 / 8), (-3, 0), (5, 5 / 8)):
            assert (drawn == pixel).float().mean().item() == pytest.approx(share, abs=near(share, 10_000))
        assert run("stochastic_pool", {"kernel": 2}, value).unique().tolist() == [(1 + 4 + 25) / 8]

    @pytest.mark.parametrize("training", [False, True])
    def test_nothing_above_zero_gives_zero(self, training: bool):
        value = -torch.ones(1, 1, 4, 4).requires_grad_()
        result = run("stochastic_pool", {"kernel": 2}, value, training=training)
        assert (result == 0).all()
        (gradient,) = torch.autograd.grad(result.sum(), value)
        assert torch.isfinite(gradient).all()

    def test_windows_that_overlap_draw_for_themselves(self):
        torch.manual_seed(0)
        drawn = run("stochastic_pool", {"kernel": 3, "stride": 1, "pad": 1}, torch.rand(1, 1, 40, 40), training=True)
        assert drawn.shape == (1, 1, 40, 40)
        assert (drawn > 0).all(), "the zeros around the image are never drawn"


class TestFractionalMaxpool:
    @pytest.mark.parametrize("shape", [(3, 12, 9), (2, 7, 8, 6)])
    def test_training_is_the_layer_of_torch(self, shape: tuple[int, ...]):
        value = torch.randn(2, *shape)
        layer = infer(BUILTIN["fractional_maxpool"], {"kernel": 2, "ratio": 0.6}, [shape])
        torch.manual_seed(9)
        drawn = layer.run([value], {}, training=True)
        torch.manual_seed(9)
        offsets = torch.rand(2, shape[0], len(shape) - 1)
        theirs = getattr(torch.nn, f"FractionalMaxPool{len(shape) - 1}d")
        assert torch.equal(drawn, theirs(2, output_ratio=0.6, _random_samples=offsets)(value))

    def test_volumes_may_be_pooled_at_every_place(self):
        """torch's own function refuses this."""
        value = torch.randn(2, 3, 4, 5, 6)
        drawn = run("fractional_maxpool", {"kernel": 2, "size": (3, 4, 5)}, value, training=True)
        assert torch.equal(drawn, torch.nn.functional.max_pool3d(value, 2, 1))

    def test_evaluation_is_that_of_the_offset_one_half(self):
        value = torch.randn(2, 3, 13, 10)
        offsets = torch.full((2, 3, 2), 0.5)
        theirs = torch.nn.FractionalMaxPool2d(3, output_size=(6, 7), _random_samples=offsets)
        assert torch.equal(run("fractional_maxpool", {"kernel": 3, "size": (6, 7)}, value), theirs(value))

    def test_a_sequence_is_an_image_of_one_row(self):
        value = torch.randn(1, 2, 11)
        drawn = run("fractional_maxpool", {"kernel": 2, "size": 6}, value, training=True)
        pairs = torch.maximum(value[..., 1:], value[..., :-1])
        assert all(item in pairs for item in drawn.flatten())
        assert torch.equal(drawn[..., -1], pairs[..., -1])


class TestMixedPool:
    def test_the_share_is_trained_from_where_it_starts(self):
        layer = infer(BUILTIN["mixed_pool"], {"kernel": 2, "share": 0.8, "learned": "channels"}, [(3, 4, 4)])
        (spec,) = BUILTIN["mixed_pool"].weights(layer.attributes, layer.inputs)
        assert spec.shape == (3,)
        logit = torch.full((3,), spec.initializer.settings["value"], requires_grad=True)
        result = layer.run([COUNTING.expand(1, 3, 4, 4)], {"logit": logit})
        assert result[0, 0, 0, 0].item() == pytest.approx(0.8 * 6 + 0.2 * 3.5)
        result.sum().backward()
        assert logit.grad is not None
        assert (logit.grad > 0).all(), "more of the maximum is more"

    @pytest.mark.parametrize(("share", "name"), [(1, "maxpool"), (0, "avgpool")])
    def test_the_ends_are_the_plain_pools(self, share: float, name: str):
        value = torch.randn(2, 3, 7, 5)
        arguments = {"kernel": 3, "stride": 2, "pad": 1, "ceil": True}
        torch.testing.assert_close(run("mixed_pool", {**arguments, "share": share}, value), run(name, arguments, value))


class TestIndices:
    @pytest.mark.parametrize("axes", [1, 2, 3])
    def test_they_are_those_of_torch(self, axes: int):
        shape = (2, 9, 8, 7)[: axes + 1]
        value = torch.randn(3, *shape)
        layer = infer(BUILTIN["maxpool"], {"kernel": 3, "stride": 2, "pad": 1, "indices": True}, [shape])
        theirs = getattr(torch.nn.functional, f"max_pool{axes}d")(value, 3, 2, 1, return_indices=True)
        for ours, wanted in zip(layer.results([value], {}), theirs, strict=True):
            assert torch.equal(ours, wanted.to(ours.dtype))

    def test_half_precision_counts_exactly(self):
        value = torch.randn(1, 1, 200, 200).to(torch.bfloat16)
        _, places = infer(BUILTIN["maxpool"], {"kernel": 2, "indices": True}, [(1, 200, 200)]).results([value], {})
        assert places.dtype == torch.float32
        assert places.max() > 39_000

    def test_of_entries_with_one_place_the_last_stays(self):
        values, places = torch.tensor([[[1.0, 2, 3]]]), torch.tensor([[[4.0, 4, 0]]])
        assert run("max_unpool", {"indices": 1, "size": 5}, values, places).tolist() == [[[3, 0, 0, 0, 2]]]

    def test_a_network_goes_down_and_up(self):
        text = """model Net {
  input image: 3 x H x W
  conv(4, 3, pad = 1) as early
  maxpool(3, stride = 2, indices = true) as (best, places)
  best -> max_unpool(places, like = early)
  output back
}
"""
        program = load_source(Source("net.cnn", text)).to_torch()
        assert program(torch.randn(2, 3, 11, 9)).shape == (2, 4, 11, 9)


def average(sizes: tuple[int, ...], arguments: dict[str, Any]) -> Layer | None:
    try:
        return infer(BUILTIN["avgpool"], arguments, [(2, *sizes)])
    except LayerError:
        return None


@settings(max_examples=150)
@given(data=st.data())
def test_averages_are_those_of_torch_and_onnx(data: st.DataObject):
    """Windows that torch itself pads, legal and illegal: refused together, and else the same numbers in all three."""
    axes = data.draw(st.integers(1, 3))
    numbers = lambda low, high: st.tuples(*[st.integers(low, high)] * axes)  # noqa: E731
    sizes, kernel, stride = data.draw(numbers(1, 7)), data.draw(numbers(1, 4)), data.draw(numbers(1, 4))
    pad = data.draw(numbers(0, 2))
    ceil, counts = data.draw(st.booleans()), data.draw(st.booleans())
    layer = average(sizes, {"kernel": kernel, "stride": stride, "pad": pad, "ceil": ceil, "count_include_pad": counts})
    value = torch.randn(2, 2, *sizes)
    pool = getattr(torch.nn.functional, f"avg_pool{axes}d")
    try:
        theirs = pool(value, kernel, stride, pad, ceil, counts)
    except RuntimeError as refusal:
        if layer is not None:  # torch takes less padding, and no volume below the window
            assert "at most half" in str(refusal) or "smaller than" in str(refusal)
            _agrees_with_onnx(layer, value)
        return
    assert layer is not None
    torch.testing.assert_close(layer.run([value], {}), theirs)
    _agrees_with_onnx(layer, value)


def _agrees_with_onnx(layer: Layer, value: Tensor) -> None:
    ours = layer.run([value], {})
    for opset in (17, 22):
        model = one_layer_model(layer, {}, opset).SerializeToString()
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"in0": value.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), ours, rtol=1e-4, atol=1e-5)


def test_norms_between_sum_and_maximum():
    value = torch.rand(1, 2, 6, 6)
    found = [run("lppool", {"kernel": 3, "p": p}, value) for p in (1, 2, 4, 16, 60)]
    assert all((left >= right - 1e-5).all() for left, right in pairwise(found))
    torch.testing.assert_close(found[-1], run("maxpool", {"kernel": 3}, value), rtol=math.log(9) / 60 + 0.01, atol=0)
