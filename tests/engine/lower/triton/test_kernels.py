"""Generated kernels in Triton's interpreter against torch: random networks, every window, every expression."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import striate
from striate.fusion import partition
from striate.lower.torch import Program, initialise
from striate.lower.triton.expressions import KNOWN
from striate.lower.triton.program import TritonProgram
from striate.ops import BUILTIN
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from tests.engine.fusion.drawn import mixed_networks
from tests.engine.lower.test_prepacked import outputs_of
from tests.engine.passes.networks import Network

pytest.importorskip("triton", reason="Triton has wheels for Linux only")
lookup = BUILTIN.__getitem__


def both(graph, find=lookup, level="epilogues", precision="float32"):
    """Return the program layer by layer with random statistics, and the one of kernels with the same weights."""
    cleaned = run_passes(graph, [DropInferenceNoops(find), RemoveDeadNodes()]).graph
    program = initialise(Program(cleaned, find), 5).eval()
    generator = torch.Generator().manual_seed(7)
    for name, tensor in program.state_dict(keep_vars=True).items():
        if "running" in name or name.endswith("bias"):
            with torch.no_grad():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    arrays = {name: tensor.detach().numpy() for name, tensor in program.state_dict().items()}
    return program, TritonProgram(partition(cleaned, find, level), find, arrays, precision=precision, interpret=True)


def assert_alike(program, kernels, tolerance, *inputs):
    with torch.inference_mode():
        wanted, found = outputs_of(program.double()(*(each.double() for each in inputs))), outputs_of(kernels(*inputs))
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        scale = float(tensor.abs().max()) or 1.0
        assert float((tensor - found[name]).abs().max()) <= tolerance * scale, name


@settings(deadline=None, max_examples=25)
@given(mixed_networks(8), st.sampled_from(("layers", "epilogues", "chains")), st.integers(1, 3))
def test_random_networks(graph, level, batch):
    torch.manual_seed(0)
    assert_alike(*both(graph, level=level), 2e-5, torch.randn(batch, 4, 6, 5))


WINDOWS = (
    {"channels": 8, "kernel": 1},
    {"channels": 7, "kernel": 3, "pad": 1},
    {"channels": 20, "kernel": 3, "stride": 2, "pad": 1, "bias": False},
    {"channels": 6, "kernel": (5, 2), "stride": (1, 3), "pad": (2, 1, 0, 1)},
    {"channels": 6, "kernel": 3, "dilation": (2, 1), "pad": (2, 1)},
    {"channels": 12, "kernel": 3, "pad": "half", "groups": 3},
    {"channels": 6, "kernel": 3, "pad": "half", "groups": 6},
    {"channels": 18, "kernel": 3, "groups": 6},
    {"channels": 4, "kernel": 3, "stride": 2, "pad": "same"},
)


@pytest.mark.parametrize("arguments", WINDOWS, ids=str)
def test_convolutions(arguments):
    network = Network()
    out = network.add("conv", "conv", network.input("image", 6, 9, 11), **arguments)
    program, kernels = both(network.graph(out))
    assert kernels.generated == 1
    torch.manual_seed(1)
    assert_alike(program, kernels, 2e-6, torch.randn(2, 6, 9, 11))


@pytest.mark.parametrize(
    "arguments",
    [
        {"channels": 5, "kernel": 2, "stride": 2},
        {"channels": 5, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1},
        {"channels": 3, "kernel": (4, 3), "stride": (3, 1), "dilation": (1, 2)},
        {"channels": 4, "kernel": 4, "stride": 2, "pad": "same"},
    ],
    ids=str,
)
def test_transposed_convolutions(arguments):
    network = Network()
    out = network.add("deconv", "deconv", network.input("image", 6, 5, 4), **arguments)
    program, kernels = both(network.graph(out))
    assert kernels.generated == 1
    torch.manual_seed(1)
    assert_alike(program, kernels, 2e-6, torch.randn(2, 6, 5, 4))


def test_a_dense_product_over_flat_values():
    network = Network()
    flat = network.input("features", 37)
    out = network.add("relu", "relu", network.add("dense", "dense", flat, features=19))
    program, kernels = both(network.graph(out))
    assert kernels.generated == 1
    torch.manual_seed(1)
    assert_alike(program, kernels, 2e-6, torch.randn(5, 37))


EXPRESSIONS = [
    (name, dict(sample.arguments))
    for name in KNOWN
    for sample in BUILTIN[name].samples
    if sample.fails is None and len(sample.inputs[0]) == 3 and not sample.arguments.get("trainable")
]


@pytest.mark.parametrize(("op", "arguments"), EXPRESSIONS)
def test_every_expression_behind_a_product_and_before_one(op, arguments):
    network = Network()
    first = network.add("first", "conv", network.input("image", 5, 6, 7), channels=5, kernel=1)
    first = network.add("small", "square" if op == "sqrt" else "tanh" if op == "exp" else "neg", first)
    behind = network.add("behind", op, first, **arguments)
    branch = network.add("branch", "relu", behind)  # two readers: the product below reads through its own copy
    last = network.add("last", "conv", network.add("before", op, branch, **arguments), channels=3, kernel=3, pad=1)
    program, kernels = both(network.graph(last, kept=branch))
    assert not kernels.by_torch
    torch.manual_seed(2)
    assert_alike(program, kernels, 1e-5, torch.randn(2, 5, 6, 7))


def test_what_is_read_beyond_the_border_stays_zero():
    network = Network()
    image = network.input("image", 4, 5, 5)
    both_read = network.add("bn", "bn", image)
    bent = network.add("sigmoid", "sigmoid", both_read)  # of zero it would make a half
    out = network.add("conv", "conv", bent, channels=4, kernel=3, pad=1)
    program, kernels = both(network.graph(out))
    assert [len(piece.nodes) for piece in kernels.pieces] == [3]
    torch.manual_seed(3)
    assert_alike(program, kernels, 2e-6, torch.randn(2, 4, 5, 5))


def test_half_precision():
    network = Network()
    last = network.input("image", 8, 9, 9)
    for number in range(3):
        last = network.add(f"conv{number}", "conv", last, channels=16, kernel=3, pad=1)
        last = network.add(f"relu{number}", "relu", last)
    program, kernels = both(network.graph(last), precision="float16")
    torch.manual_seed(4)
    assert_alike(program, kernels, 5e-3, torch.randn(1, 8, 9, 9))


def test_the_source_is_readable():
    network = Network()
    conv = network.add("conv", "conv", network.input("image", 4, 5, 5), channels=4, kernel=3)
    _, kernels = both(network.graph(network.add("act", "relu", conv)))
    source = kernels.pieces[0].kernel.source
    assert "# hand.cnn:2: conv conv" in source and "# hand.cnn:3: relu act" in source
    compile(source, "kernel", "exec")


@pytest.mark.parametrize(("name", "model", "image"), [("lenet5", None, (1, 32, 32))])
def test_whole_networks(name, model, image):
    loaded = striate.load(f"plugins/striate_plugins/zoo/{name}.cnn", model)
    program, kernels = both(loaded.graph, loaded.catalogue.lookup)
    torch.manual_seed(5)
    assert_alike(program, kernels, 1e-5, torch.randn(2, *image))
