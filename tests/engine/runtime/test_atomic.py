"""Files are replaced whole or not at all, and every failure says why."""

from __future__ import annotations

import errno
import os
import stat
import threading

import pytest

from striate.runtime.atomic import atomic_file, atomic_write, make_folder, remove_file, remove_parts
from striate_dsl.diagnostics import DiagnosticError


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))


def failing(number: int):
    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_content_is_written_and_replaced(tmp_path):
    path = tmp_path / "file.bin"
    atomic_write(path, b"one")
    atomic_write(path, "zwei ü")
    assert path.read_text(encoding="utf-8") == "zwei ü"
    assert leftovers(tmp_path) == []


def test_an_exception_in_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.bin"
    atomic_write(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as stream:
        stream.write(b"half of the n")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


def test_the_old_content_stands_until_the_block_ends(tmp_path):
    path = tmp_path / "file.bin"
    atomic_write(path, b"old")
    with atomic_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "there is no space left on the disk"),
        (errno.EDQUOT, "there is no space left on the disk"),
        (errno.EFBIG, "there is no space left on the disk"),
        (errno.EROFS, "there is no permission to write there"),
        (errno.EIO, "input/output error"),
    ],
)
@pytest.mark.parametrize("when", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_says_why(tmp_path, monkeypatch, number, words, when):
    path = tmp_path / "best.safetensors"
    atomic_write(path, b"old")
    if when == "fsync":
        monkeypatch.setattr("striate.runtime.atomic.os.fsync", failing(number))
    else:
        monkeypatch.setattr("pathlib.Path.replace", failing(number))
    with pytest.raises(DiagnosticError) as caught:
        atomic_write(path, b"new")
    monkeypatch.undo()
    (finding,) = caught.value.diagnostics
    assert finding.code == "E0505"
    assert finding.message == f"cannot write {path}: {words}"
    assert finding.notes == (f"{path} is as it was before",)
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


def test_a_real_limit_on_the_file_size_is_a_full_disk(tmp_path):
    """What the system itself raises, not what a test thinks it does."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "file.bin"
    atomic_write(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(DiagnosticError, match="no space left"):
            atomic_write(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/file", "there is no folder"),
        ("plain/file", "a part of the path is a file, not a folder"),
        ("folder", "it is a folder"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path, name, words):
    (tmp_path / "plain").write_text("text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiagnosticError, match=words):
        atomic_write(tmp_path / name, b"new")
    assert leftovers(tmp_path) == []


def test_no_permission(tmp_path, monkeypatch):
    """Simulated, because the superuser may write anywhere."""
    monkeypatch.setattr("pathlib.Path.open", failing(errno.EACCES))
    with pytest.raises(DiagnosticError, match="there is no permission to write there") as caught:
        atomic_write(tmp_path / "file", b"new")
    assert str(tmp_path) in (caught.value.diagnostics[0].help or "")


def test_a_symbolic_link_stays_one(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    atomic_write(target, b"old")
    link.symlink_to(target)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    atomic_write(pipe, b"through")
    reader.join(10)
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_rights_of_new_files_are_the_usual_ones(tmp_path):
    ordinary, atomic = tmp_path / "ordinary", tmp_path / "atomic"
    ordinary.write_bytes(b"")
    atomic_write(atomic, b"")
    assert stat.S_IMODE(atomic.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_folders_are_made_and_leftovers_removed(tmp_path):
    folder = make_folder(tmp_path / "a" / "b")
    make_folder(folder)
    for name in (".best.safetensors.12-ab.part", "keep.part", "keep"):
        (folder / name).write_text("x")
    remove_parts(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["keep", "keep.part"]
    remove_file(folder / "keep")
    remove_file(folder / "keep")
    assert not (folder / "keep").exists()
    with pytest.raises(DiagnosticError, match="a part of the path is a file"):
        make_folder(folder / "keep.part" / "below")
