"""The groups of a network as a table: what runs in one kernel, where it is written, and what it moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from striate.fusion import Group
from striate.view.lines import Line, Signs, aligned, cells, printable, shortened
from striate.view.numbers import short_number

_TITLES = ("kernel", "lines", "layers in it", "alone", "moved", "MFLOP", "least us")
_LEAST_LAYERS = 16
_LONGEST_NAME = 30


class GroupCosts(Protocol):
    """What a table asks of a report for each group."""

    def columns_of(self, group: Group) -> tuple[int, int, int, float]:
        """Return bytes of its layers alone, bytes of the group, operations and least seconds."""


def group_lines(groups: Sequence[Group], costs: GroupCosts, width: int, signs: Signs) -> list[Line]:
    """Return the table of groups for a terminal of some columns; views, which compute nothing, are left out."""
    rows = [_cells(group, costs) for group in groups if group.kind not in ("view", "buffer")]
    widths = [max(cells(row[column]) for row in (_TITLES, *rows)) for column in range(len(_TITLES))]
    widths[0] = min(widths[0], _LONGEST_NAME)
    others = sum(widths) - widths[2] + 2 * (len(widths) - 1)
    widths[2] = min(widths[2], max(width - others, _LEAST_LAYERS))
    lines: list[Line] = [[(_line(_TITLES, widths, signs), "bold")]]
    lines.append([(signs.rule * min(sum(widths) + 2 * (len(widths) - 1), width), "dim")])
    lines += [[(_line(row, widths, signs), "")] for row in rows]
    return lines


def _line(row: Sequence[str], widths: Sequence[int], signs: Signs) -> str:
    fitted = (
        aligned(shortened(text, room, signs, keep="end" if column == 0 else "start"), room, right=column > 2)
        for column, (text, room) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(fitted).rstrip()


def _cells(group: Group, costs: GroupCosts) -> tuple[str, ...]:
    alone, moved, flops, seconds = costs.columns_of(group)
    return (
        printable(group.name),
        ",".join(_ranges({node.origin.span.line for node in group.nodes})),
        " ".join(node.op for node in group.nodes),
        short_number(alone, "B"),
        short_number(moved, "B"),
        f"{flops / 1e6:,.1f}",
        f"{seconds * 1e6:,.1f}",
    )


def _ranges(lines: set[int]) -> Iterator[str]:
    """Yield line numbers in order, those that follow each other as a range, e.g. `3-5`."""
    ordered = sorted(lines)
    start = previous = ordered[0]
    for line in [*ordered[1:], ordered[-1] + 2]:
        if line != previous + 1:
            yield str(start) if start == previous else f"{start}-{previous}"
            start = line
        previous = line
