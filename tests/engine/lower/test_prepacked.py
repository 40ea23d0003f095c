"""Packed convolutions with what is attached to them: the same numbers as layer by layer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import striate
from striate.fusion import partition
from striate.lower.prepacked.attached import KNOWN, attached
from striate.lower.prepacked.program import Prepacked
from striate.lower.torch import Program, initialise
from striate.ops import BUILTIN
from striate.passes import DropInferenceNoops, RemoveDeadNodes, reparameterise, run_passes
from tests.engine.fusion.drawn import mixed_networks
from tests.engine.passes.networks import Network

lookup = BUILTIN.__getitem__


def both(graph, find=lookup, precision="float32", level="epilogues", fold=True):
    """Return the program layer by layer with random statistics, and the packed one with the same weights."""
    program = initialise(Program(graph, find), 5).eval()
    generator = torch.Generator().manual_seed(7)
    for name, tensor in program.state_dict(keep_vars=True).items():
        if "running" in name or name.endswith(("bias", "bn")):
            with torch.no_grad():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    arrays = {name: tensor.detach().numpy() for name, tensor in program.state_dict().items()}
    cleaned = run_passes(graph, [DropInferenceNoops(find), RemoveDeadNodes()]).graph
    if fold:
        folded = reparameterise(cleaned, {name: arrays[name] for name in cleaned.weights})
        cleaned, arrays = folded.graph, folded.arrays
    return program, Prepacked(partition(cleaned, find, level), find, arrays, precision)


def outputs_of(result):
    return result if isinstance(result, dict) else {"": result}


def assert_alike(program, packed, tolerance, *inputs):
    with torch.inference_mode():
        wanted, found = outputs_of(program(*inputs)), outputs_of(packed(*inputs))
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        scale = float(tensor.abs().max()) or 1.0
        assert found[name].dtype == torch.float32
        assert float((tensor - found[name]).abs().max()) <= tolerance * scale, name


@settings(deadline=None)
@given(mixed_networks(), st.sampled_from(("layers", "epilogues", "chains")), st.booleans(), st.integers(1, 3))
def test_random_networks(graph, level, fold, batch):
    program, packed = both(graph, level=level, fold=fold)
    torch.manual_seed(0)
    assert_alike(program, packed, 1e-4, torch.randn(batch, 4, 6, 5))


ACTIVATIONS = [
    (name, dict(sample.arguments))
    for name in (*KNOWN, "elu", "mish", "prelu", "softplus")
    for sample in BUILTIN[name].samples
    if sample.fails is None and len(sample.inputs[0]) == 3
]


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize(("op", "arguments"), ACTIVATIONS)
def test_what_is_attached(op, arguments, summed):
    network = Network()
    image = network.input("image", 8, 7, 9)
    last = network.add("conv", "conv", image, channels=8, kernel=3, pad=1)
    if summed:
        last = network.add("sum", "add", image, last)
    program, packed = both(network.graph(network.add("act", op, last, **arguments)))
    torch.manual_seed(1)
    assert_alike(program, packed, 5e-6, 3 * torch.randn(2, 8, 7, 9))


def test_a_sum_and_a_rectifier_are_one_call():
    network = Network()
    image = network.input("image", 8, 7, 9)
    total = network.add("sum", "add", image, network.add("conv", "conv", image, channels=8, kernel=3, pad=1))
    graph = network.graph(network.add("act", "relu", total))
    assert len(both(graph)[1].steps) == 1
    assert attached(graph.nodes[0], graph.nodes[1:]).added == "image"


def test_a_convolution_added_to_itself_is_no_sum_with_another_value():
    network = Network()
    conv = network.add("conv", "conv", network.input("image", 3, 5, 5), channels=4, kernel=3)
    graph = network.graph(network.add("twice", "add", conv, conv))
    assert attached(graph.nodes[0], graph.nodes[1:]).nodes == 0
    assert_alike(*both(graph), 1e-6, torch.randn(1, 3, 5, 5))


def test_values_go_as_soon_as_nobody_reads_them():
    network = Network()
    last = network.input("image", 4, 6, 6)
    for number in range(5):
        last = network.add(f"conv{number}", "conv", last, channels=4, kernel=3, pad=1)
    _, packed = both(network.graph(last))
    assert [step.release for step in packed.steps] == [
        ("image",), ("conv0",), ("conv1",), ("conv2",), ("conv3",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "model", "size", "precision", "tolerance"),
    [
        ("lenet5", None, None, "float32", 1e-5),
        ("resnet", "ResNet18", (64, 96), "float32", 1e-4),
        ("mobilenet_v2", None, (64, 64), "float32", 1e-4),
        ("unet", None, (32, 48), "float32", 1e-4),
        ("lenet5", None, None, "bfloat16", 3e-2),
        ("resnet", "ResNet18", (64, 96), "bfloat16", 5e-2),
    ],
)
def test_networks_of_the_zoo(name, model, size, precision, tolerance):
    loaded = striate.load(f"plugins/striate_plugins/zoo/{name}.cnn", model)
    program, packed = both(loaded.graph, loaded.catalogue.lookup, precision)
    shape = loaded.graph.inputs[0].value.type.shape
    height, width = size or shape[1:]
    fixed = not isinstance(shape[1], int) or size is None
    torch.manual_seed(2)
    image = torch.randn(2, shape[0], *((height, width) if fixed else shape[1:]))
    assert_alike(program, packed, tolerance, image)
