"""Normalising layers against torch's own modules in training and evaluation, and against each other."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from striate.ops import BUILTIN
from tests.engine.ops.configurations import Layer, infer, tensors
from tests.engine.ops.reference_norm import instancenorm_statistics

MODULES = [
    ("bn", {}, (6, 5, 7), nn.BatchNorm2d(6)),
    ("bn", {"eps": 0.1, "momentum": 0.4}, (6, 9), nn.BatchNorm1d(6, eps=0.1, momentum=0.4)),
    ("bn", {}, (4, 3, 2, 5), nn.BatchNorm3d(4)),
    ("instancenorm", {}, (6, 5, 7), nn.InstanceNorm2d(6)),
    ("instancenorm", {"affine": True, "eps": 0.1}, (6, 9), nn.InstanceNorm1d(6, affine=True, eps=0.1)),
    (
        "instancenorm",
        {"affine": True, "running": True, "momentum": 0.3},
        (6, 5, 7),
        nn.InstanceNorm2d(6, affine=True, track_running_stats=True, momentum=0.3),
    ),
    ("groupnorm", {"groups": 3}, (6, 5, 7), nn.GroupNorm(3, 6)),
    ("groupnorm", {"groups": 2, "affine": False, "eps": 0.1}, (6, 9), nn.GroupNorm(2, 6, affine=False, eps=0.1)),
    ("layernorm", {"axis": "all"}, (6, 5, 7), nn.LayerNorm((6, 5, 7))),
    ("layernorm", {"axis": "space", "eps": 0.1}, (6, 5, 7), nn.LayerNorm((5, 7), eps=0.1)),
    ("layernorm", {"axis": "last", "affine": False}, (6, 5, 7), nn.LayerNorm(7, elementwise_affine=False)),
    ("rmsnorm", {"axis": "all", "eps": 0.1}, (6, 5, 7), nn.RMSNorm((6, 5, 7), eps=0.1)),
    ("rmsnorm", {"axis": "last", "affine": False}, (6, 9), nn.RMSNorm(9, eps=1e-5, elementwise_affine=False)),
    ("lrn", {"size": 5, "alpha": 0.5, "k": 2}, (8, 5, 7), nn.LocalResponseNorm(5, 0.5, 0.75, 2)),
]


def made_alike(layer: Layer, module: nn.Module) -> dict[str, Tensor]:
    """Give layer and module the same weights."""
    weights = layer.weights()
    state = {**module.state_dict(), **{role: item.clone() for role, item in weights.items()}}
    module.load_state_dict(state)
    return {role: item.requires_grad_(not role.startswith("running")) for role, item in weights.items()}


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("name", "arguments", "shape", "module"), MODULES)
def test_values_gradients_and_statistics_are_those_of_the_module(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...], module: nn.Module, batch: int, training: bool
):
    layer = infer(BUILTIN[name], arguments, [shape])
    weights = made_alike(layer, module)
    module.train(training).zero_grad()
    (ours,), (theirs,) = tensors([shape], batch, seed=3), tensors([shape], batch, seed=3)
    upstream = tensors([shape], batch, seed=4)[0]
    result = layer.run([ours.requires_grad_()], weights, training=training)
    wanted = module(theirs.requires_grad_())
    torch.testing.assert_close(result, wanted)
    result.backward(upstream)
    wanted.backward(upstream)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)
    for role, parameter in module.named_parameters():
        torch.testing.assert_close(weights[role].grad, parameter.grad, rtol=1e-4, atol=1e-5)
    for role, buffer in module.named_buffers():
        if role in weights:
            torch.testing.assert_close(weights[role], buffer)


def test_batch_norm_of_one_to_four():
    """Printed: plus and minus 1.34163542 and 0.44721181, with the variance divided by n, and eps = 1e-5."""
    layer = infer(BUILTIN["bn"], {}, [(1,)])
    weights = {"weight": torch.ones(1), "bias": torch.zeros(1), "running_mean": torch.zeros(1)}
    column = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    result = layer.run([column], {**weights, "running_var": torch.ones(1)}, training=True)
    wanted = [-1.34163542, -0.44721181, 0.44721181, 1.34163542]
    assert result[:, 0].tolist() == pytest.approx(wanted, abs=1e-6)


def test_batch_norm_makes_no_normal_distribution_of_another():
    """A text says that it does; it moves and scales, and what had two peaks still has them."""
    layer = infer(BUILTIN["bn"], {}, [(1,)])
    weights = {"weight": torch.ones(1), "bias": torch.zeros(1), "running_mean": torch.zeros(1)}
    coins = torch.tensor([[0.0], [8.0]] * 50)
    result = layer.run([coins], {**weights, "running_var": torch.ones(1)}, training=True)
    assert result.mean().item() == pytest.approx(0, abs=1e-6)
    assert result.square().mean().item() == pytest.approx(1, abs=1e-4)
    assert len(result.unique()) == 2


def test_momentum_is_the_share_of_the_new_batch():
    """As in torch: 0.1 moves the statistics a tenth of the way. In Keras that is 0.9."""
    layer = infer(BUILTIN["bn"], {"momentum": 0.1}, [(1,)])
    mean, variance = torch.zeros(1), torch.ones(1)
    weights = {"weight": torch.ones(1), "bias": torch.zeros(1), "running_mean": mean, "running_var": variance}
    layer.run([torch.tensor([[1.0], [3.0]])], weights, training=True)
    assert mean.item() == pytest.approx(0.1 * 2)
    assert variance.item() == pytest.approx(0.9 * 1 + 0.1 * 2), "divided by n - 1 = 1"


def test_running_statistics_of_instances():
    layer = infer(BUILTIN["instancenorm"], {"running": True, "momentum": 0.3}, [(4, 3, 2)])
    weights, values = layer.weights(dtype=torch.float64), tensors([(4, 3, 2)], 3, dtype=torch.float64)
    before = {role: item.numpy().copy() for role, item in weights.items()}
    layer.run(values, weights, training=True)
    mean, variance = instancenorm_statistics(layer.attributes, values[0].numpy(), before)
    torch.testing.assert_close(weights["running_mean"], torch.from_numpy(mean))
    torch.testing.assert_close(weights["running_var"], torch.from_numpy(variance))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("groupnorm", {"groups": 1, "affine": False}), ("layernorm", {"axis": "all", "affine": False})),
        (("groupnorm", {"groups": 6, "affine": False}), ("instancenorm", {})),
        (("layernorm", {"axis": "space", "affine": False}), ("instancenorm", {})),
        (("lrn", {"size": 5, "alpha": 1e-1, "squares": "sum"}), ("lrn", {"size": 5, "alpha": 5e-1})),
    ],
)
def test_two_names_for_one_thing(one: tuple[str, Any], other: tuple[str, Any]):
    values = tensors([(6, 5, 7)], 2)
    results = [infer(BUILTIN[name], arguments, [(6, 5, 7)]).run(values, {}) for name, arguments in (one, other)]
    torch.testing.assert_close(*results)


def test_alexnets_response_norm_by_its_paper():
    """One pixel of five channels, k = 2, n = 5, alpha = 1e-4, beta = 0.75: the middle one sees all five squares."""
    layer = infer(BUILTIN["lrn"], {"size": 5, "alpha": 1e-4, "k": 2, "squares": "sum"}, [(5, 1, 1)])
    pixel = torch.tensor([10.0, 20.0, 30.0, 40.0, 50.0]).reshape(1, 5, 1, 1)
    assert layer.run([pixel], {}).flatten()[2].item() == pytest.approx(30 / (2 + 1e-4 * 5500) ** 0.75)


def test_a_style_of_its_own_content_changes_nothing():
    layer = infer(BUILTIN["adain"], {}, [(4, 5, 3), (4, 5, 3)])
    content = tensors([(4, 5, 3)], 2)[0]
    torch.testing.assert_close(layer.run([content, content], {}), content)


def test_content_takes_mean_and_deviation_of_the_style():
    layer = infer(BUILTIN["adain"], {"eps": 0}, [(4, 5, 3), (4, 2, 9)])
    content, style = tensors([(4, 5, 3), (4, 2, 9)], 2, dtype=torch.float64)
    result = layer.run([content, 3 * style + 5], {})
    torch.testing.assert_close(result.mean((2, 3)), (3 * style + 5).mean((2, 3)))
    torch.testing.assert_close(result.std((2, 3), correction=0), 3 * style.std((2, 3), correction=0))


def test_global_response_norm_begins_as_the_identity():
    layer = infer(BUILTIN["grn"], {}, [(4, 5, 3)])
    weights = {"weight": torch.zeros(4), "bias": torch.zeros(4)}
    value = tensors([(4, 5, 3)], 2)[0]
    assert torch.equal(layer.run([value], weights), value)


PARAMETERS = [
    ("layernorm", {}, (96, 56, 56), 192),
    ("layernorm", {"axis": "all"}, (3, 4, 5), 120),
    ("layernorm", {"affine": False}, (96, 56, 56), 0),
    ("rmsnorm", {}, (96, 56, 56), 96),
    ("groupnorm", {"groups": 32}, (64, 8, 8), 128),
    ("instancenorm", {}, (64, 8, 8), 0),
    ("instancenorm", {"affine": True}, (64, 8, 8), 128),
    ("grn", {}, (64, 8, 8), 128),
    ("prelu", {}, (64, 8, 8), 64),
    ("prelu", {"slopes": "shared"}, (64, 8, 8), 1),
    ("swish", {"trainable": True}, (64, 8, 8), 1),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "count"), PARAMETERS)
def test_parameters(name: str, arguments: dict[str, Any], shape: tuple[int, ...], count: int):
    layer = infer(BUILTIN[name], arguments, [shape])
    assert sum(item.numel() for item in layer.weights().values()) == count
