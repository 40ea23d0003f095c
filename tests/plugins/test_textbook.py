"""The networks of the textbook and of the lecture notes have the sizes and counts of their tables.

Counts are of trained parameters. Keras' totals, which the notes print, have batch norm's running statistics with them,
as `STATISTICS` says. Where a text's own number or code is wrong, the right one is asserted, and the wrong one named.
"""

from __future__ import annotations

import textwrap

import pytest

from striate.elaborate import model_names
from striate.model import Model, load_source
from striate_dsl.source import Source
from tests.engine.view.networks import summary_of, zoo_model

COUNTS = {
    # chapter 5
    "Mnist5x5": (3_274_122, 13_482_496),
    "Mnist5x5Valid": (1_111_434, None),  # the printed Keras code, which leaves out the padding of its own table
    "Mnist3x3": (421_642, 4_241_152),
    "Mnist3x3Valid": (225_034, None),  # also chapter 9
    "Cifar3x3": (545_098, 6_128_896),
    "OneConv": (693_962, None),
    "OneConvDropout": (693_962, None),
    "OneConvUnpooled": (2_770_634, None),
    # chapters 7 and 8
    "CifarLeNet": (62_006, 651_720),
    "AttentiveSpatial": (40_065, None),
    "AttentiveChannel": (37_508, None),
    "Attentive": (40_645, None),
    "OneLevelSegmenter": (75_843, None),
    # chapters 9, 11 and 12
    "Folder128": (12_939_722, None),
    "Folder128Pooled": (3_305_930, None),
    "Bias128": (3_304_769, None),
    "Separable": (2_432, 115_127_424),
    "ShuffleBranch": (2_496, None),
    "ContrastiveHead": (328_320, None),
    # lecture notes
    "TwoClasses": (2_116_930, None),
    "TwoClassesNormed": (2_117_826 - 448, None),
    "SignLanguage": (264_049 - 300, None),
    "CifarNormed": (552_362 - 896, None),
    "Perceptron": (109_386, None),
    "TwoConvs": (121_930, None),
}

STATISTICS = {"TwoClassesNormed": 448, "SignLanguage": 300, "CifarNormed": 896, "ShuffleBranch": 384}

WRONG = {
    "Mnist3x3": 225_034,  # section 5.3's Keras code
    "TwoClassesNormed": 1_863_874,  # the notes: 15 x 15 maps, as if the first convolution had no padding
    "Folder128": 3_305_930,  # chapter 9's torch code counts on 14 x 14 maps
}
"""What the texts print, or what their printed code would be, where it is another network than they describe."""

SIZES = {
    "Mnist5x5": ["32 x 28 x 28", "32 x 14 x 14", "64 x 14 x 14", "64 x 7 x 7", "3136", "1024", "10"],
    "Mnist5x5Valid": ["32 x 26 x 26", "32 x 13 x 13", "64 x 9 x 9", "64 x 4 x 4", "1024", "10"],
    "CifarLeNet": ["6 x 28 x 28", "6 x 14 x 14", "16 x 10 x 10", "16 x 5 x 5", "400", "120", "84", "10"],
    "Folder128": [
        *("32 x 126 x 126", "32 x 63 x 63", "64 x 61 x 61", "64 x 30 x 30", "128 x 28 x 28"),
        *("100352", "128", "10"),
    ],
    "SignLanguage": [
        *("75 x 28 x 28", "75 x 14 x 14", "50 x 14 x 14", "50 x 7 x 7", "25 x 7 x 7", "25 x 4 x 4"),
        *("400", "512", "24"),
    ],
    "TwoClassesNormed": [
        *("32 x 64 x 64", "32 x 32 x 32", "64 x 32 x 32", "64 x 16 x 16", "16384", "128", "2"),
    ],
    "Separable": ["32 x 222 x 222", "64 x 222 x 222"],
    "ShuffleBranch": ["64 x 224 x 224"],
}


def model_of(text: str, **overrides: str) -> Model:
    return load_source(Source("net.cnn", textwrap.dedent(text)), None, overrides)


@pytest.mark.parametrize("name", COUNTS)
def test_the_counts(name):
    parameters, macs = COUNTS[name]
    totals = summary_of(zoo_model("textbook", name)).totals
    assert totals.parameters == parameters
    assert totals.statistics == STATISTICS.get(name, 0)
    assert macs is None or totals.macs == macs
    assert totals.parameters + totals.statistics != WRONG.get(name)


def test_no_network_is_left_out():
    file = zoo_model("textbook", "TwoConvs").file
    assert set(model_names(file)) == set(COUNTS)


@pytest.mark.parametrize("name", SIZES)
def test_the_sizes(name):
    graph = zoo_model("textbook", name).graph
    sizes = [" x ".join(map(str, node.outputs[0].type.shape)) for node in graph.nodes]
    assert list(dict.fromkeys(sizes)) == SIZES[name]


def test_attention_keeps_the_size_and_the_pooled_value_its_channels():
    for name in ("Attentive", "AttentiveSpatial", "AttentiveChannel"):
        graph = zoo_model("textbook", name).graph
        shapes = {" x ".join(map(str, node.outputs[0].type.shape)) for node in graph.nodes if node.op == "mul"}
        assert shapes == {"64 x 222 x 222"}
        assert [str(size) for size in graph.nodes[-1].outputs[0].type.shape] == ["64"]


TRANSFER = """
    use zoo.vgg
    model Transfer(hidden = 1024, rate = 0, classes = 10) {
      input image: 3 x 224 x 224
      for (width, depth) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] { Stage(Plain, width, depth) }
      flatten -> dense(hidden) -> relu
      if rate > 0 { dropout(rate) }
      dense(classes)
      output logits
    }
"""
"""VGG-16 without its own classifier: sections 7.1, 9.4 and 10.2, and 10.4.3 with dropout."""


@pytest.mark.parametrize(
    ("hidden", "rate", "parameters"),
    [("1024", "0", 40_416_074), ("512", "0", 27_565_386), ("256", "0.5", 14_714_688 + 6_422_784 + 2_570)],
)
def test_vgg_with_another_classifier(hidden, rate, parameters):
    assert model_of(TRANSFER, hidden=hidden, rate=rate).parameters == parameters


def test_resnet_with_another_classifier():
    """Section 7.2 in Keras: 24,641,930 with statistics, and with a bias in front of every batch norm."""
    model = model_of("""
        use zoo.resnet
        model Tuned(classes = 10) {
          input image: 3 x 224 x 224
          ConvBN(64, 7, stride = 2) -> relu -> maxpool(3, stride = 2, pad = 1)
          for (width, depth, stride) in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)] {
            Stage(Bottleneck, width, depth, stride)
          }
          global_avgpool -> flatten -> dense(512) -> relu -> dense(classes)
          output logits
        }
    """)
    totals = summary_of(model).totals
    biases = sum(int(str(node.outputs[0].type.shape[0])) for node in model.graph.nodes if node.op == "conv")
    assert totals.parameters == 23_508_032 + 1_049_088 + 5_130
    assert totals.parameters + totals.statistics + biases == 24_641_930


def test_resnet_and_lstm():
    """Section 12.3: five frames; its code asks torchvision's network for an `output_size`, which is 512."""
    model = model_of("""
        use zoo.resnet
        use std.blocks as std
        block Features {
          ConvBN(64, 7, stride = 2) -> relu -> maxpool(3, stride = 2, pad = 1)
          for (width, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] { Stage(Basic, width, 2, stride) }
          global_avgpool -> flatten
        }
        model Film(classes = 10) {
          input clip: 3 x 5 x 224 x 224
          std.TimeDistributed(Features) -> lstm(256, output = last) -> dense(classes)
          output logits
        }
    """)
    assert model.parameters == 11_176_512 + 788_480 + 2_570 == 11_967_562


def test_the_printed_code_of_alexnet_is_not_its_table():
    """Section 6.2: 224 pixels without padding give 54 and not 55, so that 6,400 features flow out and not 9,216."""
    model = model_of("""
        model Printed(classes = 1000) {
          input image: 3 x 224 x 224
          conv(96, 11, stride = 4) -> relu -> maxpool(3, stride = 2)
          conv(256, 5, pad = 2) -> relu -> maxpool(3, stride = 2)
          conv(384, 3, pad = 1) -> relu -> conv(384, 3, pad = 1) -> relu -> conv(256, 3, pad = 1) -> relu
          maxpool(3, stride = 2) -> flatten
          dense(4096) -> relu -> dropout(0.5) -> dense(4096) -> relu -> dropout(0.5) -> dense(classes)
          output logits
        }
    """)
    assert model.parameters == 50_844_008
    assert zoo_model("alexnet_2012", "AlexNet2012Ungrouped").parameters == 62_378_344
