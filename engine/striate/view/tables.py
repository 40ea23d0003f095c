"""Summary tables in text: which columns a width has room for, and the lines of the table.

The layout is worked out here and not left to a table library: digits are given up before columns as the width shrinks,
and a table of thousands of layers takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from striate.dims import Dim
from striate.graph import TensorType
from striate.view.lines import Line, Signs, aligned, cells, clipped, printable, shortened
from striate.view.rows import LayerRow
from striate.view.tree import Group, build_tree, single
from striate.view.wording import Wording, extent_text

Column = Literal["layer", "output", "parameters", "macs", "memory", "field"]
View = Literal["tree", "flat"]

GAP = 2
LEAST_NAME = 12
"""Columns that a name gets at least, however deep in the tree it is; the guides in front of it are cut instead."""

_RIGHT = ("parameters", "macs", "memory", "field")
_LONGEST: Mapping[Column, int] = {"layer": 34, "output": 44, "parameters": 24, "macs": 28, "memory": 28, "field": 15}
_SHORTEST: Mapping[Column, int] = {"layer": 16, "output": 20, "parameters": 10, "macs": 12, "memory": 12, "field": 11}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table shows beside names: its columns, whether numbers have all digits, and whether sizes have spaces.

    `detail` adds kernels and strides. `name` is the width that names need to get, unless they are all shorter, and
    `path` the same for the whole paths of a flat view.
    """

    columns: tuple[Column, ...]
    full: bool = False
    spaced: bool = False
    detail: bool = False
    name: int = 16
    path: int = 30

    @property
    def longest(self) -> Mapping[Column, int]:
        """Widths at which cells are cut, for expressions of open sizes can have any length."""
        return _LONGEST if self.spaced else _SHORTEST

    def header(self, column: Column) -> str:
        """Return a column's title."""
        titles = {"parameters": "parameters" if self.full else "params", "macs": "MACs"}
        titles["field"] = "receptive field" if self.full else "field"
        return titles.get(column, column)


_ALL: tuple[Column, ...] = ("layer", "output", "parameters", "macs", "memory", "field")
LAYOUTS = (
    Layout(_ALL, full=True, spaced=True, detail=True, name=60, path=60),
    Layout(_ALL, full=True, spaced=True, name=60, path=60),
    Layout(_ALL, spaced=True, detail=True, name=30),
    Layout(_ALL, spaced=True, name=30),
    Layout(_ALL),
    Layout(("layer", "output", "parameters", "macs", "field")),
    Layout(("layer", "output", "parameters", "macs")),
    Layout(("output", "parameters", "macs"), name=12, path=24),
    Layout(("output", "parameters"), name=10, path=16),
    Layout(("parameters",), name=0, path=0),
)
"""From roomy to narrow; the first one that fits is taken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a table before its layout is chosen: the guides in front of its name, its name, and what it shows."""

    guides: str
    name: str
    shown: Group | TensorType


@dataclass(frozen=True, slots=True)
class Table:
    """Entries with the cells that a layout gives them, and the widths of names and cells."""

    layout: Layout
    entries: Sequence[Entry]
    texts: Sequence[list[str]]
    name_width: int
    widths: Sequence[int]

    @property
    def width(self) -> int:
        """Columns of the terminal that the table takes."""
        return self.name_width + sum(self.widths) + GAP * len(self.widths)


def table_lines(
    rows: tuple[LayerRow, ...],
    inputs: Mapping[str, TensorType],
    wording: Wording,
    *,
    width: int,
    view: View,
    depth: int | None,
    signs: Signs,
) -> list[Line]:
    """Return a header and a line per layer, at most `width` columns wide; `depth` is the number of levels of a tree."""
    begins = [Entry("", printable(name), kind) for name, kind in inputs.items()]
    if view == "flat":
        layers = [Entry("", printable(row.name), single(row)) for row in rows]
    else:
        layers = list(_branches(build_tree(rows), depth, signs, None))
    table = _fitting([*begins, *layers], width, wording, is_flat=view == "flat")
    rule: Line = [(signs.rule * table.width, "dim")]
    lines = [_header(table), rule]
    keep: Literal["start", "end"] = "end" if view == "flat" else "start"
    for entry, texts in zip(table.entries, table.texts, strict=True):
        lines.append(_line(table, entry, texts, signs, keep))
    return [clipped(line, width) for line in [*lines, rule]]


def has_folded_rows(rows: tuple[LayerRow, ...], depth: int | None) -> bool:
    """Return whether a tree of that depth has lines that stand for several instances."""
    return any(_folds(group, depth) for group in build_tree(rows))


def _folds(group: Group, depth: int | None) -> bool:
    if group.count > 1:
        return True
    below = None if depth is None else depth - 1
    return below != 0 and any(_folds(member, below) for member in group.members)


def _branches(groups: tuple[Group, ...], depth: int | None, signs: Signs, guides: str | None) -> Iterator[Entry]:
    """Yield the lines of a tree; `guides` are those of the level above, None at the top, which has none."""
    below = None if depth is None else depth - 1
    for index, group in enumerate(groups):
        is_last = index == len(groups) - 1
        own = "" if guides is None else guides + (signs.last if is_last else signs.branch)
        yield Entry(own, printable(group.name), group)
        if below != 0:
            inner = "" if guides is None else guides + ("  " if is_last else signs.bar)
            yield from _branches(group.members, below, signs, inner)


def _fitting(entries: list[Entry], width: int, wording: Wording, *, is_flat: bool) -> Table:
    """Return the table in the roomiest layout that fits, or in the narrowest where none does."""
    longest_name = max((cells(entry.guides) + cells(entry.name) for entry in entries), default=0)
    for layout in LAYOUTS:
        texts = [_texts(entry, layout, wording) for entry in entries]
        widths = [_column_width(texts, place, column, layout) for place, column in enumerate(layout.columns)]
        room = width - sum(widths) - GAP * len(widths)
        if room >= min(layout.path if is_flat else layout.name, longest_name):
            break
    return Table(layout, entries, texts, max(min(room, longest_name), 0), widths)


def _column_width(texts: list[list[str]], place: int, column: Column, layout: Layout) -> int:
    widest = max((cells(row[place]) for row in texts), default=0)
    return max(min(widest, layout.longest[column]), len(layout.header(column)))


def _texts(entry: Entry, layout: Layout, wording: Wording) -> list[str]:
    if isinstance(entry.shown, TensorType):
        given = {"layer": "input", "output": wording.size(entry.shown, spaced=layout.spaced)}
        return [given.get(column, "") for column in layout.columns]
    return [_text(entry.shown, column, layout, wording) for column in layout.columns]


def _text(group: Group, column: Column, layout: Layout, wording: Wording) -> str:
    match column:
        case "layer":
            many = f"{group.count} x " if group.count > 1 else ""
            detail = f" {group.every[0].detail}" if layout.detail and group.is_layer else ""
            return f"{many}{group.label}{detail}".rstrip()
        case "output":
            return wording.size(group.output, spaced=layout.spaced)
        case "parameters":
            return "shared" if group.shared else _unless_zero(group.parameters, layout, wording)
        case "macs":
            return _unless_zero(group.macs, layout, wording)
        case "memory":
            return wording.memory(group.memory)
        case "field":
            return extent_text(group.receptive_field, spaced=layout.spaced)


def _unless_zero(count: Dim, layout: Layout, wording: Wording) -> str:
    return wording.count(count, full=layout.full) if count != 0 else ""


def _header(table: Table) -> Line:
    titles = [
        aligned(table.layout.header(column), width, right=column in _RIGHT)
        for column, width in zip(table.layout.columns, table.widths, strict=True)
    ]
    return [((" " * GAP).join([aligned("name"[: table.name_width], table.name_width, right=False), *titles]), "bold")]


def _line(table: Table, entry: Entry, texts: list[str], signs: Signs, keep: Literal["start", "end"]) -> Line:
    is_block = isinstance(entry.shown, Group) and not entry.shown.is_layer
    guides = shortened(entry.guides, max(table.name_width - min(cells(entry.name), LEAST_NAME), 0), signs, keep="end")
    room = table.name_width - cells(guides)
    name = aligned(shortened(entry.name, room, signs, keep=keep), room, right=False)
    line: Line = [(guides, "dim"), (name, "cyan" if is_block else "")]
    for column, text, width in zip(table.layout.columns, texts, table.widths, strict=True):
        cell = aligned(shortened(text, width, signs), width, right=column in _RIGHT)
        line.append((" " * GAP + cell, "dim" if text in ("shared", "input") else ""))
    return line
