"""A source text and the places in it.

`Source` holds one file's text and answers offset -> line and column; `Span` is a range of that text.
Reading a file from disk, with every way in which that can fail, lives in `reading.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from striate_dsl.value_class import value_class

_BLOCK = 256
"""Characters whose line breaks are counted together: a list of all lines of a large text would fill the memory."""


@dataclass(eq=False, slots=True)
class Source:
    """The text of one `.cnn` file and the name under which messages quote it."""

    name: str
    text: str
    _breaks_before: list[int] | None = field(default=None, init=False, repr=False)

    def _counted(self) -> list[int]:
        """Return how many line breaks lie before each block of the text (computed on first use), and in all of it."""
        if self._breaks_before is None:
            counts = [0]
            for start in range(0, len(self.text), _BLOCK):
                counts.append(counts[-1] + self.text.count("\n", start, start + _BLOCK))
            self._breaks_before = counts
        return self._breaks_before

    @property
    def line_count(self) -> int:
        """The number of lines; one behind the last line break counts, though it is empty."""
        return self._counted()[-1] + 1

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and 1-based column (in characters) of an offset."""
        block = min(offset, len(self.text)) // _BLOCK
        line = self._counted()[block] + self.text.count("\n", block * _BLOCK, offset) + 1
        return line, offset - self.text.rfind("\n", 0, offset)

    def line_start(self, line: int) -> int:
        """Return the offset of the first character of a 1-based line."""
        if line <= 1:
            return 0
        counts = self._counted()
        block = bisect_left(counts, line - 1) - 1
        at = block * _BLOCK - 1
        for _ in range(line - 1 - counts[block]):
            at = self.text.index("\n", at + 1)
        return at + 1

    def line_text(self, line: int) -> str:
        """Return the text of a 1-based line without its line break."""
        start = self.line_start(line)
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end == -1 else end].rstrip("\r\n")


@value_class
class Span:
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def file(self) -> str:
        return self.source.name

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the first character."""
        return self.source.position(self.start)[1]

    @property
    def end_line(self) -> int:
        """1-based line of the position just behind the last character."""
        return self.source.position(self.end)[0]

    @property
    def end_column(self) -> int:
        """1-based column of the position just behind the last character."""
        return self.source.position(self.end)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of the other."""
        return Span(self.source, self.start, other.end)

    def __repr__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
