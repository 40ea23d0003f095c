"""A page of the reference in parts, independent of where it is shown; this module knows how it reads as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a page."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `code` stands in backticks."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text of a `.cnn` file, or another form that is shown as it is."""

    text: str
    language: str = "cnn"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a file beside the page, and what it shows in words."""

    path: str
    shows: str


Part: TypeAlias = Heading | Paragraph | Code | Table | Picture


@dataclass(frozen=True, slots=True)
class Page:
    """A title, what kind of thing it is about, and the parts."""

    title: str
    kind: str
    parts: tuple[Part, ...]

    def markdown(self, level: int = 1) -> str:
        """Return the page as Markdown; its title is a heading of this level."""
        marks = "#" * level
        return "\n".join([f"{marks} {self.title}", *(f"\n{text}" for text in self._texts(marks + "#"))]) + "\n"

    def _texts(self, marks: str) -> Iterator[str]:
        for part in self.parts:
            match part:
                case Heading(text):
                    yield f"{marks} {text}"
                case Paragraph(text):
                    yield text
                case Code(text, language):
                    yield f"```{language}\n{text.rstrip()}\n```"
                case Table(columns, rows):
                    yield markdown_table(columns, rows)
                case Picture(path, shows):
                    yield f"![{shows}]({path})"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown, one line per row."""
    head = [_row(columns), _row(["---"] * len(columns))]
    return "\n".join([*head, *(_row([_cell(text) for text in row]) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return text that does not end its cell or its row."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
