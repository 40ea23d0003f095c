"""Quotes the lines of a source that a finding speaks of, with carets under the place and lines under its labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from striate_dsl.cells import Cells, lay_out, visible
from striate_dsl.diagnostics import Label
from striate_dsl.ink import Ink
from striate_dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class _Mark:
    """A part of one line (0-based characters, end exclusive) that is underlined, and what is said about it."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def gutter(spans: Iterable[Span]) -> int:
    """Return the width of the largest line number that an excerpt of these places shows."""
    return max((len(str(span.end_line)) for span in spans), default=1)


def excerpt(span: Span, label: str, labels: tuple[Label, ...], colour: str, ink: Ink, width: int) -> list[str]:
    """Return the lines of an excerpt: where it is, the source lines in order, and the marks under them."""
    margin = gutter([span, *(other.span for other in labels)])
    marks = {id(span.source): _marks(span, label, primary=True)}
    sources: dict[int, tuple[Source, Span]] = {id(span.source): (span.source, span)}
    for other in labels:
        key = id(other.span.source)
        marks.setdefault(key, []).extend(_marks(other.span, other.text, primary=False))
        sources.setdefault(key, (other.span.source, other.span))
    lines: list[str] = []
    for key, (source, first) in sources.items():
        arrow = ink.paint("blue", "-->" if not lines else ":::")
        lines.append(f"{' ' * margin}{arrow} {visible(source.name)}:{first.line}:{first.column}")
        lines += _section(source, marks[key], margin, colour, ink, width - margin - 3)
    return lines


def _marks(span: Span, text: str, *, primary: bool) -> list[_Mark]:
    """The marks of a span: one, or one each on its first and its last line."""
    source, line = span.source, span.line
    last, end = source.position(span.end)
    if last > line and end == 1:
        last -= 1
        end = len(source.line_text(last)) + 1
    start = span.column - 1
    if last == line:
        return [_Mark(line, start, max(end - 1, start + 1), text, primary)]
    head, tail = source.line_text(line), source.line_text(last)
    indent = len(tail) - len(tail.lstrip())
    return [
        _Mark(line, start, max(len(head), start + 1), "", primary),
        _Mark(last, min(indent, end - 2), end - 1, text, primary),
    ]


def _section(source: Source, marks: list[_Mark], margin: int, colour: str, ink: Ink, room: int) -> list[str]:
    bar = ink.paint("blue", "|")
    lines = [f"{' ' * margin} {bar}"]
    previous = None
    for number in sorted({mark.line for mark in marks}):
        if previous is not None and number > previous + 2:
            lines.append(ink.paint("blue", "..."))
        previous = number
        here = sorted((mark for mark in marks if mark.line == number), key=lambda mark: (mark.start, mark.end))
        quoted, rows = _quote(source.line_text(number), here, colour, ink, room)
        lines.append(f"{ink.paint('blue', str(number).rjust(margin))} {bar} {quoted}".rstrip())
        lines += [f"{' ' * margin} {bar} {row}" for row in rows]
    return lines


def _quote(text: str, marks: list[_Mark], colour: str, ink: Ink, room: int) -> tuple[str, list[str]]:
    """One line of source, cut to the room around its marks, and the rows of marks beneath it."""
    focus = next((mark for mark in marks if mark.primary), marks[0])
    skip = max(0, focus.start - 4 * room) if len(text) > 8 * room else 0
    cells = lay_out(text[skip : skip + 8 * room])
    first, last = _window(cells, focus.start - skip, focus.end - skip, room)
    before, after = "…" if first or skip else "", "…" if last < len(cells.shown) else ""
    quoted = before + "".join(cells.shown[first:last]) + after
    rows = []
    for mark in marks:
        start = _column(cells, mark.start - skip, first, last) + len(before)
        end = max(_column(cells, mark.end - skip, first, last) + len(before), start + 1)
        line = ("^" if mark.primary else "-") * (end - start)
        said = f"{line} {visible(mark.text)}".rstrip().replace("\n", f"\n{' ' * start}")
        rows.append(" " * start + ink.paint(colour if mark.primary else "blue", said))
    return quoted, rows


def _column(cells: Cells, index: int, first: int, last: int) -> int:
    """The column of a character within the window; behind the end of the text, columns go on one by one."""
    clamped = min(max(index, first), last)
    beyond = max(0, index - len(cells.shown)) if last == len(cells.shown) else 0
    return cells.columns[clamped] - cells.columns[first] + beyond


def _window(cells: Cells, start: int, end: int, room: int) -> tuple[int, int]:
    """The characters from which to which a line is shown: all, or as many as fit around `start` to `end`."""
    columns = cells.columns
    if columns[-1] <= room:
        return 0, len(cells.shown)
    budget = room - 2
    marked = columns[min(end, len(columns) - 1)] - columns[min(start, len(columns) - 1)]
    lead = max(0, min((budget - marked) // 2, budget // 2))
    first = min(start, len(cells.shown))
    while first > 0 and columns[min(start, len(columns) - 1)] - columns[first - 1] <= lead:
        first -= 1
    last = first
    while last < len(cells.shown) and columns[last + 1] - columns[first] <= budget:
        last += 1
    while first > 0 and columns[last] - columns[first - 1] <= budget:
        first -= 1
    return first, last
