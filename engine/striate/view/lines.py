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
    if width <= len(signs.ellipsis):
        return signs.ellipsis[:width]
    room = width - len(signs.ellipsis)
    kept = text if keep == "start" else text[::-1]
    while cells(kept) > room:
        kept = kept[: max(room - cells(kept), -len(kept)) or None] if kept.isascii() else kept[:-1]
    return kept + signs.ellipsis if keep == "start" else signs.ellipsis + kept[::-1]


def aligned(text: str, width: int, *, right: bool) -> str:
    """Return the text with blanks up to a width."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def plain(lines: Iterable[Line]) -> str:
    """Return lines as text without any styles."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def colored(lines: Iterable[Line]) -> str:
    """Return lines with the escape sequences of their styles."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), force_terminal=True, color_system="standard", no_color=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(
            Text("\n").join(Text.assemble(*line) for line in lines), soft_wrap=True, end="", highlight=False
        )
    return capture.get()
