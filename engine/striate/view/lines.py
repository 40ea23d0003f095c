"""Lines of a table before any terminal is involved: styled pieces of text, their width, and how they are cut to fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import combining, east_asian_width

Style = Literal["", "bold", "cyan", "dim"]
Piece = tuple[str, Style]
Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that a table is drawn with."""

    rule: str
    bar: str
    branch: str
    last: str
    ellipsis: str


BOXES = Signs("─", "│ ", "├ ", "└ ", "…")
ASCII = Signs("-", "| ", "|-", "`-", "...")


def signs_for(encoding: str | None) -> Signs:
    """Return the signs that can be written in an encoding."""
    try:
        "".join((BOXES.rule, BOXES.bar, BOXES.branch, BOXES.last, BOXES.ellipsis)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BOXES


def printable(text: str) -> str:
    """Return text without control characters, which names in imported graphs may hold."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def cells(text: str) -> int:
    """Return the columns of a terminal that a text takes: East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def shortened(text: str, width: int, signs: Signs, *, keep: Literal["start", "end"] = "start") -> str:
    """Return the text, cut to a width with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    room = width - len(signs.ellipsis)
    if room <= 0:
        return signs.ellipsis[:width]
    if keep == "start":
        return _beginning(text, room) + signs.ellipsis
    return signs.ellipsis + _beginning(text[::-1], room)[::-1]


def clipped(line: Line, width: int) -> Line:
    """Return the pieces of a line that lie within a width."""
    if sum(cells(text) for text, _ in line) <= width:
        return line
    kept: Line = []
    for text, style in line:
        part = _beginning(text, width - sum(cells(known) for known, _ in kept))
        kept.append((part, style))
    return kept


def _beginning(text: str, width: int) -> str:
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for place, sign in enumerate(text):
        used += cells(sign)
        if used > width:
            return text[:place]
    return text


def aligned(text: str, width: int, *, right: bool) -> str:
    """Return the text with blanks up to a width."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def plain(lines: Iterable[Line]) -> str:
    """Return lines as text without any styles."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def colored(lines: Iterable[Line]) -> str:
    """Return lines with the escape sequences of their styles."""
    from rich.console import Console  # noqa: PLC0415  # a fifth of the start-up time, for coloured tables only
    from rich.text import Text  # noqa: PLC0415

    console = Console(force_terminal=True, color_system="standard", no_color=False, legacy_windows=False)
    with console.capture() as capture:
        text = Text("\n").join(Text.assemble(*line) for line in lines)
        console.print(text, soft_wrap=True, end="", highlight=False)
    return capture.get()
