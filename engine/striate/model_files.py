"""An ONNX model on its way to the disk: one file, or one with a second file beside it that holds the weights.

What is too large for one file is written aside first, so that it can be checked and run; nothing is in place before
`Staged.place`. The second file carries a digest of its content in its name: a model that is there already goes on
reading its own, whatever happens in between, until the new one takes its place.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from striate.runtime.atomic import PART, atomic_write, make_folder, move_all, reported, synced_file  # noqa: TID253 - when exporting

if TYPE_CHECKING:
    from onnx import ModelProto

    from striate.onnx.filling import StoredWeights

_DIGITS = 12
"""Hexadecimal digits of the digest in a name."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A model that is not in its place yet.

    Attributes:
        content: its bytes, or where it lies as a path, if it has a second file.
        target: where it is to be.
        size: bytes of all files.
        data: where its weights will be, if that is a file of their own.
    """

    content: bytes | str
    target: Path
    size: int
    data: Path | None = None

    def place(self) -> None:
        """Put the model in its place, and take away the second file of the one that was there.

        Raises:
            DiagnosticError: E0505, it cannot be written; what was there is intact.
        """
        before = _own_data(self.target)
        if isinstance(self.content, bytes):
            atomic_write(self.target, self.content)
        else:
            assert self.data is not None, "a model that lies aside has a second file"
            aside = Path(self.content)
            move_all({aside.with_name(self.data.name): self.data, aside: self.target})
        for path in before - {self.data}:
            with suppress(OSError):
                path.unlink()


@contextmanager
def staged(
    target: Path, document: ModelProto, weights: StoredWeights, external_data: bool | None = None
) -> Iterator[Staged]:
    """Write a document aside; when the block ends, nothing but what was placed is left.

    Args:
        target: where the model is to be.
        document: the model, its weights declared.
        weights: their numbers.
        external_data: put the weights into a second file; None where one cannot hold them.

    Raises:
        DiagnosticError: E0604, one file was asked for and cannot hold the model; E0505, the disk is full or the like;
            E0605, ONNX's checker refuses the model.
    """
    from striate.onnx.document import check_content, serialize
    from striate.onnx.filling import LARGEST_FILE, check_length, fill, length, without_weights

    place = Path(os.path.realpath(target))
    if external_data is False:
        check_length(document)
    if not external_data and length(document) <= LARGEST_FILE:
        # ONNX's checker and its inference each copy what they look at: with the weights, three times the file.
        check_content(serialize(without_weights(document)))
        fill(document, weights)
        content = serialize(document)
        yield Staged(content, place, len(content))
        return
    folder = make_folder(place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}"))
    try:
        made = _write_aside(folder, place, document, weights)
        check_content(str(made.content))
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_aside(folder: Path, target: Path, document: ModelProto, weights: StoredWeights) -> Staged:
    from striate.onnx.document import serialize
    from striate.onnx.filling import fill_beside, name_data

    numbers = folder / "numbers"
    with reported(target), synced_file(numbers) as stream:
        digest = fill_beside(document, weights, stream)
    data = target.with_name(f"{target.name}.{digest[:_DIGITS]}.data")
    name_data(document, data.name)
    with reported(target):
        numbers.rename(folder / data.name)
    with reported(target), synced_file(folder / target.name) as stream:
        stream.write(serialize(document))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Staged(str(folder / target.name), target, size, data)


def _own_data(path: Path) -> set[Path]:
    """Return the second file of a model that is there, if it is one of ours by its name."""
    pattern = re.compile(rf"{re.escape(path.name)}\.[0-9a-f]{{{_DIGITS}}}\.data")
    return {item for item in path.parent.iterdir() if pattern.fullmatch(item.name) and item.is_file()}
