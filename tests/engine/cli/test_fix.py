"""`striate check --fix`: what it writes, what it prints, and how it ends."""

from __future__ import annotations

import json
import stat

import pytest

BIASED = """model Net {
  input image: 3 x 8 x 8
  conv(4, 3) -> bn   # the first
  dropout(0.1) -> bn
  output y
}
"""
SAFE = BIASED.replace("conv(4, 3)", "conv(4, 3, bias = false)")
UNSAFE = SAFE.replace("dropout(0.1) -> bn", "bn -> dropout(0.1)")


@pytest.fixture
def biased(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(BIASED)
    return path


def test_warnings_do_not_fail_a_check_unless_strict(run, biased):
    result = run("check", "net.cnn")
    assert result.code == 0
    assert "warning[W0102]" in result.err
    assert "1 can be repaired with --fix, 1 more with --fix --unsafe-fixes" in result.err
    assert result.out == "net.cnn: model Net is fine\n"
    strict = run("check", "net.cnn", "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert biased.read_text() == BIASED


def test_notes_do_not_fail_a_strict_check(run, biased):
    biased.write_text("model Net { input i: 3 x 8 x 8\nconv(4, 3, stride = 2, pad = same)\noutput y }\n")
    result = run("check", "net.cnn", "--strict")
    assert result.code == 0
    assert "note[W0118]" in result.err


def test_safe_repairs_are_written_and_told(run, biased):
    result = run("check", "net.cnn", "--fix")
    assert biased.read_text() == SAFE
    assert result.code == 0
    assert result.out == ("net.cnn: fixed 1 finding\n  3:3 W0102 bias = false\nnet.cnn: model Net is fine\n")
    assert "W0108" in result.err
    assert "W0102" not in result.err
    assert run("check", "net.cnn", "--fix", "--strict").code == 1


def test_unsafe_repairs_are_written_on_demand(run, biased):
    result = run("check", "net.cnn", "--fix", "--unsafe-fixes", "--strict")
    assert biased.read_text() == UNSAFE
    assert (result.code, result.err) == (0, "")
    assert "  4:3 W0108 bn -> dropout(0.1) (unsafe)\n" in result.out


def test_a_difference_is_shown_and_nothing_written(run, biased):
    result = run("check", "net.cnn", "--diff")
    assert biased.read_text() == BIASED
    assert result.code == 0
    assert result.out.startswith("--- net.cnn\n+++ net.cnn\n@@ -1,6 +1,6 @@\n")
    assert "-  conv(4, 3) -> bn   # the first\n+  conv(4, 3, bias = false) -> bn   # the first\n" in result.out
    assert "is fine" not in result.out


def test_the_json_lists_the_repairs(run, biased):
    document = json.loads(run("check", "net.cnn", "--fix", "--format", "json").out)
    assert document["fixed"] == [
        {"file": "net.cnn", "code": "W0102", "line": 3, "column": 3, "title": "bias = false", "grade": "safe"}
    ]
    assert [item["code"] for item in document["diagnostics"]] == ["W0108"]


def test_a_file_without_anything_to_repair_is_not_touched(run, net):
    before = net.stat()
    assert run("check", "net.cnn", "--fix").code == 0
    assert (net.stat().st_mtime_ns, net.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_mark_line_ends_permissions_and_link_stay(run, biased, tmp_path):
    biased.write_bytes(b"\xef\xbb\xbf" + BIASED.replace("\n", "\r\n").encode())
    biased.chmod(0o640)
    (tmp_path / "link.cnn").symlink_to(biased)
    assert run("check", "link.cnn", "--fix").code == 0
    assert biased.read_bytes() == b"\xef\xbb\xbf" + SAFE.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(biased.stat().st_mode) == 0o640
    assert (tmp_path / "link.cnn").is_symlink()


def test_errors_are_repaired_too(run, biased):
    biased.write_text(BIASED.replace("conv(4, 3) -> bn", "conv(4, 3) ->-> bn"))
    assert run("check", "net.cnn", "--fix").code == 0
    assert biased.read_text() == SAFE


def test_what_cannot_be_repaired_fails_and_stays(run, biased):
    biased.write_text(BIASED.replace("dropout", "dropowt"))
    result = run("check", "net.cnn", "--fix")
    assert result.code == 1
    assert "did you mean dropout?" in result.err
    assert biased.read_text() == BIASED.replace("dropout", "dropowt")


def test_a_file_that_cannot_be_written_is_an_error(run, biased, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(type(biased), "replace", refuse)  # root, who runs this in CI, may write everything
    result = run("check", "net.cnn", "--fix")
    assert result.code == 1
    assert "cannot write net.cnn" in result.err
    assert biased.read_text() == BIASED


def test_a_file_that_is_not_there_is_an_error_and_others_are_repaired(run, biased):
    result = run("check", "gone.cnn", "net.cnn", "--fix")
    assert result.code == 1
    assert biased.read_text() == SAFE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--unsafe-fixes"], "goes with --fix or --diff"),
        (["--fix", "--model", "Net"], "leave --model, --set, --profile and --size out"),
        (["--diff", "--set", "classes=3"], "leave --model, --set, --profile and --size out"),
        (["--fix", "--profile", "quick"], "leave --model, --set, --profile and --size out"),
        (["--diff", "--format", "json"], "leave --format json out"),
        (["--diff", "--format", "sarif"], "leave --format sarif out"),
    ],
)
def test_options_that_do_not_go_together(run, biased, arguments, words):
    result = run("check", "net.cnn", *arguments)
    assert result.code == 2
    assert words in result.err


def test_repairs_import_nothing_heavy(biased):
    import subprocess
    import sys

    code = (
        "import sys; from striate.cli import group; from striate.cli.boundary import run_guarded\n"
        "assert run_guarded(group, ['check', '--fix', sys.argv[1]]) == 0\n"
        "heavy = {'torch', 'triton', 'onnx', 'numpy', 'networkx', 'pluggy', 'rich', 'lightning'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(biased)], check=True, capture_output=True)
