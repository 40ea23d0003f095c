"""`striate check`: what it prints, its JSON, its exit codes, and files that are no files."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def test_a_fine_file(run, net):
    result = run("check", "net.cnn")
    assert (result.code, result.out, result.err) == (0, "net.cnn: model Net is fine\n", "")


def test_a_mistake_is_shown_with_its_place(run, net):
    net.write_text(net.read_text().replace("relu", "rellu"))
    result = run("check", "net.cnn")
    assert result.code == 1
    assert "error[E0301]: there is no layer, block or value rellu" in result.err
    assert "net.cnn:3:17" in result.err
    assert "did you mean relu?" in result.err
    assert "1 error" in result.err


def test_json_has_the_documented_shape(run, net):
    net.write_text(net.read_text().replace("conv(4, 3)", "conv(4, 11)"))
    result = run("check", "net.cnn", "--format", "json")
    assert result.code == 1
    document = json.loads(result.out)
    assert set(document) == {"diagnostics", "domain"}
    (found,) = document["diagnostics"]
    assert set(found) >= {
        "code",
        "severity",
        "message",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "notes",
        "help",
        "fixes",
    }
    assert (found["code"], found["severity"], found["file"]) == ("E0202", "error", "net.cnn")
    assert (found["line"], found["column"], found["end_line"], found["end_column"]) == (3, 11, 3, 13)
    assert found["fixes"][0]["edits"][0]["replacement"] == ", pad = 2"


def test_the_domain_of_open_sizes_is_printed_and_in_the_json(run, net):
    net.write_text(
        "model Net { input image: 3 x H x W\n"
        "relu as e -> maxpool(2) -> maxpool(2) -> deconv(3, 4, stride = 4) -> add(e)\noutput y }\n"
    )
    assert run("check", "net.cnn").out == ("net.cnn: model Net is fine\n  Net: H and W: multiples of 4, at least 4\n")
    document = json.loads(run("check", "net.cnn", "--format", "json").out)
    assert document["diagnostics"] == []
    assert document["domain"]["Net"]["sentences"] == ["H and W: multiples of 4, at least 4"]


def test_every_model_of_a_file_is_checked_and_one_mistake_told_once(run, net):
    net.write_text(
        "block B { covn(1, 1) }\n" + "".join(f"model M{i} {{ input i: 1 x 1 x 1\nB\noutput y }}\n" for i in range(3))
    )
    result = run("check", "net.cnn")
    assert result.err.count("error[E0301]") == 1


def test_model_and_set_choose_what_is_checked(run, net):
    assert run("check", "net.cnn", "--model", "Net", "--set", "classes=3").code == 0
    wrong = run("check", "net.cnn", "--set", "clases=3")
    assert wrong.code == 1
    assert "did you mean classes?" in wrong.err
    missing = run("check", "net.cnn", "--model", "Nett")
    assert missing.code == 1
    assert "there is no model Nett" in missing.err
    assert "did you mean Net?" in missing.err


def make_directory(path):
    path.mkdir()


def make_binary(path):
    path.write_bytes(bytes(range(256)) * 4)


def make_latin(path):
    path.write_bytes("# Größe\n".encode("latin-1"))


def make_empty(path):
    path.write_text("")


def make_utf16(path):
    path.write_text("model A { }", encoding="utf-16")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (None, ["there is no file bad.cnn"]),
        (make_directory, ["is a folder"]),
        (make_binary, ["binary"]),
        (make_latin, ["UTF-8", "line 1"]),
        (make_utf16, ["UTF-16"]),
        (make_empty, ["model"]),
    ],
)
def test_what_is_no_cnn_file_gets_a_clear_message(run, tmp_path, make, words):
    if make:
        make(tmp_path / "bad.cnn")
    result = run("check", "bad.cnn")
    assert result.code == 1
    for word in words:
        assert word in result.err, result.err
    assert "error[E01" in result.err


def test_a_file_without_permission(run, net, monkeypatch):
    def refuse(self, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(net), "open", refuse)  # root, who runs this in CI, may read everything
    result = run("check", "net.cnn")
    assert result.code == 1
    assert "permission" in result.err


def test_a_near_file_name_is_proposed(run, net):
    assert "net.cnn" in run("check", "nett.cnn").err


def test_other_files_are_still_checked(run, net):
    result = run("check", "gone.cnn", "net.cnn")
    assert result.code == 1
    assert "net.cnn: model Net is fine" in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "FILE"),
        (["check", "net.cnn", "--fast"], "--fast"),
        (["check", "net.cnn", "--format", "xml"], "xml"),
        (["check", "net.cnn", "--set", "classes"], "KEY=VALUE"),
        (["chekc", "net.cnn"], "Did you mean check?"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, net, arguments, words):
    result = run(*arguments)
    assert result.code == 2
    assert words in result.err


def test_help_lists_every_command_without_importing_them():
    code = (
        "import sys; from striate.cli import group\n"
        "group.main(['--help'], standalone_mode=False)\n"
        "assert not {'torch', 'onnx', 'numpy', 'striate.cli.check'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for name in ("check", "summary", "train", "eval", "predict", "export"):
        assert name in result.stdout


def test_version(run):
    assert run("--version").out.startswith("striate 0.")


def test_checking_imports_nothing_heavy(net):
    code = (
        "import sys; from striate.cli import group; from striate.cli.boundary import run_guarded\n"
        "assert run_guarded(group, ['check', sys.argv[1]]) == 0\n"
        "heavy = {'torch', 'triton', 'onnx', 'numpy', 'networkx', 'pluggy', 'rich', 'lightning'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(net)], check=True, capture_output=True)


def test_a_closed_pipe_is_no_traceback(net):
    command = f"{sys.executable} -m striate check {net} --format json | head -c 1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.stderr == ""


RECIPE = """
train Net {
  data = digits()
  loss = cross_entropy
  optimizer = sgd(lr = 0.1)
  epochs = 2
}
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("train Net", "train Nett", "E0310", "did you mean Net?"),
        ("loss = cross_entropy", "loss = cross_entropi", "E0", "cross_entropy"),
        ("epochs = 2", "epoch = 2", "E0", "epochs"),
        ("lr = 0.1", "lr = nought", "E0", "number"),
        ("epochs = 2", "epochs = 0", "E0", "at least 1"),
    ],
)
def test_recipes_are_checked_too(run, net, old, new, code, words):
    net.write_text(net.read_text() + RECIPE)
    assert run("check", "net.cnn").code == 0
    net.write_text(net.read_text().replace(old, new))
    result = run("check", "net.cnn")
    assert result.code == 1
    assert f"error[{code}" in result.err
    assert words in result.err


def test_export_contracts_are_checked_too(run, net):
    net.write_text(net.read_text() + "export Net { opsett = 17 }\n")
    result = run("check", "net.cnn")
    assert result.code == 1
    assert "did you mean opset?" in result.err


def test_overrides_need_one_model(run, net):
    net.write_text(net.read_text() + "model Small = Net(classes = 2)\n")
    result = run("check", "net.cnn", "--set", "classes=3")
    assert result.code == 1
    assert "--model" in result.err
    assert run("check", "net.cnn", "--set", "classes=3", "--model", "Small").code == 0
