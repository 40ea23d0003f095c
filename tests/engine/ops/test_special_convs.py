"""The special convolutions: published costs, and the plain convolution that each of them is in a special case."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from striate.dims import symbol
from striate.ops import BUILTIN, LayerError
from striate.ops.table_conv import TABLES
from tests.engine.ops.configurations import Layer, infer


def parameters(layer: Layer) -> int:
    return sum(math.prod(spec.shape) for spec in layer.record.weights(layer.attributes, layer.inputs))


def conv(value: Tensor, weight: Tensor, bias: Tensor | None = None, **arguments: Any) -> Tensor:
    return torch.nn.functional.conv2d(value, weight, bias, **arguments)


class TestTable:
    def test_costs_of_lenet_5(self):
        """LeCun et al., 1998, section II.B: C3 has 1,516 parameters and 151,600 connections, biases counted."""
        layer = infer(BUILTIN["table_conv"], {"table": "lenet_c3", "kernel": 5}, [(6, 14, 14)])
        assert layer.outputs[0].shape == (16, 10, 10)
        assert parameters(layer) == 1_516
        macs = layer.record.macs(layer.attributes, layer.inputs, layer.outputs)
        assert macs + 16 * 10 * 10 == 151_600

    def test_the_rows_of_the_printed_table(self):
        """Table I, row by row: the columns that each map of S2 is marked in."""
        rows = [[made for made, maps in enumerate(TABLES["lenet_c3"]) if seen in maps] for seen in range(6)]
        assert rows == [
            [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
            [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
            [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
            [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
            [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
            [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
        ]

    def test_a_full_table_is_a_convolution(self):
        layer = infer(BUILTIN["table_conv"], {"table": [[0, 1, 2]] * 4, "kernel": 3, "pad": 1}, [(3, 6, 5)])
        weights, value = layer.weights(), torch.randn(2, 3, 6, 5)
        wanted = conv(value, weights["weight"].reshape(4, 3, 3, 3), weights["bias"], padding=1)
        torch.testing.assert_close(layer.run([value], weights), wanted)

    def test_a_table_of_one_map_each_is_a_depthwise_convolution(self):
        layer = infer(BUILTIN["table_conv"], {"table": [[0], [1], [2]], "kernel": 3}, [(3, 6, 5)])
        weights, value = layer.weights(), torch.randn(2, 3, 6, 5)
        wanted = conv(value, weights["weight"][:, None], weights["bias"], groups=3)
        torch.testing.assert_close(layer.run([value], weights), wanted)


class TestLocal:
    def test_parameters_are_those_of_a_convolution_times_the_places(self):
        layer = infer(BUILTIN["local_conv"], {"channels": 16, "kernel": 9}, [(16, 63, 63)])
        shared = infer(BUILTIN["conv"], {"channels": 16, "kernel": 9}, [(16, 63, 63)])
        assert layer.outputs[0].shape == (16, 55, 55)
        assert parameters(layer) == 55 * 55 * parameters(shared)
        counts = [each.record.macs(each.attributes, each.inputs, each.outputs) for each in (layer, shared)]
        assert counts[0] == counts[1]

    @pytest.mark.parametrize("arguments", [{}, {"stride": 2, "pad": (1, 0, 2, 1)}, {"dilation": (2, 1), "pad": 1}])
    def test_with_the_same_kernel_everywhere_it_is_a_convolution(self, arguments: dict[str, Any]):
        written = {"channels": 4, "kernel": (3, 2), **arguments}
        layer = infer(BUILTIN["local_conv"], written, [(3, 7, 6)])
        shared = infer(BUILTIN["conv"], written, [(3, 7, 6)])
        places, value = math.prod(layer.outputs[0].shape[1:]), torch.randn(2, 3, 7, 6)
        weights = shared.weights()
        spread = {
            "weight": weights["weight"].expand(places, -1, -1, -1, -1),
            "bias": weights["bias"][:, None, None].expand(-1, *layer.outputs[0].shape[1:]),
        }
        torch.testing.assert_close(layer.run([value], spread), shared.run([value], weights))

    def test_an_open_size_is_refused_with_what_to_do(self):
        with pytest.raises(LayerError, match="a kernel for each place") as refused:
            infer(BUILTIN["local_conv"], {"channels": 4, "kernel": 3}, [(3, symbol("H"), 8)])
        assert refused.value.problem.code == "E0207"
        assert "fix the height and width" in str(refused.value.problem.help)


class TestDeformable:
    WRITTEN: ClassVar = {
        "channels": 4,
        "kernel": 3,
        "pad": (1, 0, 2, 1),
        "stride": (1, 2),
        "dilation": (2, 1),
        "groups": 2,
    }

    def test_it_starts_as_half_a_convolution(self):
        """Offsets of 0 and a modulation of 0.5."""
        layer = infer(BUILTIN["deform_conv"], {**self.WRITTEN, "offset_groups": 2}, [(4, 9, 8)])
        shared = infer(BUILTIN["conv"], self.WRITTEN, [(4, 9, 8)])
        specs = {spec.role: spec for spec in layer.record.weights(layer.attributes, layer.inputs)}
        assert {specs[role].initializer.name for role in ("offset_weight", "offset_bias")} == {"zeros"}
        weights, value = shared.weights(), torch.randn(2, 4, 9, 8)
        still = {role: torch.zeros(specs[role].shape) for role in ("offset_weight", "offset_bias")}
        halved = {"weight": weights["weight"] * 0.5, "bias": weights["bias"]}
        torch.testing.assert_close(
            layer.run([value], {**weights, **still}), shared.run([value], halved), atol=1e-5, rtol=0
        )

    def test_without_offsets_and_fully_modulated_it_is_a_convolution(self):
        layer = infer(BUILTIN["deform_conv"], self.WRITTEN, [(4, 9, 8)])
        shared = infer(BUILTIN["conv"], self.WRITTEN, [(4, 9, 8)])
        weights, value = shared.weights(), torch.randn(2, 4, 9, 8)
        still = {
            "offset_weight": torch.zeros(27, 4, 3, 3),
            "offset_bias": torch.cat([torch.zeros(18), torch.full((9,), 50.0)]),
        }
        torch.testing.assert_close(
            layer.run([value], {**weights, **still}), shared.run([value], weights), atol=1e-5, rtol=0
        )

    def test_offsets_of_whole_pixels_move_the_image(self):
        """One down and two to the left, as rows come before columns."""
        layer = infer(BUILTIN["deform_conv"], {"channels": 1, "kernel": 1, "bias": False}, [(1, 5, 6)])
        value = torch.randn(1, 1, 5, 6)
        weights = {
            "weight": torch.ones(1, 1, 1, 1),
            "offset_weight": torch.zeros(3, 1, 1, 1),
            "offset_bias": torch.tensor([1.0, -2.0, 50.0]),
        }
        moved = layer.run([value], weights)
        torch.testing.assert_close(moved[..., :4, 2:], value[..., 1:, :4], atol=1e-5, rtol=0)
        assert moved[..., 4, :].abs().max() < 1e-5 and moved[..., :2].abs().max() < 1e-5


class TestPartial:
    def run(self, value: Tensor, mask: Tensor, **arguments: Any) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        written = {"channels": 4, "kernel": 3, "mask": 1, **arguments}
        layer = infer(BUILTIN["partial_conv"], written, [tuple(value.shape[1:]), tuple(mask.shape[1:])])
        weights = layer.weights()
        made, seen = layer.results([value, mask], weights)
        return made, seen, weights

    def test_without_holes_it_is_a_convolution(self):
        value = torch.randn(2, 3, 6, 5)
        for channels in (1, 3):
            made, seen, weights = self.run(value, torch.ones(2, channels, 6, 5))
            torch.testing.assert_close(made, conv(value, weights["weight"], weights["bias"]))
            assert (seen == 1).all()

    def test_padding_is_a_hole(self):
        """Of a value of ones and a kernel of ones every window is full, however few pixels it has."""
        value = torch.ones(1, 2, 4, 5)
        layer = infer(
            BUILTIN["partial_conv"],
            {"channels": 1, "kernel": 3, "mask": 1, "pad": 1, "bias": False},
            [(2, 4, 5), (1, 4, 5)],
        )
        made, _ = layer.results([value, value[:, :1]], {"weight": torch.ones(1, 2, 3, 3)})
        torch.testing.assert_close(made, torch.full((1, 1, 4, 5), 18.0))

    def test_what_lies_in_a_hole_makes_no_difference(self):
        value, mask = torch.randn(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
        mask[..., 2:7, 2:7] = 0
        other = torch.where(mask > 0, value, torch.full_like(value, 1e6))
        made, seen, _ = self.run(value, mask, pad=1)
        again, _, _ = self.run(other, mask, pad=1)
        assert torch.equal(made, again)
        assert (seen[0, 0, 3:6, 3:6] == 0).all() and seen.sum() == 64 - 9
        assert (made[..., 3:6, 3:6] == 0).all(), "where nothing is seen there is no bias either"

    def test_holes_close_from_outside(self):
        value, mask = torch.randn(1, 3, 9, 9), torch.zeros(1, 1, 9, 9)
        mask[..., 4, 4] = 1
        for side in (3, 5, 7):
            _, mask, _ = self.run(value, mask, pad=1)
            assert mask.sum() == side**2

    def test_no_gradient_flows_into_the_mask(self):
        value, mask = torch.randn(1, 3, 6, 5, requires_grad=True), torch.rand(1, 1, 6, 5, requires_grad=True)
        made, seen, _ = self.run(value, mask)
        made.sum().backward()
        assert mask.grad is None and not seen.requires_grad
        assert value.grad is not None


class TestCoordinates:
    def test_corners_and_middle(self):
        layer = infer(BUILTIN["coordinates"], {"radius": True}, [(1, 3, 5)])
        x, y, radius = layer.run([torch.zeros(1, 1, 3, 5)], {})[0, 1:]
        assert x.tolist() == [[-1, -0.5, 0, 0.5, 1]] * 3
        assert y.tolist() == [[-1] * 5, [0] * 5, [1] * 5]
        assert radius[1].tolist() == [1, 0.5, 0, 0.5, 1]
        assert radius[0, 0].item() == pytest.approx(math.sqrt(2))

    def test_an_open_number_of_channels_may_stay_open(self):
        layer = infer(BUILTIN["coordinates"], {}, [(symbol("C"), symbol("H"), 5)])
        assert [str(size) for size in layer.outputs[0].shape] == ["C + 2", "H", "5"]


def test_a_table_that_names_a_map_too_many_says_which():
    with pytest.raises(LayerError) as refused:
        infer(BUILTIN["table_conv"], {"table": [[0], [3, 1]], "kernel": 3}, [(3, 6, 5)])
    assert refused.value.problem.message == "the table's output map 1 sees input map 3, but there are 3 input channels"
