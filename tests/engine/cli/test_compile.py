"""`striate compile --report`: the groups as a table and as JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest

NET = """model Net(classes = 4) {
  input image: 3 x 32 x 32
  conv(16, 3, pad = half) -> bn -> relu
  add { identity; { conv(16, 3, pad = half) -> bn } } -> relu
  conv(8, 1) -> relu
  global_avgpool -> flatten -> dense(classes)
  output logits
}
"""
OPEN = "model Net { input image: 3 x H x W\n conv(8, 3) -> relu\n output y }\n"


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(NET)
    return path


@pytest.fixture
def report(run):
    """Return the report of `striate compile ARGUMENTS` as JSON."""

    def call(*arguments):
        done = run("compile", *arguments, "--report", "--format", "json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return call


def test_groups_name_layers_and_lines(net, report):
    groups = report(net, "--fuse", "epilogues")["groups"]
    assert [[layer["op"] for layer in group["layers"]] for group in groups] == [
        ["conv", "bn", "relu"],
        ["conv", "bn", "add", "relu"],
        ["conv", "relu", "global_avgpool"],
        ["flatten"],
        ["dense"],
    ]
    assert [layer["line"] for layer in groups[1]["layers"]] == [4, 4, 4, 4]
    assert groups[1]["reads"] == [groups[0]["name"]]


def test_bytes_are_those_of_values_that_cross_borders(net, report):
    group = report(net, "--fuse", "epilogues", "--precision", "fp32", "--batch", "3")["groups"][0]
    assert group["bytes"]["group"] == 3 * 4 * (3 + 16) * 32 * 32
    assert group["bytes"]["layers"] == 3 * 4 * (3 + 16 + 4 * 16) * 32 * 32


def test_every_level_moves_less(net, report):
    moved = [report(net, "--fuse", level)["bytes"]["groups"] for level in ("layers", "epilogues", "chains")]
    assert moved[0] > moved[1] > moved[2]


def test_another_processor_fits_less(tmp_path, report):
    path = tmp_path / "wide.cnn"
    path.write_text(
        "model Net { input image: 64 x 14 x 14\n conv(256, 3, pad = 1) -> relu -> conv(64, 1)\n output y }\n"
    )
    kernels = [report(path, "--device", device)["kernels"]["groups"] for device in ("h200", "a100")]
    assert kernels[0] <= kernels[1]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_fits_the_terminal(net, width, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    done = run("compile", str(net), "--report")
    assert done.code == 0
    table = done.out.split("\n\n")[0].splitlines()
    assert max(map(len, table)) <= max(width, 80), done.out
    assert "kernels instead of" in done.out


def test_open_sizes_are_asked_for(tmp_path, run, report):
    path = tmp_path / "open.cnn"
    path.write_text(OPEN)
    done = run("compile", str(path), "--report")
    assert done.code == 1
    assert "error[E0230]" in done.err and "--size H=…,W=…" in done.err
    sized = report(path, "--size", "H=10,W=12")
    assert sized["sizes"] == {"H": 10, "W": 12}
    assert sized["bytes"]["groups"] == 2 * (3 * 120 + 8 * 80)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--report"),
        (["--report", "--fuse", "everything"], "--fuse"),
        (["--report", "--device", "abacus"], "--device"),
        (["--report", "--size", "H=0"], "--size needs sizes"),
    ],
)
def test_wrong_usage(net, arguments, said, run):
    done = run("compile", str(net), *arguments)
    assert done.code == 2
    assert said in done.err


def test_sizes_that_the_network_does_not_take(tmp_path, run):
    path = tmp_path / "open.cnn"
    path.write_text(OPEN)
    done = run("compile", str(path), "--report", "--size", "H=1,W=9")
    assert done.code == 1
    assert "error[E0220]" in done.err
