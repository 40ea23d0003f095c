"""`striate import` as it is typed: what it prints, which code it ends with, and what it leaves behind."""

import json
import re

import pytest

from striate.cli.boundary import run_guarded
from striate.cli.importing import command
from striate.model import load
from tests.engine.importing.written import model, node, random


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder with `net.onnx` in it; returns the code and what was printed."""
    monkeypatch.chdir(tmp_path)
    nodes = [node("Conv", ["x", "w"], ["h"], name="stem"), node("Relu", ["h"], ["y"])]
    (tmp_path / "net.onnx").write_bytes(
        model(nodes, {"x": ["N", 3, 9, 8]}, [random("w", 4, 3, 3, 3)]).SerializeToString()
    )

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run_guarded(command, [*arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_it_says_what_was_read_and_how_it_compared(run, tmp_path):
    code, out, err = run("net.onnx")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == [
        "Net is in net.cnn, its weights are in net.safetensors",
        "opset 17; 2 layers with 108 parameters",
    ]
    assert lines[2:4] == ["  read: 1 Conv, 1 Relu", "  made: 1 conv, 1 relu"]
    assert re.fullmatch(r"ONNX Runtime \S+ gives the same values as torch, .*; tried: batch 1, batch 3", lines[4])
    assert load("net.cnn").to_torch(weights="net.safetensors").graph.parameters == 108


def test_json_says_the_same(run):
    code, out, _ = run("net.onnx", "-o", "other.cnn", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["model"], told["text"], told["weights"]) == ("Net", "other.cnn", "other.safetensors")
    assert (told["operators"], told["inputs"]) == ({"Conv": 1, "Relu": 1}, {"x": "x"})
    assert told["verified"]["trials"] == ["batch 1", "batch 3"]


def test_without_verification_neither_torch_nor_the_runtime_is_asked(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    code, out, _ = run("net.onnx", "--no-verify")
    assert (code, out.splitlines()[-1]) == (0, "not compared: --no-verify")
    code, _, err = run("net.onnx")
    assert code == 1
    assert "E0603" in err


def test_a_network_that_computes_something_else_is_not_written(run, tmp_path, monkeypatch):
    from striate.importing import agreement

    monkeypatch.setattr(agreement, "TOLERANCE", -1.0)
    code, _, err = run("net.onnx")
    assert code == 1
    assert "E0607" in err
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(("arguments", "code"), [(("no.onnx",), 1), ((), 2), (("net.onnx", "-o", "a.safetensors"), 2)])
def test_mistakes(run, tmp_path, arguments, code):
    assert run(*arguments)[0] == code
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_a_folder_that_is_not_there_is_said(run, tmp_path):
    code, _, err = run("net.onnx", "-o", "missing/net.cnn")
    assert code == 1
    assert "E0505" in err
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
