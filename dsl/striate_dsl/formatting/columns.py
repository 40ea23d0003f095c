"""Keeps what the author aligned: tokens in one column of neighbouring lines, and comments at the end of lines.

Things count as aligned if they are of one kind, begin in the same column of the text (numbers: end in it), and at least
one of them has more blanks before it than it needs. In the result they stand as far left as they can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from striate_dsl.formatting.lines import Line, Margin
from striate_dsl.formatting.pieces import Piece

_REACH = 2
"""Lines from one aligned token to the next at most: one line in between may do without."""

_Key = tuple[str, int]


@dataclass(slots=True)
class _Column:
    """Tokens or comments that stand in one column: line numbers and pieces."""

    members: list[tuple[int, int]] = field(default_factory=list)


def align(pieces: list[Piece], lines: list[Line]) -> dict[int, int]:
    """Return the pieces that get additional blanks before them, and how many."""
    blanks: dict[int, int] = {}
    for run in _runs(lines):
        if any(pieces[at].padded for line in run for at in range(line.first + 1, line.last)):
            _align_run(pieces, run, blanks)
    return blanks


def align_comments(pieces: list[Piece], lines: list[Line], lengths: list[int]) -> list[int]:
    """Return the column in which the comment of every line begins, for lines of the given lengths."""
    columns = [length + 2 if line.first < line.last else length for line, length in zip(lines, lengths, strict=True)]
    group: list[int] = []
    for number, line in enumerate(lines):
        comment = line.comment
        if line.blank:
            group = _settle_group(group, columns)
        if comment is None or not (line.first < line.last or comment.follows):
            continue
        if group and not _linked(pieces, lines[group[-1]], line):
            group = _settle_group(group, columns)
        if comment.follows and group:
            columns[number] = 0
        group.append(number)
    _settle_group(group, columns)
    return columns


def _settle_group(group: list[int], columns: list[int]) -> list[int]:
    """Move the comments of a group into one column and return a new group."""
    column = max((columns[number] for number in group), default=0)
    for number in group:
        columns[number] = column
    return []


def _linked(pieces: list[Piece], above: Line, line: Line) -> bool:
    first, second = above.comment, line.comment
    if first is None or second is None or first.column != second.column:
        return False
    return any(each.comment is not None and _is_padded(pieces, each, each.comment.column) for each in (above, line))


def _is_padded(pieces: list[Piece], line: Line, column: int) -> bool:
    """Whether a comment stands further right in the text than behind two blanks."""
    if line.first == line.last:
        return True
    last = pieces[line.last - 1]
    return column > last.start - last.line_start + len(last.text) + 2


def _runs(lines: list[Line]) -> Iterator[list[Line]]:
    """Lines with the same margin, one right below the other; comments between them do not count."""
    run: list[Line] = []
    anchors = {line.margin.anchor for line in lines}
    for line in lines:
        if line.blank and run:
            yield run
            run = []
        for part in _parts(line, anchors):
            if run and _edge(run[0]) != _edge(part):
                yield run
                run = []
            run.append(part)
    if run:
        yield run


def _edge(line: Line) -> tuple[int, int]:
    return line.margin.anchor, line.margin.offset


def _parts(line: Line, anchors: set[int]) -> Iterator[Line]:
    """A line, cut behind the brackets below whose content other lines begin; nothing of a line with a comment only."""
    first, margin = line.first, line.margin
    for at in range(line.first, line.last):
        if at in anchors and at + 1 < line.last:
            yield Line(margin, first, at + 1)
            first, margin = at + 1, Margin(at, 1, 0)
    if first < line.last:
        yield Line(margin, first, line.last)


def _align_run(pieces: list[Piece], run: list[Line], blanks: dict[int, int]) -> None:
    ends = [dict(_natural(pieces, line)) for line in run]
    moved = [0] * len(run)
    columns = _columns(pieces, run)
    for key in sorted(columns, key=lambda key: key[1]):
        for column in columns[key]:
            wanted = max(ends[number][at] + moved[number] for number, at in column.members)
            for number, at in column.members:
                more = wanted - ends[number][at] - moved[number]
                if more:
                    blanks[at] = more
                    moved[number] += more


def _natural(pieces: list[Piece], line: Line) -> Iterator[tuple[int, int]]:
    """The column, from the margin on, in which each piece of a line begins (a number: ends) if nothing is aligned."""
    column = 0
    for at in range(line.first, line.last):
        piece = pieces[at]
        if at != line.first:
            column += len(piece.lead)
        yield at, column + (len(piece.text) - 1 if _by_end(pieces, at) else 0)
        column += len(piece.text)


def _columns(pieces: list[Piece], run: list[Line]) -> dict[_Key, list[_Column]]:
    """The columns of a run, by kind of token and column in the text."""
    found: dict[_Key, list[_Column]] = {}
    latest: dict[_Key, tuple[int, int, _Column | None]] = {}
    for number, line in enumerate(run):
        for at, key in _keys(pieces, line):
            above = latest.get(key)
            column = None
            if above is not None and number - above[0] <= _REACH and (pieces[at].padded or pieces[above[1]].padded):
                column = above[2]
                if column is None:
                    column = _Column([(above[0], above[1])])
                    found.setdefault(key, []).append(column)
                column.members.append((number, at))
            latest[key] = (number, at, column)
    return found


def _keys(pieces: list[Piece], line: Line) -> Iterator[tuple[int, _Key]]:
    """What could be aligned in a line, and where it stands in the text."""
    source_line = pieces[line.first].line_start
    for at in range(line.first + 1, line.last):
        piece = pieces[at]
        if piece.line_start != source_line:
            return
        column = piece.start - source_line
        if _by_end(pieces, at):
            if piece.lead or pieces[at - 1].kind in {"LPAR", "LSQUARE"}:
                yield at, (piece.kind, column + len(piece.text) - 1)
        elif piece.lead:
            yield at, (piece.kind, column)


def _by_end(pieces: list[Piece], at: int) -> bool:
    return pieces[at].kind == "NUMBER" and pieces[at - 1].kind not in {"COLON", "EQUALS"}
