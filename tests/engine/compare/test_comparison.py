"""What is found between networks: real edits with every difference they make, and laws that hold for all pairs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.compare.difference import Change, NetworkDifference
from striate.expanding import expand_source
from striate_dsl.source import Source
from tests.dsl.trees import zoo
from tests.engine.compare.sides import changes, files, networks, statuses
from tests.engine.expand.random_files import files as random_files

LENET = zoo()["lenet5.cnn"]
RESNET = zoo()["resnet.cnn"]
CHAIN = """
model Net {{
  input image: 3 x 16 x 16
  {}
  output y
}}
"""


def chains(old: str, new: str) -> NetworkDifference:
    return networks(CHAIN.format(old), CHAIN.format(new))


def test_another_width_changes_a_layer_and_the_sizes_behind_it():
    found = networks(LENET, LENET.replace("conv(16, 5)", "conv(20, 5)"))
    assert statuses(found) == [
        ("changed", "conv2", "conv2"),
        ("sizes", "tanh2", "tanh2"),
        ("sizes", "avgpool2", "avgpool2"),
        ("sizes", "conv3", "conv3"),
    ]
    assert changes(found, "conv2") == {
        "channels": ("16", "20"),
        "size": ("16 x 10 x 10", "20 x 10 x 10"),
        "parameters": ("2,416", "3,020"),  # 16 * (6 * 25 + 1) and 20 * (6 * 25 + 1)
        "MACs": ("240,000", "300,000"),
    }
    assert changes(found, "conv3") == {"parameters": ("48,120", "60,120"), "MACs": ("48,000", "60,000")}
    assert found.weights.fitting == 7
    assert found.weights.resized == (
        ("conv2.weight", "conv2.weight", (16, 6, 5, 5), (20, 6, 5, 5)),
        ("conv2.bias", "conv2.bias", (16,), (20,)),
        ("conv3.weight", "conv3.weight", (120, 16, 5, 5), (120, 20, 5, 5)),
    )
    assert {change.what for change in found.totals} == {"parameters", "MACs"}


def test_an_inserted_layer_renames_those_behind_it():
    found = chains("conv(8, 3) -> relu -> conv(9, 3)", "conv(8, 3) -> relu -> conv(7, 3) -> relu -> conv(9, 3)")
    assert statuses(found) == [
        ("added", None, "conv2"),
        ("added", None, "relu2"),
        ("changed", "conv2", "conv3"),
    ]
    assert changes(found, "conv3")["inputs"] == ("relu1", "relu2")
    assert found.weights.resized == (("conv2.weight", "conv3.weight", (9, 8, 3, 3), (9, 7, 3, 3)),)
    assert found.weights.renamed == (("conv2.bias", "conv3.bias"),)
    assert found.weights.missing == (("conv2.weight", (7, 8, 3, 3)), ("conv2.bias", (7,)))


def test_an_inserted_block_is_nothing_but_added():
    block = "block Unit(w) {{ conv(w, 3, pad = 1, bias = false) -> bn -> relu }}\n" + CHAIN
    old, new = block.format("repeat 2 { Unit(4) }\nconv(2, 1)"), block.format("repeat 3 { Unit(4) }\nconv(2, 1)")
    found = networks(old, new)
    assert statuses(found) == [
        ("added", None, "unit1.2.conv1"),
        ("added", None, "unit1.2.bn1"),
        ("added", None, "unit1.2.relu1"),
        ("changed", "conv1", "conv1"),
    ]
    assert changes(found, "conv1") == {
        "inputs": ("unit1.1.relu1", "unit1.2.relu1"),
        "receptive field": ("5 x 5", "7 x 7"),
    }
    assert found.weights.fitting == 12
    assert len(found.weights.missing) == 5


def test_another_name_is_seen_through():
    old = CHAIN.format("conv(4, 3) as stem -> relu -> conv(4, 3) -> bn -> add { identity; conv(4, 1) }")
    found = networks(old, old.replace("stem", "entry"))
    assert statuses(found) == [("renamed", "stem", "entry")]
    assert found.weights.renamed == (("stem.weight", "entry.weight"), ("stem.bias", "entry.bias"))
    assert not found.totals
    assert not found.settings


def test_a_renamed_block_renames_its_layers():
    found = networks(RESNET, RESNET.replace("ConvBN", "Cell"), "ResNet18", "ResNet18")
    renamed = [item for item in found.changed_layers if item.status == "renamed"]
    assert len(renamed) == len(found.changed_layers) == 40  # 20 convolutions with their norms
    assert all(item.new and item.old and item.new.name == item.old.name.replace("conv_bn", "cell") for item in renamed)
    assert not (found.weights.resized or found.weights.missing or found.weights.unused)
    assert found.weights.fitting == 2  # of the dense layer


def test_layers_that_change_places_are_rewired():
    found = chains("conv(4, 3) -> bn -> relu", "conv(4, 3) -> relu -> bn")
    assert [(status, name) for status, name, _ in statuses(found)] == [("changed", "relu1"), ("changed", "bn1")]
    assert changes(found, "bn1") == {"inputs": ("conv1", "relu1")}
    assert found.weights.is_empty


def test_branches_that_change_places_run_at_another_place():
    found = chains("add { conv(3, 1); relu }", "add { relu; conv(3, 1) }")
    assert statuses(found) == [("moved", "relu1", "relu1"), ("moved", "conv1", "conv1"), ("changed", "add1", "add1")]
    assert changes(found, "add1") == {"inputs": ("conv1, relu1", "relu1, conv1")}


def test_another_layer_of_the_same_name_is_a_changed_one():
    block = "block Unit(act = relu) {{ conv(4, 3) -> act }}\n" + CHAIN
    found = networks(block.format("Unit"), block.format("Unit(act = tanh)"))
    assert statuses(found) == [("changed", "unit1.act1", "unit1.act1")]
    assert changes(found, "unit1.act1") == {"layer": ("relu", "tanh")}


@pytest.mark.parametrize(
    ("old", "new", "counts", "fitting", "resized", "missing"),
    [
        ("ResNet18", "ResNet34", {"added": 64, "changed": 7, "sizes": 45, "same": 22}, 102, 0, 80),
        ("ResNet50", "ResNet101", {"added": 187, "changed": 2, "sizes": 32, "same": 153}, 267, 0, 255),
        ("ResNet34", "ResNet18", {"removed": 64, "changed": 7, "sizes": 45, "same": 22}, 102, 0, 0),
    ],
)
def test_variants_of_one_model(old, new, counts, fitting, resized, missing):
    found = networks(RESNET, RESNET, old, new)
    kinds = ("added", "removed", "changed", "renamed", "moved", "sizes", "same")
    assert {kind: found.count(kind) for kind in kinds if found.count(kind)} == counts
    assert (found.weights.fitting, len(found.weights.resized), len(found.weights.missing)) == (
        fitting,
        resized,
        missing,
    )
    totals = {change.what: change for change in found.totals}
    published = {"ResNet18": 11_689_512, "ResNet34": 21_797_672, "ResNet50": 25_557_032, "ResNet101": 44_549_160}
    assert totals["parameters"] == Change("parameters", f"{published[old]:,}", f"{published[new]:,}")


def test_shared_weights_that_part():
    text = "block T {{ conv(4, 3) }}\n" + CHAIN
    body = "image -> t -> relu as a\nimage -> t -> add(a)"
    found = networks(text.format(f"let t = T\n{body}"), text.format(body.replace("t ->", "T ->")))
    assert changes(found, "t2.conv1")["weights"] == ("t.conv1", "its own")
    assert found.weights.renamed == (("t.conv1.weight", "t1.conv1.weight"), ("t.conv1.bias", "t1.conv1.bias"))
    assert [name for name, _ in found.weights.missing] == ["t2.conv1.weight", "t2.conv1.bias"]


SECTIONS = """
model Net(classes = 10) {
  input image: 1 x 28 x W where W % 4 == 0 { mean = 0.5; range = 0..1 }
  conv(4, 3) -> maxpool(2) as early -> global_avgpool -> flatten -> dense(classes)
  output logits
}
train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 1e-1, momentum = 0.9); epochs = 2 * 2 }
export Net { opset = 17 }
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("mean = 0.5", "mean = 0.4", {"inputs": (("image.mean", "0.5", "0.4"),)}),
        (
            "range = 0..1",
            "color = grey",
            {"inputs": (("image.range", "(0.0, 1.0)", None), ("image.color", None, "grey"))},
        ),
        ("output logits", "output scores", {"outputs": (("logits", "dense1", None), ("scores", None, "dense1"))}),
        (
            "output logits",
            "output logits, early".replace(", ", "\n  output "),
            {"outputs": (("early", None, "early"),)},
        ),
        ("W % 4", "W % 8", {"domain": (("sizes", "W: multiples of 4, at least 4", "W: multiples of 8, at least 8"),)}),
        (
            "lr = 1e-1",
            "lr = 0.2",
            {"train": (("optimizer", "sgd(lr = 0.1, momentum = 0.9)", "sgd(lr = 0.2, momentum = 0.9)"),)},
        ),
        ("epochs = 2 * 2", "epochs = 5; batch = 32", {"train": (("epochs", "4", "5"),)}),
        ("opset = 17", "opset = 18; tolerance = 0.0001", {"export": (("opset", "17", "18"),)}),
        (
            "export Net { opset = 17 }",
            "",
            {
                "export": (
                    ("opset", "17", None),
                    ("tolerance", "0.0001", None),
                    ("precision", "float32", None),
                    ("io_precision", "float32", None),
                    ("text", "true", None),
                )
            },
        ),
    ],
)
def test_what_is_no_layer(old, new, found):
    assert old in SECTIONS
    network = networks(SECTIONS, SECTIONS.replace(old, new))
    settings = {
        title: tuple((item.what, item.old, item.new) for item in items) for title, items in network.settings.items()
    }
    assert settings == found
    assert not network.is_empty


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "  conv(4, 3) -> maxpool(2) as early",
            "  # a comment\n\n  conv(4, kernel = 3, stride = 1)\n    -> maxpool(2) as early",
        ),
        ("lr = 1e-1, momentum = 0.9", "momentum = 0.9, lr = 0.1"),
        ("epochs = 2 * 2 }", "epochs = 4; batch = 32; seed = 0 }\nblock Spare { relu }"),
        ("classes = 10", "classes = 5 + 5, depth = 3"),
        ("model Net(classes = 10)", "profile quick { train.epochs = 1 }\nmodel Net(classes = 10)"),
        ("range = 0..1 }", "range = (0, 1.0) }"),
    ],
)
def test_what_is_only_text_is_no_difference(old, new):
    assert old in SECTIONS
    found = files(SECTIONS, SECTIONS.replace(old, new))
    assert found.is_empty
    assert found.to_json()["same"] is True


def test_models_come_and_go():
    found = files(
        RESNET,
        RESNET.replace("model ResNet34 ", "model Wide ").replace("depths = [3, 4, 6, 3])", "depths = [3, 4, 6, 2])"),
    )
    assert (found.removed, found.added) == (("ResNet34",), ("Wide",))
    assert [item.new.model for item in found.networks if not item.is_empty] == ["ResNet50"]


def test_the_only_models_of_two_files_are_compared_whatever_they_are_called():
    found = files(LENET, LENET.replace("LeNet5", "Other"))
    assert (found.removed, found.added) == ((), ())
    assert found.is_empty


@pytest.mark.parametrize("name", sorted(zoo()))
def test_a_network_equals_itself_and_its_expansion(name):
    text = zoo()[name]
    found = files(text, text)
    assert found.is_empty
    model = found.networks[0].old.model
    expansion = expand_source(Source(name, text), model, origins=False)
    assert networks(text, expansion.text, model, model).is_empty


def assert_mirrored(old: str, new: str) -> None:
    there, back = networks(old, new), networks(new, old)
    assert {(change.what, change.old, change.new) for change in there.totals} == {
        (change.what, change.new, change.old) for change in back.totals
    }
    assert _layers(there) == {(_turned(status), new, old, what) for status, old, new, what in _layers(back)}
    assert there.is_empty == back.is_empty
    assert there.weights.fitting == back.weights.fitting
    assert {*there.weights.renamed} == {(new, old) for old, new in back.weights.renamed}
    assert {*there.weights.unused} == {*back.weights.missing}
    assert {*there.weights.missing} == {*back.weights.unused}


def _layers(found: NetworkDifference) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {
        (
            item.status,
            item.old.name if item.old else "",
            item.new.name if item.new else "",
            tuple(sorted(change.what for change in item.changes)),
        )
        for item in found.layers
    }


def _turned(status: str) -> str:
    return {"added": "removed", "removed": "added"}.get(status, status)


EDITS = (
    ("conv(in.channels, 1)", "conv(in.channels, 3, pad = 1)"),
    ("relu()", "tanh()"),
    ("identity()", "bn() -> relu()"),
    ("repeat 2", "repeat 3"),
    ("early", "renamed"),
    ("-> bn()", "-> relu() -> bn()"),
    ("4 x 8 x 8", "4 x 12 x 8"),
    ("Deep", "Stage"),
)
NAMES = ("early", "Deep")


@given(random_files(), st.lists(st.sampled_from(EDITS), max_size=3), st.integers(1, 3))
@settings(max_examples=25)
def test_every_difference_reads_the_same_from_both_sides(text, edits, times):
    edited = text
    for old, new in edits:
        edited = edited.replace(old, new) if old in NAMES else edited.replace(old, new, times)
    assert_mirrored(text, edited)


@given(random_files(), random_files())
@settings(max_examples=15)
def test_two_networks_that_have_nothing_to_do_with_each_other(old, new):
    assert_mirrored(old, new)


@given(random_files(), st.sampled_from(EDITS))
@settings(max_examples=15)
def test_a_checkpoint_goes_where_the_difference_says(text, edit):
    """Every weight of the old side has one fate, and every new one comes from somewhere or starts anew."""
    found = networks(text, text.replace(*edit))
    weights = found.weights
    kept = {name: name for name in found.old.weights}
    for name, _ in weights.unused:
        del kept[name]
    kept |= dict(weights.renamed)
    kept |= {old: new for old, new, _, _ in weights.resized}
    assert sorted([*kept.values(), *(name for name, _ in weights.missing)]) == sorted(found.new.weights)
    resized = {old for old, _, _, _ in weights.resized}
    for old, new in kept.items():
        assert (found.old.weights[old] == found.new.weights[new]) == (old not in resized)


@pytest.mark.parametrize(
    ("size", "field", "stride"),
    [("3 x 16", "3", "2"), ("3 x 16 x 16", "3 x 3", "2"), ("3 x 8 x 8 x 8", "3 x 3 x 3", "2")],
)
def test_sequences_images_and_volumes_are_compared_along_all_their_axes(size: str, field: str, stride: str):
    text = "model Net {{\n  input x: {}\n  {}\n  output y\n}}\n"
    found = networks(text.format(size, "maxpool(2)"), text.format(size, "maxpool(3, stride = 2)"))
    sides = "2" + " x 2" * field.count("x")
    assert changes(found, "maxpool1")["receptive field"] == (sides, field)
    found = networks(text.format(size, "maxpool(2)"), text.format(size, "maxpool(2, stride = 1)"))
    assert {change.what: (change.old, change.new) for change in found.totals}["stride"] == (stride, "1")
