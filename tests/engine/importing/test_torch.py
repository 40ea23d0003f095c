"""Modules of torch come in by way of torch.export: the same numbers, the same names, and reasons for what cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from striate import import_torch
from striate.importer import Imported
from striate_dsl.diagnostics import DiagnosticError


class Function(nn.Module):
    """A module without parameters that computes a function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor):
        return self.function(*inputs)


def read(module, *sizes, **options) -> Imported:
    """Import a module with random weights and statistics; the comparison with torch is a part of that."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, item in module.state_dict().items():
            if item.is_floating_point():
                item.copy_(torch.rand(item.shape, generator=generator) + (0.5 if "var" in name else -0.3))
    return import_torch(module, list(sizes), **options)


def ops(found: Imported) -> list[str]:
    return [node.op for node in found.model.graph.nodes]


IMAGE = (4, "H", "W")
FIXED = (4, 9, 8)
TOKENS = ("L", 8)

MODULES = {
    "conv": (nn.Conv2d(4, 6, 3, stride=2, padding=(1, 0), dilation=2, groups=2), IMAGE, ["conv"]),
    "conv same": (nn.Conv2d(4, 6, (4, 3), padding="same", bias=False), IMAGE, ["conv"]),
    "conv of lines": (nn.Conv1d(4, 6, 5), (4, "L"), ["conv"]),
    "conv of volumes": (nn.Conv3d(2, 3, 3, padding=1), (2, "D", "H", "W"), ["conv"]),
    "deconv": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), IMAGE, ["deconv"]),
    "deconv of lines": (nn.ConvTranspose1d(4, 6, 4, stride=2, groups=2), (4, "L"), ["deconv"]),
    "bn": (nn.BatchNorm2d(4, eps=1e-3, momentum=0.2), IMAGE, ["bn"]),
    "bn without weights": (nn.BatchNorm2d(4, affine=False), IMAGE, ["bn"]),
    "groupnorm": (nn.GroupNorm(2, 4), IMAGE, ["groupnorm"]),
    "groupnorm without weights": (nn.GroupNorm(2, 4, affine=False), IMAGE, ["groupnorm"]),
    "instancenorm": (nn.InstanceNorm2d(4, affine=True), IMAGE, ["instancenorm"]),
    "layernorm": (nn.LayerNorm(8), TOKENS, ["layernorm"]),
    "maxpool": (nn.MaxPool2d(3, 2, 1, ceil_mode=True), IMAGE, ["maxpool"]),
    "maxpool of lines": (nn.MaxPool1d(2), (4, 12), ["maxpool"]),
    "avgpool": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE, ["avgpool"]),
    "avgpool with padding": (nn.AvgPool2d(3, 2, 1), IMAGE, ["avgpool"]),
    "global pool": (nn.AdaptiveAvgPool2d(1), IMAGE, ["global_avgpool"]),
    "adaptive pool": (nn.AdaptiveAvgPool2d((3, 2)), IMAGE, ["adaptive_avgpool"]),
    "adaptive max pool": (nn.AdaptiveMaxPool2d(2), IMAGE, ["adaptive_maxpool"]),
    "linear": (nn.Linear(8, 5), (8,), ["dense"]),
    "linear of tokens": (nn.Linear(8, 5), TOKENS, ["transpose", "conv", "transpose"]),
    "linear of pixels": (nn.Linear(8, 5, bias=False), ("H", "W", 8), ["permute", "conv", "permute"]),
    "prelu": (nn.PReLU(4), IMAGE, ["prelu"]),
    "upsample": (nn.Upsample(scale_factor=2), IMAGE, ["upsample"]),
    "bilinear": (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGE, ["upsample"]),
    "pixel shuffle": (nn.PixelShuffle(2), IMAGE, ["pixel_shuffle"]),
    "pixel unshuffle": (nn.PixelUnshuffle(2), (4, 8, 6), ["pixel_unshuffle"]),
    "channel shuffle": (nn.ChannelShuffle(2), IMAGE, ["channel_shuffle"]),
    "zero pad": (nn.ZeroPad2d((1, 2, 0, 3)), IMAGE, ["pad"]),
    "reflection pad": (nn.ReflectionPad2d((1, 2, 3, 0)), FIXED, ["pad"]),
    "flatten": (nn.Flatten(), FIXED, ["flatten"]),
    "dropout": (nn.Dropout(0.25), IMAGE, ["dropout"]),
    "attention": (None, TOKENS, ["attention"]),
}


class Attends(nn.Module):
    """Self-attention, with the batch in front or behind the tokens."""

    def __init__(self, *, front: bool = True) -> None:
        super().__init__()
        self.mixes = nn.MultiheadAttention(8, 2, batch_first=front)
        self.front = front

    def forward(self, tokens: Tensor) -> Tensor:
        given = tokens if self.front else tokens.transpose(0, 1)
        made = self.mixes(given, given, given, need_weights=False)[0]
        return made if self.front else made.transpose(0, 1)


@pytest.mark.parametrize("name", MODULES)
def test_one_module(name):
    module, size, wanted = MODULES[name]
    assert ops(read(module or Attends(), size)) == wanted


FUNCTIONS = {
    "relu": (functional.relu, IMAGE, ["relu"]),
    "relu6": (functional.relu6, IMAGE, ["relu6"]),
    "leaky relu": (lambda x: functional.leaky_relu(x, 0.2), IMAGE, ["leaky_relu"]),
    "elu": (lambda x: functional.elu(x, 0.5), IMAGE, ["elu"]),
    "gelu": (functional.gelu, IMAGE, ["gelu"]),
    "gelu by tanh": (lambda x: functional.gelu(x, approximate="tanh"), IMAGE, ["gelu"]),
    "silu": (functional.silu, IMAGE, ["silu"]),
    "mish": (functional.mish, IMAGE, ["mish"]),
    "hardswish": (functional.hardswish, IMAGE, ["hardswish"]),
    "hardsigmoid": (functional.hardsigmoid, IMAGE, ["hardsigmoid"]),
    "softplus": (lambda x: functional.softplus(x, 2.0, 10.0), IMAGE, ["softplus"]),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), IMAGE, ["clip"]),
    "clamp from below": (lambda x: x.clamp(min=0.1), IMAGE, None),
    "tanh of it in place": (lambda x: (x * 2).tanh_(), IMAGE, ["scale", "tanh"]),
    "sums": (lambda x: (x + 1) - x.sigmoid() * 2, IMAGE, None),
    "alpha": (lambda x: torch.add(x, x.sigmoid(), alpha=3), IMAGE, None),
    "quotient": (lambda x: 1 / (x.abs() + 1), IMAGE, None),
    "minus": (lambda x: 1 - x, IMAGE, None),
    "power": (lambda x: x.square() + x**3, IMAGE, None),
    "roots": (lambda x: torch.rsqrt(x.abs() + 0.1), IMAGE, None),
    "larger": (lambda x: torch.maximum(x, x.tanh()), IMAGE, ["tanh", "maximum"]),
    "mean": (lambda x: x.mean((2, 3)), IMAGE, None),
    "mean kept": (lambda x: x.mean((-2, -1), keepdim=True), IMAGE, None),
    "sum of channels": (lambda x: x.sum(1), IMAGE, None),
    "largest": (lambda x: x.amax(1, keepdim=True), IMAGE, None),
    "norm": (lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True), IMAGE, None),
    "softmax": (lambda x: x.softmax(1), IMAGE, ["softmax"]),
    "log softmax": (lambda x: x.log_softmax(-1), IMAGE, None),
    "concat": (lambda x: torch.cat([x, x.relu()], 1), IMAGE, ["relu", "concat"]),
    "stack": (lambda x: torch.stack([x, x.relu()], 1), FIXED, None),
    "view": (lambda x: x.view(x.size(0), 2, -1, x.size(2), x.size(3)).flatten(1, 2), IMAGE, None),
    "flatten": (lambda x: x.view(x.size(0), -1), IMAGE, ["flatten"]),
    "permute": (lambda x: x.permute(0, 2, 3, 1), IMAGE, ["permute"]),
    "turned and back": (lambda x: x.permute(2, 0, 3, 1).permute(1, 3, 0, 2), IMAGE, []),
    "unsqueeze": (lambda x: x.mean(1).unsqueeze(1).squeeze(1), IMAGE, None),
    "slice": (lambda x: x[:, 1:3, ::2, :-1], IMAGE, None),
    "select": (lambda x: x[:, 1], IMAGE, None),
    "chunk": (lambda x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1], IMAGE, None),
    "split": (lambda x: torch.cat(torch.split(x, [1, 3], 1)[::-1], 1), IMAGE, ["split", "concat"]),
    "unbind": (lambda x: sum(x.unbind(1)), FIXED, None),
    "resize": (lambda x: functional.interpolate(x, size=(7, 5), mode="bilinear"), IMAGE, ["resize"]),
    "nearest": (lambda x: functional.interpolate(x, size=(18, 16)), FIXED, ["resize"]),
    "bicubic": (lambda x: functional.interpolate(x, scale_factor=2, mode="bicubic"), IMAGE, ["upsample"]),
    "pads": (lambda x: functional.pad(x, (1, 2), value=0.5), IMAGE, ["pad"]),
    "matrices": (lambda x: x @ x.transpose(2, 3), IMAGE, None),
    "repeat": (lambda x: x.repeat(1, 2, 1, 1), IMAGE, None),
    "constant": (lambda x: x * torch.arange(4.0).view(1, 4, 1, 1), FIXED, None),
    "dots": (lambda x: functional.scaled_dot_product_attention(x, x.relu(), x.tanh()), FIXED, None),
    "group": (lambda x: functional.channel_shuffle(x, 2), IMAGE, ["channel_shuffle"]),
    "nothing": (lambda x: x.contiguous(), IMAGE, []),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_function(name):
    function, size, wanted = FUNCTIONS[name]
    made = ops(read(Function(function), size))
    assert wanted is None or made == wanted


class Unit(nn.Module):
    """A residual unit with squeeze and excitation."""

    def __init__(self, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, width, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        made = self.relu(self.bn1(self.conv1(x)))
        made = made * self.gate(made)
        made += x
        return self.relu(made)


class Net(nn.Module):
    """A small residual network."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.layer = nn.Sequential(Unit(8), Unit(8), Unit(8))
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        pooled = self.layer(self.stem(x)).mean((2, 3))
        return {"logits": self.head(self.drop(pooled)), "features": pooled}


def test_names_weights_and_blocks_are_those_of_the_module():
    module = Net()
    found = read(module, (3, "H", "W"))
    names = {node.name for node in found.model.graph.nodes}
    assert {"stem", "layer.0.conv1", "layer.2.bn1", "layer.1.gate.1", "layer.0.mul1", "drop", "head"} <= names
    state = {name: item for name, item in module.state_dict().items() if not name.endswith("tracked")}
    assert found.weights.keys() == state.keys()
    for name, item in state.items():
        np.testing.assert_array_equal(found.weights[name], item.numpy())
    assert list(found.outputs) == ["logits", "features"]
    assert "repeat 3 { Layer" in found.text
    assert "dropout(rate = 0.2)" in found.text
    assert found.model.name == "Net"


def test_a_module_keeps_its_mode():
    module = Net()
    module.drop.eval()
    read(module, (3, 16, 16))
    assert (module.training, module.stem.training, module.drop.training) == (True, True, False)


def test_tensors_are_examples_too():
    found = import_torch(Net(), torch.randn(2, 3, 20, 16))
    assert found.text.splitlines()[-20:] and "input x: 3 x 20 x 16" in found.text


def test_several_inputs_and_letters_that_they_share():
    found = read(Function(lambda a, b: a + b.mean(1, keepdim=True)), (3, "H", "W"), (5, "H", "W"))
    assert [line.strip() for line in found.text.splitlines() if line.strip().startswith("input ")] == [
        "input inputs_0: 3 x H x W",
        "input inputs_1: 5 x H x W",
    ]


def test_the_batch_may_be_behind_the_tokens():
    assert ops(read(Attends(front=False), ("L", 8))) == ["attention"]


def test_keys_may_be_another_value():
    class Crosses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mixes = nn.MultiheadAttention(8, 4, bias=False, batch_first=True)

        def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
            return self.mixes(queries, keys, keys)[0]

    assert "attention(4, keys = keys, bias = false, axis = last)" in read(Crosses(), (5, 8), (7, 8)).text


def test_an_encoder_layer_of_a_transformer():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu")
    made = ops(read(layer, ("L", 8)))
    assert made.count("attention") == 1
    assert made.count("layernorm") == 2


def test_heads_by_hand_as_in_vision_transformers():
    class Mixes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            images, tokens, width = x.shape
            q, k, v = self.qkv(x).reshape(images, tokens, 3, 2, width // 2).permute(2, 0, 3, 1, 4).unbind(0)
            mixed = functional.scaled_dot_product_attention(q, k, v)
            return self.proj(mixed.transpose(1, 2).reshape(images, tokens, width))

    assert "matmul" in ops(read(Mixes(), (6, 8)))


def refusal(module, *sizes):
    with pytest.raises(DiagnosticError) as caught:
        read(module, *sizes)
    (found,) = caught.value.diagnostics
    return found


class Odd(nn.Module):
    """Two parts that the language has no layer for."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Function(lambda x: torch.cummax(x, 2)[0])
        self.second = nn.Sequential(Function(lambda x: torch.fft.rfft2(x).real))

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x.relu()))


def test_everything_that_cannot_be_imported_is_listed_with_its_module():
    found = refusal(Odd(), FIXED)
    assert found.code == "E0612"
    assert found.notes[0].startswith("aten.cummax.default first: ")
    assert any(note.startswith("aten.fft_rfft2.default second.0") for note in found.notes)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x.mean(0), "across the images"),
        (lambda x: x.mean(), "it goes over the images of the batch"),
        (lambda x: x.flatten(0, 1), "the batch is not its first axis"),
        (lambda x: x.transpose(0, 1), "the batch is not its first axis"),
        (lambda x: x * torch.ones(x.shape), "it makes a constant whose size depends on the input"),
        (lambda x: torch.ones(3), "it is a constant"),
    ],
)
def test_reasons(function, reason):
    assert any(reason in note for note in refusal(Function(function), IMAGE).notes)


def test_a_mask_is_refused():
    class Masked(Attends):
        def forward(self, tokens: Tensor) -> Tensor:
            mask = torch.ones(6, 6).tril() == 0
            return self.mixes(tokens, tokens, tokens, attn_mask=mask, need_weights=False)[0]

    assert "mask" in refusal(Masked(), (6, 8)).notes[0]


def test_a_module_that_torch_cannot_follow():
    found = refusal(Function(lambda x: x if x.sum() > 0 else -x), FIXED)
    assert found.code == "E0647"
    assert found.notes


def test_a_size_that_the_module_fixes_is_told():
    assert (
        "the module fixes the size H at"
        in refusal(nn.Sequential(nn.Flatten(2), nn.Linear(64 * 4, 2)), (3, "H", 4)).notes[0]
    )


@pytest.mark.parametrize("example", [None, 3, "image", (), (3, -1), (3, "h"), [(3, 4), "x"]])
def test_examples_that_are_none(example):
    with pytest.raises(TypeError, match=r"sizes|example"):
        import_torch(Net(), example)


def test_a_network_that_computes_something_else_is_not_handed_out(monkeypatch):
    from striate.importing.aten import entries, program

    monkeypatch.setattr(program, "RULES", {**program.RULES, "relu.default": entries.RULES["tanh.default"]})
    assert refusal(Function(functional.relu), IMAGE).code == "E0607"


def test_a_traced_module_keeps_its_names():
    module = nn.Sequential(Unit(4), nn.Flatten(), nn.Linear(4 * 36, 3))
    found = read(torch.fx.symbolic_trace(module), (4, 6, 6))
    assert {node.name for node in found.model.graph.nodes} >= {"n0.conv1", "n0.bn1", "n0.gate.1", "n2"}
