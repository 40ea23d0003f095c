"""A Darknet weights file: a header, then the numbers of one layer after the other as float32, without names or sizes.

So a file that belongs to another cfg can only be told by its length, and by numbers that make no sense.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from striate.importing.darknet.sections import Section
from striate.importing.findings import shown
from striate.importing.network import Array
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_ENTRY = 4
"""Bytes of a float32."""

_TRANSPOSED = 1000
"""Versions above this mark files whose connected layers are transposed."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the numbers: the version, the images seen in training, and how many bytes all of it takes."""

    major: int
    minor: int
    revision: int
    seen: int
    size: int

    @property
    def transposed(self) -> bool:
        """Whether connected layers are stored as inputs x outputs."""
        return self.major > _TRANSPOSED or self.minor > _TRANSPOSED


def read_header(content: bytes) -> Header | None:
    """Return the header at the beginning of a file; None where it is too short.

    From version 0.2 on the images seen take 8 bytes instead of 4.
    """
    if len(content) < 16:
        return None
    major, minor, revision, seen = struct.unpack("<iiiI", content[:16])
    if major * 10 + minor < 2 or major >= _TRANSPOSED or minor >= _TRANSPOSED:
        return Header(major, minor, revision, seen, 16)
    if len(content) < 20:
        return None
    return Header(major, minor, revision, struct.unpack("<Q", content[12:20])[0], 20)


@dataclass(slots=True)
class WeightStream:
    """Hands out the numbers of a file in order, and counts what layers ask for, with a file or without.

    Attributes:
        path: the file; None where no weights are given.
        partial: whether the file may end before a layer.
        header: its header.
        loaded: the layers whose weights it holds.
        missing: the layers whose weights it does not reach.
    """

    path: Path | None
    partial: bool = False
    header: Header | None = None
    loaded: list[Section] = field(default_factory=list)
    missing: list[Section] = field(default_factory=list)
    _numbers: Array | None = None
    _at: int = 0
    _torn: tuple[Section, int] | None = None
    _odd: Section | None = None
    _tail: int = 0

    @classmethod
    def opened(cls, path: Path | None, *, partial: bool = False) -> WeightStream:
        """Open a file.

        Raises:
            DiagnosticError: E0656, there is none, or it is too short for a header.
        """
        if path is None:
            return cls(None)
        try:
            if not path.is_file():
                raise _misfit(path, "there is no such file" if not path.exists() else "it is no regular file")
            size = path.stat().st_size
            with path.open("rb") as stream:
                header = read_header(stream.read(20))
            if header is None:
                raise _misfit(path, f"it has {size:,} bytes, fewer than a header")
            entries = (size - header.size) // _ENTRY
            numbers = (
                np.memmap(path, dtype="<f4", mode="r", offset=header.size, shape=(entries,))
                if entries
                else np.zeros(0, dtype=np.float32)
            )
        except (OSError, ValueError) as error:
            raise _misfit(path, (getattr(error, "strerror", None) or str(error)).lower()) from None
        return cls(path, partial, header, _numbers=numbers, _tail=(size - header.size) % _ENTRY)

    def begin(self, section: Section, entries: int) -> bool:
        """Note that a layer has so many numbers; returns whether the file holds them."""
        if self._numbers is None:
            return False
        left = len(self._numbers) - self._at
        if left < entries or self.missing:
            self.missing.append(section)
            if self._torn is None:
                self._torn = (section, left)
            self._at += entries
            return False
        self.loaded.append(section)
        return True

    def take(self, *shape: int) -> Array:
        """Return the next numbers of the layer that has begun, as an array of this shape."""
        assert self._numbers is not None, "a layer has begun"
        entries = prod(shape)
        found = self._numbers[self._at : self._at + entries].reshape(shape)
        self._at += entries
        return found

    def variance(self, channels: int) -> Array:
        """Return the next numbers as variances, which cannot be below 0."""
        found = self.take(channels)
        if self._odd is None and not np.all(found >= 0):
            self._odd = self.loaded[-1]
        return found

    def finish(self) -> None:
        """Hold the length of the file against what the layers asked for.

        Raises:
            DiagnosticError: E0656, they differ, or the numbers cannot be those of these layers.
        """
        if self.path is None or self._numbers is None or self.header is None:
            return
        size = self.header.size + _ENTRY * len(self._numbers) + self._tail
        wanted = self.header.size + _ENTRY * self._at
        counts = f"it has {size:,} bytes, and the layers of the cfg take {wanted:,}"
        if self._torn and not (self.partial and self._torn[1] == 0 and not self._tail):
            section, left = self._torn
            where = f"it ends {left:,} numbers into {_named(section)}" if left else f"it ends before {_named(section)}"
            whole = left == 0 and not self._tail
            raise _misfit(self.path, counts, where, *self._suspect(), partial=whole and not self.partial)
        if not self._torn and size != wanted:
            raise _misfit(
                self.path, counts, f"{size - wanted:,} bytes are left behind the last layer", *self._suspect()
            )
        if self._odd is not None:
            raise _misfit(self.path, "its numbers cannot be those of these layers", *self._suspect())

    def _suspect(self) -> list[str]:
        if self._odd is None:
            return []
        return [f"up to {_named(self._odd)} the two have parted: variances are below 0 there, or no numbers"]


def _named(section: Section) -> str:
    return f"layer {section.index}, {section}"


def _misfit(path: Path, reason: str, *notes: str, partial: bool = False) -> DiagnosticError:
    help_ = (
        "pass the weights that were trained with this cfg; Darknet's files hold no names by which they could be told"
    )
    if partial:
        help_ = "for weights of the first layers only, such as darknet53.conv.74, add --partial"
    return DiagnosticError(
        Diagnostic("E0656", f"the weights in {shown(str(path))} do not fit: {reason}", notes=notes, help=help_)
    )
