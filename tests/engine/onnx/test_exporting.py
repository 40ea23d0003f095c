"""The whole export: weights from a checkpoint or a seed, a file only when all is well, the old one when not."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from striate.exporting import export_model
from striate.host.catalogue import HostCatalogue
from striate.ops.initializers import start_values
from striate.ops.registry import BUILTIN
from striate.runtime import atomic
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text


def finding(model, path, **options):
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, path, **options)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def wrong_bn(call, sink):
    """Write batch norm with another epsilon."""
    BUILTIN["bn"].onnx(replace(call, attributes={**call.attributes, "eps": 0.1}), sink)


class FaultyCatalogue(HostCatalogue):
    """A catalogue in which batch norm is exported wrongly."""

    def lookup(self, name):
        return replace(BUILTIN["bn"], onnx=wrong_bn) if name == "bn" else super().lookup(name)


def test_a_checkpoint_gives_weights_classes_and_pixels(tmp_path):
    model = from_text(RESIDUAL)
    arrays = {name: start_values(weight, 7) for name, weight in model.graph.weights.items()}
    info = CheckpointInfo("Small", classes=("ant", "bee", "cat", "dog", "élan"), contract={"color": "bgr"})
    write_weights(tmp_path / "best.safetensors", arrays, info)
    report = export_model(model, tmp_path / "net.onnx", weights=tmp_path / "best.safetensors")
    assert report.weights == "weights from best.safetensors"
    document = onnx.load(report.path)
    entries = {item.key: item.value for item in document.metadata_props}
    assert json.loads(entries["striate.classes"]) == ["ant", "bee", "cat", "dog", "élan"]
    assert json.loads(entries["striate.inputs"]) == {"image": {"color": "bgr"}}
    stored = {item.name: numpy_helper.to_array(item) for item in document.graph.initializer}
    assert all(np.array_equal(stored[name], values) for name, values in arrays.items())


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    other = from_text(RESIDUAL, classes="6")
    arrays = {name: start_values(weight, 7) for name, weight in other.graph.weights.items()}
    write_weights(tmp_path / "best.safetensors", arrays, CheckpointInfo("Small"))
    found = finding(from_text(RESIDUAL), tmp_path / "net.onnx", weights=tmp_path / "best.safetensors")
    assert found.code == "E0504"
    assert not (tmp_path / "net.onnx").exists()


def test_a_failed_verification_leaves_no_file(tmp_path):
    model = replace(from_text(RESIDUAL), catalogue=FaultyCatalogue())
    found = finding(model, tmp_path / "net.onnx")
    assert found.code == "E0607"
    assert found.message == "ONNX Runtime computes something else than torch, from layer unit1.0.bn1 (bn) on"
    assert list(tmp_path.iterdir()) == []


def test_a_failed_verification_leaves_the_old_file(tmp_path):
    target = tmp_path / "net.onnx"
    export_model(from_text(RESIDUAL), target)
    before = target.read_bytes()
    finding(replace(from_text(RESIDUAL), catalogue=FaultyCatalogue()), target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_without_verification_the_faulty_file_is_written_and_says_so(tmp_path):
    model = replace(from_text(RESIDUAL), catalogue=FaultyCatalogue())
    report = export_model(model, tmp_path / "net.onnx", verify=False)
    assert report.verification is None
    entries = {item.key: item.value for item in onnx.load(report.path).metadata_props}
    assert entries["striate.verified"] == "not verified"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, step):
    target = tmp_path / "net.onnx"
    export_model(from_text(RESIDUAL), target, verify=False)
    before = target.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os if step == "fsync" else type(target), step, full)
    found = finding(from_text(RESIDUAL), target, seed=1, verify=False)
    assert found.code == "E0505"
    assert "no space left" in found.message
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_in_place_of_the_file_is_said_before_anything_is_computed(tmp_path):
    found = finding(from_text(RESIDUAL), tmp_path, weights="missing.safetensors")
    assert found.code == "E0505"
    assert "it is a folder" in found.message


def test_a_missing_folder_is_said(tmp_path):
    found = finding(from_text(RESIDUAL), tmp_path / "nowhere" / "net.onnx")
    assert found.code == "E0505"
    assert f"there is no folder {tmp_path / 'nowhere'}" in found.message


def test_the_graph_of_the_model_stays_as_it_is(tmp_path):
    model = from_text(RESIDUAL)
    nodes = model.graph.nodes
    export_model(model, tmp_path / "net.onnx")
    assert model.graph.nodes is nodes
    assert any(node.op == "dropout" for node in nodes)


def test_a_network_whose_layers_all_pass_through_is_a_copy(tmp_path):
    report = export_model(from_body("identity -> dropout(0.5)"), tmp_path / "net.onnx")
    assert [node.op_type for node in onnx.load(report.path).graph.node] == ["Identity"]
    assert report.verification is not None
    assert report.verification.difference.absolute == 0


def test_an_input_that_nothing_reads_is_kept(tmp_path):
    report = export_model(from_body("a -> relu", "input a: 3 x 4 x 4\ninput b: 2 x 4 x 4"), tmp_path / "net.onnx")
    assert [item.name for item in onnx.load(report.path).graph.input] == ["a", "b"]


def test_relative_paths_and_text_paths_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export_model(from_body("relu"), "net.onnx", verify=False)
    assert [item.name for item in tmp_path.iterdir()] == ["net.onnx"]


def test_without_verification_neither_torch_nor_onnx_runtime_is_loaded(tmp_path):
    (tmp_path / "net.cnn").write_text(RESIDUAL)
    script = (
        "import sys, striate.onnx.contract, striate.onnx.opsets\n"
        "assert not {'onnx', 'numpy'} & set(sys.modules), 'checking a file must not wait for onnx'\n"
        "from striate.exporting import export_model\n"
        "from striate.model import load\n"
        "export_model(load('net.cnn'), 'net.onnx', verify=False)\n"
        "assert not {'torch', 'onnxruntime'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "net.onnx").is_file()
