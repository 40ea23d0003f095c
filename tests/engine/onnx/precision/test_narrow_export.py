"""Exports in float16 and bfloat16: what stays in float32, what is refused, and that the verification can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from striate.exporting import export_model
from striate.onnx.document import Colophon, build_document
from striate.onnx.filling import StoredWeights
from striate.onnx.precision import narrowing
from striate.onnx.precision.element_types import element_types
from striate.onnx.precision.formats import PRECISIONS
from striate.onnx.precision.narrowing import narrow
from striate.ops.initializers import start_values
from striate.precisions import Numbers
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text, from_zoo
from tests.engine.onnx.test_zoo import MODELS

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def exported(model, path, precision="float16", **options):
    numbers = Numbers(precision, options.pop("io", None), options.pop("keep", ()))
    return export_model(model, path, numbers=numbers, **options)


def finding(model, path, precision="float16", **options):
    with pytest.raises(DiagnosticError) as caught:
        exported(model, path, precision, **options)
    (diagnostic,) = caught.value.diagnostics
    assert not path.exists()
    return diagnostic


def checkpoint(model, path, edit):
    """Write a checkpoint whose weights have been edited."""
    arrays = {name: start_values(weight, 0).copy() for name, weight in model.graph.weights.items()}
    edit(arrays)
    write_weights(path, arrays, CheckpointInfo(model.name))
    return path


def numbers_of(path):
    """Return the element type of every value of a file, and what its convolutions compute in."""
    document = onnx.load(path)
    types = element_types(document)
    return types, {types[node.input[0]] for node in document.graph.node if node.op_type == "Conv"}


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["LeNet5", "ResNet18", "MobileNetV2", "DenseNet121", "UNet", "Siamese"])
def test_the_zoo_is_exported_and_half_as_large(name, precision, tmp_path):
    model = MODELS[name]()
    report = exported(model, tmp_path / "net.onnx", precision)
    assert report.verification is not None
    assert (report.precision, report.opset) == (precision, PRECISIONS[precision].opset)
    document = onnx.load(report.path)
    assert {item.type.tensor_type.elem_type for item in (*document.graph.input, *document.graph.output)} == {FLOAT}
    kinds = {item.data_type for item in document.graph.initializer if item.name.endswith("conv1.weight")}
    assert kinds <= {PRECISIONS[precision].element}
    assert numbers_of(report.path)[1] == {PRECISIONS[precision].element}
    stored = {item.key: item.value for item in document.metadata_props}
    assert stored["striate.precision"] == precision


def test_weights_are_rounded_to_the_nearest(tmp_path):
    model = from_zoo("lenet5")
    report = exported(model, tmp_path / "net.onnx", verify=False)
    stored = {item.name: numpy_helper.to_array(item) for item in onnx.load(report.path).graph.initializer}
    for name, weight in model.graph.weights.items():
        assert np.array_equal(stored[name], start_values(weight, 0).astype(np.float16))


def test_inputs_and_outputs_can_be_narrow(tmp_path):
    report = exported(from_text(RESIDUAL), tmp_path / "net.onnx", io="float16")
    network = onnx.load(report.path).graph
    assert {item.type.tensor_type.elem_type for item in (*network.input, *network.output)} == {HALF}
    assert not [node for node in network.node if node.op_type == "Cast"]
    assert "inputs and outputs in float16" in report.remarks[0]


def test_softmax_and_norms_stay_in_float32_and_are_told(tmp_path):
    body = "conv(8, 3) -> groupnorm(2) -> relu -> global_avgpool -> flatten -> dense(5) -> softmax"
    report = exported(from_body(body), tmp_path / "net.onnx")
    types, _ = numbers_of(report.path)
    network = onnx.load(report.path).graph
    for node in network.node:
        if node.op_type in ("Softmax", "InstanceNormalization", "ReduceMean", "Sqrt"):
            assert types[node.input[0]] == FLOAT, node.name
    assert "in float32: groupnorm1 (sums of many entries); softmax1 (exponentials and quotients)" in report.remarks


def test_of_attention_only_the_products_are_narrow(tmp_path):
    model = from_body("attention(2) -> flatten -> dense(3)", "input tokens: 8 x 6")
    report = exported(model, tmp_path / "net.onnx")
    types, _ = numbers_of(report.path)
    network = onnx.load(report.path).graph
    products = [node for node in network.node if node.op_type in ("MatMul", "Gemm")]
    assert len(products) >= 3
    assert {types[node.input[0]] for node in products} == {HALF}
    assert {types[node.input[0]] for node in network.node if node.op_type == "Softmax"} == {FLOAT}
    assert any(text.startswith("in float32 but for their products: attention1") for text in report.remarks)


def test_layers_and_blocks_are_kept_by_name(tmp_path):
    model = from_text(RESIDUAL)
    report = exported(model, tmp_path / "net.onnx", keep=("conv1", "unit1.1"))
    types, _ = numbers_of(report.path)
    network = onnx.load(report.path).graph
    computed = {node.name: types[node.input[0]] for node in network.node if node.op_type == "Conv"}
    wide = {name for name, element in computed.items() if element == FLOAT}
    assert wide == {"conv1", "unit1.1.bn1"}
    kept = {item.name for item in network.initializer if item.data_type == FLOAT}
    assert "conv1.weight" in kept
    assert "unit1.1.conv1.weight" in kept


def test_weights_read_in_both_numbers_are_stored_in_both(tmp_path):
    text = "let shared = conv(8, 3, pad = 1)\nshared -> relu -> shared as second -> relu"
    model = from_body(text, "input a: 8 x 8 x 8")
    names = [node.name for node in model.graph.nodes if node.op == "conv"]
    report = exported(model, tmp_path / "net.onnx", keep=(names[0],))
    (weight,) = {node.weights["weight"] for node in model.graph.nodes if node.op == "conv"}
    stored = {item.name: item.data_type for item in onnx.load(report.path).graph.initializer}
    assert stored[weight] == FLOAT
    assert stored[f"{weight}/float16"] == HALF


def test_weights_beyond_float16_are_refused_with_their_layer(tmp_path):
    model = from_text(RESIDUAL)

    def enlarge(arrays):
        arrays["conv1.weight"][1, 0, 0, 0] = -7e4

    path = checkpoint(model, tmp_path / "w.safetensors", enlarge)
    found = finding(model, tmp_path / "net.onnx", weights=path)
    assert found.code == "E0630"
    assert found.message == "layer conv1 has weights that float16 cannot hold: 70000 in conv1.weight"
    assert found.notes[0].startswith("1 of its 108 entries")
    assert "--keep-float conv1" in found.help
    assert exported(model, tmp_path / "kept.onnx", weights=path, keep=("conv1", "unit1"), verify=False)
    assert exported(model, tmp_path / "b.onnx", "bfloat16", weights=path).verification is not None


def test_values_beyond_float16_are_refused_with_the_first_layer(tmp_path):
    model = from_body("conv(4, 3) as first -> conv(4, 1, bias = false) as second -> conv(2, 1) as third -> sigmoid")

    def enlarge(arrays):
        arrays["second.weight"] *= 0
        arrays["second.weight"][:, 0] = 6e4
        arrays["first.weight"][:] = 2
        arrays["third.weight"] *= 1e-5

    path = checkpoint(model, tmp_path / "w.safetensors", enlarge)
    found = finding(model, tmp_path / "net.onnx", weights=path)
    assert found.code == "E0634"
    assert found.message == "layer second (conv) leaves the range of float16"
    assert "65504" in found.notes[0]
    assert exported(model, tmp_path / "kept.onnx", weights=path, keep=("second", "third")).verification is not None
    assert exported(model, tmp_path / "b.onnx", "bfloat16", weights=path).verification is not None


def test_places_and_tiny_constants_stay_in_float32(tmp_path):
    report = exported(from_body("upsample(2) -> l2norm(eps = 1e-12) -> conv(2, 1)"), tmp_path / "net.onnx")
    assert any("l2norm1" in text for text in report.remarks)


def test_a_wrong_weight_in_the_file_is_found(tmp_path, monkeypatch):
    def damaged(document, *arguments, **options):
        made = narrow(document, *arguments, **options)
        arrays = dict(made.weights.arrays)
        arrays["unit1.1.conv1.weight"] = 1.5 * arrays["unit1.1.conv1.weight"]
        return replace(made, weights=StoredWeights(arrays))

    monkeypatch.setattr(narrowing, "narrow", damaged)
    found = finding(from_text(RESIDUAL), tmp_path / "net.onnx")
    assert found.code == "E0607"
    assert "unit1.1.bn1" in found.message


def test_rounding_in_a_bfloat16_file_is_rounding_in_its_verification(tmp_path):
    report = exported(from_zoo("lenet5"), tmp_path / "net.onnx", "bfloat16")
    assert report.verification is not None
    assert 1e-3 < report.verification.difference.relative < 3e-2
    assert any("every value rounded to bfloat16" in text for text in report.remarks)


def test_names_that_no_layer_has_are_answered_with_the_nearest(tmp_path):
    found = finding(from_text(RESIDUAL), tmp_path / "net.onnx", keep=("conv3",))
    assert (found.code, found.help) == ("E0631", "did you mean conv1?")
    assert found.message == "Small has no layer and no block called conv3, so it cannot stay in float32"


@pytest.mark.parametrize(
    ("precision", "io", "keep", "message"),
    [
        ("bfloat16", "float16", (), "a file that computes in bfloat16 cannot have inputs and outputs in float16"),
        (None, "float16", (), "a file that computes in float32 cannot have inputs and outputs in float16"),
        (None, None, ("conv1",), "--keep-float says which layers stay in float32, and in this file all of them are"),
    ],
)
def test_numbers_that_do_not_go_together(precision, io, keep, message, tmp_path):
    found = finding(from_text(RESIDUAL), tmp_path / "net.onnx", precision, io=io, keep=keep)
    assert (found.code, found.message) == ("E0632", message)


def test_the_export_section_is_honoured_and_the_option_wins(tmp_path):
    section = "export { precision = float16; io_precision = float16; keep_float = [conv1, unit1]; tolerance = 0.02 }"
    model = from_text(RESIDUAL + section)
    report = export_model(model, tmp_path / "net.onnx")
    assert report.precision == "float16"
    assert "inputs and outputs in float16" in report.remarks[0]
    assert report.remarks[1].startswith("in float32: conv1, unit1.0.bn1, unit1.0.relu1, unit1.0.add1")
    assert exported(model, tmp_path / "b.onnx", "bfloat16").opset == 22
    plain = export_model(model, tmp_path / "c.onnx", numbers=Numbers("float32"))
    assert (plain.precision, plain.remarks) == ("float32", ())


def test_a_tolerance_that_is_asked_for_is_held(tmp_path):
    model = from_text(RESIDUAL + "export { precision = float16; tolerance = 1e-7 }")
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, tmp_path / "net.onnx")
    assert caught.value.diagnostics[0].code == "E0607"


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_openvino_reads_it(precision, tmp_path):
    openvino = pytest.importorskip("openvino")
    model = MODELS["ResNet18"]()
    report = exported(model, tmp_path / "net.onnx", precision)
    image = np.random.default_rng(0).standard_normal((2, 3, 64, 64), dtype=np.float32)
    compiled = openvino.Core().compile_model(str(report.path), "CPU")
    found = compiled([image])[0]
    plain = export_model(model, tmp_path / "plain.onnx", verify=False)
    wanted = openvino.Core().compile_model(str(plain.path), "CPU")([image])[0]
    assert np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max()


def test_the_same_export_gives_the_same_bytes(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        exported(from_text(RESIDUAL), tmp_path / name, verify=False)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_constants_are_not_copied_for_types():
    model = from_text(RESIDUAL)
    arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
    document = build_document(model.graph, model.catalogue.lookup, arrays, 17, Colophon("", "", "", {}))
    types = element_types(document)
    assert types["conv1.weight"] == FLOAT
    assert all(types[name] for node in document.graph.node for name in node.output)
