"""Offsets of a text as the lines and columns of the protocol, whose columns count UTF-16 units unless agreed otherwise.

Lines end with a line feed; a lone carriage return is one too, which `readable` turns into one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_LONE_RETURN = re.compile(r"\r(?!\n)")


class Place(NamedTuple):
    """A line and a column, both from 0; the column counts units of the encoding agreed with the editor."""

    line: int
    column: int


class Range(NamedTuple):
    """From a place up to another one, that excluded."""

    start: Place
    end: Place


def readable(text: str) -> str:
    """Return a text whose lines all end as the language's do; no offset changes."""
    return _LONE_RETURN.sub("\n", text) if "\r" in text else text


class Lines:
    """The lines of one text: offset to place and back, for one encoding of columns (utf-8, utf-16 or utf-32)."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._is_plain = encoding == "utf-32" or text.isascii()
        self._encoding = encoding

    def place(self, offset: int) -> Place:
        """Return the place of an offset; offsets outside of the text are taken as its ends."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return Place(line, offset - start if self._is_plain else self._units(self.text[start:offset]))

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; a column behind the end of its line means that end."""
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        content = self.text[start : self._end(line)]
        if self._is_plain:
            return start + min(max(column, 0), len(content))
        passed = 0
        for index, character in enumerate(content):
            passed += self._units(character)
            if passed > column:
                return start + index
        return start + len(content)

    def range(self, start: int, end: int) -> Range:
        """Return the range between two offsets."""
        return Range(self.place(start), self.place(end))

    def whole_line(self, line: int) -> tuple[int, int]:
        """Return where a line begins and ends, its line break left out."""
        return self.starts[line], self._end(line)

    def line_of(self, offset: int) -> int:
        """Return the line that an offset is in."""
        return bisect_right(self.starts, offset) - 1

    def _end(self, line: int) -> int:
        following = self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.text)
        return following - 1 if following > self.starts[line] and self.text[following - 1] == "\r" else following

    def _units(self, part: str) -> int:
        if self._encoding == "utf-8":
            return len(part.encode("utf-8", errors="surrogatepass"))
        return len(part) + sum(character > "\uffff" for character in part)
