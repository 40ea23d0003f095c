"""Telling what a file is that should have been a checkpoint, from its first bytes; nothing of it is interpreted."""

from __future__ import annotations

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive, as torch.save and numpy.savez write them (it may hold a pickle, which is code)"),
    (b"\x89HDF\r\n", "an HDF5 file, as Keras writes them"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GGUF", "a GGUF file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a numpy array"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"version https://git-lfs", "a Git LFS pointer: the file itself has not been fetched (git lfs pull)"),
)
_PICKLE = b"\x80"
_NEWEST_PICKLE = 5
_LARGEST_HEADER = 100_000_000
"""What the safetensors library accepts, in bytes."""


def foreign_kind(start: bytes, suffix: str) -> str | None:
    """Return what a file is, in words, or None where its beginning is that of a safetensors file.

    Args:
        start: the first bytes, at least 9 where the file has so many.
        suffix: the ending of the file's name, which tells formats apart that have no mark of their own.
    """
    if not start:
        return "an empty file"
    if start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") <= _LARGEST_HEADER:
        return None
    for beginning, kind in _BEGINNINGS:
        if start.lower().startswith(beginning.lower()):
            return kind
    if start.startswith(_PICKLE) and start[1:2] and start[1] <= _NEWEST_PICKLE:
        return "a Python pickle, as older versions of torch.save write them (opening it would run its code)"
    if suffix == ".onnx":
        return "an ONNX network"
    if start.isascii() and b"\0" not in start:
        return "a text file"
    return "a binary file of another format"
