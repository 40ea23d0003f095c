"""What a file of ours carries beside its nodes is believed only where the nodes say the same."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from striate.exporting import export_model
from striate.graph import fingerprint
from striate.importer import import_model, write_import
from striate.model import load_source
from striate.runtime.checkpoint import CheckpointInfo, read_info, write_weights
from striate_dsl.source import Source

TEXT = """
model Net(classes = 5) {
  input image: 3 x H x W where H % 4 == 0 and W >= 16 {
    color = bgr
    range = (-1, 1)
    mean = [0.1, 0.2, 0.3]
    resize = bicubic
  }
  input other: 2 x H x W

  image -> conv(8, 3, pad = half, bias = false) -> bn -> relu -> dropout(0.25) as skip
  image -> concat(other) -> conv(8, 3, pad = 1) -> dropout -> add(skip)
  identity -> maxpool(3, stride = 2, ceil = true)

  head segmentation(classes = classes)
}

export Net { opset = 18; tolerance = 0.001 }
train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 1; batch = 2 }
"""


@pytest.fixture
def exported(tmp_path):
    """Return the network, the file it is in and that file's content."""
    before = load_source(Source("net.cnn", TEXT), "Net", {"classes": "4"})
    export_model(before, tmp_path / "net.onnx", verify=False)
    return before, tmp_path / "net.onnx", onnx.load(tmp_path / "net.onnx")


def entry(document, key):
    return next(item for item in document.metadata_props if item.key == f"striate.{key}")


def test_contract_conditions_dropout_and_head_come_back(exported, tmp_path):
    before, path, _ = exported
    report = write_import(path, tmp_path / "back.cnn")
    assert report.imported.reading.details["restored"]
    again = report.imported.model
    assert fingerprint(again.graph) == fingerprint(before.graph)
    assert again.graph.tasks == before.graph.tasks
    assert [dict(item.contract) for item in again.graph.inputs] == [dict(item.contract) for item in before.graph.inputs]
    assert again.domain.to_json() == before.domain.to_json()
    assert {"dropout", "identity"} < {node.op for node in again.graph.nodes}
    assert "head segmentation(classes = 4)" in report.imported.text
    assert "opset = 18" in report.imported.text
    assert "tolerance = 0.001" in report.imported.text


def test_a_recipe_stays_at_home(exported):
    _, _, document = exported
    assert "digits" not in entry(document, "text").value


def test_trained_weights_come_with_the_text(exported, tmp_path):
    _, path, document = exported
    tensor = document.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) + 1, tensor.name))
    found = import_model(document, path)
    assert found.reading.restored is not None
    np.testing.assert_array_equal(found.weights[tensor.name], numpy_helper.to_array(tensor))


def other_node(document):
    next(node for node in document.graph.node if node.op_type == "Relu").op_type = "Sigmoid"


def other_attribute(document):
    pool = next(node for node in document.graph.node if node.op_type == "MaxPool")
    next(item for item in pool.attribute if item.name == "strides").ints[:] = [1, 1]


def other_text(document):
    stated = entry(document, "text")
    stated.value = stated.value.replace("relu", "tanh")


def no_text(document):
    entry(document, "text").value = "model Net {"


def two_models(document):
    entry(document, "text").value += "\nmodel Other { input a: 3; relu; output b }"


def uses_a_file(document):
    entry(document, "text").value = 'use "secret.cnn"\n' + entry(document, "text").value


def open_height(document):
    document.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 32


@pytest.mark.parametrize(
    "change", [other_node, other_attribute, other_text, no_text, two_models, uses_a_file, open_height]
)
def test_where_text_and_nodes_differ_the_nodes_count(change, exported):
    before, path, document = exported
    change(document)
    found = import_model(document, path)
    assert found.reading.restored is None
    assert found.reading.remark.startswith("read from its nodes")
    graph = found.model.graph
    assert not {"dropout", "identity"} & {node.op for node in graph.nodes}
    assert dict(graph.inputs[0].contract) == dict(before.graph.inputs[0].contract)
    assert ("sigmoid" in {node.op for node in graph.nodes}) == (change is other_node)


@pytest.mark.parametrize(
    "stated", ["", "[", "[1]", '{"image": 3}', '{"image": {"color": "blue", "mean": [1, 2]}}', "[" * 99999], ids=len
)
def test_contracts_that_no_input_can_have_are_left_out(stated, exported):
    _, path, document = exported
    other_node(document)
    entry(document, "inputs").value = stated
    assert import_model(document, path).model.graph.inputs[0].contract == {}


def test_contract_and_classes_of_the_weights_go_into_their_file(tmp_path):
    source = Source(
        "net.cnn", "model Net { input image: 3 x 8 x 8 { color = rgb; mean = 0.5 }; conv(2, 8) -> flatten; output y }"
    )
    model = load_source(source)
    weights = {name: np.zeros(weight.shape, np.float32) for name, weight in model.graph.weights.items()}
    info = CheckpointInfo("Net", contract={"color": "bgr", "mean": [0.5]}, classes=("cat", "dög"))
    write_weights(tmp_path / "w.safetensors", weights, replace(info, fingerprint=fingerprint(model.graph)))
    export_model(model, tmp_path / "net.onnx", weights=tmp_path / "w.safetensors", verify=False)
    write_import(tmp_path / "net.onnx", tmp_path / "back.cnn")
    found = read_info(tmp_path / "back.safetensors")
    assert found.classes == ("cat", "dög")
    assert found.contract == {"color": "bgr", "mean": [0.5]}
    assert "color = rgb" in (tmp_path / "back.cnn").read_text(encoding="utf-8")


@pytest.mark.parametrize("stated", ["{}", "[1, 2]", "[", '"cat"'])
def test_classes_that_are_no_names_are_left_out(stated, exported):
    _, path, document = exported
    document.metadata_props.add(key="striate.classes", value=stated)
    assert import_model(document, path).reading.classes == ()


def test_a_folded_file_carries_no_text(exported, tmp_path):
    before, _, _ = exported
    export_model(before, tmp_path / "folded.onnx", fold=True, verify=False)
    assert "striate.text" not in {item.key for item in onnx.load(tmp_path / "folded.onnx").metadata_props}
    assert write_import(tmp_path / "folded.onnx", tmp_path / "back.cnn").imported.reading.remark == ""


def test_an_export_section_can_ask_for_no_text(tmp_path):
    text = "model Net { input image: 3 x 8 x 8; dropout -> relu; output y }; export Net { text = false }"
    export_model(load_source(Source("net.cnn", text)), tmp_path / "net.onnx", verify=False)
    document = onnx.load(tmp_path / "net.onnx")
    assert "striate.text" not in {item.key for item in document.metadata_props}
    found = import_model(document, tmp_path / "net.onnx")
    assert [node.op for node in found.model.graph.nodes] == ["relu"]
    assert json.loads(json.dumps(found.reading.details))["restored"] is False


def test_a_layer_that_reaches_no_output_starts_anew(tmp_path):
    text = "model Net { input image: 3 x 8 x 8; conv(2, 3) as lost; image -> conv(4, 3); output y }"
    before = load_source(Source("net.cnn", text))
    export_model(before, tmp_path / "net.onnx", verify=False)
    report = write_import(tmp_path / "net.onnx", tmp_path / "back.cnn")
    assert fingerprint(report.imported.model.graph) == fingerprint(before.graph)
    assert set(report.imported.weights) == set(before.graph.weights)


def test_a_head_is_called_again_and_blocks_stay_blocks(tmp_path):
    text = """
    block Unit(width) { conv(width, 3, pad = 1, bias = false) -> bn -> relu }
    model Net { input image: 3 x 32 x 32; repeat 3 { Unit(8) }; head segmentation(classes = 4, objects = 12) as masks }
    """
    before = load_source(Source("net.cnn", text))
    export_model(before, tmp_path / "net.onnx", verify=False)
    found = write_import(tmp_path / "net.onnx", tmp_path / "back.cnn").imported
    assert fingerprint(found.model.graph) == fingerprint(before.graph)
    (again,), (task,) = found.model.graph.tasks, before.graph.tasks
    assert again.objects and task.objects and again.objects.groups == task.objects.groups
    assert "head segmentation(classes = 4, objects = 12) as masks" in found.text
    assert found.text.count("conv(") == 1
    assert found.outputs == {"logits": "logits"}
