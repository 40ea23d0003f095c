"""Puts the files of a format in place: one whole, or several so that a reader never finds two of different networks.

Of several files the first names what lies in the others. It is taken away before the others are replaced, and put back
last: a process that is killed meanwhile leaves no first file, never one beside the others of another network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from striate.runtime.atomic import atomic_write, remove_file


def write_files(path: Path, suffix: str, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write the contents of a format's files by ending, and return their paths, the main one first.

    Args:
        path: the main file, whose ending in `files` is `suffix`; the others lie beside it under the same name.
        suffix: the ending by which the main file is known.
        files: the contents by ending.

    Raises:
        DiagnosticError: E0505, a file cannot be written.
    """
    others = {path.with_suffix(ending): content for ending, content in files.items() if ending != suffix}
    if others:
        remove_file(path)
    for other, content in others.items():
        atomic_write(other, content)
    atomic_write(path, files[suffix])
    return (path, *others)
