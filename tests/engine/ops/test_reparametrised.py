"""Kernels that are standardised or divided by their spectral norm, against torch's own and by their definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from striate.model import load_source
from striate.ops import BUILTIN
from striate_dsl.source import Source
from tests.engine.ops.configurations import Layer, infer

LAYERS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "conv": ({"channels": 6, "kernel": 3}, (4, 6, 5)),
    "deconv": ({"channels": 6, "kernel": 3, "stride": 2}, (4, 6, 5)),
    "dense": ({"features": 6}, (9,)),
}
names = pytest.mark.parametrize("name", LAYERS)


def layer_of(name: str, how: str, **more: Any) -> tuple[Layer, Layer]:
    """Return a layer whose kernel is used in some way, and the plain one."""
    written, shape = LAYERS[name]
    return tuple(infer(BUILTIN[name], {**written, **more, "weight": each}, [shape]) for each in (how, "plain"))  # type: ignore[return-value]  # two of them


def value_for(name: str) -> Tensor:
    return torch.randn(3, *LAYERS[name][1], dtype=torch.float64)


def with_kernel(weights: dict[str, Tensor], kernel: Tensor) -> dict[str, Tensor]:
    return {"weight": kernel, **{role: item for role, item in weights.items() if role == "bias"}}


@names
def test_a_standardised_kernel_has_mean_0_and_variance_1_for_each_output_channel(name: str):
    layer, plain = layer_of(name, "standardised")
    weights, value = layer.weights(dtype=torch.float64), value_for(name)
    rows = 1 if name == "deconv" else 0
    flat = weights["weight"].transpose(0, rows).flatten(1)
    made = (flat - flat.mean(1, keepdim=True)) / (flat.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    kernel = made.reshape(weights["weight"].transpose(0, rows).shape).transpose(0, rows)
    torch.testing.assert_close(layer.run([value], weights), plain.run([value], with_kernel(weights, kernel)))


def test_groups_of_a_transposed_convolution_are_standardised_apart():
    layer, plain = layer_of("deconv", "standardised", groups=2)
    one, _ = layer_of("deconv", "standardised", channels=3)
    weights, value = layer.weights(dtype=torch.float64), value_for("deconv")
    weights["bias"].zero_()
    halves = []
    for group in range(2):
        given = slice(2 * group, 2 * group + 2)
        halves.append(
            infer(BUILTIN["deconv"], dict(one.attributes), [(2, 6, 5)]).run(
                [value[:, given]], {"weight": weights["weight"][given], "bias": weights["bias"][:3]}
            )
        )
    torch.testing.assert_close(layer.run([value], weights), torch.cat(halves, 1))
    assert not torch.allclose(plain.run([value], weights), torch.cat(halves, 1))


@names
def test_training_finds_the_spectral_norm(name: str):
    layer, plain = layer_of(name, "spectral")
    weights, value = layer.weights(dtype=torch.float64), value_for(name)
    for _ in range(200):
        layer.run([value], weights, training=True)
    rows = 1 if name == "deconv" else 0
    norm = torch.linalg.matrix_norm(weights["weight"].transpose(0, rows).flatten(1), 2)
    wanted = plain.run([value], with_kernel(weights, weights["weight"] / norm))
    for training in (True, False):
        torch.testing.assert_close(layer.run([value], weights, training=training), wanted)


@names
def test_outputs_and_gradients_are_those_of_torch_once_the_norm_is_known(name: str):
    layer, _ = layer_of(name, "spectral")
    made: dict[str, nn.Module] = {
        "conv": nn.Conv2d(4, 6, 3),
        "deconv": nn.ConvTranspose2d(4, 6, 3, 2),
        "dense": nn.Linear(9, 6),
    }
    weights, value = layer.weights(dtype=torch.float64), value_for(name)
    module = made[name].double()
    with torch.no_grad():
        module.weight.copy_(weights["weight"])
        module.bias.copy_(weights["bias"])
    module = spectral_norm(module, n_power_iterations=1)
    for _ in range(200):
        module(value)
        layer.run([value], weights, training=True)
    kernel = weights["weight"].requires_grad_()
    ours, theirs = layer.run([value], weights, training=True), module(value)
    torch.testing.assert_close(ours, theirs)
    direction = torch.randn_like(ours)
    (ours * direction).sum().backward()
    (theirs * direction).sum().backward()
    (original,) = (item for name, item in module.named_parameters() if name.endswith("original"))
    torch.testing.assert_close(kernel.grad, original.grad)


def test_evaluation_computes_what_training_left():
    layer, _ = layer_of("conv", "spectral")
    weights, value = layer.weights(dtype=torch.float64), value_for("conv")
    trained = layer.run([value], weights, training=True)
    assert torch.equal(layer.run([value], weights), trained)


def test_a_kernel_of_zeros_stays_one_and_keeps_the_direction():
    layer, _ = layer_of("conv", "spectral", init="zeros", bias=False)
    weights = {**layer.weights(), "weight": torch.zeros(6, 4, 3, 3)}
    before = weights["running_u"].clone()
    assert torch.equal(layer.run([torch.ones(1, 4, 6, 5)], weights, training=True), torch.zeros(1, 6, 4, 3))
    assert torch.equal(weights["running_u"], before)


def test_a_layer_that_is_used_twice_has_gradients():
    square = infer(BUILTIN["dense"], {"features": 9, "weight": "spectral"}, [(9,)])
    weights, value = square.weights(), torch.randn(2, 9)
    weights["weight"].requires_grad_()
    square.run([square.run([value], weights, training=True)], weights, training=True).sum().backward()
    assert weights["weight"].grad is not None
    assert torch.isfinite(weights["weight"].grad).all()


@names
def test_costs_are_those_of_the_plain_layer(name: str):
    for how in ("standardised", "spectral"):
        layer, plain = layer_of(name, how)
        record, counted = layer.record, []
        for each in (layer, plain):
            specs = record.weights(each.attributes, each.inputs)
            parameters = sum(torch.Size(spec.shape).numel() for spec in specs if spec.trainable)
            counted.append((parameters, record.macs(each.attributes, each.inputs, each.outputs)))
        assert counted[0] == counted[1]


NETWORK = """
model Critic {
  input image: 3 x H x W
  conv(8, 3, stride = 2, weight = spectral) -> leaky_relu(0.1)
  conv(8, 3, groups = 2, weight = standardised) -> groupnorm(4) -> relu
  deconv(6, 2, stride = 2, groups = 2, weight = spectral) -> deconv(4, 2, weight = standardised)
  global_avgpool -> flatten -> dense(1, weight = spectral)
  output score
}
"""


def test_a_trained_network_is_exported_with_the_kernels_that_it_uses(tmp_path: Path):
    model = load_source(Source("net.cnn", NETWORK))
    program = model.to_torch().train()
    for _ in range(5):
        program(torch.randn(2, 3, 20, 16))
    report = model.export_onnx(tmp_path / "net.onnx")
    assert report.verification is not None
    assert report.verification.difference.relative < 1e-4
