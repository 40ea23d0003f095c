"""An expansion is the same network as its original: fingerprint, sizes, domain, names; and expands to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from striate.checking import check_source
from striate.elaborate import model_names
from striate.expanding import expand_source
from striate.graph import format_graph
from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.project.linking import parse_linked
from striate.runtime.mismatch import computation
from striate_dsl.formatter import format_source
from striate_dsl.reading import read_source
from striate_dsl.source import Source
from tests.dsl.trees import zoo
from tests.engine.expand.random_files import files

LARGER = (
    *("B2", "B3", "B4", "B5", "B6", "B7", "161", "169", "201", "101_2", "32x8d", "64x4d", "2M", "2L", "GF"),
    *(
        "V1_50",
        "V1_101",
        "V1_152",
        "V2_50",
        "V2_101",
        "V2_152",
        "V2_200",
        "Cifar110",
        "Cifar164",
        "Cifar1001",
        "Net_100",
        "Net_130",
    ),
    *("SEResNet34", "SEResNet50", "SEResNet101", "SEResNet152", "SEResNeXt101_32x4d", "26w4s", "26w6s", "14w8s"),
    *("_A0", "_A1", "_A2", "_B0", "_B1", "_B2", "_B2g4", "_B3", "_B3g4", "Ti16", "_S16", "_B16", "_B32", "_L16"),
    *("ViT_S", "ViT_XS", "V1_100", "V1_75", "ShuffleNet_g2", "ShuffleNet_g4", "ShuffleNet_g8"),
)
"""Endings of variants that are other variants with more layers, which take long."""

SILENCED = ("alexnet.cnn", "alexnet_2012.cnn", "resnet_v1.cnn", "textbook.cnn", "vgg.cnn", "zfnet.cnn")
"""Files that silence findings, as an expansion cannot."""


def networks() -> list[tuple[str, str]]:
    found = []
    for file, text in sorted(zoo().items()):
        parsed = parse_linked(Source(file, text), HostCatalogue())
        assert parsed.file is not None
        found += [(file, name) for name in model_names(parsed.file) if not name.endswith(LARGER)]
    return found


def assert_same(source: Source, model: str | None = None, *, clean: bool = True, **overrides: str) -> str:
    """Expand a text with and without comments, and compare everything that can be compared."""
    original = load_source(source, model, overrides)
    commented = expand_source(source, model, overrides)
    plain = expand_source(source, model, overrides, origins=False)
    for expansion in (commented, plain):
        text = Source("expansion.cnn", expansion.text)
        again = load_source(text, expansion.model)
        assert format_graph(again.graph) == format_graph(replace(original.graph, name=expansion.model))
        assert [task.objects and task.objects.groups for task in again.graph.tasks] == [
            task.objects and task.objects.groups for task in original.graph.tasks
        ]
        assert computation(again.graph) == computation(original.graph)
        assert list(again.graph.weights.values()) == list(original.graph.weights.values())
        assert again.domain.to_json() == original.domain.to_json()
        assert format_source(text).text == expansion.text
        findings = check_source(text).diagnostics
        assert not clean or not findings, [(item.code, item.message, item.span) for item in findings]
        twice = expand_source(text, expansion.model, origins=False)
        assert twice.text == plain.text
    assert "#" not in plain.text.replace("# allow W0109", "")
    return commented.text


@pytest.mark.parametrize(("file", "model"), networks())
def test_the_zoo(file, model):
    assert_same(Source(file, zoo()[file]), model, clean=file not in SILENCED)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "examples").glob("*.cnn")), ids=lambda path: path.name
)
def test_the_examples(path):
    assert_same(read_source(path))


@given(files())
@settings(max_examples=25)
def test_random_files(text):
    assert_same(Source("random.cnn", text), clean=False)


def test_parameters_of_the_user_are_put_in():
    text = assert_same(Source("resnet.cnn", zoo()["resnet.cnn"]), "ResNet18", classes="7", depths="[1, 1, 1, 1]")
    assert "features = 7,      # --set\n" in text


MANY_BRANCHES = 45
"""More merge layers within each other than braces are written for."""


def test_merges_too_deep_for_braces_are_merged_by_name():
    block = "block Deep(n) { if n > 0 { add { identity; { relu; Deep(n - 1) } } } }\n"
    assert_same(Source("deep.cnn", f"{block}model Net {{ input image: 3 x 8 x 8; Deep({MANY_BRANCHES}); output y }}\n"))


NETWORKS = {
    "a layer's name is also a value's": "conv(4, 3) as conv -> conv(4, 1) as relu -> relu()\n"
    "Unit(4) -> add { relu; relu() }",
    "a value is given out twice": "relu as a -> tanh -> add(a)\noutput a as b\noutput a\noutput first\noutput second",
    "outputs of blocks": "Out(3) as unit\nunit -> tanh as features -> relu",
    "an instance of layers that differ": "let t = Sized\nt as a -> t as b -> maxpool(2) -> t as c",
    "an instance in a loop": "repeat 2 { let t = conv(3, 1)\n t -> t }",
    "an instance within an instance": "let t = Pair\nt -> t as b",
    "branches that pass on": "conv(3, 1) as e\nadd { in; e; { in } }\nadd(e) { if false { relu } ; { tanh; e } }",
    "contracts": 'Contract(8, [3, 4])\nassert in.channels == 8 and out.rank == 3, "{params} \\\\ {out}"',
    "a contract elsewhere": "relu as e -> conv(8, 1)\nadd { conv(8, 1); { assert in.channels == 8; e -> conv(8, 1) } }",
    "named values of blocks": "{ relu; tanh } as both -> Unit(4) as unit\nboth -> conv(4, 1) -> concat(unit)",
    "used for its size": "relu as early -> conv(early.channels, 1)",
    "numbers": "dropout(1e-3) -> bn(eps = 1e-5, momentum = 0.25) -> lrn(3, alpha = 2e-7)",
    "padding": "conv(4, (3, 5), pad = (1, 0, 2, 1), stride = (1, 2)) -> maxpool(2, pad = same)\nconv(2, 3, pad = half)",
}
BLOCKS = """
block Unit(out) { conv(out, 1) as conv -> relu }
block Out(out) { relu as features; output features; tanh; output out1; }
block Sized { if in.height > 8 { conv(3, 3, pad = 1, stride = 1) } else { identity }
  conv(3, 3, pad = in.height // 8) as x }
block Pair { let inner = conv(3, 1); inner -> inner -> bn }
block Contract(out, list) {
  conv(out, 1) as wide
  assert wide.channels == list[1] * (out - list[0] - 1) // (-2 + 4), "{out} of {wide}, {params}"
  assert not (out < 3 or list == [4]) and max(out, 3) == (8 if out > 2 else 3) and Unit == Unit
}
"""


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", ["3 x 16 x 16", "3 x H x 16 where H % 2 == 0 and H >= 2 * 4 + 8"])
def test_networks_by_hand(name, size):
    if "H" in size and name == "an instance of layers that differ":
        size = "3 x 16 x W where W >= 4 and W % 4 == 0"
    body = f"model Net(n = 2) {{\n  input image: {size}\n{NETWORKS[name]}\n  output last\n}}\n"
    assert_same(Source("net.cnn", BLOCKS + body), clean=False)


def test_several_inputs_and_their_pixels():
    text = """model Net(size = 8, grey = 0.5) {
      input left: 3 x size x size { color = bgr; range = (-1, 1); mean = grey; std = [0.25, 1, 2]; resize = bicubic }
      input right: 3 x (2 * size) x (S + 2 * T) where S >= size and T > 0
      right -> conv(3, 2) as r
      left -> add { identity; left }
      output l
      output r
    }"""
    assert_same(Source("net.cnn", text))


def test_recipes_contracts_and_profiles_come_along(tmp_path):
    text = """
    model Base(classes = 10) { input image: 1 x 28 x 28; flatten -> dense(classes); output logits }
    model Net = Base(classes = 4)
    train Base { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.5); epochs = 3; batch = 2 * (8 + 8) }
    train Base as long { data = digits(); loss = cross_entropy; optimizer { lr = 1 }; optimizer = sgd; epochs = 9 }
    export Base { opset = 18 }
    export as other { tolerance = 1e-3 }
    profile quick { train.epochs = 1; train.optimizer = adam(lr = 0.1); model.classes = 5 }
    """.replace("export as other", "export Net as other").replace(
        "optimizer { lr = 1 }; optimizer = sgd;", "optimizer = sgd(lr = 1);"
    )
    expansion = expand_source(Source("net.cnn", text), "Net", profile="quick")
    assert not check_source(Source("x.cnn", expansion.text)).diagnostics
    sections = expansion.text[expansion.text.index("train Net {") :]
    assert (
        sections
        == """\
train Net {
  data = digits()  # net.cnn:4
  loss = cross_entropy  # net.cnn:4
  optimizer = adam(lr = 0.1)  # profile quick, net.cnn:8
  epochs = 1  # profile quick, net.cnn:8
  batch = 2 * (8 + 8)  # net.cnn:4
  seed = 0  # default of train
  precision = float32  # default of train
}

train Net as long {
  data = digits()  # net.cnn:5
  loss = cross_entropy  # net.cnn:5
  optimizer = adam(lr = 0.1)  # profile quick, net.cnn:8
  epochs = 1  # profile quick, net.cnn:8
  batch = 32  # default of train
  seed = 0  # default of train
  precision = float32  # default of train
}

export Net as other {
  tolerance = 1e-3  # net.cnn:7
  opset = 17  # default of export
  precision = float32  # default of export
  io_precision = float32  # default of export
  text = true  # default of export
}

export Net {
  opset = 18  # net.cnn:6
  tolerance = 0.0001  # default of export
  precision = float32  # default of export
  io_precision = float32  # default of export
  text = true  # default of export
}
"""
    )
    assert expansion.parameters == {"classes": ("5", "profile quick, net.cnn:8")}


def test_files_that_use_files():
    text = "requires vision\nuse zoo.lenet5 as classic\nuse zoo.resnet\nmodel Net = classic.LeNet5(classes = 3)\n"
    text = text.replace("requires vision\n", "")
    for model in ("Net", "classic.LeNet5", "ResNet18"):
        assert_same(Source("net.cnn", text), model)


def test_a_head_says_what_is_in_it():
    text = assert_same(Source("unet.cnn", zoo()["unet.cnn"]))
    assert "  head segmentation(classes = 2) as head  # unet.cnn:19\n  # conv(channels = 2, kernel = 1, " in text


def test_sizes_of_objects_come_along():
    head = "head segmentation(classes = size, objects = [size, (size, 4)])"
    body = f"model Net(size = 3) {{\ninput image: 3 x 64 x 64\nconv(3, 3)\n{head}\n}}\n"
    text = assert_same(Source("net.cnn", body), clean=False)
    assert "head segmentation(classes = 3, objects = [3, (3, 4)]) as head" in text


def test_a_head_is_known_by_its_name():
    head = "if false { head segmentation(3) }\nhead classification(classes = 3)\noutput again\nrelu\n"
    body = f"model Net {{\ninput image: 3 x 8 x 8\nrelu as head\n{head}output last\n}}\n"
    assert "  head classification(classes = 3) as head2  # net.cnn:5\n" in assert_same(
        Source("net.cnn", body), clean=False
    )
