"""Files of other runtimes: read by the real tools they give what torch gives, and keep names and open sizes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from striate.exporting_formats import export_format
from striate.formats.kinds import KINDS
from striate.formats.writing import write_files
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text

pytest.importorskip("openvino")

OPEN = "input image: 3 x H x W"
OTHERS = [name for name in KINDS if name != "onnx"]
SEVERAL = """\
model Pair(classes = 3) {
  input left: 2 x H x W
  input lambda: 2 x H x W
  left -> conv(4, 3, pad = 1) -> bn -> relu as a
  lambda -> conv(4, 3, pad = 1) -> concat(a) as joined
  global_avgpool -> flatten -> dense(classes) as scores
  output scores, joined
}
"""
SAME = "conv(4, 3, stride = 2, pad = same) -> relu -> maxpool(3, stride = 2, pad = 1) -> global_avgpool -> flatten"


def read(path, kind):
    """Load a file with its runtime, as a user would, and return a function from arrays in order to arrays by name."""
    if kind == "openvino":
        import openvino

        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return lambda *inputs: {
            port.get_any_name(): values for port, values in compiled(dict(enumerate(inputs))).items()
        }
    loaded = torch.jit.load(path) if kind == "torchscript" else torch.export.load(path).module()

    def run(*inputs):
        with torch.no_grad():
            result = loaded(*map(torch.from_numpy, inputs))
        named = {"logits": result} if isinstance(result, torch.Tensor) else result
        return {name: value.numpy() for name, value in named.items()}

    return run


def finding(model, path, kind):
    with pytest.raises(DiagnosticError) as caught:
        export_format(model, path, kind)
    (found,) = caught.value.diagnostics
    return found


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_gives_what_torch_gives_at_sizes_it_was_not_made_with(kind, tmp_path):
    model = from_text(RESIDUAL.replace("3 x 8 x 8", "3 x H x W"))
    report = export_format(model, tmp_path / f"net{KINDS[kind].suffix}", kind, seed=5)
    assert report.size == sum(path.stat().st_size for path in report.paths)
    assert report.verification.difference.relative < 1e-5
    run, program = read(report.paths[0], kind), model.to_torch(seed=5).eval()
    for shape in ((1, 3, 5, 9), (4, 3, 12, 6)):
        image = np.random.default_rng(0).standard_normal(shape, dtype="float32")
        with torch.no_grad():
            expected = program(torch.from_numpy(image)).numpy()
        np.testing.assert_allclose(run(image)["logits"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", OTHERS)
def test_several_inputs_and_outputs_go_by_their_names(kind, tmp_path):
    model = from_text(SEVERAL)
    report = export_format(model, tmp_path / f"net{KINDS[kind].suffix}", kind)
    images = [np.random.default_rng(seed).standard_normal((2, 2, 7, 5), dtype="float32") for seed in (0, 1)]
    with torch.no_grad():
        expected = model.to_torch().eval()(*map(torch.from_numpy, images))
    found = read(report.paths[0], kind)(*images)
    assert set(found) == {"scores", "joined"}
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name].numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_names_are_kept(tmp_path):
    """Arguments are called like the inputs (`lambda` is a word of Python's own), weights as in a checkpoint."""
    model = from_text(SEVERAL)
    script = torch.jit.load(export_format(model, tmp_path / "a.pt", "torchscript").paths[0])
    assert [item.name for item in script.forward.schema.arguments] == ["self", "left", "lambda_"]
    assert set(script.state_dict()) == set(model.graph.weights)
    program = torch.export.load(export_format(model, tmp_path / "a.pt2", "pt2").paths[0])
    assert program.graph_signature.user_inputs == ("left", "lambda_")
    assert set(program.state_dict) == set(model.graph.weights)
    import openvino

    read_back = openvino.Core().read_model(export_format(model, tmp_path / "a.xml", "openvino").paths[0])
    assert [port.get_any_name() for port in read_back.inputs] == ["left", "lambda"]
    assert [port.get_any_name() for port in read_back.outputs] == ["scores", "joined"]
    assert {"a", "joined", "scores"} <= {item.get_friendly_name() for item in read_back.get_ops()}


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_files_say_what_they_are(tmp_path):
    model = from_body("conv(2, 3) -> relu", OPEN)
    extra = {"striate.json": ""}
    torch.jit.load(export_format(model, tmp_path / "a.pt", "torchscript", seed=3).paths[0], _extra_files=extra)
    entries = json.loads(extra["striate.json"])
    assert entries["striate.model"] == "Net"
    assert entries["striate.weights"] == "weights initialised from seed 3, not trained"
    assert entries["striate.verified"] == "in TorchScript against torch"
    extra = {"striate.json": ""}
    torch.export.load(export_format(model, tmp_path / "a.pt2", "pt2").paths[0], extra_files=extra)
    assert json.loads(extra["striate.json"])["striate.domain"] == "H and W: any, at least 3"
    import openvino

    stored = openvino.Core().read_model(export_format(model, tmp_path / "a.xml", "openvino").paths[0])
    assert stored.get_rt_info(["striate", "verified"]).astype(str) == "in OpenVINO IR against torch"


@pytest.mark.parametrize("kind", OTHERS)
def test_the_smallest_legal_size_is_taken(kind, tmp_path):
    """U-Net's smallest image is one pixel at its lowest level; torch.export has rules of its own for sizes of one."""
    body = "conv(4, 3, pad = 1) as top -> maxpool(4) -> conv(4, 1) -> upsample(4) -> concat(top) -> conv(2, 1)"
    report = export_format(from_body(body, OPEN), tmp_path / f"net{KINDS[kind].suffix}", kind)
    assert report.verification.trials[0] == "batch 1 with H = 4, W = 4"
    assert report.verification.trials[-1] == "batch 3 with H = 40, W = 64"


@pytest.mark.parametrize("kind", OTHERS)
def test_folding_is_kept(kind, tmp_path):
    model = from_text(RESIDUAL)
    report = export_format(model, tmp_path / f"net{KINDS[kind].suffix}", kind, fold=True)
    assert report.folded == "3 batch norms and 0 parallel branches folded into convolutions"


# ------------------------------------------------------------------------------------------------ what cannot be


def test_a_size_that_a_recording_fixes_is_found_and_its_layer_named(tmp_path):
    """The padding of an odd image is not that of an even one, and a trace holds one of them."""
    (tmp_path / "net.pt").write_bytes(b"as it was")
    found = finding(from_body(SAME, OPEN), tmp_path / "net.pt", "torchscript")
    assert (found.code, found.message) == ("E0639", "as TorchScript, Net does not compute what torch does")
    layers = [note for note in found.notes if note.startswith("layer ")]
    assert [note.partition(",")[0] for note in layers] == ["layer conv1 (conv)"]
    assert (tmp_path / "net.pt").read_bytes() == b"as it was"
    assert [item.name for item in tmp_path.iterdir()] == ["net.pt"]


def test_a_size_that_torch_export_cannot_leave_open_is_named_with_its_layer(tmp_path):
    found = finding(from_body(SAME, OPEN), tmp_path / "net.pt2", "pt2")
    assert (found.code, found.message) == ("E0638", "Net cannot be written as torch.export")
    assert [note.partition(",")[0] for note in found.notes if note.startswith("layer ")] == ["layer conv1 (conv)"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", OTHERS)
def test_the_same_network_of_known_size_can_be_written(kind, tmp_path):
    report = export_format(from_body(SAME, "input image: 3 x 9 x 8"), tmp_path / f"net{KINDS[kind].suffix}", kind)
    assert report.verification.trials == ("batch 1", "batch 3")
    assert all(path.is_file() for path in report.paths)


def test_a_missing_openvino_is_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    found = finding(from_text(RESIDUAL), tmp_path / "net.xml", "openvino")
    assert found.code == "E0637"
    assert found.help == "pip install 'striate[openvino]', or write ONNX, which OpenVINO reads too"


def test_openvino_reports_to_nobody(tmp_path):
    program = (
        "import sys; from striate.formats.openvino import load_openvino; load_openvino()\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    home = {"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=home, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------ several files


def test_of_several_files_the_first_is_never_there_with_others_of_another_network(tmp_path, monkeypatch):
    main = tmp_path / "net.xml"
    write_files(main, ".xml", {".xml": b"old", ".bin": b"old"})
    seen = []
    from striate.runtime import atomic

    write = atomic.atomic_write

    def watched(path, content):
        seen.append((main.exists(), path.suffix))
        write(path, content)

    monkeypatch.setattr("striate.formats.writing.atomic_write", watched)
    assert write_files(main, ".xml", {".xml": b"new", ".bin": b"new"}) == (main, tmp_path / "net.bin")
    assert seen == [(False, ".bin"), (False, ".xml")]
    assert (main.read_bytes(), (tmp_path / "net.bin").read_bytes()) == (b"new", b"new")
