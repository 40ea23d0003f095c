"""What is proposed where, in texts as they are while somebody types."""

from __future__ import annotations

import pytest

from striate.editor.server.completion import complete
from striate.editor.server.signatures import signature
from striate.host.catalogue import HostCatalogue
from striate.host.records import AugmentationRecord, InitializerRecord, MetricRecord
from striate.lint import LINTS
from striate.ops.registry import BUILTIN
from striate.train.recipe import KEYS
from tests.engine.editor.desk import Desk
from tests.engine.host.in_process import installed

HEAD = """\
block ConvBN(out, kernel, stride = 1, act = relu) { conv(out, kernel) -> bn -> act }
model Net(width = 16) {
  input image: 3 x 32 x 32
  conv(8, 3, pad = 1) as skip
"""
ATTRIBUTES = ["channels", "depth", "features", "height", "length", "rank", "width"]
CONV = [argument.name for argument in BUILTIN["conv"].arguments]


def proposed(desk: Desk, marked: str) -> list[str]:
    return [item.label for item in complete(*desk.at(marked)).proposals]


SGD = ("decay", "momentum", "nesterov", "velocity", "weight_decay")
"""What may be written for it beside its rate."""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("|", ["block", "export", "language", "model", "profile", "requires", "search", "train", "use"]),
        ("mo|", ["block", "export", "language", "model", "profile", "requires", "search", "train", "use"]),
        ("requires |", ["striate_plugins"]),
        (HEAD + "  conv(8, 3) |", ["as"]),
        (HEAD + "  conv(8, 3) as |", []),
        (HEAD + "  let |", []),
        (HEAD + "  skip.|", ATTRIBUTES),
        (HEAD + "  if in.ch|", ATTRIBUTES),
        (HEAD + "  output |", ["image", "skip"]),
        (HEAD + "  head |", ["classification", "segmentation"]),
        (HEAD + "}\nmodel Big = |", ["Net"]),
        (HEAD + "}\ntrain |", ["Net"]),
        (HEAD + "}\nexport |", ["Net"]),
        (HEAD + "}\ntrain Net { data = |", ["digits"]),
        (HEAD + "}\ntrain Net { metrics = [|", HostCatalogue().names(MetricRecord)),
        (HEAD + "}\ntrain Net { init = |", HostCatalogue().names(InitializerRecord)),
        (HEAD + "}\ntrain Net { augment = [hflip, |", HostCatalogue().names(AugmentationRecord)),
        (HEAD + "}\ntrain Net { regularize = [l2(0.1, |", ["all", "biases", "kernels", "weights"]),
        (HEAD + "}\ntrain Net { regularize = [l2(0.1, weights = |", ["all", "biases", "kernels"]),
        (HEAD + "}\ntrain Net { init = he_normal(mode = |", ["fan_avg", "fan_in", "fan_out"]),
        (HEAD + "}\ntrain Net { precision = |", ["bfloat16", "float32"]),
        (HEAD + "}\ntrain Net { optimizer = sgd(|", ["lr", *SGD]),
        (
            HEAD + "}\ntrain Net { optimizer = sgd(momentum = 0.9, |",
            ["lr", *(name for name in SGD if name != "momentum")],
        ),
        (
            HEAD + "}\nexport Net { |",
            [
                "camera",
                "io_precision",
                "keep_float",
                "opset",
                "passes",
                "postprocess",
                "precision",
                "preprocess",
                "tensor_cores",
                "text",
                "tolerance",
                "top",
            ],
        ),
        (HEAD + "}\nprofile quick { |", ["model", "train"]),
        (HEAD + "}\nsearch |", ["Net"]),
        (HEAD + "}\nsearch Net { model.|", ["width"]),
        (HEAD + "}\nsearch Net { train.batch = |", ["int", "log", "real"]),
        (HEAD + "}\nsearch Net { train.data = [|", ["digits", "int", "log", "real"]),
        (HEAD + "}\nprofile quick { model.|", ["width"]),
        (HEAD + "  input more: 3 x 8 x 8 { |", ["color", "mean", "range", "resize", "std"]),
        (HEAD + "  input more: 3 x 8 x 8 { color = |", ["bgr", "grey", "rgb"]),
        (HEAD + "  # a remark about |", []),
        (HEAD + '  assert params < 3, "|', []),
    ],
)
def test_exactly_what_belongs_there_is_proposed(desk, typed, expected):
    assert proposed(desk, typed) == expected


def test_a_line_begins_with_values_blocks_layers_and_statements(desk):
    found = proposed(desk, HEAD + "  |")
    assert found[:4] == ["image", "skip", "width", "ConvBN"]
    assert set(BUILTIN) <= set(found)
    assert {"input", "output", "let", "head", "repeat", "for", "if", "assert"} <= set(found)


def test_behind_an_arrow_there_are_layers_and_no_statements_or_values(desk):
    found = proposed(desk, HEAD + "  skip -> |\n  output y\n}\n")
    assert {"ConvBN", *BUILTIN} <= set(found)
    assert not {"skip", "image", "output", "repeat"} & set(found)


def test_arguments_that_must_be_given_come_first_and_none_twice(desk):
    first = proposed(desk, HEAD + "  conv(|")
    assert first[:2] == ["channels", "kernel"]
    assert set(CONV) <= set(first)
    second = proposed(desk, HEAD + "  conv(8, kernel = 3, |")
    assert sorted(second) == sorted(set(CONV) - {"kernel"})  # behind a named argument there are named ones only


def test_positions_that_are_taken_are_not_proposed_by_name(desk):
    assert not {"channels", "kernel"} & set(proposed(desk, HEAD + "  conv(8, 3, |"))


def test_a_blocks_parameters_are_arguments_and_layers_their_values(desk):
    assert proposed(desk, HEAD + "  ConvBN(|")[:4] == ["act", "kernel", "out", "stride"]
    assert {"relu", "tanh", "ConvBN"} <= set(proposed(desk, HEAD + "  ConvBN(8, 3, act = |"))


def test_a_heads_arguments_are_the_parameters_of_its_block(desk):
    assert proposed(desk, HEAD + "  head segmentation(|")[0] == "classes"


def test_parameters_of_an_instance_are_those_of_its_block(desk):
    assert proposed(desk, HEAD + "  let stem = ConvBN(8, 3)\n  stem(|")[:4] == ["act", "kernel", "out", "stride"]


@pytest.mark.parametrize(
    "typed", ["conv(8, 3, pad = |", "conv(8, 3, pad = ha|)", "maxpool(2, pad = |", "conv(8, 3, 1, |"]
)
def test_choices_come_first(desk, typed):
    found = complete(*desk.at(HEAD + "  " + typed)).proposals
    assert {item.label for item in found if item.kind == "choice"} == {"half", "same", "valid"}
    assert found[0].kind == "choice"


def test_flags_and_none_are_choices(desk):
    assert proposed(desk, HEAD + "  conv(8, 3, bias = |")[:2] == ["false", "true"]
    assert proposed(desk, HEAD + "  maxpool(2, stride = |")[0] == "none"


def test_merge_layers_take_the_values_given_so_far(desk):
    found = complete(*desk.at(HEAD + "  relu as later -> concat(|")).proposals
    values = [item.label for item in found if item.kind == "value"]
    assert values[:3] == ["image", "later", "skip"]


def test_values_come_with_their_sizes(desk):
    found = {item.label: item.detail for item in complete(*desk.at(HEAD + "  |\n  output y\n}\n")).proposals}
    assert (found["image"], found["skip"], found["width"]) == ("3 x 32 x 32", "8 x 32 x 32", "16")


def test_keys_of_a_recipe_are_proposed_once(desk):
    assert set(proposed(desk, HEAD + "}\ntrain Net { | }")) == set(KEYS)
    assert set(proposed(desk, HEAD + "}\ntrain Net {\n  epochs = 3\n  |\n}")) == set(KEYS) - {"epochs"}
    assert set(proposed(desk, HEAD + "}\nprofile q { train.|")) == set(KEYS)


def test_files_of_plugins_and_of_the_project_can_be_used(desk):
    (desk.folder / "parts").mkdir()
    (desk.folder / "parts" / "heads.cnn").write_text("block H { relu }\n")
    (desk.folder / "blocks.cnn").write_text("block B { relu }\n")
    assert "zoo.resnet" in proposed(desk, "use |")
    assert "resnet" in proposed(desk, "use zoo.|")
    assert proposed(desk, 'use "|') == ["blocks.cnn", "parts/heads.cnn"]
    assert proposed(desk, 'use "par|"') == ["blocks.cnn", "parts/heads.cnn"]


def test_names_of_a_used_file_are_proposed_with_their_prefix(desk):
    (desk.folder / "blocks.cnn").write_text("block Halve(out) { conv(out, 3, stride = 2) }\n")
    desk.write('use "blocks.cnn" as b\nmodel A {\n input x: 3 x 8 x 8\n relu\n output y\n}\n')
    text = 'use "blocks.cnn" as b\nmodel A {\n input x: 3 x 8 x 8\n %s\n output y\n}\n'
    assert proposed(desk, text % "b.|") == ["Halve"]
    assert "b" in proposed(desk, text % "relu -> |")


def test_lints_are_proposed_behind_allow(desk):
    assert set(proposed(desk, HEAD + "  relu  # allow |")) >= {lint.code for lint in LINTS}
    assert set(proposed(desk, HEAD + "  relu  # allow W0102, W|")) >= {lint.code for lint in LINTS}


def test_what_is_replaced_is_the_word_as_far_as_it_is_written(desk):
    library, document, offset = desk.at(HEAD + "  con|v(3)")
    found = complete(library, document, offset)
    assert document.source.text[found.start : found.end] == "con"
    conv = next(item for item in found.proposals if item.label == "conv")
    assert conv.snippet == "conv(${1:channels}, ${2:kernel})"
    library, document, offset = desk.at(HEAD + "  conv|(3)")
    assert all(item.snippet is None for item in complete(library, document, offset).proposals)


def test_every_layer_and_record_is_described(desk):
    found = {item.label: item for item in complete(*desk.at(HEAD + "  |")).proposals}
    assert all(found[name].text == record.summary for name, record in BUILTIN.items())
    optimizer = {item.label: item for item in complete(*desk.at("train Net { optimizer = |")).proposals}
    assert optimizer["sgd"].snippet == "sgd(lr = ${1})"
    assert "Stochastic gradient descent" in optimizer["sgd"].text


def test_passes_of_plugins_are_proposed_in_an_export_section(tmp_path):
    code = """from striate.plugin import *

@hookimpl
def striate_passes(context):
    return [PassRecord("fold_gain", "Folds gains.", Factory("acme:fold"))]
"""
    with installed(tmp_path / "site", code, "acme"):
        assert proposed(Desk(tmp_path), HEAD + "}\nexport Net { passes = [|") == ["fold_gain"]


def test_a_catalogue_with_a_name_twice_does_not_stop_completion(desk, monkeypatch):
    from striate.host.catalogue import NameClashError

    def clash(self, kind, name):
        raise NameClashError(name, {"one": f"one.{name}", "another": f"another.{name}"})

    monkeypatch.setattr(HostCatalogue, "find", clash)
    assert "conv" in proposed(desk, HEAD + "  |")
    assert proposed(desk, HEAD + "}\ntrain Net { data = |") == []


@pytest.mark.parametrize(
    ("typed", "label", "active"),
    [
        ("  conv(|", "conv(channels, kernel", 0),
        ("  conv(8, |", "conv(channels, kernel", 1),
        ("  conv(8, 3, pad = |", "conv(channels, kernel", 3),
        ("  conv(8, max(1, |", None, None),
        ("  head segmentation(|", "block", 0),
        ("  ConvBN(8, 3, act = |", "block ConvBN(out, kernel, stride = 1, act = relu)", 3),
        ("}\ntrain Net { optimizer = sgd(0.1, |", "sgd(lr, momentum = 0.0", 1),
    ],
)
def test_the_signature_of_the_call_around_the_cursor_is_shown(desk, typed, label, active):
    found = signature(*desk.at(HEAD + typed))
    if label is None:
        assert found is None
    else:
        assert found.label.startswith(label)
        assert found.active == active
