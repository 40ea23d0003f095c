"""`striate fmt`: what it writes, shows and leaves alone, its exit codes, and the hooks for pre-commit."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys

import pytest

UNTIDY = "model Net{input image:3x8x8\nrelu # why\noutput y}"
TIDY = "model Net {\n  input image: 3 x 8 x 8\n  relu  # why\n  output y\n}\n"
FAULTY = "model Net { relu -> }\n"


@pytest.fixture
def write(tmp_path):
    def file(name: str, text: str):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return file


def test_files_are_rewritten_and_named(run, write):
    untidy, tidy = write("a.cnn", UNTIDY), write("b.cnn", TIDY)
    result = run("fmt", "a.cnn", "b.cnn")
    assert (result.code, result.out) == (0, "a.cnn: formatted\n")
    assert result.err == "2 files: 1 formatted, 1 already in form\n"
    assert (untidy.read_text(), tidy.read_text()) == (TIDY, TIDY)
    again = run("fmt", "a.cnn", "b.cnn")
    assert (again.code, again.out) == (0, "")


def test_a_file_in_form_is_not_written(run, write):
    path = write("a.cnn", TIDY)
    before = path.stat()
    run("fmt", "a.cnn")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_rights_stay(run, write):
    path = write("a.cnn", UNTIDY)
    path.chmod(0o640)
    run("fmt", "a.cnn")
    assert path.read_text() == TIDY
    assert path.stat().st_mode & 0o777 == 0o640


def test_check_writes_nothing(run, write):
    path = write("a.cnn", UNTIDY)
    write("b.cnn", TIDY)
    result = run("fmt", "--check", "a.cnn", "b.cnn")
    assert (result.code, result.out) == (1, "a.cnn: would change\n")
    assert path.read_text() == UNTIDY
    assert run("fmt", "--check", "b.cnn").code == 0


@pytest.mark.parametrize(("options", "code"), [(["--diff"], 0), (["--diff", "--check"], 1)])
def test_diff_shows_what_would_change(run, write, options, code):
    path = write("a.cnn", UNTIDY)
    write("b.cnn", TIDY)
    result = run("fmt", *options, "a.cnn", "b.cnn")
    assert result.code == code
    lines = result.out.splitlines()
    assert lines[:2] == ["--- a.cnn", "+++ a.cnn (formatted)"]
    assert {"-model Net{input image:3x8x8", "+model Net {", "-output y}", "\\ No newline at end of file"} <= set(lines)
    assert "b.cnn" not in result.out
    assert path.read_text() == UNTIDY


def test_a_file_with_mistakes_is_left_as_it_is(run, write):
    faulty, untidy = write("a.cnn", FAULTY), write("b.cnn", UNTIDY)
    result = run("fmt", "a.cnn", "b.cnn")
    assert result.code == 1
    assert "error[E01" in result.err
    assert "a.cnn:1:18" in result.err
    assert "1 formatted, 1 left as they were because of errors" in result.err
    assert (faulty.read_text(), untidy.read_text()) == (FAULTY, TIDY)


def test_a_missing_file_does_not_keep_the_others_back(run, write):
    path = write("b.cnn", UNTIDY)
    result = run("fmt", "gone.cnn", "b.cnn")
    assert result.code == 1
    assert "error[E0131]" in result.err
    assert path.read_text() == TIDY


def test_mistakes_of_meaning_do_not_matter(run, write):
    path = write("a.cnn", "model A{no_such_layer(1)}")
    assert run("fmt", "a.cnn").code == 0
    assert path.read_text() == "model A { no_such_layer(1) }\n"


def test_folders_are_searched(run, write):
    inner = write("nets/deep/a.cnn", UNTIDY)
    others = [write("nets/note.txt", UNTIDY), write("nets/.venv/b.cnn", UNTIDY)]
    assert run("fmt", "nets").out == "nets/deep/a.cnn: formatted\n"
    assert inner.read_text() == TIDY
    assert [path.read_text() for path in others] == [UNTIDY, UNTIDY]


def test_a_folder_without_networks_is_mentioned(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("fmt", "empty")
    assert (result.code, result.out) == (0, "")
    assert result.err == "empty: no .cnn file in this folder\n"


def test_line_ends_stay(run, write):
    path = write("a.cnn", UNTIDY.replace("\n", "\r\n"))
    run("fmt", "a.cnn")
    assert path.read_bytes() == TIDY.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("text", "options", "code", "out"),
    [
        (UNTIDY, [], 0, TIDY),
        (TIDY, ["--check"], 0, ""),
        (UNTIDY, ["--check"], 1, ""),
        (FAULTY, [], 1, ""),
    ],
)
def test_standard_input(run, monkeypatch, text, options, code, out):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    result = run("fmt", *options, "-")
    assert (result.code, result.out) == (code, out)
    assert ("<stdin>:1:18" in result.err) == (text == FAULTY)


def test_standard_input_that_is_no_text(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00")))
    result = run("fmt", "-")
    assert result.code == 1
    assert "error[E0135]: <stdin>" in result.err


def test_a_difference_on_standard_input(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UNTIDY.encode())))
    assert "+  relu  # why\n" in run("fmt", "--diff", "-").out


@pytest.mark.parametrize("arguments", [["fmt"], ["fmt", "-", "a.cnn"], ["fmt", "--fast", "a.cnn"]])
def test_wrong_usage_is_exit_code_2(run, arguments):
    assert run(*arguments).code == 2


def test_a_folder_that_cannot_be_written_to_keeps_its_file(run, write, monkeypatch):
    path = write("a.cnn", UNTIDY)

    def refuse(self, target):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(type(path), "replace", refuse)
    result = run("fmt", "a.cnn")
    assert result.code == 1
    assert "error[E0505]" in result.err
    assert path.read_text() == UNTIDY
    assert [each.name for each in path.parent.iterdir()] == ["a.cnn"]


def test_formatting_imports_nothing_heavy(write):
    path = write("a.cnn", UNTIDY)
    code = (
        "import sys; from striate.cli import group; from striate.cli.boundary import run_guarded\n"
        "assert run_guarded(group, ['fmt', sys.argv[1]]) == 0\n"
        "heavy = {'torch', 'onnx', 'numpy', 'networkx', 'pluggy', 'rich', 'lightning', 'lark'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)


def hooks(repository) -> dict[str, dict[str, str]]:
    """The published hooks; the file holds a list of flat mappings, one key per line."""
    found: list[dict[str, str]] = []
    for line in (repository / ".pre-commit-hooks.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("- "):
            found.append({})
        if not line.startswith("#"):
            key, value = line.removeprefix("- ").strip().split(": ", 1)
            found[-1][key] = value
    return {hook["id"]: hook for hook in found}


@pytest.mark.packaging
def test_the_hooks_are_well_formed(repository):
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert hooks(repository).keys() == {"striate-check", "striate-fmt"}


@pytest.mark.packaging
@pytest.mark.parametrize("name", ["striate-check", "striate-fmt"])
def test_the_hooks_run(repository, run, write, name):
    path = write("a.cnn", UNTIDY)
    program, *arguments = shlex.split(hooks(repository)[name]["entry"])
    assert program == "striate"
    assert run(*arguments, path.name).code == 0
    assert path.read_text() == (TIDY if name == "striate-fmt" else UNTIDY)
    write("a.cnn", FAULTY)
    assert run(*arguments, path.name).code == 1
