"""Activations at numbers that textbooks print, and where a text is wrong, the right ones with the reason."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from striate.ops import BUILTIN
from tests.engine.ops.configurations import infer

POINTS = [-2.0, -1.0, -0.5, 1.0, 2.0]

PRINTED = [
    ("relu", {}, [0, 0, 0, 1, 2]),
    ("leaky_relu", {"slope": 0.01}, [-0.02, -0.01, -0.005, 1, 2]),
    ("leaky_relu", {}, [-0.02, -0.01, -0.005, 1, 2]),
    ("prelu", {}, [-0.5, -0.25, -0.125, 1, 2]),
    ("elu", {}, [-0.8646647, -0.6321206, -0.3934693, 1, 2]),
    ("silu", {}, [-0.2384058, -0.2689414, -0.1887703, 0.7310586, 1.7615942]),
    ("swish", {}, [-0.2384058, -0.2689414, -0.1887703, 0.7310586, 1.7615942]),
    ("sigmoid", {}, [0.1192029, 0.2689414, 0.3775407, 0.7310586, 0.8807971]),
    ("tanh", {}, [-0.9640276, -0.7615942, -0.4621172, 0.7615942, 0.9640276]),
    # A text says Swish of MobileNetV3; the paper takes this piecewise linear stand-in, 2/3 at 1 and -1/3 at -1.
    ("hardswish", {}, [-1 / 3, -1 / 3, -0.2083333, 2 / 3, 5 / 3]),
    ("step", {}, [0, 0, 0, 1, 1]),
    ("linear", {}, POINTS),
    ("gelu", {}, [-0.0455003, -0.1586553, -0.1542688, 0.8413447, 1.9544997]),
    ("softplus", {}, [0.1269280, 0.3132617, 0.4740770, 1.3132617, 2.1269280]),
    ("mish", {}, [-0.2525015, -0.3034015, -0.2207443, 0.8650984, 1.9439590]),
    ("selu", {}, [-1.5201665, -1.1113307, -0.6917582, 1.0507010, 2.1014020]),
    ("softsign", {}, [-2 / 3, -0.5, -1 / 3, 0.5, 2 / 3]),
    ("hardsigmoid", {}, [1 / 6, 1 / 3, 0.4166667, 2 / 3, 5 / 6]),
    ("hardsigmoid", {"form": "onnx"}, [0.1, 0.3, 0.4, 0.7, 0.9]),
]


def values(name: str, arguments: dict[str, Any], entries: list[float]) -> list[float]:
    """Return what a layer makes of a flat value with weights as they start."""
    layer = infer(BUILTIN[name], arguments, [(len(entries),)])
    specs = BUILTIN[name].weights(layer.attributes, layer.inputs)
    weights = {spec.role: torch.full(spec.shape, spec.initializer.settings["value"]) for spec in specs}
    result: list[float] = layer.run([torch.tensor([entries], dtype=torch.float32)], weights)[0].tolist()
    return result


@pytest.mark.parametrize(("name", "arguments", "wanted"), PRINTED)
def test_at_five_points(name: str, arguments: dict[str, Any], wanted: list[float]):
    assert values(name, arguments, POINTS) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("softmax", [0.09003057, 0.24472847, 0.66524096]),
        ("log_softmax", [-2.40760596, -1.40760596, -0.40760596]),
        ("softmin", [0.66524096, 0.24472847, 0.09003057]),
    ],
)
def test_shares_of_one_two_three(name: str, wanted: list[float]):
    assert values(name, {}, [1, 2, 3]) == pytest.approx(wanted, abs=1e-7)
    assert values("softmax", {}, [2, 1, 0.1]) == pytest.approx([0.65900114, 0.24243297, 0.09856589], abs=1e-7)


def test_a_second_logarithm_of_shares_changes_nothing():
    """A net that ends in log_softmax and is trained with a loss that applies it again still gets the right loss."""
    once = values("log_softmax", {}, [1, 2, 3])
    assert values("log_softmax", {}, once) == pytest.approx(once, abs=1e-6)


def test_the_range_of_the_sigmoid_is_open():
    """A text prints [0, 1]; no finite number reaches an end (in 32 bits the digits end sooner)."""
    layer = infer(BUILTIN["sigmoid"], {}, [(2,)])
    low, high = layer.run([torch.tensor([[-30.0, 30.0]], dtype=torch.float64)], {})[0].tolist()
    assert 0 < low < high < 1


def test_elu_moves_the_mean_towards_zero():
    """A text says that "negative inputs have a non-zero mean"; what ELU does is the opposite, to outputs."""
    noise = torch.randn(1, 10000, generator=torch.Generator().manual_seed(0))
    mean = {name: infer(BUILTIN[name], {}, [(10000,)]).run([noise], {}).mean().item() for name in ("relu", "elu")}
    assert 0 < mean["elu"] < mean["relu"]


def test_relu_passes_gradients_above_zero_only():
    value = torch.tensor([[1.0, -2.0, 3.0]], requires_grad=True)
    infer(BUILTIN["relu"], {}, [(3,)]).run([value], {}).backward(torch.tensor([[-1.0, 5.0, 2.0]]))
    assert value.grad is not None
    assert value.grad.tolist() == [[-1, 0, 2]]


def test_channels_of_maxout_are_neighbours():
    assert values("maxout", {"pieces": 2}, [1, 4, 3, 2, 0, -1]) == [4, 3, 0]


def test_the_second_half_is_the_gate():
    assert values("glu", {}, [4, 6, 0, 100]) == pytest.approx([2, 6])
    assert values("glu", {"gate": "linear"}, [4, 6, 0.5, -1]) == [2, -6]


def test_a_sharp_swish_is_relu_and_a_flat_one_half_the_input():
    assert values("swish", {"beta": 100}, POINTS) == pytest.approx(values("relu", {}, POINTS), abs=1e-6)
    assert values("swish", {"beta": 0}, POINTS) == [value / 2 for value in POINTS]
