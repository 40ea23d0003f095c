"""What the characters of a text take up on a terminal: tabs, wide letters, and signs that would not be seen."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

TAB = 4


@dataclass(frozen=True, slots=True)
class Cells:
    """A line as shown: per character of the source what is printed, and in which column it begins.

    `columns` has one entry more than `shown`: the width of the whole.
    """

    shown: tuple[str, ...]
    columns: tuple[int, ...]


def visible(text: str) -> str:
    """Return `text` with every control, invisible or direction-turning character spelled out; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char == "\n" else _shown(char) for char in text)


def lay_out(text: str) -> Cells:
    """Return how one line of text is shown, tabs filled up to the next multiple of `TAB`."""
    shown, columns, column = [], [0], 0
    for char in text:
        cell = " " * (TAB - column % TAB) if char == "\t" else _shown(char)
        column += _width(cell)
        shown.append(cell)
        columns.append(column)
    return Cells(tuple(shown), tuple(columns))


def _shown(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() else _picture(char)
    category = unicodedata.category(char)
    if category in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}:
        return f"<U+{ord(char):04X}>"
    return " " if category == "Zs" else char


def _picture(char: str) -> str:
    """The sign that Unicode has for a control character, e.g. ␀ for NUL."""
    return "\u2421" if char == "\x7f" else chr(0x2400 + ord(char))


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in cell
    )
