"""Exports in int8: exact against torch under the same rounding, placed as runtimes need it, as good as ORT's tool."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from PIL import Image

from striate import quantization
from striate.calibration import Calibration
from striate.exporting import export_model
from striate.onnx import verify
from striate.onnx.precision.quantizing import quantize
from striate.onnx.runtime import OnnxSession
from striate.ops.initializers import start_values
from striate.precisions import Numbers
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text, from_zoo
from tests.engine.onnx.test_zoo import MODELS


def images(model, count=3, batch=4, seed=0):
    """Return random inputs in batches."""
    generator = np.random.default_rng(seed)
    sizes = {
        item.value.name: [size if isinstance(size, int) else 32 for size in item.value.type.shape]
        for item in model.graph.inputs
    }
    return [
        {name: generator.standard_normal((batch, *size), dtype=np.float32) for name, size in sizes.items()}
        for _ in range(count)
    ]


def exported(model, path, *, keep=(), symmetric=False, method=None, source=None, **options):
    calibration = Calibration(source or images(model), method, symmetric)
    return export_model(model, path, numbers=Numbers("int8", None, keep, calibration), **options)


def finding(model, path, calibration, **options):
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, path, numbers=Numbers("int8", calibration=calibration), **options)
    (diagnostic,) = caught.value.diagnostics
    assert not path.exists()
    return diagnostic


class File:
    """An exported file, taken apart."""

    def __init__(self, path):
        self.document = onnx.load(path)
        self.nodes = list(self.document.graph.node)
        self.numbers = {item.name: numpy_helper.to_array(item) for item in self.document.graph.initializer}
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.readers = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def of_type(self, *kinds):
        return [node for node in self.nodes if node.op_type in kinds]

    def scale(self, value):
        """Return scale and zero point of what dequantizes a value."""
        node = self.makers[value]
        assert node.op_type == "DequantizeLinear", node.name
        return tuple(node.input[1:3])


ZOO = ("LeNet5", "ResNet18", "ResNet50", "GoogLeNet", "MobileNetV2", "DenseNet121", "UNet", "Siamese")
"""What is exported of the zoo: every kind of merge, window and activation that is in it."""


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_exported_verified_and_read_by_openvino(name, tmp_path):
    openvino = pytest.importorskip("openvino")
    model = MODELS[name]()
    report = exported(model, tmp_path / "net.onnx")
    assert report.verification is not None
    assert report.precision == "int8"
    onnx.checker.check_model(str(report.path), full_check=True)
    file = File(report.path)
    kernels = {node.input[1] for node in file.of_type("Conv", "Gemm", "ConvTranspose")}
    assert {file.numbers[file.makers[name].input[0]].dtype for name in kernels} == {np.dtype("int8")}
    batch = images(model)[0]
    wanted = OnnxSession(report.path.read_bytes()).run(batch)
    found = openvino.Core().compile_model(str(report.path), "CPU")(batch)
    for values, others in zip(wanted.values(), found.values(), strict=True):
        assert np.square(values - others).sum() < 0.1 * np.square(values).sum()


def test_onnx_runtime_computes_resnet_in_integers_throughout(tmp_path):
    report = exported(MODELS["ResNet18"](), tmp_path / "net.onnx", verify=False)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(report.path), options, providers=["CPUExecutionProvider"])
    kinds = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert (kinds["QLinearConv"], kinds["QLinearAdd"], kinds["QGemm"]) == (20, 8, 1)
    assert not kinds["Conv"] + kinds["FusedConv"] + kinds["Relu"] + kinds["DequantizeLinear"]


@pytest.mark.parametrize("opset", [13, 17, 21])
@pytest.mark.parametrize("symmetric", [False, True])
def test_as_written_it_is_torch_under_the_same_rounding(symmetric, opset, tmp_path, monkeypatch):
    """Nothing but half steps may fall to another side: without ONNX Runtime's own kernels both compute the same."""
    seen = {}

    def watched(content, graph, reference, trials, *_, **__):
        seen.update(content=content, reference=reference, trials=trials)
        return real(content, graph, reference, trials, *_, **__)

    real = verify.verify_content
    monkeypatch.setattr(verify, "verify_content", watched)
    exported(from_text(RESIDUAL), tmp_path / "net.onnx", symmetric=symmetric, opset=opset)
    session = OnnxSession(seen["content"], as_written=True)
    for trial in seen["trials"]:
        wanted, found = seen["reference"].outputs(trial.inputs), session.run(trial.inputs)
        np.testing.assert_allclose(found["logits"], wanted["logits"], atol=2e-3, rtol=0)


def test_weights_are_int8_per_channel_and_biases_int32(tmp_path):
    model = from_body("conv(6, 3, pad = 1) -> relu -> conv(5, 1)", "input a: 3 x 8 x 8")
    file = File(exported(model, tmp_path / "net.onnx").path)
    first, _ = file.of_type("Conv")
    weight, bias = file.makers[first.input[1]], file.makers[first.input[2]]
    kernel = start_values(model.graph.weights["conv1.weight"], 0)
    stored, scales, zeros = (file.numbers[name] for name in weight.input)
    assert (stored.dtype, scales.shape, zeros.any()) == (np.int8, (6,), False)
    assert [item.i for item in weight.attribute if item.name == "axis"] == [0]
    np.testing.assert_allclose(scales, np.abs(kernel).max((1, 2, 3)) / 127, rtol=1e-6)
    assert np.abs(stored * scales[:, None, None, None] - kernel).max() <= 0.501 * scales.max()
    whole, steps, _ = (file.numbers[name] for name in bias.input)
    given = file.numbers[file.scale(first.input[0])[0]]
    assert whole.dtype == np.int32
    np.testing.assert_allclose(steps, scales * given, rtol=1e-6)
    np.testing.assert_allclose(whole * steps, start_values(model.graph.weights["conv1.bias"], 0), atol=steps.max())
    assert not {"conv1.weight", "conv1.bias"} & set(file.numbers)


def test_nothing_is_rounded_between_a_product_and_its_relu(tmp_path):
    file = File(exported(MODELS["MobileNetV2"](), tmp_path / "net.onnx", verify=False).path)
    absorbed = [node for node in file.of_type("Clip", "Relu") if file.makers[node.input[0]].op_type == "Conv"]
    assert len(absorbed) == 35
    for node in absorbed:
        assert [reader.op_type for reader in file.readers[node.output[0]]] == ["QuantizeLinear"]


def test_both_inputs_of_a_sum_are_rounded_and_the_output_is_not(tmp_path):
    file = File(exported(MODELS["ResNet18"](), tmp_path / "net.onnx", verify=False).path)
    sums = file.of_type("Add")
    assert len(sums) == 8
    for node in sums:
        assert [file.makers[name].op_type for name in node.input] == ["DequantizeLinear"] * 2
    assert file.makers["logits"].op_type == "Gemm"
    assert "logits" not in file.readers


def test_concat_and_maxpool_keep_one_scale(tmp_path):
    body = (
        "conv(4, 3, pad = 1) -> relu\nconcat {\n maxpool(3, stride = 1, pad = 1)\n conv(4, 1)\n}\n"
        "conv(2, 1) -> global_avgpool -> flatten -> dense(3)"
    )
    file = File(exported(from_body(body), tmp_path / "net.onnx").path)
    (joined,) = file.of_type("Concat")
    (pooled,) = file.of_type("MaxPool")
    (rounded,) = file.readers[joined.output[0]]
    scales = {file.scale(name) for name in joined.input} | {tuple(rounded.input[1:3])}
    assert len(scales) == 1
    assert file.scale(pooled.input[0]) in scales
    (moved,) = file.of_type("Flatten")
    (after,) = file.readers[moved.output[0]]
    assert tuple(after.input[1:3]) == file.scale(moved.input[0])


def test_symmetric_values_have_no_zero_points(tmp_path):
    file = File(exported(from_text(RESIDUAL), tmp_path / "net.onnx", symmetric=True).path)
    zeros = [file.numbers[node.input[2]] for node in file.of_type("QuantizeLinear")]
    assert zeros
    assert {(item.dtype, int(item)) for item in zeros} == {(np.dtype("int8"), 0)}


def test_layers_are_kept_in_float32_by_the_names_of_the_text(tmp_path):
    report = exported(from_text(RESIDUAL), tmp_path / "net.onnx", keep=("conv1", "unit1.1"))
    file = File(report.path)
    wide = {node.name for node in file.of_type("Conv") if node.input[1] in file.numbers}
    assert wide == {"conv1", "unit1.1.bn1"}
    assert "weights and values of 3 of 5 layers" in report.remarks[0]


def test_weights_that_are_shared_are_stored_once(tmp_path):
    file = File(exported(MODELS["Siamese"](), tmp_path / "net.onnx").path)
    assert Counter(values.dtype.name for values in file.numbers.values() if values.ndim > 1) == {"int8": 3}


def test_a_wrong_weight_in_the_file_is_found(tmp_path, monkeypatch):
    def damaged(document, arrays, layout, scales):
        made = quantize(document, arrays, layout, scales)
        made.weights.arrays["unit1.1.conv1.weight/int8"][:] //= 2
        return made

    monkeypatch.setattr("striate.onnx.precision.quantizing.quantize", damaged)
    model = from_text(RESIDUAL)
    found = finding(model, tmp_path / "net.onnx", Calibration(images(model)))
    assert found.code == "E0607"
    assert "unit1.1.bn1" in found.message


def test_the_report_is_that_of_the_images(tmp_path):
    model = from_text(RESIDUAL)
    batches = images(model)
    report = exported(model, tmp_path / "net.onnx", source=batches)
    plain = export_model(model, tmp_path / "plain.onnx")
    exact, narrow = (OnnxSession(item.path.read_bytes()) for item in (plain, report))
    pairs = [(exact.run(batch)["logits"], narrow.run(batch)["logits"]) for batch in batches]
    signal = sum(np.square(wanted, dtype=np.float64).sum() for wanted, _ in pairs)
    noise = sum(np.square(wanted.astype(np.float64) - found).sum() for wanted, found in pairs)
    same = np.mean([wanted.argmax(1) == found.argmax(1) for wanted, found in pairs])
    told = report.remarks[1]
    assert f"signal to noise {10 * np.log10(signal / noise):.1f} dB" in told
    assert f"at the same place {100 * same:.1f} % of the time" in told
    assert report.remarks[2].startswith("least signal to noise by their own rounding: ")


def test_the_layer_that_loses_most_is_named(tmp_path):
    model = from_body("conv(8, 3) as first -> conv(8, 1) as second -> conv(4, 1) as third")
    arrays = {name: start_values(weight, 0).copy() for name, weight in model.graph.weights.items()}
    arrays["second.weight"][:, 1] *= 300  # within a channel, one large weight leaves few steps to the others
    arrays["first.weight"][1] *= 1e-3
    write_weights(tmp_path / "w.safetensors", arrays, CheckpointInfo(model.name))
    report = exported(model, tmp_path / "net.onnx", weights=tmp_path / "w.safetensors")
    assert report.remarks[-1].startswith("least signal to noise by their own rounding: second ")


def test_a_tolerance_is_a_bound_on_the_loss(tmp_path):
    model = from_text(RESIDUAL + "export { precision = int8; tolerance = 0.003 }")
    found = finding(model, tmp_path / "net.onnx", Calibration(images(model)))
    assert found.code in ("E0635", "E0607")
    generous = from_text(RESIDUAL + "export { precision = int8; tolerance = 0.5 }")
    assert exported(generous, tmp_path / "net.onnx").verification is not None


@pytest.mark.slow
def test_a_data_set_a_folder_and_a_recipe_are_calibrated_on(tmp_path):
    lenet = from_zoo("lenet5")
    told = export_model(lenet, tmp_path / "a.onnx", numbers=Numbers("int8", calibration=Calibration("digits"))).remarks
    assert "ranges of 128 images by mse" in told[0]
    folder = tmp_path / "photos" / "inside"
    folder.mkdir(parents=True)
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (20, 30), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    source = Calibration(str(tmp_path / "photos"), "minmax")
    told = export_model(lenet, tmp_path / "b.onnx", numbers=Numbers("int8", calibration=source)).remarks
    assert "ranges of 3 images by minmax" in told[0]
    parts = "loss = cross_entropy; optimizer = adam(lr = 0.01); epochs = 1"
    recipe = f"train Small {{ data = digits(channels = 3, limit = 100); {parts} }}"
    told = export_model(from_text(RESIDUAL + recipe), tmp_path / "c.onnx", numbers=Numbers("int8")).remarks
    assert "ranges of" in told[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "int8 needs images to see how large the values of Small become"),
        ("digit", "digit is neither a folder nor a data set"),
        (".", "there are no images to calibrate on in "),
    ],
)
def test_without_images_nothing_is_written(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = finding(from_text(RESIDUAL), tmp_path / "net.onnx", Calibration(source))
    assert found.code == "E0633"
    assert found.message.startswith(message)


def test_images_are_for_int8_alone(tmp_path):
    with pytest.raises(DiagnosticError) as caught:
        export_model(from_text(RESIDUAL), tmp_path / "n.onnx", numbers=Numbers(calibration=Calibration("digits")))
    assert caught.value.diagnostics[0].code == "E0632"


def test_the_numbers_go_into_a_second_file_too(tmp_path):
    report = exported(MODELS["ResNet50"](), tmp_path / "net.onnx", external_data=True)
    assert report.data is not None
    one = exported(MODELS["ResNet50"](), tmp_path / "one.onnx", verify=False)
    assert all(
        np.array_equal(values, File(one.path).numbers[name]) for name, values in File(report.path).numbers.items()
    )


@pytest.mark.parametrize("name", ["LeNet5", "ResNet18"])
def test_it_is_as_good_as_onnx_runtimes_own_tool(name, tmp_path):
    tool = pytest.importorskip("onnxruntime.quantization")
    model = MODELS[name]()
    batches = images(model)
    plain = export_model(model, tmp_path / "plain.onnx", verify=False, fold=True)
    ours = exported(model, tmp_path / "ours.onnx", source=batches, verify=False)

    class Reader(tool.CalibrationDataReader):
        def __init__(self):
            self.rest = iter(batches)

        def get_next(self):
            return next(self.rest, None)

    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        tool.quantize_static(plain.path, tmp_path / "theirs.onnx", Reader(), per_channel=True)
    logging.disable(logging.NOTSET)
    exact = OnnxSession(plain.path.read_bytes())

    def noise(path):
        session = OnnxSession(path.read_bytes())
        pairs = [(exact.run(batch)["logits"], session.run(batch)["logits"]) for batch in batches]
        return sum(np.square(wanted - found).sum() for wanted, found in pairs)

    assert noise(ours.path) < 1.1 * noise(tmp_path / "theirs.onnx")
    assert quantization.decibels(1.0, 0.1) == pytest.approx(10.0)
