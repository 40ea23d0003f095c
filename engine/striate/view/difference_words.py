"""Words and names in the views of a difference: growth in percent, blocks around a layer, texts cut in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from striate.compare.difference import Change

_SHOWN = 5
"""Names of one kind that a text lists before it counts the rest."""


def growth(change: Change) -> str:
    """Return by how much a number has grown, e.g. `+86.5 %`; nothing where it is no number."""
    old, new = _whole(change.old), _whole(change.new)
    if old is None or new is None:
        return ""
    if old == 0:
        return f"{new - old:+,}"
    return f"{100 * (new - old) / old:+.1f} %"


def _whole(text: str | None) -> int | None:
    digits = (text or "").replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() else None


def parent(path: str) -> str:
    """Return the block around a path, nothing for the model itself. Rounds belong to the name before them."""
    parts = path.split(".")
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    return ".".join(parts[:-1])


def prefixes(path: str) -> Iterator[str]:
    """Yield the blocks around a layer, outermost first, rounds included, then the layer: a, a.0, a.0.b."""
    end = path.find(".")
    while end != -1:
        yield path[:end]
        end = path.find(".", end + 1)
    yield path


def plural(count: int, word: str) -> str:
    """Return `1 layer` or `7 layers`."""
    return f"{count:,} {word}{'s' * (count != 1)}"


def size_text(size: Sequence[int]) -> str:
    """Return a weight's size."""
    return " x ".join(map(str, size)) or "a single number"


def listed(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    if len(lines) <= _SHOWN:
        return list(lines)
    return [*lines[: _SHOWN - 1], f"and {len(lines) - _SHOWN + 1:,} more"]


def elided(text: str, width: int) -> str:
    """Return a text of at most so many columns, with an ellipsis in the middle of a longer one."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
