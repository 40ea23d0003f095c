"""What runtimes say they take: the tables against what the layers write, and what `export --for` makes of them."""

from __future__ import annotations

import onnx
import pytest
from onnx import defs

from striate.cli.boundary import run_guarded
from striate.cli.export import command
from striate.exporting import export_model
from striate.onnx.acceptance import COREML, RUNTIMES, TENSORRT, NotTaken, not_taken
from striate.onnx.opsets import DEFAULT_OPSET, LOWEST
from tests.engine.onnx.models import RESIDUAL, from_body


def refused(body, runtime, tmp_path, inputs="input image: 3 x 8 x 8", **options):
    path = export_model(from_body(body, inputs), tmp_path / "net.onnx", verify=False, **options).path
    return not_taken(onnx.load(path), runtime)


@pytest.mark.parametrize("name", RUNTIMES)
def test_tables_name_operators_that_exist(name):
    known = {schema.name for schema in defs.get_all_schemas_with_history() if not schema.domain}
    assert RUNTIMES[name].operators <= known
    assert RUNTIMES[name].limits.keys() <= RUNTIMES[name].operators


def test_our_default_is_within_what_both_take():
    for runtime in RUNTIMES.values():
        lowest, highest = runtime.opsets
        assert lowest <= LOWEST <= DEFAULT_OPSET <= highest


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("resize((16, 16), mode = bicubic)", [NotTaken("resize1", "Resize", "has no cubic mode")]),
        ("resize((16, 16), mode = bilinear)", []),
        ("maxpool(3, dilation = 2)", [NotTaken("maxpool1", "MaxPool", "takes no dilations")]),
        ("maxpool(3) -> conv(4, 2) -> bn -> relu -> global_avgpool -> flatten -> dense(3) -> softmax", []),
    ],
)
def test_limits_of_tensorrt(body, expected, tmp_path):
    assert refused(body, TENSORRT, tmp_path) == expected


def test_a_pool_along_a_sequence_is_beyond_tensorrt(tmp_path):
    found = refused("maxpool(2)", TENSORRT, tmp_path, "input sound: 4 x 32")
    assert found == [NotTaken("maxpool1", "MaxPool", "pools images and volumes only")]


def test_limits_of_core_ml(tmp_path):
    """Of a convolution with a batch norm the latter is computed by the processor, unless it is folded."""
    found = refused("conv(4, 3) -> bn -> relu -> maxpool(2)", COREML, tmp_path)
    assert found == [NotTaken("bn1", "BatchNormalization", "is not among its operators")]
    assert refused("conv(4, 3) -> bn -> relu -> maxpool(2)", COREML, tmp_path, fold=True) == []
    volume = refused("conv(4, 3)", COREML, tmp_path, "input volume: 2 x 6 x 6 x 6")
    assert volume == [NotTaken("conv1", "Conv", "takes sequences and images only")]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(RESIDUAL.replace("dropout(0.5)", "elu"))

    def call(*arguments):
        code = run_guarded(command, ["net.cnn", *arguments])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err

    return call


def test_the_command_names_layers_with_their_lines(run):
    code, lines, _ = run("--for", "coreml")
    assert code == 0
    assert lines[-5].startswith("warning: ONNX Runtime's Core ML provider (ML program) does not take 4 layers, says ")
    assert lines[-4:] == [
        *(f"  unit1.{n}.bn1, line 3: BatchNormalization is not among its operators" for n in range(3)),
        "  flatten1, line 12: Flatten is not among its operators",
    ]


def test_the_command_says_that_all_is_taken(run):
    code, lines, _ = run("--for", "tensorrt")
    assert code == 0
    assert lines[-1].startswith("TensorRT 10.1 takes all its operators, says github.com/onnx/onnx-tensorrt")


def test_an_opset_beyond_what_a_runtime_takes_is_told(run):
    code, lines, _ = run("--for", "tensorrt", "--opset", "22")
    assert code == 0
    assert "warning: TensorRT 10.1 takes opset 9 to 20, not 22" in lines


def test_runtimes_at_hand_are_asked(run):
    pytest.importorskip("openvino")
    assert run("--for", "onnxruntime")[1][-1].endswith(" loads it")
    assert "loads it, outputs differ from ONNX Runtime's by at most" in run("--for", "openvino")[1][-1]


def test_other_names_and_other_formats_are_wrong_usage(run):
    assert run("--for", "ncnn")[0] == 2
    code, _, err = run("--for", "coreml", "--format", "pt2")
    assert code == 2
    assert "--for is about ONNX files" in err


BAKED = """\
block Unit(width) { conv(width, 3, pad = 1) -> bn -> relu }
model Net {
  input image: 3 x 16 x 16 { color = rgb; range = 0..1 }
  Unit(4) -> Unit(6) -> maxpool(3, dilation = 2)
  head classification(classes = 4)
}
"""


@pytest.fixture
def run_baked(run, tmp_path):
    (tmp_path / "net.cnn").write_text(BAKED)
    return run


def test_layers_in_functions_are_seen(run_baked):
    code, lines, _ = run_baked("--for", "coreml", "--functions")
    assert code == 0
    assert "  unit1.bn1, line 1: BatchNormalization is not among its operators" in lines
    assert "  unit2.bn1, line 1: BatchNormalization is not among its operators" in lines
    assert run_baked("--for", "tensorrt", "--functions")[1][-1] == "  maxpool1, line 4: MaxPool takes no dilations"


@pytest.mark.parametrize("options", [("--preprocess", "pixels", "--postprocess", "argmax"), ("--external-data",)])
def test_openvino_is_asked_about_whatever_is_written(options, run_baked):
    pytest.importorskip("openvino")
    code, lines, _ = run_baked("--for", "openvino", *options)
    assert code == 0
    assert "loads it, outputs differ from ONNX Runtime's by at most" in lines[-1]


def test_openvino_takes_no_functions_and_says_so(run_baked):
    pytest.importorskip("openvino")
    code, lines, _ = run_baked("--for", "openvino", "--functions")
    assert code == 0
    assert lines[-1].startswith("warning: OpenVINO does not take it: No conversion rule found for operations: ")
    assert "striate.blocks.Unit" in lines[-1]
