"""Folding keeps the function, and folds what can be folded: RepVGG's blocks, ResNet's batch norms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from striate.graph import Graph
from striate.graph.verifier import verify
from striate.lower.torch import Program, load_arrays
from striate.model import load_source
from striate.ops.initializers import start_values
from striate.ops.registry import BUILTIN
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from striate.passes.reparameterise import Reparameterised, reparameterise
from striate_dsl.source import Source
from tests.engine.passes.networks import networks

CLEANED = [DropInferenceNoops(BUILTIN.__getitem__), RemoveDeadNodes()]


def random_arrays(graph: Graph) -> dict[str, np.ndarray]:
    """Weights as after training: statistics that are not 0 and 1."""
    generator = np.random.default_rng(4)
    made = {}
    for name, weight in graph.weights.items():
        values = generator.normal(size=weight.shape, scale=0.4)
        made[name] = (np.abs(values) + 0.5 if name.endswith("running_var") else values).astype(np.float32)
    return made


def evaluated(graph: Graph, arrays) -> dict[str, torch.Tensor]:
    program = load_arrays(Program(graph, BUILTIN.__getitem__), arrays).double().eval()
    generator = torch.Generator().manual_seed(1)
    inputs = tuple(
        torch.randn(2, *map(int, item.value.type.shape), generator=generator, dtype=torch.float64)
        for item in graph.inputs
    )
    with torch.inference_mode():
        values = program.run(inputs)
    return {name: values[value] for name, value in graph.outputs.items()}


def folded(text: str) -> tuple[Graph, Reparameterised]:
    model = load_source(Source("net.cnn", text), None)
    graph = run_passes(model.graph, CLEANED).graph
    arrays = random_arrays(graph)
    found = reparameterise(graph, arrays)
    verify(found.graph)
    assert {name: values.shape for name, values in found.arrays.items()} == {
        name: weight.shape for name, weight in found.graph.weights.items()
    }
    expected, actual = evaluated(graph, arrays), evaluated(found.graph, found.arrays)
    for name, values in expected.items():
        largest = float(values.abs().max())
        assert float((values - actual[name]).abs().max()) <= 1e-5 * largest
    return graph, found


def net(body: str, size: str = "8 x 9 x 11", before: str = "") -> str:
    return f"{before}\nmodel Net {{\n  input image: {size}\n{body}\n  output y\n}}\n"


@pytest.mark.parametrize("fill", ["reflect", "replicate", "circular", "0.7"])
def test_filled_padding_takes_a_norm_and_no_branch(fill: str):
    """The bias behind a convolution does not see its padding; a smaller kernel beside it would."""
    line = f"conv(8, 3, pad = 1, fill = {fill})"
    _, found = folded(net(f"  add {{\n    {line} -> bn\n    conv(8, 1) -> bn\n  }}"))
    assert (found.norms, found.branches) == (2, 0)
    assert {node.attributes.get("fill") for node in found.graph.nodes if node.op == "conv"} >= {
        fill if fill.isalpha() else float(fill)
    }


@pytest.mark.parametrize("groups", [1, 2])
def test_a_block_of_repvgg_is_one_convolution(groups):
    _, found = folded(net(f"RepVGG(8, groups = {groups})", before="use std.blocks"))
    assert [node.op for node in found.graph.nodes] == ["conv", "relu"]
    assert (found.norms, found.branches) == (2, 2)
    assert found.graph.nodes[0].attributes["kernel"] == (3, 3)


def test_a_block_of_repvgg_with_a_stride():
    _, found = folded(net("RepVGG(16, stride = 2)", before="use std.blocks"))
    assert [node.op for node in found.graph.nodes] == ["conv", "relu"]
    assert (found.norms, found.branches) == (2, 1)


def test_all_batch_norms_of_residual_blocks_go():
    body = "Residual(8) -> Bottleneck(4, stride = 2) -> global_avgpool -> flatten -> dense(5)"
    graph, found = folded(net(body, before="use std.blocks"))
    assert found.norms == sum(node.op == "bn" for node in graph.nodes) > 5
    assert not any(node.op == "bn" for node in found.graph.nodes)
    assert found.branches == 0
    assert found.words == f"{found.norms} batch norms and 0 parallel branches folded into convolutions"


@pytest.mark.parametrize(
    ("body", "ops", "branches"),
    [
        ("conv(8, 3, pad = 2) as a\nimage -> conv(8, 1, pad = 1) -> add(a)", ["conv"], 1),
        ("conv(8, (1, 5), pad = (0, 2)) as a\nimage -> conv(8, (3, 1), pad = (1, 0)) -> add(a)", ["conv"], 1),
        ("conv(8, 3, pad = 1) -> add(image)", ["conv"], 1),
        ("conv(8, 3, pad = 1, bias = false) -> add(image) -> bn -> conv(8, 1) -> bn", ["conv", "conv"], 1),
        ("add { conv(8, 3, pad = 1); conv(8, 1); identity; bn } -> bn", ["conv"], 3),
        ("add { add { conv(8, 3, pad = 1); conv(8, 1) }; conv(8, 5, pad = 2) }", ["conv"], 2),
        ("deconv(4, 3) -> bn -> flatten -> dense(3) -> bn", ["deconv", "flatten", "dense"], 0),
        ("bn -> conv(8, 3, pad = 1) -> bn", ["bn", "conv"], 0),
    ],
)
def test_what_is_linear_is_folded(body, ops, branches):
    _, found = folded(net(body))
    assert [node.op for node in found.graph.nodes] == ops
    assert found.branches == branches


@pytest.mark.parametrize(
    "body",
    [
        "add { conv(8, 3, pad = 1); conv(8, 1) -> relu }",
        "add { conv(8, 3, pad = 1); relu -> conv(8, 1) }",
        "add { conv(8, 2, pad = (0, 1, 0, 1)); conv(8, 1) }",
        "add { conv(8, 3, pad = 2, dilation = 2); conv(8, 1) }",
        "add { conv(8, 3, pad = 1, groups = 2); conv(8, 1) }",
        "add { conv(8, 3, pad = (2, 0, 2, 0)); conv(8, 3, pad = 1) }",
        "let c = conv(8, 3, pad = 1)\nadd { c; conv(8, 1) } -> c",
        "add { conv(8, 3, pad = 1, fill = reflect); conv(8, 1) }",
        "mul { conv(8, 3, pad = 1); conv(8, 1) }",
        "conv(8, 3, pad = 1) as a -> add(image) as b\na -> relu -> add(b)",
        "conv(8, 3, pad = 1) as a -> bn -> add(a)",
        "let c = conv(8, 3, pad = 1)\nc -> bn -> c",
    ],
)
def test_what_is_not_one_convolution_is_left(body):
    graph, found = folded(net(body))
    assert found.branches == 0
    assert [node.op for node in found.graph.nodes] == [node.op for node in graph.nodes]


@pytest.mark.parametrize(
    ("body", "ops", "kernels"),
    [
        ("add { conv(8, 3, pad = 1, weight = standardised); conv(8, 1, weight = spectral) }", ["conv"], 2),
        ("conv(8, 3, pad = 1, groups = 4, weight = spectral) -> bn", ["conv"], 1),
        ("deconv(6, 2, groups = 2, weight = standardised) -> relu", ["deconv", "relu"], 1),
        ("deconv(6, 3, weight = spectral) -> bn", ["deconv"], 1),
        ("flatten -> dense(4, weight = spectral) -> bn -> dense(3, weight = standardised)", ["flatten", "dense"], 2),
        ("let c = conv(8, 3, pad = 1, weight = spectral)\nc -> relu -> c", ["conv", "relu", "conv"], 1),
    ],
)
def test_kernels_are_worked_out_and_folded_like_others(body, ops, kernels):
    _, found = folded(net(body))
    assert [node.op for node in found.graph.nodes][: len(ops)] == ops
    assert found.kernels == kernels
    assert not [name for name in found.graph.weights if name.endswith("running_u")]
    assert {node.attributes.get("weight", "plain") for node in found.graph.nodes} == {"plain"}
    assert found.words.endswith(f"; {kernels} kernel{'s' * (kernels > 1)} worked out")


def test_values_keep_the_name_of_the_layer_that_made_them():
    _, found = folded(net("conv(8, 3, pad = 1) as first -> bn as second -> relu as third"))
    assert [(node.name, node.op) for node in found.graph.nodes] == [("second", "conv"), ("third", "relu")]
    assert dict(found.graph.nodes[0].weights) == {"weight": "first.weight", "bias": "first.bias"}


@given(graph=networks())
@settings(max_examples=40, deadline=None)
def test_random_networks_compute_the_same(graph):
    graph = run_passes(graph, CLEANED).graph
    arrays = random_arrays(graph)
    found = reparameterise(graph, arrays)
    verify(found.graph)
    expected, actual = evaluated(graph, arrays), evaluated(found.graph, found.arrays)
    for name, values in expected.items():
        torch.testing.assert_close(actual[name], values, rtol=1e-4, atol=1e-4 * float(values.abs().max()))


def test_weights_that_are_not_folded_are_not_copied():
    text = "model M {\ninput a: 3 x 8 x 8\nconv(4, 3) -> relu -> conv(4, 3, bias = false) -> bn\noutput y\n}\n"
    model = load_source(Source("m.cnn", text))
    arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
    done = reparameterise(model.graph, arrays)
    assert done.norms == 1
    assert done.arrays["conv1.weight"] is arrays["conv1.weight"]
    assert done.arrays["conv2.weight"] is not arrays["conv2.weight"]
    assert {values.dtype.name for values in done.arrays.values()} == {"float32"}
