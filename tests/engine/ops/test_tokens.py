"""Recurrent layers, attention and graph layers against torch's own modules and published numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from striate.dims import symbol
from striate.graph import Weight
from striate.ops import BUILTIN, LayerError
from striate.ops.initializers import start_values
from tests.engine.ops.configurations import Layer, infer


def starts(layer: Layer, seed: int = 0) -> dict[str, Tensor]:
    specs = layer.record.weights(layer.attributes, layer.inputs)
    return {
        spec.role: torch.from_numpy(start_values(Weight(spec.role, spec.shape, spec.initializer), seed))
        for spec in specs
    }


def macs(layer: Layer) -> Any:
    return layer.record.macs(layer.attributes, layer.inputs, layer.outputs)


STACKS = [
    {"hidden": 6},
    {"hidden": 4, "layers": 3, "bidirectional": True},
    {"hidden": 5, "layers": 2, "bias": False},
]


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("arguments", STACKS)
class TestRecurrent:
    def module(self, name: str, arguments: dict[str, Any]) -> nn.RNNBase:
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[name]
        written = dict(arguments)
        made: nn.RNNBase = kind(
            3, written.pop("hidden"), num_layers=written.pop("layers", 1), batch_first=True, **written
        )
        return made

    def test_a_state_dict_of_torch_fits(self, name: str, arguments: dict[str, Any]):
        module, layer = self.module(name, arguments), infer(BUILTIN[name], arguments, [(3, 8)])
        weights = dict(module.state_dict())
        assert {role: tuple(item.shape) for role, item in weights.items()} == {
            role: tuple(item.shape) for role, item in starts(layer).items()
        }
        value = torch.randn(4, 8, 3)
        wanted = module(value)[0]
        torch.testing.assert_close(layer.run([value.transpose(1, 2)], weights), wanted.transpose(1, 2))
        last = infer(BUILTIN[name], {**arguments, "axis": "last", "output": "last"}, [(8, 3)])
        ends = wanted[:, -1]
        if arguments.get("bidirectional"):
            ends = torch.cat([ends[:, :4], wanted[:, 0, 4:]], 1)
        torch.testing.assert_close(last.run([value], weights), ends)

    def test_weights_start_as_those_of_torch(self, name: str, arguments: dict[str, Any]):
        bound = 1 / math.sqrt(arguments["hidden"])
        for role, values in starts(infer(BUILTIN[name], arguments, [(3, 8)])).items():
            assert values.abs().max() <= bound, role
        theirs = torch.cat([item.flatten() for item in self.module(name, arguments).state_dict().values()])
        ours = torch.cat([item.flatten() for item in starts(infer(BUILTIN[name], arguments, [(3, 8)])).values()])
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.15)

    def test_products_are_counted_gate_by_gate(self, name: str, arguments: dict[str, Any]):
        """Each step multiplies every matrix of the module by one vector."""
        matrices = [item for role, item in self.module(name, arguments).state_dict().items() if "weight" in role]
        layer = infer(BUILTIN[name], arguments, [(3, 8)])
        assert macs(layer) == 8 * sum(item.numel() for item in matrices)
        opened = infer(BUILTIN[name], arguments, [(3, symbol("L"))])
        assert str(macs(opened)) == f"{sum(item.numel() for item in matrices)}*L"


def test_the_head_of_a_video_network_has_the_printed_size():
    """ResNet-18 features of 5 frames, an LSTM 512 -> 256, and a dense layer of 10: 788,480 parameters in the LSTM."""
    layer = infer(BUILTIN["lstm"], {"hidden": 256, "output": "last"}, [(512, 5)])
    assert layer.outputs[0].shape == (256,)
    assert sum(item.numel() for item in starts(layer).values()) == 788_480


def test_nothing_is_dropped_between_fewer_than_two_layers():
    value, weights = torch.randn(3, 4, 6), starts(infer(BUILTIN["gru"], {"hidden": 5}, [(4, 6)]))
    layer = infer(BUILTIN["gru"], {"hidden": 5, "dropout": 0.9}, [(4, 6)])
    torch.testing.assert_close(layer.run([value], weights, training=True), layer.run([value], weights))


def test_an_image_is_made_a_sequence_by_the_step_that_is_named():
    with pytest.raises(LayerError) as refusal:
        infer(BUILTIN["lstm"], {"hidden": 4}, [(8, 2, 9)])
    assert refusal.value.problem.before == "reshape([auto, width])"
    assert refusal.value.problem.before in (refusal.value.problem.help or "")


def torch_attention(weights: dict[str, Tensor], width: int, heads: int, **options: Any) -> nn.MultiheadAttention:
    module = nn.MultiheadAttention(width, heads, batch_first=True, **options)
    renamed = {role.replace("out_proj_", "out_proj."): item for role, item in weights.items()}
    module.load_state_dict(renamed)
    return module.eval()


def filled(layer: Layer) -> dict[str, Tensor]:
    return layer.weights(seed=3)


class TestAttention:
    def test_self_attention_is_that_of_torch(self):
        layer = infer(BUILTIN["attention"], {"heads": 4}, [(8, 3, 5)])
        weights, value = filled(layer), torch.randn(2, 8, 3, 5)
        module = torch_attention(weights, 8, 4)
        rows = value.flatten(2).transpose(1, 2)
        wanted = module(rows, rows, rows, need_weights=False)[0].transpose(1, 2).reshape(value.shape)
        torch.testing.assert_close(layer.run([value], weights), wanted)
        assert sum(item.numel() for item in weights.values()) == sum(item.numel() for item in module.parameters())

    def test_cross_attention_is_that_of_torch(self):
        arguments = {"heads": 2, "keys": 1, "values": 2, "axis": "last"}
        layer = infer(BUILTIN["attention"], arguments, [(5, 6), (7, 4), (7, 3)])
        weights = filled(layer)
        queries, keys, values = torch.randn(2, 5, 6), torch.randn(2, 7, 4), torch.randn(2, 7, 3)
        module = torch_attention(weights, 6, 2, kdim=4, vdim=3)
        torch.testing.assert_close(layer.run([queries, keys, values], weights), module(queries, keys, values)[0])

    def test_attention_to_what_came_before_is_that_of_torch(self):
        layer = infer(BUILTIN["attention"], {"heads": 2, "causal": True, "bias": False}, [(6, 7)])
        weights, value = filled(layer), torch.randn(2, 6, 7)
        rows = value.transpose(1, 2)
        later = torch.ones(7, 7, dtype=torch.bool).triu(1)
        wanted = torch_attention(weights, 6, 2, bias=False)(rows, rows, rows, attn_mask=later)[0]
        torch.testing.assert_close(layer.run([value], weights), wanted.transpose(1, 2))

    def test_weights_start_as_those_of_torch(self):
        torch.manual_seed(0)
        module = nn.MultiheadAttention(64, 4)
        layer = infer(BUILTIN["attention"], {"heads": 4}, [(64, 9)])
        for role, values in starts(layer).items():
            theirs = module.state_dict()[role.replace("out_proj_", "out_proj.")]
            assert values.shape == theirs.shape
            assert values.std().item() == pytest.approx(theirs.std().item(), rel=0.1, abs=1e-9), role
            assert values.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.02, abs=1e-9), role

    def test_a_worked_example(self):
        """Queries and keys are the two unit vectors, values (1, 2) and (3, 4), in one head of two features."""
        layer = infer(
            BUILTIN["attention"], {"heads": 1, "keys": 1, "values": 2, "bias": False, "axis": "last"}, [(2, 2)] * 3
        )
        identity, values = torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        weights = {"in_proj_weight": identity.repeat(3, 1), "out_proj_weight": identity}
        found = layer.run([identity[None], identity[None], values[None]], weights)[0]
        wanted = torch.tensor([[1.6604769, 2.6604769], [2.3395231, 3.3395231]])
        torch.testing.assert_close(found, wanted)

    def test_products_are_counted(self):
        """Four projections of E x E for each token, and every query meets every key twice, E products each time."""
        assert macs(infer(BUILTIN["attention"], {"heads": 8}, [(512, 49)])) == 4 * 49 * 512**2 + 2 * 49**2 * 512
        opened = infer(BUILTIN["attention"], {"heads": 2}, [(4, symbol("L"))])
        assert str(macs(opened)) == "8*L^2 + 64*L"
        layer = infer(BUILTIN["attention"], {"heads": 2, "keys": 1}, [(4, 3), (5, 7)])
        assert macs(layer) == 2 * 3 * 16 + 2 * 7 * 4 * 5 + 2 * 3 * 7 * 4

    def test_the_number_of_heads_that_is_named_works(self):
        for features, heads in [(6, 4), (7, 3), (48, 32), (5, 9)]:
            with pytest.raises(LayerError) as refusal:
                infer(BUILTIN["attention"], {"heads": heads}, [(features, 4)])
            ((argument, text),) = refusal.value.problem.repair
            assert (argument, refusal.value.problem.code) == ("heads", "E0205")
            infer(BUILTIN["attention"], {"heads": int(text)}, [(features, 4)])
            assert f"heads = {text} " in (refusal.value.problem.help or "")
