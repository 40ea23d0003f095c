"""Summary tables in text: which columns a width has room for, how long names are cut, and the lines of totals.

The layout is worked out here and not left to a table library: columns are given up one after the other as the width
shrinks, digits before columns, and a table of thousands of layers takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from striate.view.lines import Line, Signs, aligned, cells, printable, shortened
from striate.view.numbers import extent_text, full_count, memory_text, short_count, size_text
from striate.view.rows import LayerRow, Totals
from striate.view.tree import Group, build_tree

Column = Literal["name", "layer", "output", "parameters", "macs", "memory", "field"]
View = Literal["tree", "flat"]

GAP = 2
LEAST_NAME = 16
"""Columns that names get before another column has to go."""

_RIGHT = ("parameters", "macs", "memory", "field")
_LONGEST: Mapping[Column, int] = {"layer": 34, "output": 36, "parameters": 24, "macs": 28, "memory": 28, "field": 15}
_LONGEST_SHORT: Mapping[Column, int] = {
    "layer": 14,
    "output": 18,
    "parameters": 14,
    "macs": 12,
    "memory": 10,
    "field": 11,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table shows: its columns, numbers in full or not, sizes with spaces or not, kernels and strides or not."""

    columns: tuple[Column, ...]
    full: bool = False
    spaced: bool = False
    detail: bool = False

    @property
    def longest(self) -> Mapping[Column, int]:
        """Widths at which cells are cut: expressions of open sizes can be of any length."""
        return _LONGEST if self.spaced else _LONGEST_SHORT

    def header(self, column: Column) -> str:
        """Return a column's title."""
        titles = {"parameters": "parameters" if self.full else "params", "macs": "MACs"}
        titles["field"] = "receptive field" if self.full else "field"
        return titles.get(column, column)


_ALL: tuple[Column, ...] = ("name", "layer", "output", "parameters", "macs", "memory", "field")
LAYOUTS = (
    Layout(_ALL, full=True, spaced=True, detail=True),
    Layout(_ALL, full=True, spaced=True),
    Layout(_ALL, spaced=True, detail=True),
    Layout(_ALL, spaced=True),
    Layout(_ALL),
    Layout(("name", "layer", "output", "parameters", "macs", "field")),
    Layout(("name", "layer", "output", "parameters", "macs")),
    Layout(("name", "output", "parameters", "macs")),
    Layout(("name", "output", "parameters")),
    Layout(("name", "parameters")),
)
"""From roomy to narrow; the first one that fits is taken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a table before its layout is chosen: the guides in front of its name, and what it is about."""

    guides: str
    name: str
    subject: LayerRow | Group | None
    text: str = ""


def table_lines(
    title: str, rows: tuple[LayerRow, ...], totals: Totals, *, width: int, view: View, depth: int | None, signs: Signs
) -> list[Line]:
    """Return a summary as lines that are at most `width` columns wide; `depth` is the number of levels in a tree."""
    body = list(_tree_entries(build_tree(rows), depth, signs) if view == "tree" else _flat_entries(rows))
    inputs = [Entry("", name, None, size_text(kind, spaced=True)) for name, kind in totals.inputs.items()]
    entries = [*inputs, *body]
    layout, table = _fitting(entries, width)
    widths = _widths(table, layout, width)
    rule: Line = [(signs.rule * min(width, sum(widths) + GAP * (len(widths) - 1)), "dim")]
    keep: Literal["start", "end"] = "end" if view == "flat" else "start"
    lines = [[(shortened(title, width, signs), "bold")], []]  # type: list[Line]
    lines.append(_header(layout, widths, signs))
    lines.append(rule)
    lines.extend(_line(entry, cell, layout, widths, signs, keep) for entry, cell in zip(entries, table, strict=True))
    lines.append(rule)
    lines.extend(_totals_lines(totals, width, folded=any(_is_folded(entry) for entry in body)))
    return lines


# ------------------------------------------------------------------------------------------------ entries


def _flat_entries(rows: Iterable[LayerRow]) -> Iterator[Entry]:
    for row in rows:
        yield Entry("", row.name, row)


def _tree_entries(
    groups: tuple[Group, ...], depth: int | None, signs: Signs, guides: str | None = None
) -> Iterator[Entry]:
    for index, group in enumerate(groups):
        is_last = index == len(groups) - 1
        own = "" if guides is None else guides + (signs.last if is_last else signs.branch)
        yield Entry(own, group.name, group)
        if group.members and (depth is None or depth > 1):
            inner = "" if guides is None else guides + ("  " if is_last else signs.bar)
            yield from _tree_entries(group.members, None if depth is None else depth - 1, signs, inner)


def _is_folded(entry: Entry) -> bool:
    return isinstance(entry.subject, Group) and entry.subject.count > 1


# ------------------------------------------------------------------------------------------------ layout


def _fitting(entries: list[Entry], width: int) -> tuple[Layout, list[list[str]]]:
    """Return the roomiest layout that fits, with its cells."""
    names = [cells(entry.guides) + cells(entry.name) for entry in entries]
    for layout in LAYOUTS:
        table = [_cells(entry, layout) for entry in entries]
        others = _natural(table, layout)
        name = max(names, default=0) if layout.full else min(LEAST_NAME, max(names, default=0))
        if name + sum(others) + GAP * len(others) <= width:
            return layout, table
    return layout, table


def _natural(table: list[list[str]], layout: Layout) -> list[int]:
    """Return the widths of all columns but the first, each up to its longest."""
    widths = []
    for place, column in enumerate(layout.columns[1:]):
        widest = max((cells(row[place]) for row in table), default=0)
        widths.append(max(min(widest, layout.longest[column]), len(layout.header(column))))
    return widths


def _widths(table: list[list[str]], layout: Layout, width: int) -> list[int]:
    ...


def _cells(entry: Entry, layout: Layout) -> list[str]:
    """Return the cells of a line, its name left out."""
    subject = entry.subject
    if subject is None:
        given = {"layer": "input", "output": entry.text if layout.spaced else entry.text.replace(" ", "")}
        return [given.get(column, "") for column in layout.columns[1:]]
    return [_cell(subject, column, layout) for column in layout.columns[1:]]
