"""`striate summary`: options, exit codes, streams, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.cli.summary import parse_sizes
from tests.engine.view.networks import ZOO

HEAVY = ("torch", "triton", "onnx", "numpy", "networkx", "lightning", "rich", "matplotlib")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_guarded(group, ["summary", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def zoo(name: str) -> str:
    return str(ZOO / f"{name}.cnn")


def test_a_tree_by_default(capsys: pytest.CaptureFixture[str]):
    code, out, err = run(capsys, zoo("resnet"), "--model", "ResNet50")
    assert (code, err) == (0, "")
    assert out.startswith("ResNet50: 187 layers\n")
    assert "├ conv1" in out or "|-conv1" in out


def test_model_parameters(capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, zoo("resnet"), "--model", "ResNet50", "--set", "classes=10", "--format", "json")
    assert code == 0
    assert json.loads(out)["parameters"] == 23_528_522


def test_json_is_alone_on_standard_output(capsys: pytest.CaptureFixture[str]):
    code, out, err = run(capsys, zoo("lenet5"), "--format", "json", "--batch", "4")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["model"], document["batch"], document["macs"]) == ("LeNet5", 4, 4 * 416_520)


def test_sizes_put_in(capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, zoo("unet"), "--size", "H=96, W=64", "--depth", "1")
    assert code == 0
    assert "H = 96, W = 64" in out
    code, _, err = run(capsys, zoo("unet"), "--size", "H=100,W=64")
    assert code == 1
    assert "H = 96 or 112" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--depth", "0"], "--depth"),
        (["--depth", "2", "--view", "flat"], "a flat view has no levels"),
        (["--depth", "2", "--format", "json"], "JSON has no levels"),
        (["--view", "flat", "--format", "json"], "--view is for text"),
        (["--batch", "0"], "--batch"),
        (["--size", "224"], "not '224'"),
        (["--size", "H=0"], "not 'H=0'"),
        (["--size", "H=2,H=3"], "--size has H twice"),
        (["--size", ""], "not ''"),
        (["--set", "classes"], "--set needs KEY=VALUE"),
        (["--format", "xml"], "xml"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], options: list[str], message: str):
    code, out, err = run(capsys, zoo("lenet5"), *options)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([zoo("resnet")], "several models"),
        ([zoo("resnet"), "--model", "ResNet51"], "ResNet50"),
        ([zoo("lenet5"), "--set", "clases=3"], "classes"),
        ([zoo("lenet5"), "--size", "H=32"], "fixed in its file"),
        (["nowhere.cnn"], "nowhere.cnn"),
    ],
)
def test_findings(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err


def test_sizes_as_written():
    assert parse_sizes("H=224,W=224") == {"H": 224, "W": 224}
    assert parse_sizes(" H = 0032 ") == {"H": 32}


def started(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, which reports the heavy modules that it imported."""
    program = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('imported', *[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr))\n"
        "from striate.cli import main\n"
        "main()\n"
    )
    import os

    return subprocess.run(
        [sys.executable, "-c", program, "summary", *arguments],
        capture_output=True,
        env={**os.environ, **variables},
        cwd=tmp_path,
        timeout=60,
        check=True,
    )


@pytest.mark.parametrize("options", [[], ["--format", "json"], ["--view", "flat"]])
def test_nothing_heavy_is_imported(tmp_path: Path, options: list[str]):
    done = started(tmp_path, zoo("resnet"), "--model", "ResNet50", *options)
    assert done.stderr.decode().split() == ["imported"]


def test_colour_where_it_is_wanted_and_only_there(tmp_path: Path):
    assert b"\x1b[" not in started(tmp_path, zoo("lenet5")).stdout
    assert b"\x1b[" in started(tmp_path, zoo("lenet5"), FORCE_COLOR="1").stdout
    assert b"\x1b[" not in started(tmp_path, zoo("lenet5"), FORCE_COLOR="1", NO_COLOR="1").stdout


def test_an_encoding_without_boxes(tmp_path: Path):
    done = started(tmp_path, zoo("resnet"), "--model", "ResNet18", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert b"|-conv1" in done.stdout
    assert max(map(len, done.stdout.decode("ascii").splitlines())) <= 80
