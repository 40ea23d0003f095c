"""`striate export` as it is typed: what it prints, which code it ends with, and what it leaves behind."""

from __future__ import annotations

import re
import sys

import click
import onnx
import pytest

from striate.cli.boundary import run_guarded
from striate.cli.export import command
from tests.engine.onnx.models import RESIDUAL


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder with `net.cnn` in it; returns the code and what was printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(RESIDUAL)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run_guarded(command, [*arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_it_says_where_what_and_how_it_compared(run, tmp_path):
    code, out, err = run("net.cnn")
    assert (code, err) == (0, "")
    where, what, compared = out.splitlines()
    assert where == "Small is in Small.onnx"
    assert re.fullmatch(r"opset 17, IR 8, [\d.]+ kB, weights initialised from seed 0, not trained", what)
    assert re.fullmatch(
        r"ONNX Runtime \S+ gives the same classes as torch, outputs differ by at most \S+ \(relative \S+\); "
        r"tried: batch 1, batch 3",
        compared,
    )
    assert (tmp_path / "Small.onnx").is_file()


def test_folding_is_told_and_verified(run, tmp_path):
    code, out, _ = run("net.cnn", "--fold", "-o", "o.onnx")
    assert code == 0
    _, what, folded, compared = out.splitlines()
    assert "weights initialised from seed 0, not trained" in what
    assert re.fullmatch(r"\d+ batch norms? and 0 parallel branches folded into convolutions", folded)
    assert "gives the same classes as torch" in compared
    metadata = {item.key: item.value for item in onnx.load(tmp_path / "o.onnx").metadata_props}
    assert folded in metadata["striate.weights"]


def test_a_precision_is_told_with_what_stays_in_float32(run, tmp_path):
    code, out, err = run("net.cnn", "--precision", "float16", "--keep-float", "conv1,unit1.0", "--keep-float", "dense1")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[3] == "weights and computation in float16, inputs and outputs in float32"
    assert lines[4].startswith("in float32: conv1, unit1.0.bn1, unit1.0.relu1, unit1.0.add1, dense1 (asked for)")
    assert lines[5].startswith("torch in float16 differs from torch in float32 by at most ")
    code, out, _ = run("net.cnn", "--precision", "float16", "--io-precision", "float16", "--no-verify")
    assert "inputs and outputs in float16\nnot verified" in out
    document = onnx.load(tmp_path / "Small.onnx")
    assert document.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16


def test_int8_is_calibrated_on_a_data_set(run, tmp_path):
    arguments = ["--calibrate", "digits", "--calibration-method", "percentile", "--symmetric"]
    code, out, err = run("net.cnn", "--precision", "int8", *arguments)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[3].endswith("inputs and outputs in float32; ranges of 128 images by percentile")
    assert lines[4].startswith("output logits on these images: signal to noise ")
    assert lines[5].startswith("least signal to noise by their own rounding: ")
    code, _, err = run("net.cnn", *arguments)
    assert code == 1
    assert "images are for int8, and this file computes in float32" in err


def test_options_are_honoured(run, tmp_path):
    code, out, _ = run(
        "net.cnn",
        "--model",
        "Small",
        "--set",
        "classes=7",
        "-o",
        "o.onnx",
        "--seed",
        "3",
        "--opset",
        "20",
        "--no-verify",
    )
    assert code == 0
    assert "Small is in o.onnx\nopset 20, IR 9, " in out
    assert out.endswith("weights initialised from seed 3, not trained\nnot verified: --no-verify\n")
    assert [item.name for item in tmp_path.glob("*.onnx")] == ["o.onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--weights", "w", "--seed", "1"],
            "--seed is for weights that are initialised; with --weights there are none",
        ),
        (["--opset", "12"], "Invalid value for '--opset': 12 is not in the range 13<=x<=23."),
        (["--precision", "fp16"], "Invalid value for '--precision': 'fp16' is not one of 'float32', 'float16', "),
        (["--io-precision", "int8"], "Invalid value for '--io-precision'"),
        (["--opset", "new"], "Invalid value for '--opset'"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--set", "classes"], "--set needs KEY=VALUE"),
        (["--unknown"], "No such option"),
    ],
)
def test_wrong_usage_ends_with_2(run, tmp_path, arguments, message):
    code, out, err = run("net.cnn", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not list(tmp_path.glob("*.onnx"))


@pytest.mark.parametrize(
    ("arguments", "code_name"),
    [
        (["missing.cnn"], "E01"),
        (["net.cnn", "--model", "Smal"], "E0310"),
        (["net.cnn", "--weights", "missing.safetensors"], "E0501"),
        (["net.cnn", "--contract", "small"], "E0404"),
        (["net.cnn", "-o", "no/net.onnx"], "E0505"),
        (["net.cnn", "--precision", "float16", "--keep-float", "conv9"], "E0631"),
        (["net.cnn", "--io-precision", "float16"], "E0632"),
        (["net.cnn", "--precision", "int8"], "E0633"),
        (["net.cnn", "--external-data", "--precision", "int8", "--calibrate", "photos"], "E0633"),
    ],
)
def test_findings_end_with_1(run, tmp_path, arguments, code_name):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert f"error[{code_name}" in err
    assert not list(tmp_path.glob("*.onnx"))


def test_without_onnx_runtime_it_says_how_to_get_it(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, _, err = run("net.cnn")
    assert code == 1
    assert "pip install 'striate[runtimes]'" in err
    assert not list(tmp_path.glob("*.onnx"))
    assert run("net.cnn", "--no-verify")[0] == 0


def test_the_command_is_a_click_command():
    assert isinstance(command, click.Command)
    assert command.name == "export"
