"""Saved programs of torch: opened for those who vouch for them, and for nobody else."""

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim

from striate.cli.boundary import run_guarded
from striate.cli.importing import command
from striate.importer import import_file, write_import
from striate.model import load
from striate_dsl.diagnostics import DiagnosticError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a module and a file of its program, whose height and batch are open."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(2), nn.Softmax(2))
    path = tmp_path_factory.mktemp("programs") / "small_net.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            module.eval(), (torch.randn(2, 3, 19, 11),), dynamic_shapes=({0: Dim.AUTO, 2: Dim.AUTO},)
        )
        torch.export.save(program, path)
    return module, path


def finding(path, **options):
    with pytest.raises(DiagnosticError) as caught:
        import_file(path, **options)
    (found,) = caught.value.diagnostics
    return found


def test_a_program_is_read_and_compared(saved, tmp_path):
    module, path = saved
    report = write_import(path, tmp_path / "net.cnn", trust=True)
    assert report.agreement is not None
    assert report.agreement.runtime.startswith("torch ")
    assert report.agreement.trials[-1].startswith("batch 3 with H = ")
    built = load(tmp_path / "net.cnn")
    assert built.name == "SmallNet"
    assert [node.op for node in built.graph.nodes] == ["conv", "bn", "relu", "reshape", "softmax"]
    np.testing.assert_array_equal(report.imported.weights["n0.weight"], module[0].weight.detach().numpy())


def test_nobody_vouches_for_it(saved):
    found = finding(saved[1])
    assert found.code == "E0648"
    assert "--trust" in found.help


class Trap:
    """What unpickling runs."""

    def __reduce__(self):
        return exec, ("import builtins; builtins.striate_was_here = True",)


def trapped(path, target) -> None:
    """Copy a program with other example inputs: unpickling those runs code."""
    buffer = io.BytesIO()
    torch.save(Trap(), buffer)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as made:
        for item in source.namelist():
            made.writestr(item, buffer.getvalue() if "sample_inputs" in item else source.read(item))


def test_why_it_is_asked_for(saved, tmp_path):
    """Torch's loader runs what is in a file: the refusal is no matter of taste. It may go when this test fails."""
    import builtins

    trapped(saved[1], tmp_path / "trap.pt2")
    assert finding(tmp_path / "trap.pt2").code == "E0648"
    assert not hasattr(builtins, "striate_was_here")
    with warnings.catch_warnings(), pytest.raises(Exception):  # noqa: B017 - whatever comes behind the trap
        warnings.simplefilter("ignore")
        torch.export.load(tmp_path / "trap.pt2").run_decompositions({}).graph.nodes[-1]
    assert hasattr(builtins, "striate_was_here")
    del builtins.striate_was_here


@pytest.mark.parametrize("content", [b"", b"model Net {", b"PK\x03\x04 and more", None])
def test_files_of_other_kinds(content, tmp_path):
    path = tmp_path / "net.pt2"
    if content is not None:
        path.write_bytes(content)
    assert finding(path, trust=True).code == "E0649"


def test_an_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pt2", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    found = finding(tmp_path / "net.pt2", trust=True)
    assert found.code == "E0649"
    assert "torch says" in found.message


def test_the_command(saved, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_guarded(command, [str(saved[1]), "-o", "net.cnn"]) == 1
    assert "E0648" in capsys.readouterr().err
    assert run_guarded(command, [str(saved[1]), "-o", "net.cnn", "--trust", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["operators"]["conv2d"] == 1
    assert told["verified"]["runtime"].startswith("torch ")
    (tmp_path / "net.onnx").write_bytes(b"")
    assert run_guarded(command, ["net.onnx", "--trust"]) == 1
    assert "E0646" in capsys.readouterr().err
