"""Values and gradients in torch against loops in float64, and the worked examples of textbooks and lecture notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from striate.ops import BUILTIN, OpRecord, Sample
from tests.engine.ops.configurations import (
    ACCEPTED,
    Layer,
    infer,
    legal_calls,
    sample_id,
    tensors,
)
from tests.engine.ops.reference import REFERENCES, bn_training


def test_every_layer_has_a_reference():
    assert set(REFERENCES) == set(BUILTIN)


def compared(
    layer: Layer, shapes: tuple[tuple[int, ...], ...], batch: int = 2
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return torch's values and those of the reference, both in float64, one of each per output."""
    weights, values = layer.weights(dtype=torch.float64), layer.tensors(shapes, batch, dtype=torch.float64)
    arrays = [item.numpy() for item in values]
    wanted = REFERENCES[layer.record.name](layer.attributes, arrays, {name: w.numpy() for name, w in weights.items()})
    wanted = wanted if isinstance(wanted, list) else [wanted]
    return layer.results(values, weights), tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in wanted)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_samples_equal_the_reference(record: OpRecord, sample: Sample):
    torch.testing.assert_close(*compared(infer(record, sample.arguments, sample.inputs), sample.inputs))


@pytest.mark.parametrize("name", BUILTIN)
@settings(max_examples=20)
@given(data=st.data())
def test_random_calls_equal_the_reference(name: str, data: st.DataObject):
    layer, shapes = data.draw(legal_calls(BUILTIN[name], largest=9))
    torch.testing.assert_close(*compared(layer, shapes, batch=1))


@pytest.mark.parametrize("shape", [(5, 4, 3), (7,)])
@pytest.mark.parametrize("arguments", [{}, {"eps": 0.5, "momentum": 0.3}])
def test_batch_norm_in_training(shape: tuple[int, ...], arguments: dict[str, Any]):
    layer = infer(BUILTIN["bn"], arguments, [shape])
    weights, values = layer.weights(dtype=torch.float64), tensors([shape], 4, dtype=torch.float64)
    arrays = {name: weight.numpy().copy() for name, weight in weights.items()}
    out, mean, variance = bn_training(layer.attributes, [values[0].numpy()], arrays)
    result = layer.run(values, weights, training=True)
    torch.testing.assert_close(result, torch.from_numpy(out))
    torch.testing.assert_close(weights["running_mean"], torch.from_numpy(mean))
    torch.testing.assert_close(weights["running_var"], torch.from_numpy(variance))


def test_batch_norm_leaves_statistics_alone_in_evaluation():
    layer = infer(BUILTIN["bn"], {}, [(5, 4, 3)])
    weights = layer.weights()
    before = {name: weight.clone() for name, weight in weights.items()}
    layer.run(tensors([(5, 4, 3)], 4), weights)
    for name, weight in weights.items():
        assert torch.equal(weight, before[name]), name


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_gradients_are_those_of_the_values(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    weights = layer.weights(dtype=torch.float64)
    roles = [spec.role for spec in record.weights(layer.attributes, layer.inputs) if spec.trainable]
    values = layer.tensors(sample.inputs, 2, dtype=torch.float64)
    moved = layer.variables(values)

    def compute(*variables: Tensor) -> tuple[Tensor, ...]:
        trained = dict(zip(roles, variables[len(moved) :], strict=True))
        given = {**dict(enumerate(values)), **dict(zip(moved, variables, strict=False))}
        return layer.results([given[index] for index in range(len(values))], {**weights, **trained})

    variables = [item.requires_grad_() for item in (*(values[index] for index in moved), *(weights[r] for r in roles))]
    assert torch.autograd.gradcheck(compute, variables, fast_mode=True)


def test_gradients_of_batch_norm_in_training():
    layer = infer(BUILTIN["bn"], {}, [(3, 4, 2)])
    weights, values = layer.weights(dtype=torch.float64), tensors([(3, 4, 2)], 3, dtype=torch.float64)

    def compute(variable: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        statistics = {role: weights[role].clone() for role in ("running_mean", "running_var")}
        return layer.run([variable], {"weight": scale, "bias": shift, **statistics}, training=True)

    variables = [item.requires_grad_() for item in (values[0], weights["weight"], weights["bias"])]
    assert torch.autograd.gradcheck(compute, variables)


class TestDropout:
    def test_training_leaves_out_the_rate_and_keeps_the_mean(self):
        layer = infer(BUILTIN["dropout"], {"rate": 0.3}, [(10000,)])
        result = layer.run([torch.ones(4, 10000)], {}, training=True)
        assert result.unique().tolist() == [0.0, pytest.approx(1 / 0.7)]
        assert (result == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)

    def test_each_entry_is_drawn_for_itself(self):
        layer = infer(BUILTIN["dropout"], {}, [(16, 8, 8)])
        result = layer.run([torch.ones(2, 16, 8, 8)], {}, training=True)
        assert not torch.equal(result[0], result[1])
        assert ((result == 0).float().mean((2, 3)) < 1).all(), "whole channels are not left out"


def run(name: str, arguments: dict[str, Any], *images: Any, weights: dict[str, Any] | None = None) -> Any:
    """Run a layer on one image of one channel given as rows; returns rows."""
    values = [torch.tensor(image, dtype=torch.float32)[None, None] for image in images]
    layer = infer(BUILTIN[name], arguments, [tuple(item.shape[1:]) for item in values])
    made = {role: torch.tensor(weight, dtype=torch.float32) for role, weight in (weights or {}).items()}
    return layer.run(values, made)[0, 0].tolist()


def convolved(image: Any, kernel: Any, **arguments: Any) -> Any:
    written = {"channels": 1, "kernel": (len(kernel), len(kernel[0])), "bias": False, **arguments}
    return run("conv", written, image, weights={"weight": [[kernel]]})


IMAGE = [[1, 3, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [9, 8, 6, 5]]
COUNTING = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]


class TestWorkedExamples:
    """Numbers printed in lecture notes, each checked by hand."""

    def test_convolution_of_four_by_four(self):
        image = [[1, 0, -2, 1], [-1, 0, 1, 2], [0, 2, 1, 0], [1, 0, 0, 1]]
        assert convolved(image, [[0, 1], [-1, 2]]) == [[1, 0, 4], [4, 1, 1], [1, 1, 2]]

    def test_horizontal_edge(self):
        image = [[0] * 6] * 3 + [[255] * 6] * 3
        edges = convolved(image, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
        assert edges == [[0] * 4, [-1020] * 4, [-1020] * 4, [0] * 4]

    def test_valid_and_padding_below_and_right(self):
        image, kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0], [0, -1]]
        assert convolved(image, kernel) == [[-4, -4], [-4, -4]]
        wanted = [[-4, -4, 3], [-4, -4, 6], [7, 8, 9]]
        assert convolved(image, kernel, pad=(0, 1, 0, 1)) == wanted
        assert convolved(image, kernel, pad="same") == wanted

    def test_pooling_two_by_two(self):
        assert run("maxpool", {"kernel": 2}, IMAGE) == [[6, 8], [9, 6]]
        assert run("avgpool", {"kernel": 2}, IMAGE) == [[3.75, 5.25], [5.5, 3.0]]

    def test_global_pooling(self):
        assert run("global_avgpool", {}, COUNTING) == [[8.5]]
        assert run("global_maxpool", {}, COUNTING) == [[16]]

    def test_padding_is_never_the_maximum(self):
        below_zero = [[-3, -4], [-5, -6]]
        assert run("maxpool", {"kernel": 2, "stride": 1, "pad": 1}, below_zero)[0] == [-3, -3, -4]
        assert run("maxpool", {"kernel": 2, "stride": 1, "pad": (1, 0, 0, 1)}, below_zero) == [[-3, -4], [-3, -4]]
        assert run("maxpool", {"kernel": 2, "stride": 1, "pad": "same"}, below_zero) == [[-3, -4], [-5, -6]]

    def test_what_counts_in_an_average(self):
        row = [[4.0, 8.0]]
        arguments = {"kernel": (1, 2), "stride": 1, "pad": (0, 0, 1, 1)}
        assert run("avgpool", arguments, row) == [[4, 6, 8]]
        assert run("avgpool", {**arguments, "count_include_pad": True}, row) == [[2, 6, 4]]

    def test_a_window_over_the_border_counts_its_pixels_only(self):
        arguments = {"kernel": (1, 2), "stride": (1, 2), "ceil": True, "count_include_pad": True}
        assert run("avgpool", arguments, [[1.0, 3.0, 5.0]]) == [[2, 5]]


SIZES = [
    ("conv", {"channels": 6, "kernel": 5}, (1, 32, 32), (6, 28, 28)),
    ("conv", {"channels": 12, "kernel": 3, "pad": "same"}, (3, 32, 32), (12, 32, 32)),
    ("conv", {"channels": 4, "kernel": 3}, (3, 6, 6), (4, 4, 4)),
    ("conv", {"channels": 128, "kernel": 1}, (3, 5, 5), (128, 5, 5)),
    ("conv", {"channels": 4, "kernel": 8}, (16, 8, 8), (4, 1, 1)),
    ("conv", {"channels": 16, "kernel": 3, "pad": 1, "groups": 16}, (16, 8, 8), (16, 8, 8)),
    ("conv", {"channels": 4, "kernel": 3, "pad": 1}, (16, 1, 1), (4, 1, 1)),
    ("conv", {"channels": 4, "kernel": 3, "stride": 2}, (16, 8, 8), (4, 3, 3)),
    ("deconv", {"channels": 64, "kernel": 3, "stride": 2, "pad": "same"}, (32, 16, 16), (64, 32, 32)),
    ("maxpool", {"kernel": 2}, (12, 32, 32), (12, 16, 16)),
    ("maxpool", {"kernel": 2, "pad": "same"}, (25, 7, 7), (25, 4, 4)),
    ("maxpool", {"kernel": 3, "stride": 2, "ceil": True}, (64, 112, 112), (64, 56, 56)),
    ("maxpool", {"kernel": 3, "stride": 2, "pad": 1}, (64, 112, 112), (64, 56, 56)),
    ("flatten", {}, (4, 9, 5), (180,)),
    ("flatten", {}, (64, 16, 16), (16384,)),
]


@pytest.mark.parametrize(("name", "arguments", "given_size", "wanted"), SIZES)
def test_printed_sizes(name: str, arguments: dict[str, Any], given_size: tuple[int, ...], wanted: tuple[int, ...]):
    assert infer(BUILTIN[name], arguments, [given_size]).outputs[0].shape == wanted


PARAMETERS = [
    ("conv", {"channels": 32, "kernel": 3}, (3, 64, 64), 896, 0),
    ("conv", {"channels": 64, "kernel": 3}, (32, 32, 32), 18496, 0),
    ("conv", {"channels": 32, "kernel": 3, "groups": 32, "bias": False}, (32, 8, 8), 288, 0),
    ("deconv", {"channels": 64, "kernel": 2, "stride": 2}, (128, 8, 8), 128 * 64 * 4 + 64, 0),
    ("dense", {"features": 128}, (16384,), 2097280, 0),
    ("dense", {"features": 2}, (128,), 258, 0),
    ("dense", {"features": 2, "bias": False}, (128,), 256, 0),
    ("bn", {}, (75, 28, 28), 150, 150),
    ("maxpool", {"kernel": 2}, (12, 32, 32), 0, 0),
    ("lrn", {"size": 5}, (12, 32, 32), 0, 0),
    ("dropout", {}, (128,), 0, 0),
]


@pytest.mark.parametrize(("name", "arguments", "given_size", "trained", "statistics"), PARAMETERS)
def test_printed_parameters(
    name: str, arguments: dict[str, Any], given_size: tuple[int, ...], trained: int, statistics: int
):
    layer = infer(BUILTIN[name], arguments, [given_size])
    specs = BUILTIN[name].weights(layer.attributes, layer.inputs)
    counted = {kind: sum(int(np.prod(s.shape)) for s in specs if s.trainable is kind) for kind in (True, False)}
    assert counted == {True: trained, False: statistics}


MACS = [
    ("conv", {"channels": 6, "kernel": 5}, (1, 32, 32), 6 * 28 * 28 * 25),
    ("conv", {"channels": 8, "kernel": (3, 5), "stride": 2, "groups": 2}, (4, 9, 11), 8 * 4 * 4 * 2 * 15),
    ("deconv", {"channels": 8, "kernel": (3, 5), "stride": 2, "groups": 2}, (4, 9, 11), 4 * 9 * 11 * 4 * 15),
    ("dense", {"features": 84}, (120,), 10080),
    ("maxpool", {"kernel": 2}, (6, 28, 28), 0),
    ("bn", {}, (6, 28, 28), 0),
]


@pytest.mark.parametrize(("name", "arguments", "given_size", "wanted"), MACS)
def test_multiply_adds(name: str, arguments: dict[str, Any], given_size: tuple[int, ...], wanted: int):
    layer = infer(BUILTIN[name], arguments, [given_size])
    assert BUILTIN[name].macs(layer.attributes, layer.inputs, layer.outputs) == wanted
