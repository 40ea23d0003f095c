"""Shows a page of the reference in a terminal: headings, wrapped text, indented code, tables cut to the room."""

from __future__ import annotations

import re
import textwrap

import click
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from striate.reference.page import Code, Heading, Page, Paragraph, Picture, Table

_TICKS = re.compile(r"`([^`]*)`")
_MARKED = re.compile(r"^`(.*)`$")


def show_page(page: Page, *, width: int, color: bool) -> None:
    """Print a page."""
    console = Console(width=width, no_color=not color, force_terminal=color, highlight=False)
    with console.capture() as captured:
        console.print(Text(f"{page.title} ({page.kind})", style="bold"))
        for part in page.parts:
            console.print()
            match part:
                case Heading(text):
                    console.print(Text(text, style="bold"))
                case Paragraph(text):
                    console.print(Text("\n".join(textwrap.wrap(_TICKS.sub(r"\1", text), width))))
                case Code(text):
                    console.print(Text(textwrap.indent(text.rstrip(), " " * 4)), soft_wrap=True)
                case Table():
                    console.print(_grid(part))
                case Picture(path, shows):
                    console.print(Text(f"{shows} ({path})"))
    lines = (line.rstrip() for line in captured.get().splitlines())
    click.echo("\n".join(lines), color=color)


def _grid(table: Table) -> Grid:
    named = any(table.columns)
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=named, header_style="dim")
    for title in table.columns:
        grid.add_column(title, overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(_MARKED.sub(r"\1", cell).replace("`", ""), style=_style(cell)) for cell in row))
    return grid


def _style(cell: str) -> str:
    return "cyan" if _MARKED.match(cell) and cell.count("`") == 2 else ""
