"""The ONNX model itself: names, sizes, metadata, the same bytes every time, and what cannot be written."""

from __future__ import annotations

import json

import onnx
import pytest
from onnx import numpy_helper

from striate.exporting import export_model
from striate.model import Model
from striate.onnx import filling
from striate.onnx.document import Colophon, batch_name, build_document, check_content, serialize
from striate.ops.initializers import start_values
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text
from tests.engine.passes.networks import Network

COLOPHON = Colophon("striate", "0", "", {})


def written(graph, opset=17, *, filled=True):
    weights = {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    return build_document(graph, BUILTIN.__getitem__, weights, opset, COLOPHON, filled=filled)


def size_of(item) -> list[int | str]:
    return [extent.dim_param or extent.dim_value for extent in item.type.tensor_type.shape.dim]


# ------------------------------------------------------------------------------------------------ names and sizes


def test_an_output_names_the_value_that_a_layer_makes():
    network = written(from_text(RESIDUAL).graph).graph
    assert network.node[-1].name == "dense1"
    assert list(network.node[-1].output) == ["logits"]
    assert not [node for node in network.node if node.op_type == "Identity" and node.name == "logits"]


def test_a_value_with_two_outputs_is_copied_for_the_second():
    network = Network()
    network.add("a", "relu", network.input("image", 3, 4, 4))
    result = written(network.graph(first="a", second="a"))
    check_content(serialize(result))
    assert [(node.op_type, list(node.output)) for node in result.graph.node] == [
        ("Relu", ["first"]),
        ("Identity", ["second"]),
    ]


def test_an_input_may_be_an_output_under_another_name():
    network = Network()
    network.input("image", 3, 4, 4)
    result = written(network.graph(same="image"))
    check_content(serialize(result))
    assert [(node.op_type, list(node.input), list(node.output)) for node in result.graph.node] == [
        ("Identity", ["image"], ["same"])
    ]


def test_a_value_that_is_called_like_an_output_makes_way():
    network = Network()
    network.add("y", "relu", network.input("image", 3, 4, 4))
    network.add("z", "tanh", "y")
    result = written(network.graph(y="z"))
    check_content(serialize(result))
    assert [(node.name, list(node.input), list(node.output)) for node in result.graph.node] == [
        ("y", ["image"], ["y/value"]),
        ("z", ["y/value"], ["y"]),
    ]


def test_every_node_names_the_line_of_its_layer():
    network = written(from_text(RESIDUAL).graph).graph
    places = {node.name: node.doc_string for node in network.node}
    assert places["conv1"] == "net.cnn:10"
    assert places["dense1"] == "net.cnn:12"
    assert all(place.startswith("net.cnn:") for place in places.values())


def test_symbols_and_formulas_name_the_open_axes():
    model = from_body("conv(4, 3, stride = 2, pad = 1) -> relu", "input image: 3 x H x W")
    network = written(model.graph).graph
    assert size_of(network.input[0]) == ["N", 3, "H", "W"]
    assert size_of(network.output[0]) == ["N", 4, "ceil(H/2)", "ceil(W/2)"]
    assert [size_of(item) for item in network.value_info] == [["N", 4, "ceil(H/2)", "ceil(W/2)"]]


def test_the_batch_axis_makes_way_for_a_symbol_of_the_same_name():
    model = from_body("relu", "input image: 3 x N x N")
    assert batch_name(model.graph) == "batch"
    assert size_of(written(model.graph).graph.input[0]) == ["batch", 3, "N", "N"]


def test_every_value_in_between_has_our_size_and_onnx_infers_the_same():
    model = from_text(RESIDUAL)
    result = written(model.graph)
    assert {item.name for item in result.graph.value_info} >= {"conv1", "relu1", "flatten1"}
    declared = {item.name: size_of(item) for item in (*result.graph.value_info, *result.graph.output)}
    del result.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(result, check_type=True, strict_mode=True, data_prop=True)
    found = {item.name: size_of(item) for item in (*inferred.graph.value_info, *inferred.graph.output)}
    assert {name: found[name] for name in declared} == declared


def test_a_size_that_onnx_does_not_find_either_is_refused():
    result = written(from_text(RESIDUAL).graph)
    result.graph.value_info[0].type.tensor_type.shape.dim[1].dim_value = 99
    with pytest.raises(DiagnosticError) as caught:
        check_content(serialize(result))
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.message) == ("E0605", "ONNX's own checker refuses what the layers wrote")
    assert any("99" in note for note in finding.notes)


# ------------------------------------------------------------------------------------------------ weights, metadata


def test_weights_are_the_networks_and_kept_exactly():
    graph = from_text(RESIDUAL).graph
    stored = {item.name: numpy_helper.to_array(item) for item in written(graph).graph.initializer}
    for name, weight in graph.weights.items():
        assert (stored[name] == start_values(weight, 0)).all()


def test_a_weight_of_another_size_is_refused():
    graph = from_text(RESIDUAL).graph
    weights = {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    weights["conv1.bias"] = weights["conv1.bias"][:-1]
    with pytest.raises(ValueError, match=r"weight 'conv1.bias' must have the size \(4,\), not \(3,\)"):
        build_document(graph, BUILTIN.__getitem__, weights, 17, COLOPHON)


def metadata(model: Model, path, **options) -> dict[str, str]:
    report = export_model(model, path / "net.onnx", **options)
    return {item.key: item.value for item in onnx.load(report.path).metadata_props}


def test_the_file_says_what_it_is(tmp_path):
    pixels = "{ color = rgb; range = 0..1; mean = [0.5, 0.5, 0.5] }"
    model = from_body("relu -> maxpool(2)", f"input image: 3 x H x 8 {pixels}")
    entries = metadata(model, tmp_path, seed=4)
    assert entries["striate.model"] == "Net"
    assert len(entries["striate.fingerprint"]) == 64
    assert entries["striate.weights"] == "weights initialised from seed 4, not trained"
    assert entries["striate.verified"] == "in ONNX Runtime against torch"
    assert entries["striate.domain"] == "\n".join(model.domain.sentences())
    assert json.loads(entries["striate.inputs"])["image"]["color"] == "rgb"
    assert "striate.classes" not in entries


def test_a_file_that_was_not_verified_says_so(tmp_path):
    assert metadata(from_body("relu"), tmp_path, verify=False)["striate.verified"] == "not verified"


def test_the_same_call_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("one.onnx", "two.onnx"):
        export_model(from_text(RESIDUAL), tmp_path / name, seed=3, verify=False)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    export_model(from_text(RESIDUAL), tmp_path / "other.onnx", seed=4, verify=False)
    assert (tmp_path / "other.onnx").read_bytes() != contents[0]


def test_version_of_the_format_is_always_stated():
    result = written(from_text(RESIDUAL).graph, 20)
    assert (result.ir_version, [(item.domain, item.version) for item in result.opset_import]) == (9, [("", 20)])


# ------------------------------------------------------------------------------------------------ size


def test_a_network_beyond_the_limit_is_refused_as_one_file(monkeypatch):
    graph = from_text(RESIDUAL).graph
    document = written(graph, filled=False)
    monkeypatch.setattr(filling, "LARGEST_FILE", 4000)
    with pytest.raises(DiagnosticError) as caught:
        filling.check_length(document)
    finding = caught.value.diagnostics[0]
    weights = 4 * sum(weight.size for weight in graph.weights.values())
    size = weights + sum(len(item.raw_data) for item in document.graph.initializer)
    assert finding.code == "E0604"
    assert finding.message == f"Small is too large for one ONNX file: its weights take {size:,} bytes"
    assert finding.notes == ("a file holds 4,000 bytes, the layers' names and sizes included",)


def test_what_is_under_the_limit_really_is():
    """The room that is kept for names and sizes is enough, or a file could still come out too long."""
    document = written(from_text(RESIDUAL).graph)
    assert len(serialize(document)) <= filling.length(document)
