"""The benchmarks' own parts: networks that are what they claim, counting, measuring, reporting."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import striate

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):
    """Import a script by name, as running it does: with its folder on the path."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(BENCHMARKS)):
            del sys.modules[name]


@pytest.mark.parametrize(("name", "parameters"), [("lenet5", 61_706), ("vgg16", 138_357_544), ("resnet50", 25_557_032)])
def test_networks_are_the_published_ones(name: str, parameters: int):
    assert striate.load(BENCHMARKS / "networks" / f"{name}.cnn").parameters == parameters


def test_text_is_counted_without_comments_and_blank_lines(script):
    text = "# a comment\n\nmodel A {   # behind code\n  conv(1, 2)\n}\n"
    assert script("text_size").count(text) == (3, 9 + 12 + 1, 7 + 9 + 1)


def test_commands_are_measured_in_turns_and_by_what_they_do(script, tmp_path):
    measure = script("measure")
    log = tmp_path / "log"
    note = (
        "import sys, time; open(sys.argv[1], 'a').write(sys.argv[2]); x = bytearray(int(sys.argv[3])); time.sleep(.1)"
    )
    begin = [sys.executable, "-c", note, str(log)]
    commands = [("a", [*begin, "a", "0"]), ("b", [*begin, "b", "80000000"])]
    small, large = measure.compare(commands, runs=3)
    assert log.read_text() == "ab" + "ab" + "ba" + "ab"
    assert len(small.seconds) == 3
    assert small.median > 0.05
    assert large.row()["peak_MB"] > small.row()["peak_MB"] + 60


def test_a_command_that_fails_stops_the_benchmark_with_its_own_words(script):
    broken = [("broken", [sys.executable, "-c", "print('its own words'); raise SystemExit(3)"])]
    with pytest.raises(SystemExit, match=r"broken ended with exit code 3:\nits own words"):
        script("measure").compare(broken, runs=1)


@pytest.mark.parametrize("shape", ["plain", "residual", "open_sizes"])
def test_generated_networks_have_as_many_layers_as_they_claim(script, tmp_path, shape: str):
    path = tmp_path / "net.cnn"
    path.write_text(getattr(script("check_scaling"), shape)(1000))
    assert len(striate.load(path).graph.nodes) == 1000


def test_the_onnx_equivalent_has_the_sizes_of_the_graph(script, tmp_path):
    onnx = pytest.importorskip("onnx")
    graph = striate.load(BENCHMARKS / "networks" / "resnet50.cnn").graph
    path = tmp_path / "resnet50.onnx"
    script("equivalents").write_onnx(graph, path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    sizes = {
        value.name: tuple(extent.dim_value for extent in value.type.tensor_type.shape.dim)
        for value in inferred.graph.value_info
    }
    assert len(model.graph.node) == len(graph.nodes)
    assert sizes == {name: (1, *graph.types[name].shape) for name in sizes}


def test_the_nnef_equivalent_has_a_line_per_layer_and_weight(script, tmp_path):
    graph = striate.load(BENCHMARKS / "networks" / "resnet50.cnn").graph
    path = tmp_path / "resnet50.nnef"
    script("equivalents").write_nnef(graph, path)
    lines = [line for line in path.read_text().splitlines() if " = " in line and line.endswith(";")]
    assert len(lines) == len(graph.inputs) + len(graph.nodes) + len(graph.weights)


def test_reports_hold_machine_and_figures(script, tmp_path, monkeypatch, capsys):
    report = script("report")
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    made = report.start("trial", "A trial")
    made.add("Figures", [{"name": "a", "median_s": 0.1234}, {"name": "b", "median_s": None}], "a note")
    made.finish(save=False)
    assert not list(tmp_path.iterdir())
    made.finish(save=True)
    page, document = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert "| a    | 0.123    |" in page.read_text()
    assert "- python: " in page.read_text()
    assert json.loads(document.read_text())["tables"][0]["rows"][0] == {"name": "a", "median_s": 0.1234}
    assert "a note" in capsys.readouterr().out


def test_the_network_that_is_typed_in_is_resnet_152_written_out(script, tmp_path):
    keystrokes = script("editor_keystrokes")
    text = keystrokes.written_out()
    path = tmp_path / "net.cnn"
    path.write_text(text)
    assert striate.load(path).parameters == 60_192_808
    assert text.count("conv(") == 155
    typed = list(keystrokes.versions(text))
    assert len(typed) > 100
    assert text in typed
    assert all(abs(len(version) - len(text)) < 40 for version in typed)


def test_the_check_of_every_keystroke_is_measured(script, monkeypatch):
    keystrokes = script("editor_keystrokes")
    monkeypatch.setattr(keystrokes, "SITES", 1)
    text = "model A {\n  input x: 3 x 8 x 8\n  conv(4, 3)\n  output y\n}\n"
    row = keystrokes.checks("small", text)
    assert row["keystrokes"] == len(list(keystrokes.versions(text)))
    assert 0 < row["with_errors"] < row["keystrokes"]
    assert 0 < row["median_ms"] <= row["p90_ms"] <= row["max_ms"]


@pytest.mark.parametrize(("depth", "parameters"), [("50", 25_557_032), ("152", 60_192_808)])
def test_the_peers_export_the_same_network(script, monkeypatch, depth: str, parameters: int):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    peer, speed = script("torch_networks"), script("export_speed")
    ours = striate.load(speed.RESNET, model=f"ResNet{depth}")
    assert ours.parameters == parameters
    with torch.device("meta"):
        theirs = peer.resnet(peer.DEPTHS[depth])
    assert sum(weight.numel() for weight in theirs.parameters()) == parameters
    assert depth in speed.DEPTHS


def test_the_weights_of_exported_files_are_counted(script, tmp_path):
    path = tmp_path / "plain.onnx"
    striate.load(BENCHMARKS / "networks" / "lenet5.cnn").export_onnx(path, verify=False)
    assert script("export_speed")._weights_of(str(path)) == "plain 0.06 M"
