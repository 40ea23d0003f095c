"""Multiply-adds against torch's own counter, and what counts as a parameter."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis.costs import UnknownLayerError, elements, graph_macs, node_costs, node_macs
from striate.dims import evaluate, symbol
from striate.graph import TensorType
from striate.ops import BUILTIN
from tests.engine.analysis.graph_maker import GraphMaker


def counted_by_torch(module: nn.Module, *shape: int) -> int:
    """Multiply-adds of one image as torch counts them while it runs: half its floating-point operations."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.zeros(1, *shape))
    return counter.get_total_flops() // 2


def counted_by_hooks(module: nn.Module, *shape: int) -> int:
    """The same, by walking over every output (or input) entry of every layer and asking how many products it needs."""
    total = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.ConvTranspose2d):
            total += inputs[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            total += output.numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    with torch.no_grad():
        module.eval()(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return total


@given(
    groups=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    pad=st.integers(0, 2),
    size=st.tuples(st.integers(7, 12), st.integers(7, 12)),
    is_transposed=st.booleans(),
    bias=st.booleans(),
)
def test_convolutions_cost_what_torch_counts(
    groups, channels, kernel, stride, dilation, pad, size, is_transposed, bias
):
    inside, outside = (count * groups for count in channels)
    assume(all(side + 2 * pad >= dilation * (k - 1) + 1 for side, k in zip(size, kernel, strict=True)))
    arguments = {"stride": stride, "dilation": dilation, "groups": groups, "bias": bias}
    layer = (nn.ConvTranspose2d if is_transposed else nn.Conv2d)(inside, outside, kernel, padding=pad, **arguments)
    maker = GraphMaker()
    image = maker.input("image", inside, *size)
    op = "deconv" if is_transposed else "conv"
    made = maker.layer(op, image, channels=outside, kernel=kernel, pad=pad, **arguments)
    graph = maker.graph(made)
    assert graph_macs(graph, BUILTIN.get) == counted_by_hooks(layer, inside, *size)
    assert graph_macs(graph, BUILTIN.get) == counted_by_torch(layer, inside, *size)
    assert graph.parameters == sum(parameter.numel() for parameter in layer.parameters())


def test_a_network_costs_what_torch_counts():
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 10),
    )
    maker = GraphMaker()
    value = maker.input("image", 3, 16, 16)
    value = maker.layer("conv", value, channels=8, kernel=3, stride=2, pad=1, bias=False)
    value = maker.layer("relu", maker.layer("bn", value))
    value = maker.layer("conv", value, channels=8, kernel=3, pad=1, groups=8)
    value = maker.layer("flatten", maker.layer("maxpool", value, kernel=2))
    value = maker.layer("dense", value, features=10)
    graph = maker.graph(value)
    assert graph_macs(graph, BUILTIN.get) == counted_by_torch(module, 3, 16, 16) == counted_by_hooks(module, 3, 16, 16)
    assert graph.parameters == sum(parameter.numel() for parameter in module.parameters())
    costs = node_costs(graph, BUILTIN.get)
    assert sum(cost.parameters for cost in costs.values()) == graph.parameters
    assert sum(cost.statistics for cost in costs.values()) == 16
    assert {name: cost.macs for name, cost in costs.items() if cost.macs} == {
        "conv0": 8 * 8 * 8 * 27,
        "conv3": 8 * 8 * 8 * 9,
        "dense6": 1280,
    }
    assert costs["conv0"].output_bytes(4) == 8 * 8 * 8 * 4


def test_a_shared_weight_counts_at_its_first_use_only():
    maker = GraphMaker()
    left, right = maker.input("left", 1, 8, 8), maker.input("right", 1, 8, 8)
    first = maker.layer("conv", left, name="a", channels=2, kernel=3)
    second = maker.layer("conv", right, name="b", share="a", channels=2, kernel=3)
    graph = maker.graph(first, second)
    costs = node_costs(graph, BUILTIN.get)
    assert (costs["a"].parameters, costs["b"].parameters, graph.parameters) == (20, 0, 20)
    assert costs["a"].macs == costs["b"].macs == 2 * 6 * 6 * 9


def test_costs_of_open_sizes_are_expressions():
    maker = GraphMaker()
    image = maker.input("image", 3, symbol("H"), symbol("W"))
    value = maker.layer("conv", image, channels=4, kernel=3, stride=2, pad=1)
    graph = maker.graph(value)
    for height, width in ((8, 8), (9, 21), (1, 2)):
        fixed = GraphMaker()
        fixed.layer("conv", fixed.input("image", 3, height, width), channels=4, kernel=3, stride=2, pad=1)
        sizes = {"H": height, "W": width}
        assert evaluate(graph_macs(graph, BUILTIN.get), sizes) == graph_macs(fixed.graph("conv0"), BUILTIN.get)
        memory = node_costs(graph, BUILTIN.get)["conv0"].output_bytes(4)
        assert evaluate(memory, sizes) == 4 * elements(fixed.types["conv0"])


def test_a_layer_that_nobody_provides_is_named():
    maker = GraphMaker()
    graph = maker.graph(maker.layer("relu", maker.input("image", 1, 2, 2), name="lonely"))
    with pytest.raises(UnknownLayerError, match="no plugin provides the layer relu of lonely"):
        node_macs(graph, graph.nodes[0], {}.get)


def test_elements_of_a_scalar_type():
    assert elements(TensorType(())) == 1
    assert elements(TensorType((2, 3, 4))) == 24
