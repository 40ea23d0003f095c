"""Counts, bytes and sizes as text: in full where there is room, with three significant digits where there is not."""

from __future__ import annotations

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.view.rows import Extent

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def full_count(count: Dim) -> str:
    """Return a count with all its digits, e.g. `25,557,032`; an open one as the expression that it is."""
    return f"{count:,}" if isinstance(count, int) else format_dim(count)


def short_count(count: Dim) -> str:
    """Return a count with three significant digits, e.g. `25.6 M`; an open one as the expression that it is."""
    if not isinstance(count, int):
        return format_dim(count)
    number, prefix = _scaled(count)
    return f"{number} {prefix}" if prefix else number


def memory_text(count: Dim) -> str:
    """Return bytes with three significant digits, e.g. `3.21 MB` (1 MB = 1,000,000 bytes)."""
    if not isinstance(count, int):
        return f"{format_dim(count)} B"
    number, prefix = _scaled(count)
    return f"{number} {prefix}B"


def size_text(kind: TensorType, *, spaced: bool) -> str:
    """Return a size as the language writes it, `64 x 56 x 56`, or without the spaces."""
    return format_shape(kind) if spaced else "x".join(format_dim(extent) for extent in kind.shape)


def extent_text(extent: Extent, *, spaced: bool) -> str:
    """Return a receptive field, e.g. `7 x 7`, or `all`."""
    return extent if isinstance(extent, str) else f"{extent[0]}{' x ' if spaced else 'x'}{extent[1]}"


def _scaled(count: int) -> tuple[str, str]:
    """Return three significant digits of a count and the prefix of the thousands that they stand for."""
    for power, prefix in enumerate(_PREFIXES):
        value = count / 1000**power
        digits = 0 if power == 0 else max(0, 3 - len(str(int(value))))
        text = f"{value:.{digits}f}"
        if float(text) < 1000:
            return text, prefix
    return f"{value:.0f}", prefix
