"""The standard blocks compute what the papers' modules do, at their cost, in torch and in ONNX Runtime."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
import torch
from torch import nn

from striate.analysis.costs import graph_macs
from striate.checking import check_source
from striate.graph import format_shape
from striate.model import load_source
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from tests.plugins import published_blocks as published

TEXT = files("striate_plugins").joinpath("std", "blocks.cnn").read_text(encoding="utf-8")

ODD, EVEN = "7 x 9", "8 x 6"
CASES = {
    "ConvNorm(6, 3, stride = 2)": (4, published.cn(4, 6, 3, 2)),
    "ConvNorm(6, 5, groups = 2, dilation = 2, act = silu)": (4, published.cn(4, 6, 5, 1, 2, 2, nn.SiLU)),
    "Shortcut(6, stride = 2)": (4, published.shortcut(4, 6, 2)),
    "Residual(4)": (4, published.residual(4, 4)),
    "Residual(6, stride = 2, act = gelu)": (4, published.residual(4, 6, 2, nn.GELU)),
    "Bottleneck(2)": (8, published.bottleneck(8, 2)),
    "Bottleneck(4, stride = 2, expansion = 2, groups = 2)": (4, published.bottleneck(4, 4, 2, 2, 2)),
    "PreActResidual(4)": (4, published.pre_act_residual(4, 4)),
    "PreActResidual(6, stride = 2)": (4, published.pre_act_residual(4, 6, 2)),
    "RepVGG(4)": (4, published.rep_vgg(4, 4)),
    "RepVGG(6, stride = 2, groups = 2)": (4, published.rep_vgg(4, 6, 2, 2)),
    "DepthwiseSeparable(6)": (4, published.depthwise_separable(4, 6)),
    "DepthwiseSeparable(6, kernel = 5, stride = 2)": (4, published.depthwise_separable(4, 6, 2, 5)),
    "SpatiallySeparable(6)": (4, published.spatially_separable(4, 6)),
    "SpatiallySeparable(6, kernel = 5, stride = 2)": (4, published.spatially_separable(4, 6, 2, 5)),
    "CoordConv(6)": (4, published.CoordConv(4, 6)),
    "CoordConv(6, kernel = 1, stride = 2, radius = true)": (4, published.CoordConv(4, 6, 1, 2, radius=True)),
    "GatedConv(6)": (4, published.gated_conv(4, 6)),
    "GatedConv(6, kernel = 5, stride = 2, dilation = 2)": (4, published.gated_conv(4, 6, 5, 2, 2)),
    "SE(4)": (8, published.se(8, 2)),
    "ChannelAttention(4)": (8, published.ChannelAttention(8, 2)),
    "ChannelGate": (8, published.channel_gate(8)),
    "SpatialGate(3)": (8, published.spatial_gate(8, 3)),
    "SpatialAttention": (8, published.spatial_attention()),
    "CBAM(4, kernel = 5)": (8, published.cbam(8, 2, 5)),
    "ECA": (8, published.EfficientChannelAttention(8)),
    "ECA(gamma = 1)": (20, published.EfficientChannelAttention(20, 1)),
    "HardAttention(5)": (8, published.spatial_gate(8, 5, published.Above)),
    "AttentionGate(other, 3)": (6, published.AttentionGate(6, 4, 3), "4 x {half}"),
    "SpatialTransformer(SE(4))": (8, published.SpatialTransformer(published.se(8, 2), 8 * 48)),
    "TimeDistributed(Residual(4, stride = 2))": ("3 x 5", published.TimeDistributed(published.residual(3, 4, 2))),
    "TimeDistributed(Locate)": ("3 x 2", published.TimeDistributed(nn.Sequential(nn.Flatten(), nn.Linear(144, 6)))),
    "GlobalContext(4)": (8, published.GlobalContext(8, 2)),
    "InvertedResidual(4)": (4, published.mobile(4, 4)),
    "InvertedResidual(6, stride = 2, expand = 1)": (4, published.mobile(4, 6, 2, 1)),
    "MBConv(6, expand = 4, drop = 0.2)": (6, published.mobile(6, 6, 1, 4, 3, nn.SiLU, 1)),
    "MBConv(6, stride = 2, kernel = 5)": (8, published.mobile(8, 6, 2, 6, 5, nn.SiLU, 2)),
    "ShuffleUnit(12, groups = 3)": (12, published.ShuffleUnit(12, 12, 3)),
    "ShuffleUnit(18, groups = 2, stride = 2)": (8, published.ShuffleUnit(8, 18, 2, 2, 4)),
    "ShuffleUnitV2(8)": (8, published.ShuffleUnitV2(8, 8)),
    "ShuffleUnitV2(12, stride = 2, act = silu)": (5, published.ShuffleUnitV2(5, 12, 2, nn.SiLU)),
    "Ghost(6)": (4, published.ghost(4, 6)),
    "Ghost(6, kernel = 3, stride = 2)": (4, published.ghost(4, 6, 3, 2)),
    "ConvNeXt(drop = 0.1)": (4, published.conv_next(4)),
    "ConvNeXtV2(kernel = 5)": (4, published.conv_next_v2(4, 5)),
    "Inception(2, 3, 4, 1, 2, 3)": (4, published.inception(4, 2, 3, 4, 1, 2, 3)),
    "Fire(2, 3, 4)": (4, published.fire(4, 2, 3, 4)),
    "DenseLayer(2)": (4, published.dense_layer(4, 2)),
    "DenseBlock(2, growth = 3)": (4, published.dense_block(4, 2, 3)),
    "Transition": (6, published.transition(6)),
    "ASPP(4, rates = [1, 2, 3])": (4, published.aspp(4, 4, (1, 2, 3))),
    "PyramidPool": (8, published.PyramidPool(8, (1, 2, 3, 6))),
    "PyramidPool(bins = [1, 2, 4, 5])": (4, published.PyramidPool(4, (1, 2, 4, 5))),
    "DoubleConv(6)": (4, published.double(4, 6)),
    "UNetDown(6)": (4, published.unet_down(4, 6)),
    "UNetUp(other, 4)": (6, published.UNetUp(6, 5, 4), "5 x {twice}"),
    "FPNStep(other)": (6, published.FPNStep(6, 4), "4 x {half}"),
    "PANStep(other)": (4, published.PANStep(4, 5), "5 x {twice}"),
}
"""Calls, the channels that flow in, the same block in plain torch, and the size of a second input if any."""


def scaled(size, factor):
    return " x ".join(str(int(int(length) * factor)) for length in size.split(" x "))


def fits(call, size):
    """Whether a call takes a size: a skip is twice as large as what comes from above, a dense layer has one size."""
    fussy = ("FPNStep", "AttentionGate", "SpatialTransformer", "TimeDistributed(L")
    return size == EVEN or not call.startswith(fussy)


def network(call, channels, size, other=None):
    """A file with one model around a call of a block; `other` is the size of a second input."""
    second = f"  input other: {other.format(twice=scaled(size, 2), half=scaled(size, 0.5))}\n" if other else ""
    flow = "image -> " if other else ""
    own = "block Locate { flatten -> dense(6) }\n" if "Locate" in call else ""
    image = f"  input image: {channels} x {size}\n"
    return f"use std.blocks\n{own}model Net {{\n{image}{second}  {flow}{call}\n  output y\n}}\n"


def checked(text):
    """The model of a text that must not even have a warning."""
    found = check_source(Source("net.cnn", text)).diagnostics
    assert not found, [(item.code, item.message) for item in found]
    return load_source(Source("net.cnn", text))


def multiply_adds(module, inputs):
    """Count products by the modules' own sizes while `module` runs on one image."""
    counts = []

    def count(layer, given, result):
        if isinstance(layer, nn.ConvTranspose2d):
            counts.append(given[0][0].numel() * layer.weight[0].numel())
        else:
            # All frames of a film go through at once, in the place of the batch.
            images = len(result) if len(given[0]) > 1 else 1
            counts.append(images * result[0].numel() * layer.weight[0].numel())

    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.ConvTranspose2d)
    hooks = [layer.register_forward_hook(count) for layer in module.modules() if isinstance(layer, kinds)]
    module(*inputs)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def fill_alike(program, module):
    """Give both the same random weights and running statistics, one after the other in the order of the network."""
    theirs = [tensor for name, tensor in module.state_dict().items() if not name.endswith("num_batches_tracked")]
    ours = list(program.state_dict().values())
    assert [tuple(tensor.shape) for tensor in ours] == [tuple(tensor.shape) for tensor in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        values = torch.rand(mine.shape) + 0.1 if mine.ndim == 1 else torch.randn(mine.shape) * 0.5
        mine.copy_(values)
        other.copy_(values)


@pytest.mark.parametrize(("call", "size"), [(call, size) for call in CASES for size in (ODD, EVEN) if fits(call, size)])
def test_a_block_is_the_published_one(call, size):
    channels, module, *other = CASES[call]
    model = checked(network(call, channels, size, *other))
    inputs = [torch.randn(2, *map(int, item.value.type.shape)) for item in model.graph.inputs]
    program, module = model.to_torch().eval(), module.eval()
    with torch.no_grad():
        fill_alike(program, module)
        ours = program(*inputs)
        torch.testing.assert_close(ours, module(*inputs), rtol=1e-4, atol=1e-4)
        macs = multiply_adds(module, [value[:1] for value in inputs])
    assert model.parameters == sum(weight.numel() for weight in module.parameters())
    assert graph_macs(model.graph, model.catalogue.lookup) == macs


@pytest.mark.parametrize("call", CASES)
def test_a_block_is_the_same_in_onnx_runtime(call, tmp_path):
    channels, _, *other = CASES[call]
    model = checked(network(call, channels, EVEN, *other))
    report = model.export_onnx(tmp_path / "net.onnx")
    assert report.verification is not None
    assert report.verification.difference.relative < 2e-5


def test_every_block_has_a_case_or_is_a_part_of_another():
    blocks = re.findall(r"^block (\w+)", TEXT, re.MULTILINE)
    parts = {
        "PreActBranch",
        "PyramidLevel",
        "ChannelMLP",
        "Squeeze",
        "AttentionPool",
        "ContextMLP",
        "InvertedBranch",
        "SqueezedBranch",
        "Drop",
        "InvertedNeXt",
        "AffineMap",
        "Frame",
        "ShuffleBranch",
        "ShuffleBranchV2",
    }
    called = {re.split(r"\W", call)[0] for call in CASES}
    assert set(blocks) == called | parts
    assert all(len(re.findall(rf"\b{part}\b", TEXT)) > 1 for part in parts)


PIXELS = 56 * 56
PUBLISHED = {
    # torchvision resnet18.layer1.0, resnet50.layer1.0 and .1, resnext50_32x4d.layer1.1
    "Residual(64)": ("64 x 56 x 56", 73_984, 2 * 9 * 64 * 64 * PIXELS),
    "Bottleneck(64)": ("64 x 56 x 56", 75_008, 73_728 * PIXELS),
    "Bottleneck(64) -> Bottleneck(64)": ("64 x 56 x 56", 75_008 + 70_400, (73_728 + 69_632) * PIXELS),
    "Bottleneck(128, expansion = 2, groups = 32)": ("256 x 56 x 56", 71_168, 70_144 * PIXELS),
    # MobileNets, table 1: the first pair of rows behind the stem
    "DepthwiseSeparable(64)": ("32 x 112 x 112", 2_528, (9 * 32 + 32 * 64) * 112 * 112),
    # torchvision mobilenet_v2.features.2 (expansion at 112, the rest at 56)
    "InvertedResidual(24, stride = 2)": ("16 x 112 x 112", 5_136, 1_536 * 112 * 112 + (864 + 2_304) * PIXELS),
    # torchvision efficientnet_b0.features.1.0 and .2.1
    "MBConv(16, expand = 1)": ("32 x 112 x 112", 1_448, (288 + 512) * 112 * 112 + 2 * 32 * 8),
    "MBConv(24)": ("24 x 56 x 56", 10_710, (3_456 + 1_296 + 3_456) * PIXELS + 2 * 144 * 6),
    # A convolution of 3 x 3 valid to 64 channels behind 224 x 224, then a gate: 37,508 and 40,065 with its 36,928
    "SE(16)": ("64 x 222 x 222", 37_508 - 36_928, 2 * 64 * 4),
    "SpatialGate": ("64 x 222 x 222", 40_065 - 36_928, 49 * 64 * 222 * 222),
    "SpatialGate -> SE": ("64 x 222 x 222", 40_645 - 36_928, 49 * 64 * 222 * 222 + 2 * 64 * 4),
    "ChannelGate": ("64 x 222 x 222", 2 * 64, 64),
    # ECA-Net, section 3.2: (log2(256) + 1) / 2 = 4.5 gives 5, (log2(2048) + 1) / 2 = 6 gives 7
    "ECA": ("256 x 56 x 56", 5, 5 * 256),
    "ECA -> ECA": ("2048 x 7 x 7", 14, 2 * 7 * 2048),
    # Squeeze-and-excitation networks, equation 5: 2/r * C^2, and the biases
    "SE": ("256 x 56 x 56", 8_192 + 16 + 256, 8_192),
    # Going deeper with convolutions, table 1, inception (3a): 128M operations
    "Inception(64, 96, 128, 16, 32, 32)": ("192 x 28 x 28", 163_696, 128_049_152),
    # SqueezeNet, table 1, fire2: 11,920 parameters
    "Fire(16, 64, 64)": ("96 x 55 x 55", 11_920, (1_536 + 1_024 + 9_216) * 55 * 55),
    # torchvision densenet121.features.denseblock1.denselayer1, .denseblock1, .transition1
    "DenseLayer": ("64 x 56 x 56", 45_440, (64 * 128 + 9 * 128 * 32) * PIXELS),
    "DenseBlock(6)": ("64 x 56 x 56", 335_040, (128 * (64 + 96 + 128 + 160 + 192 + 224) + 6 * 36_864) * PIXELS),
    "Transition": ("256 x 56 x 56", 33_280, 256 * 128 * PIXELS),
    # torchvision convnext_tiny.features.1.0 has 79,296, of which 96 are the layer scale
    "ConvNeXt": ("96 x 56 x 56", 79_296 - 96, (49 * 96 + 2 * 96 * 384) * PIXELS),
    # torchvision deeplabv3_resnet50.classifier.0 has 15,535,104, of which 590,336 belong to the image-level branch
    "ASPP": ("2048 x 28 x 28", 15_535_104 - 590_336, (524_288 + 3 * 4_718_592 + 262_144) * 28 * 28),
}
"""Calls: what flows in, parameters and multiply-adds of the module that the comment names."""


@pytest.mark.parametrize("call", PUBLISHED)
def test_costs_are_the_published_ones(call):
    given, parameters, macs = PUBLISHED[call]
    channels, _, size = given.partition(" x ")
    model = checked(network(call, channels, size))
    assert (model.parameters, graph_macs(model.graph, model.catalogue.lookup)) == (parameters, macs)


def test_the_norm_and_the_activation_can_be_chosen():
    text = network("Residual(8, stride = 2, norm = groupnorm(2), act = silu)", 4, EVEN)
    model = checked(text)
    assert {node.op for node in model.graph.nodes} == {"conv", "groupnorm", "silu", "add", "identity"}


def test_a_name_in_front_tells_the_blocks_from_others():
    text = network("std.Residual(4)", 4, EVEN).replace("use std.blocks", "use std.blocks as std")
    assert checked(text).parameters == 2 * (9 * 4 * 4 + 2 * 4)


@pytest.mark.parametrize("drop", [0, 0.3])
def test_stochastic_depth_is_there_only_where_it_has_a_rate(drop):
    model = checked(network(f"MBConv(4, drop = {drop})", 4, EVEN))
    assert sum(node.op == "droppath" for node in model.graph.nodes) == (drop > 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("Ghost(7)", "the 7 channels of Ghost are no multiple of its ratio 2"),
        ("ASPP(4, rates = [1, 2, 3, 4])", "ASPP takes three rates"),
        ("TimeDistributed(SE)", "TimeDistributed takes a film C x D x H x W"),
    ],
)
def test_a_block_says_which_arguments_it_takes(call, message):
    found = check_source(Source("net.cnn", network(call, 4, EVEN))).diagnostics
    assert [item.message for item in found] == [message]


def test_a_spatial_transformer_starts_with_the_whole_image():
    model = checked(network("SpatialTransformer(SE(4))", 8, EVEN))
    image = torch.randn(2, 8, 8, 6)
    torch.testing.assert_close(model.to_torch().eval()(image), image, rtol=1e-4, atol=1e-4)


def test_hard_attention_draws_in_training_only():
    program = checked(network("HardAttention(3)", 8, EVEN)).to_torch()
    image = torch.rand(2, 8, 8, 6) + 1
    for training in (True, False):
        results = [program.train(training)(image) for _ in range(2)]
        kept = results[0] != 0
        assert torch.equal(results[0], image * kept)
        assert (kept == kept[:, :1]).all(), "a pixel is kept or left out with all its channels"
        assert torch.equal(*results) is not training


def test_the_frames_of_a_film_share_their_weights():
    once = checked(network("TimeDistributed(Residual(4))", "3 x 1", EVEN))
    often = checked(network("TimeDistributed(Residual(4))", "3 x 6", EVEN))
    assert list(once.graph.weights) == list(often.graph.weights)
    assert graph_macs(often.graph, often.catalogue.lookup) == 6 * graph_macs(once.graph, once.catalogue.lookup)


VIDEO = """
use std.blocks as std
use zoo.resnet

block Features {
  conv(64, 7, stride = 2, pad = 3, bias = false) -> bn -> relu -> maxpool(3, stride = 2, pad = 1)
  for (width, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] { Basic(width, stride) -> Basic(width) }
  global_avgpool -> flatten
}
model Actions(classes = 10) {
  input film: 3 x 5 x 224 x 224
  std.TimeDistributed(Features) -> lstm(256, output = last) -> dense(classes)
  output logits
}
"""


def test_a_printed_network_for_actions_in_films():
    """ResNet-18 on 5 frames, an LSTM 512 -> 256 and 10 classes: 11,176,512 + 788,480 + 2,570 parameters."""
    model = checked(VIDEO)
    assert model.parameters == 11_967_562
    assert format_shape(model.graph.types[model.graph.outputs["logits"]]) == "10"


def test_a_skip_of_another_size_is_refused():
    text = network("UNetUp(other, 4)", 6, EVEN, "5 x 15 x 12")
    found = check_source(Source("net.cnn", text)).diagnostics
    assert [item.code for item in found] == ["E0203"]


def test_blocks_keep_sizes_open():
    text = network("GlobalContext -> ConvNeXt -> Residual(8, stride = 2)", 8, "H x W")
    last = checked(text).graph.nodes[-1]
    assert format_shape(last.outputs[0].type) == "8 x ceil(H/2) x ceil(W/2)"


def test_the_file_is_in_canonical_form_and_without_findings():
    source = Source("blocks.cnn", TEXT)
    assert format_source(source).text == TEXT
    assert not check_source(source).diagnostics
