"""The Python face: load a file, ask for its summary, its torch module, its ONNX file."""

from __future__ import annotations

import pytest

import striate

NET = """
block Unit(width) { conv(width, 3, pad = 1) -> relu }
model Net(classes = 10, unit = Unit) {
  input image: 3 x 8 x 8
  unit(4) -> global_avgpool -> flatten -> dense(classes)
  output logits
}
block Wide(width) { conv(2 * width, 3, pad = 1) -> relu }
"""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(NET)
    return path


def test_load_takes_parameters_by_name(net):
    assert striate.load(net).parameters == 4 * 28 + 5 * 10
    assert striate.load(str(net), classes=3).parameters == 4 * 28 + 5 * 3
    assert striate.load(net, model="Net", unit="Wide").parameters == 8 * 28 + 9 * 10


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"model": "Nett"}, "E0310"),
        ({"clases": 3}, "E0208"),
        ({"classes": -1}, "E0211"),
        ({"classes": "so many"}, "E0211"),
        ({"unit": "Unti"}, "E0301"),
    ],
)
def test_what_cannot_be_loaded_says_why(net, arguments, code):
    with pytest.raises(striate.DiagnosticError) as caught:
        striate.load(net, **arguments)
    assert caught.value.diagnostics[0].code == code


def test_a_missing_file_and_a_file_of_several_models(net, tmp_path):
    with pytest.raises(striate.DiagnosticError, match="no file"):
        striate.load(tmp_path / "gone.cnn")
    net.write_text(NET + "model Small = Net(classes = 2)")
    with pytest.raises(striate.DiagnosticError, match="which one"):
        striate.load(net)
    assert striate.load(net, "Small").name == "Small"


def test_the_summary_prints_and_shows_in_notebooks(net):
    model = striate.load(net)
    assert "dense1" in str(model.summary())
    assert model.summary().to_json()["parameters"] == model.parameters
    assert "<table" in model._repr_html_()


def test_to_torch_gives_a_module_that_computes(net):
    import torch

    model = striate.load(net)
    program = model.to_torch(seed=1)
    assert program(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
    assert sum(values.numel() for values in program.parameters()) == model.parameters
    again = model.to_torch(seed=1).state_dict()
    assert all(torch.equal(values, again[name]) for name, values in program.state_dict().items())


def test_export_writes_a_verified_file(net, tmp_path):
    report = striate.load(net).export_onnx(tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").stat().st_size == report.size
    assert report.verification is not None
    assert not striate.load(net).export_onnx(tmp_path / "net.onnx", verify=False).verification


def test_export_takes_what_the_command_takes(net, tmp_path):
    import numpy as np
    import onnx

    model = striate.load(net)
    images = [{"image": np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)}]
    made = model.export_onnx(
        tmp_path / "narrow.onnx", precision="int8", calibrate=images, keep_float=["dense1"], external_data=True
    )
    assert (made.precision, made.data) != ("float32", None)
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(tmp_path / "narrow.onnx").graph.node}
    model.export_onnx(tmp_path / "answers.onnx", postprocess="softmax", functions=True, fold=True)
    assert "Softmax" in {node.op_type for node in onnx.load(tmp_path / "answers.onnx").graph.node}


def test_importing_striate_is_light():
    import subprocess
    import sys

    code = "import striate, sys; assert not {'torch', 'onnx', 'numpy', 'striate.model'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    assert all(hasattr(striate, name) for name in striate.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        striate.nothing  # noqa: B018
