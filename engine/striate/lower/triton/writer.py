"""Writing source: lines with their indentation, and comments that say where a line comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Writer:
    """Collects lines of Python; `block` indents what is written within it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def __call__(self, line: str = "") -> None:
        """Write a line."""
        self._lines.append("    " * self._depth + line if line else "")

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """Write a line that opens a block, and indent what is written until the block ends."""
        self(opening)
        self._depth += 1
        yield
        self._depth -= 1

    def text(self) -> str:
        """Return everything as one text."""
        return "\n".join(self._lines) + "\n"
