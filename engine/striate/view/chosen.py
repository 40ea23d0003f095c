"""Tables of chosen columns: below each other where they are too wide together, so that no column is ever left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from striate.view.columns import Column, Value, total
from striate.view.lines import Line, Signs, aligned, cells, clipped, printable, shortened
from striate.view.rows import LayerRow
from striate.view.tree import Group, build_tree, single
from striate.view.wording import Wording

_GAP = 2
_LEAST_NAME = 12
_TOTAL = "total"


@dataclass(frozen=True, slots=True)
class _Entry:
    guides: str
    name: str
    values: Sequence[Value]
    is_block: bool


def sorted_rows(rows: tuple[LayerRow, ...], column: Column) -> tuple[LayerRow, ...]:
    """Return the rows by the value of a column, the largest number or the first text in front.

    Rows without a value come last; alike ones keep their order.

    Raises:
        TypeError: sizes are open, so that numbers cannot be compared.
    """
    values = {row.name: column.value(single(row)) for row in rows}
    with_value = [row for row in rows if values[row.name] is not None]
    without = [row for row in rows if values[row.name] is None]
    keys = {row.name: _key(values[row.name]) for row in with_value}
    return (*sorted(with_value, key=lambda row: keys[row.name]), *without)


def _key(value: Value) -> tuple[float, str]:
    if isinstance(value, str):
        return 0.0, value
    if isinstance(value, int | float):
        return -float(value), ""
    parts = value if isinstance(value, tuple) else getattr(value, "shape", ())
    size = 1.0
    for part in parts:
        if not hasattr(part, "__float__"):
            raise TypeError("open sizes cannot be compared")
        size *= float(part)
    if not parts:
        raise TypeError("open sizes cannot be compared")
    return -size, ""


def chosen_lines(
    rows: tuple[LayerRow, ...],
    columns: Sequence[Column],
    wording: Wording,
    *,
    width: int,
    tree: bool,
    depth: int | None,
    signs: Signs,
) -> list[Line]:
    """Return tables of at most `width` columns of the terminal, with the totals in the last line of each."""
    if tree:
        entries = list(_branches(build_tree(rows), columns, depth, signs, None))
    else:
        entries = [_entry("", single(row), columns) for row in rows]
    entries.append(_Entry("", _TOTAL, [total(column, rows) for column in columns], False))
    room = _name_width(entries, width, flat=not tree)
    short = sum(_widths(entries, columns, wording, full=False)) + _GAP * len(columns)
    full = (
        sum(_widths(entries, columns, wording, full=True)) + _GAP * len(columns) <= width - room or short > width - room
    )
    lines: list[Line] = []
    for part in _parts(_widths(entries, columns, wording, full=full), width - room):
        lines += [[]] if lines else []
        lines += _table(entries, columns, part, wording, room, signs, flat=not tree, full=full)
    return [clipped(line, width) for line in lines]


def _name_width(entries: list[_Entry], width: int, *, flat: bool) -> int:
    longest = max(cells(entry.guides) + cells(entry.name) for entry in entries)
    return min(longest, max(width * (2 if flat else 1) // 5, _LEAST_NAME), width)


def _branches(
    groups: tuple[Group, ...], columns: Sequence[Column], depth: int | None, signs: Signs, guides: str | None
) -> Iterator[_Entry]:
    below = None if depth is None else depth - 1
    for index, group in enumerate(groups):
        is_last = index == len(groups) - 1
        own = "" if guides is None else guides + (signs.last if is_last else signs.branch)
        yield _entry(own, group, columns)
        if below != 0:
            inner = "" if guides is None else guides + ("  " if is_last else signs.bar)
            yield from _branches(group.members, columns, below, signs, inner)


def _entry(guides: str, group: Group, columns: Sequence[Column]) -> _Entry:
    return _Entry(guides, printable(group.name), [column.value(group) for column in columns], not group.is_layer)


def _widths(entries: list[_Entry], columns: Sequence[Column], wording: Wording, *, full: bool) -> list[int]:
    widths = []
    for place, column in enumerate(columns):
        texts = (column.text(entry.values[place], wording, full=full) for entry in entries)
        widths.append(max(len(column.title), min(max(map(cells, texts)), 44)))
    return widths


def _parts(widths: Sequence[int], room: int) -> list[list[tuple[int, int]]]:
    """Return places and widths of columns, arranged in tables that fit, each with one column at least."""
    parts: list[list[tuple[int, int]]] = [[]]
    used = 0
    for place, width in enumerate(widths):
        if parts[-1] and used + width + _GAP > room:
            parts.append([])
            used = 0
        parts[-1].append((place, width))
        used += width + _GAP
    return parts


def _table(
    entries: list[_Entry],
    columns: Sequence[Column],
    part: list[tuple[int, int]],
    wording: Wording,
    room: int,
    signs: Signs,
    *,
    flat: bool,
    full: bool,
) -> list[Line]:
    titles = [
        " " * _GAP + aligned(columns[place].title, width, right=columns[place].is_number) for place, width in part
    ]
    rule: Line = [(signs.rule * (room + sum(width + _GAP for _, width in part)), "dim")]
    lines: list[Line] = [[(aligned("name"[:room], room, right=False) + "".join(titles), "bold")], rule]
    for entry in entries:
        if entry is entries[-1]:  # the totals
            lines.append(rule)
            if all(entry.values[place] is None for place, _ in part):
                break
        guides = shortened(entry.guides, max(room - min(cells(entry.name), _LEAST_NAME), 0), signs, keep="end")
        left = room - cells(guides)
        name = aligned(shortened(entry.name, left, signs, keep="end" if flat else "start"), left, right=False)
        line: Line = [(guides, "dim"), (name, "cyan" if entry.is_block else "")]
        for place, width in part:
            text = columns[place].text(entry.values[place], wording, full=full)
            line.append(
                (" " * _GAP + aligned(shortened(text, width, signs), width, right=columns[place].is_number), "")
            )
        lines.append(line)
    return lines
