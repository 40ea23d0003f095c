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


def swin_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """The mask of Swin's own code: nine slices of an image are numbered, and windows compared with themselves."""
    numbers = torch.zeros(height, width)
    slices = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for count, (rows, columns) in enumerate((a, b) for a in slices for b in slices):
        numbers[rows, columns] = count
    parts = numbers.reshape(height // window, window, width // window, window).transpose(1, 2).reshape(-1, window**2)
    apart = parts[:, None] - parts[:, :, None]
    return apart.masked_fill(apart != 0, -100.0)


class TestWindowAttention:
    @pytest.mark.parametrize("shift", [0, 2])
    def test_each_window_is_attention_of_torch(self, shift: int):
        """torch's MultiheadAttention over each window of a rolled image, with the bias and the mask of Swin added."""
        layer = infer(BUILTIN["window_attention"], {"heads": 2, "window": 4, "shift": shift}, [(6, 8, 12)])
        weights, value = layer.weights(seed=1), torch.randn(2, 6, 8, 12)
        module = nn.MultiheadAttention(6, 2, batch_first=True).eval()
        module.load_state_dict(
            {
                "in_proj_weight": weights["qkv_weight"],
                "in_proj_bias": weights["qkv_bias"],
                "out_proj.weight": weights["proj_weight"],
                "out_proj.bias": weights["proj_bias"],
            }
        )
        lines = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")).flatten(1)
        apart = lines[:, :, None] - lines[:, None] + 3
        bias = weights["relative_position_bias_table"][apart[0] * 7 + apart[1]].permute(2, 0, 1)
        masks = swin_mask(8, 12, 4, shift) if shift else torch.zeros(6, 16, 16)
        rolled = value.roll((-shift, -shift), (2, 3)).permute(0, 2, 3, 1)
        wanted = torch.zeros_like(rolled)
        for image in range(2):
            for number in range(6):
                rows, columns = (slice(4 * place, 4 * place + 4) for place in divmod(number, 3))
                pixels = rolled[image, rows, columns].reshape(1, 16, 6)
                found = module(pixels, pixels, pixels, attn_mask=bias + masks[number], need_weights=False)[0]
                wanted[image, rows, columns] = found.reshape(4, 4, 6)
        wanted = wanted.permute(0, 3, 1, 2).roll((shift, shift), (2, 3))
        torch.testing.assert_close(layer.run([value], weights), wanted)

    def test_costs_are_those_of_swin(self):
        """Equation 2 of the paper, 4 h w C^2 + 2 M^2 h w C; Swin-T's first block: 96 channels, 3 heads, 56 x 56."""
        layer = infer(BUILTIN["window_attention"], {"heads": 3, "window": 7}, [(96, 56, 56)])
        assert macs(layer) == 4 * 56 * 56 * 96**2 + 2 * 49 * 56 * 56 * 96
        assert {role: tuple(item.shape) for role, item in starts(layer).items()} == {
            "qkv_weight": (288, 96),
            "qkv_bias": (288,),
            "relative_position_bias_table": (169, 3),
            "proj_weight": (96, 96),
            "proj_bias": (96,),
        }
        assert starts(layer)["qkv_weight"].std().item() == pytest.approx(0.02, rel=0.05)
        assert starts(layer)["relative_position_bias_table"].std().item() == pytest.approx(0.02, rel=0.2)

    def test_sizes_that_are_no_multiple_name_a_window_that_fits(self):
        for sizes, window, shift in [((56, 54), 7, 0), ((24, 20), 7, 3), ((9, 9), (2, 4), 1), ((13, 26), 7, 3)]:
            with pytest.raises(LayerError) as refusal:
                arguments = {"heads": 2, "window": window, "shift": shift}
                infer(BUILTIN["window_attention"], arguments, [(4, *sizes)])
            ((argument, text),) = refusal.value.problem.repair
            assert (argument, refusal.value.problem.code) == ("window", "E0216")
            repaired = tuple(map(int, text.strip("()").split(",")))
            fixed = repaired if len(repaired) > 1 else repaired[0]
            infer(BUILTIN["window_attention"], {**arguments, "window": fixed}, [(4, *sizes)])

    def test_open_sizes_must_be_multiples(self):
        shape = (4, symbol("H"), symbol("W"))
        layer = infer(BUILTIN["window_attention"], {"heads": 2, "window": (7, 4)}, [shape])
        assert [str(condition) for condition in layer.check.open] == ["H is a multiple of 7", "W is a multiple of 4"]


class TestNonlocal:
    def run(self, form: str, value: Tensor, weights: dict[str, Tensor]) -> Tensor:
        return infer(BUILTIN["nonlocal"], {"form": form}, [tuple(value.shape[1:])]).run([value], weights)

    @pytest.mark.parametrize("form", ["embedded", "gaussian", "dot", "concatenation"])
    def test_a_new_block_changes_nothing(self, form: str):
        layer = infer(BUILTIN["nonlocal"], {"form": form}, [(8, 4, 3)])
        value = torch.randn(2, 8, 4, 3)
        assert torch.equal(self.run(form, value, starts(layer)), value)

    def test_softmax_form_is_attention_of_torch(self):
        """The embedded form is attention with one head whose scores are not divided by sqrt(d)."""
        layer = infer(BUILTIN["nonlocal"], {}, [(6, 4, 3)])
        weights, value = layer.weights(seed=2), torch.randn(2, 6, 4, 3)
        rows = value.flatten(2).transpose(1, 2)
        made = [rows @ weights[f"{name}_weight"].T + weights[f"{name}_bias"] for name in ("theta", "phi", "g")]
        mixed = torch.softmax(made[0] @ made[1].transpose(1, 2), -1) @ made[2]
        wanted = rows + mixed @ weights["out_weight"].T + weights["out_bias"]
        torch.testing.assert_close(self.run("embedded", value, weights), wanted.transpose(1, 2).reshape(value.shape))

    def test_products_are_counted_as_they_are_taken(self):
        counts = {
            form: macs(infer(BUILTIN["nonlocal"], {"form": form}, [(8, 5, 3)]))
            for form in ("embedded", "gaussian", "dot", "concatenation")
        }
        assert counts == {
            "embedded": 4 * 15 * 8 * 4 + 2 * 15 * 15 * 4,
            "gaussian": 2 * 15 * 8 * 4 + 15 * 15 * (8 + 4),
            "dot": 4 * 15 * 8 * 4 + 2 * 15 * 4 * 4,
            "concatenation": 4 * 15 * 8 * 4 + 2 * 15 * 4 + 15 * 15 * 4,
        }


class TestGraphConvolution:
    PATH = ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0))

    @pytest.mark.parametrize(
        ("loops", "wanted"),
        [
            (False, [1.4142136, 2.8284271, 1.4142136]),
            (True, [1.3164966, 2.2996598, 2.3164966]),
        ],
    )
    def test_a_path_of_three_nodes(self, loops: bool, wanted: list[float]):
        """Features 1, 2, 3 and a weight of 1; a text leaves the loops of Kipf and Welling out."""
        arguments = {"channels": 1, "adjacency": 1, "self_loops": loops, "bias": False}
        layer = infer(BUILTIN["graphconv"], arguments, [(1, 3), (3, 3)])
        found = layer.run([torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([self.PATH])], {"weight": torch.ones(1, 1)})
        torch.testing.assert_close(found, torch.tensor([[wanted]]))

    @pytest.mark.parametrize("normalise", ["symmetric", "rows"])
    def test_a_node_without_edges_gets_nothing_and_has_a_gradient(self, normalise: str):
        arguments = {"channels": 1, "adjacency": 1, "self_loops": False, "bias": False, "normalise": normalise}
        layer = infer(BUILTIN["graphconv"], arguments, [(1, 2), (2, 2)])
        edges = torch.tensor([[[0.0, 0.0], [0.0, 1.0]]], requires_grad=True)
        found = layer.run([torch.tensor([[[5.0, 7.0]]]), edges], {"weight": torch.ones(1, 1)})
        assert found.tolist() == [[[0.0, 7.0]]]
        found.sum().backward()
        assert edges.grad is not None
        assert torch.isfinite(edges.grad).all()

    def test_products_are_counted(self):
        layer = infer(BUILTIN["graphconv"], {"channels": 16, "adjacency": 1}, [(1433, 2708), (2708, 2708)])
        assert macs(layer) == 2708 * 1433 * 16 + 2708**2 * 16


class TestConvolutionalMemory:
    def test_a_kernel_of_one_is_an_lstm_for_each_pixel(self):
        layer = infer(BUILTIN["convlstm"], {"hidden": 3, "kernel": 1}, [(2, 5, 4, 3)])
        weights, value = layer.weights(seed=1), torch.randn(2, 2, 5, 4, 3)
        lstm = nn.LSTM(2, 3, batch_first=True)
        lstm.load_state_dict(
            {
                "weight_ih_l0": weights["weight_ih"][:, :, 0, 0],
                "weight_hh_l0": weights["weight_hh"][:, :, 0, 0],
                "bias_ih_l0": weights["gate_bias"],
                "bias_hh_l0": torch.zeros(12),
            }
        )
        rows = value.permute(0, 3, 4, 2, 1).reshape(-1, 5, 2)
        wanted = lstm(rows)[0].reshape(2, 4, 3, 5, 3).permute(0, 4, 3, 1, 2)
        torch.testing.assert_close(layer.run([value], weights), wanted)

    def test_costs_are_those_of_eight_convolutions(self):
        layer = infer(BUILTIN["convlstm"], {"hidden": 64, "kernel": 5}, [(16, 10, 32, 32)])
        conv = nn.Conv2d(16 + 64, 4 * 64, 5)
        assert sum(item.numel() for item in starts(layer).values()) == sum(item.numel() for item in conv.parameters())
        # The first step has no state that a kernel could go over.
        assert macs(layer) == 32 * 32 * (10 * conv.weight.numel() - conv.weight[:, 16:].numel())
        opened = infer(BUILTIN["convlstm"], {"hidden": 2, "kernel": 3}, [(1, 4, symbol("H"), 5)])
        assert str(opened.outputs[0].shape[2]) == "H"

    def test_the_kernel_that_is_named_is_odd(self):
        for kernel, wanted in [(4, "5"), ((2, 3), "(3, 3)"), ((3, 6), "(3, 7)")]:
            with pytest.raises(LayerError) as refusal:
                infer(BUILTIN["convlstm"], {"hidden": 2, "kernel": kernel}, [(1, 4, 5, 5)])
            text = wanted if len(set(wanted.strip("()").split(", "))) > 1 else wanted.strip("()").split(", ")[0]
            assert refusal.value.problem.repair == (("kernel", text),)


class TestGumbel:
    LOGITS = (0.5, -1.0, 1.5)

    def test_draws_have_the_chances_of_softmax(self):
        torch.manual_seed(0)
        layer = infer(BUILTIN["gumbel_softmax"], {"temperature": 0.7}, [(3,)])
        found = layer.run([torch.tensor([self.LOGITS]).expand(40000, 3)], {}, training=True)
        torch.testing.assert_close(found.sum(1), torch.ones(40000))
        chances = torch.softmax(torch.tensor(self.LOGITS), 0)
        torch.testing.assert_close(found.mean(0), chances, rtol=0, atol=5 * 0.5 / 200)

    def test_yes_has_the_chance_of_sigmoid(self):
        torch.manual_seed(0)
        layer = infer(BUILTIN["gumbel_sigmoid"], {}, [(3,)])
        found = layer.run([torch.tensor([self.LOGITS]).expand(40000, 3)], {}, training=True)
        assert found.unique().tolist() == [0, 1]
        torch.testing.assert_close(found.mean(0), torch.tensor(self.LOGITS).sigmoid(), rtol=0, atol=5 * 0.5 / 200)

    @pytest.mark.parametrize("name", ["gumbel_softmax", "gumbel_sigmoid"])
    def test_the_gradient_is_that_of_the_soft_values(self, name: str):
        value, gradients, weight = torch.randn(2, 5, 3, 2), [], torch.randn(2, 5, 3, 2)
        for hard in (True, False):
            torch.manual_seed(3)
            variable = value.clone().requires_grad_()
            layer = infer(BUILTIN[name], {"hard": hard, "temperature": 0.8}, [(5, 3, 2)])
            (layer.run([variable], {}, training=True) * weight).sum().backward()
            gradients.append(variable.grad)
        assert gradients[0] is not None
        assert gradients[0].abs().max() > 0.01
        torch.testing.assert_close(*gradients)

    @pytest.mark.parametrize("name", ["gumbel_softmax", "gumbel_sigmoid"])
    def test_evaluation_draws_nothing(self, name: str):
        layer, value = infer(BUILTIN[name], {}, [(5, 3, 2)]), torch.randn(2, 5, 3, 2)
        first = layer.run([value], {})
        assert set(first.unique().tolist()) <= {0.0, 1.0}
        assert all(torch.equal(first, layer.run([value], {})) for _ in range(3))
