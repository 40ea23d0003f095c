"""Writing files so that a reader sees the old content or the new one, never a part, whatever happens meanwhile.

The new content goes into a file beside the old one and is forced to the disk; then the name is moved over, and the
folder is forced to the disk too. A full disk, a missing permission or a killed process leaves the old file as it was.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

PART = ".part"
"""The ending of a file that is still being written."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def atomic_file(path: str | Path) -> Iterator[BinaryIO]:
    """Give a binary file that takes the place of `path` when the block ends, and vanishes if the block raises.

    A symbolic link stays one: the file it points to is replaced. Something that is no regular file, such as a pipe, is
    written to directly.

    Raises:
        DiagnosticError: E0505, the file cannot be written; the old one is intact.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        with reported(path), target.open("wb") as stream:
            yield stream
        return
    part = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}")
    try:
        with reported(path):
            with synced_file(part) as stream:
                yield stream
            part.replace(target)
            _sync_folder(target.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def synced_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new binary file that is forced to the disk when the block ends; errors are the system's."""
    with path.open("xb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def move_all(moves: Mapping[Path, Path]) -> None:
    """Move files to their places one after the other, each safe on the disk before the next one is moved.

    Raises:
        DiagnosticError: E0505, one cannot be moved; those before it have been.
    """
    for source, target in moves.items():
        with reported(target):
            source.replace(target)
            _sync_folder(target.parent)


def atomic_write(path: str | Path, content: bytes | str) -> None:
    """Write a whole file, text as UTF-8; raises like `atomic_file`."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_file(path) as stream:
        stream.write(data)


def make_folder(path: str | Path) -> Path:
    """Make a folder and those above it, and return it.

    Raises:
        DiagnosticError: E0505, it cannot be made.
    """
    with reported(path):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Path(path)


def remove_file(path: str | Path) -> None:
    """Remove a file if it is there.

    Raises:
        DiagnosticError: E0505, it cannot be removed.
    """
    with reported(path):
        Path(path).unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Remove what killed processes left half written in a folder that nobody else writes to."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            part.unlink()


def write_problem(path: str | Path, error: OSError) -> Diagnostic:
    """Return what there is to say about a file or folder that cannot be written."""
    shown = str(path)
    reason, help_text = _reason(path, error)
    intact = (f"{shown} is as it was before",) if Path(path).is_file() else ()
    return Diagnostic("E0505", f"cannot write {shown}: {reason}", notes=intact, help=help_text)


def _reason(path: str | Path, error: OSError) -> tuple[str, str | None]:
    folder = Path(path).parent
    if error.errno in _FULL:
        return "there is no space left on the disk", "free some space, or write to another folder"
    if error.errno in _FORBIDDEN:
        return "there is no permission to write there", f"choose another folder, or change the rights of {folder}"
    if error.errno == errno.ENOENT:
        return f"there is no folder {folder}", f"make it first: mkdir -p {folder}"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "a part of the path is a file, not a folder", "choose another path"
    if error.errno == errno.EISDIR or Path(path).is_dir():
        return "it is a folder", f"name a file, e.g. {Path(path) / 'model'}"
    return (error.strerror or str(error)).lower(), None


@contextmanager
def reported(path: str | Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a finding (E0505) about `path`."""
    try:
        yield
    except OSError as error:
        raise DiagnosticError(write_problem(path, error)) from error


def _sync_folder(folder: Path) -> None:
    """Force a folder's list of names to the disk, on the systems and file systems that can."""
    with suppress(OSError):  # the new file is in its place already; some network file systems know no such order
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
