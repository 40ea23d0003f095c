"""Blocks as functions: what they are, that the network is the same, and that it can be written out again exactly."""

from __future__ import annotations

import json
import textwrap

import numpy as np
import onnx
import pytest
from onnx import helper

from striate.analysis.ends import Wanted
from striate.cli.boundary import run_guarded
from striate.cli.export import command
from striate.exporting import export_model
from striate.importer import import_onnx
from striate.importing.functions import written_out
from striate.onnx.functions import DOMAIN, with_functions
from striate.onnx.runtime import OnnxSession
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_text
from tests.engine.onnx.test_zoo import MODELS

NESTED = """\
block Conv(width, stride = 1) { conv(width, 3, stride = stride, pad = 1, bias = false) -> bn -> relu }
block Unit(width, stride = 1) {
  add {
    Conv(width, stride) -> Conv(width)
    if stride != 1 or in.channels != width { conv(width, 1, stride = stride) } else { in }
  }
}
model Net {
  input image: 3 x H x W
  Conv(4)
  repeat 2 { Unit(4) }
  Unit(8, 2) -> Unit(12, 1) -> Unit(12, 2)
  global_avgpool -> flatten -> dense(3)
  output y
}
"""


def written(model, tmp_path, **options):
    """Return a model without and with functions."""
    path = export_model(model, tmp_path / "net.onnx", verify=False, **options).path
    plain = onnx.load(path)
    graph, _ = run_passes(model.graph, [DropInferenceNoops(model.catalogue.lookup), RemoveDeadNodes()])
    return plain, with_functions(plain, graph)


def unstated(document):
    """Return the nodes of a document without their metadata, which functions cannot have: it names the instance."""
    nodes = []
    for node in document.graph.node:
        nodes.append(onnx.NodeProto())
        nodes[-1].CopyFrom(node)
        nodes[-1].ClearField("metadata_props")
    return nodes


def by_name(document):
    return {item.name: item for item in document.functions}


# ------------------------------------------------------------------------------------------------ what they are


def test_a_block_is_one_function_called_once_per_instance(tmp_path):
    _, document = written(from_text(RESIDUAL), tmp_path)
    (unit,) = document.functions
    assert (unit.domain, unit.name) == (DOMAIN, "Unit")
    assert list(unit.input) == [
        "input",
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
    ]
    assert [(node.name, node.op_type, list(node.output)) for node in unit.node] == [
        ("conv1", "Conv", ["conv1"]),
        ("bn1", "BatchNormalization", ["bn1"]),
        ("relu1", "Relu", ["relu1"]),
        ("add1", "Add", ["add1"]),
    ]
    calls = [node for node in document.graph.node if node.domain == DOMAIN]
    assert [(node.name, node.op_type, node.input[1]) for node in calls] == [
        (f"unit1.{number}", "Unit", f"unit1.{number}.conv1.weight") for number in range(3)
    ]
    assert calls[0].doc_string == "net.cnn:11"
    assert unit.node[0].doc_string == "net.cnn:3"
    assert [node.op_type for node in document.graph.node] == [
        *("Conv", "Relu"),
        *("Unit",) * 3,
        *("GlobalAveragePool", "Flatten", "Gemm"),
    ]


def test_attributes_that_differ_are_attributes_of_the_function_and_forms_are_functions_of_their_own(tmp_path):
    _, document = written(from_text(NESTED), tmp_path)
    functions = by_name(document)
    assert set(functions) == {"Conv", "Unit", "Unit_2"}
    assert list(functions["Conv"].attribute) == ["conv1_strides"]
    (strides,) = [item for item in functions["Conv"].node[0].attribute if item.name == "strides"]
    assert strides.ref_attr_name == "conv1_strides"
    assert [node.op_type for node in functions["Unit"].node] == ["Conv", "Conv", "Add"]
    assert [node.op_type for node in functions["Unit_2"].node] == ["Conv", "Conv", "Conv", "Add"]
    assert [node.domain for node in functions["Unit_2"].node] == [DOMAIN, DOMAIN, "", ""]
    assert list(functions["Unit_2"].attribute) == ["conv1_conv1_strides", "conv3_strides"]
    given = {
        node.name: {item.name: list(item.ints) for item in node.attribute}
        for node in document.graph.node
        if node.op_type == "Unit_2"
    }
    assert given == {
        "unit2": {"conv1_conv1_strides": [2, 2], "conv3_strides": [2, 2]},
        "unit3": {"conv1_conv1_strides": [1, 1], "conv3_strides": [1, 1]},
        "unit4": {"conv1_conv1_strides": [2, 2], "conv3_strides": [2, 2]},
    }


@pytest.mark.parametrize("name", MODELS)
def test_they_are_the_same_network(name, tmp_path):
    """What is written out again is exactly what it was; ONNX's checker takes it, and ONNX Runtime gives the same."""
    plain, document = written(MODELS[name](), tmp_path)
    onnx.checker.check_model(document, full_check=True)
    again = written_out(document)
    assert unstated(again) == unstated(plain)
    assert list(again.graph.initializer) == list(plain.graph.initializer)
    assert list(again.opset_import) == list(plain.opset_import)
    generator = np.random.default_rng(0)
    inputs = {
        item.name: generator.standard_normal(
            [2, *(each.dim_value or 32 for each in item.type.tensor_type.shape.dim[1:])], dtype="float32"
        )
        for item in plain.graph.input
    }
    expected = OnnxSession(plain.SerializeToString()).run(inputs)
    found = OnnxSession(document.SerializeToString()).run(inputs)
    assert found.keys() == expected.keys()
    for output, values in expected.items():
        np.testing.assert_array_equal(found[output], values)


def test_every_block_of_the_zoo_becomes_a_function(tmp_path):
    _, document = written(MODELS["ResNet50"](), tmp_path)
    assert set(by_name(document)) == {"ConvBN", "Shortcut", "Bottleneck", "Stage"}
    calls = [node.name for node in document.graph.node if node.domain == DOMAIN]
    assert calls == ["conv_bn1", *(f"stage1.{number}" for number in range(4))]


def test_two_uses_of_one_instance_share_their_weights(tmp_path):
    _, document = written(MODELS["Siamese"](), tmp_path)
    (tower,) = document.functions
    first, second = (list(node.input) for node in document.graph.node)
    weights = [name for name in first if name in MODELS["Siamese"]().graph.weights]
    assert len(weights) == 6
    assert [name for name in second if name in weights] == weights
    assert (first[0], second[0]) == ("left", "right")
    assert len(tower.input) == len(first)


def test_a_network_without_blocks_has_no_functions(tmp_path):
    plain, document = written(MODELS["LeNet5"](), tmp_path)
    assert document == plain


def test_what_flows_out_twice_and_named_values_are_outputs(tmp_path):
    text = """\
    block Two(width) { conv(width, 1) as a -> relu }
    model Net {
      input image: 2 x 4 x 4
      Two(3) as first -> concat(first) as y
      output y, first
    }
    """
    plain, document = written(from_text(textwrap.dedent(text)), tmp_path)
    assert unstated(written_out(document)) == unstated(plain)
    assert [item.name for item in document.graph.output] == ["y", "first"]


# ------------------------------------------------------------------------------------------------ the command, import


def test_the_command_writes_them_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(NESTED)
    assert run_guarded(command, ["net.cnn", "--functions"]) == 0
    assert "gives the same values as torch" in capsys.readouterr().out
    assert len(onnx.load(tmp_path / "Net.onnx").functions) == 3
    assert run_guarded(command, ["net.cnn", "--functions", "--opset", "14"]) == 1
    assert "error[E0645]: a file of opset 14 has no functions" in capsys.readouterr().err
    assert run_guarded(command, ["net.cnn", "--functions", "--format", "pt2"]) == 2


def test_a_wrong_function_is_found_before_the_file_is_there(tmp_path, monkeypatch):
    def wrong(document, graph):
        made = with_functions(document, graph)
        made.functions[0].node[-1].op_type = "Tanh"
        return made

    monkeypatch.setattr("striate.onnx.functions.with_functions", wrong)
    with pytest.raises(DiagnosticError) as caught:
        export_model(from_text(NESTED), tmp_path / "net.onnx", functions=True)
    found = caught.value.diagnostics[0]
    assert (found.code, found.message) == (
        "E0643",
        "with blocks as functions the file computes something else than torch",
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("carried", ["", "export Net { text = false }\n"], ids=["with text", "from its nodes"])
def test_import_gives_the_blocks_back(carried, tmp_path):
    report = export_model(from_text(NESTED + carried), tmp_path / "net.onnx", functions=True, seed=3)
    found = import_onnx(report.path)
    assert [word for word in ("block Conv", "block Unit") if word in found.text] == ["block Conv", "block Unit"]
    names = {node.name for node in found.model.graph.nodes}
    assert {"conv1.conv1", "unit1.1.conv2.bn1", "unit3.conv3", "dense1"} <= names
    plain = import_onnx(export_model(from_text(NESTED + carried), tmp_path / "plain.onnx", seed=3).path)
    assert found.text == plain.text
    assert all((found.weights[name] == values).all() for name, values in plain.weights.items())


def test_functions_go_with_preprocessing_float16_and_a_second_file(tmp_path):
    text = NESTED.replace("3 x H x W", "3 x 16 x 16 { color = rgb; range = 0..1 }")
    for number, options in enumerate(
        ({"wanted": Wanted("pixels", None, "argmax")}, {"external_data": True}, {"fold": True})
    ):
        report = export_model(from_text(text), tmp_path / f"{number}.onnx", functions=True, **options)
        assert report.verification is not None
        assert onnx.load(report.path).functions


# ------------------------------------------------------------------------------------------------ files of strangers


def stranger(calls, inputs=("x",), outputs=("y",), nodes=None, attributes=()):
    body = nodes or [helper.make_node("Relu", ["x"], ["y"], name="r")]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    function = helper.make_function(DOMAIN, "F", list(inputs), list(outputs), body, opsets, attributes)
    info = [helper.make_tensor_value_info(name, 1, ["N", 3, 4, 4]) for name in ("image", "out")]
    graph = helper.make_graph(calls, "g", info[:1], info[1:])
    return helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=8)


def test_too_many_inputs_are_refused():
    call = helper.make_node("F", ["image", "image"], ["out"], name="c", domain=DOMAIN)
    with pytest.raises(DiagnosticError) as caught:
        written_out(stranger([call]))
    assert caught.value.diagnostics[0].code == "E0611"


def test_inputs_and_attributes_that_are_not_given_are_left_out():
    body = [
        helper.make_node("Clip", ["x", "low"], ["y"], name="c"),
        helper.make_node("LeakyRelu", ["y"], ["z"], name="l"),
    ]
    body[1].attribute.append(onnx.AttributeProto(name="alpha", type=1, ref_attr_name="slope"))
    call = helper.make_node("F", ["image"], ["out"], name="c", domain=DOMAIN)
    clip, leaky = written_out(stranger([call], ("x", "low"), ("z",), body, ["slope"])).graph.node
    assert (clip.name, list(clip.input), list(clip.output)) == ("c.c", ["image", ""], ["c.y"])
    assert (leaky.name, list(leaky.input), list(leaky.output), len(leaky.attribute)) == ("c.l", ["c.y"], ["out"], 0)


# ------------------------------------------------------------------------------------------------ scopes


def test_every_node_says_which_blocks_it_lies_in(tmp_path):
    plain, _ = written(MODELS["ResNet18"](), tmp_path)
    stated = {
        node.name: {item.key: json.loads(item.value) for item in node.metadata_props} for node in plain.graph.node
    }
    assert stated["stage1.1.unit1.shortcut1.conv_bn1.conv1"] == {
        "striate.scopes": [
            "stage1.1",
            "stage1.1.unit1",
            "stage1.1.unit1.shortcut1",
            "stage1.1.unit1.shortcut1.conv_bn1",
        ],
        "striate.blocks": ["Stage", "Basic", "Shortcut", "ConvBN"],
    }
    assert stated["dense1"] == {}


def test_names_with_dots_of_a_written_out_text_are_no_scopes(tmp_path):
    text = """\
    block Unit { conv(3, 1) as deep.conv1 }
    model Net { input image: 3 x 4 x 4; Unit -> relu; output y }
    """
    plain, document = written(from_text(textwrap.dedent(text)), tmp_path)
    assert not any(node.metadata_props for node in plain.graph.node)
    assert document == plain
