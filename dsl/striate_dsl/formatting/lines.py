"""From pieces to lines: how far each line is indented, and what becomes of lines that are too long.

A line is as long as it is without its comment and without blanks that only align it with its neighbours. One that is
too long has the bodies in it opened; if there are none it breaks before `->`, then at the commas of the first brackets
that reach too far. What has none of these stays as long as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from striate_dsl.formatting.breaks import is_open, needs_arrow, open_body, open_brackets
from striate_dsl.formatting.gaps import Comment
from striate_dsl.formatting.pieces import CLOSING, OPENING, Piece

WIDTH = 120
"""The most columns of a line, unless it cannot be broken."""

INDENT = 2


@dataclass(frozen=True, slots=True)
class Margin:
    """Where lines begin: `offset` columns behind the start of a piece (-1: behind the edge).

    `column` is the same in numbers where nothing has been aligned.
    """

    anchor: int
    offset: int
    column: int

    def indented(self) -> Margin:
        return Margin(self.anchor, self.offset + INDENT, self.column + INDENT)


@dataclass(slots=True)
class Line:
    """The pieces `first` to `last` (exclusive) and a comment; only a comment where there are no pieces."""

    margin: Margin
    first: int
    last: int
    blank: bool = False
    comment: Comment | None = None


@dataclass(slots=True)
class _Frame:
    """What is known inside a pair of brackets: the margin of its lines, of the closing bracket, and the latest one.

    `goes_on`: the latest line began with `->`.
    """

    inner: Margin
    outer: Margin
    latest: Margin
    braces: bool = True
    goes_on: bool = False


@dataclass(slots=True)
class LineMaker:
    """One run over the pieces of a file, whose `broken` it adds to; `lines` is the result."""

    pieces: list[Piece]
    lines: list[Line] = field(default_factory=list)
    definitions: list[int] = field(default_factory=list)
    """The first line of every definition, comments above it included."""

    _frames: list[_Frame] = field(default_factory=list)
    _whole_until: int = 0
    """Up to this piece there are neither bodies to be opened nor arrows to break at."""

    def run(self) -> list[Line]:
        """Return the lines of the file."""
        edge = Margin(-1, 0, 0)
        self._frames.append(_Frame(edge, edge, edge))
        end = len(self.pieces) - 1
        position = 0
        while position < end:
            margin = self._begin(position)
            self._fit(position, margin)
            position = self._take(position, margin)
        self._comments(end, edge)
        return self.lines

    # ------------------------------------------------------------------------------------ beginning lines

    def _begin(self, position: int) -> Margin:
        """Add the comments before a line and return its margin."""
        piece = self.pieces[position]
        margin = self._margin(position)
        if len(self._frames) == 1 and (piece.separated or position == 0):
            self.definitions.append(len(self.lines))
        frame = self._frames[-1]
        if frame.braces:
            frame.latest, frame.goes_on = margin, piece.kind == "ARROW"
        self._comments(position, frame.inner if piece.kind in CLOSING else margin)
        return margin

    def _margin(self, position: int) -> Margin:
        frame, piece = self._frames[-1], self.pieces[position]
        if piece.kind in CLOSING:
            return frame.outer
        if not frame.braces or piece.separated or position == 0:
            return frame.inner
        before = self.pieces[position - 1]
        if before.kind == "LBRACE":
            return frame.inner
        if before.kind == "RBRACE" and (piece.kind == "ELSE" or is_open(self.pieces, before.mate)):
            return frame.latest
        return frame.latest if before.kind == "ELSE" or frame.goes_on else frame.inner.indented()

    def _comments(self, position: int, margin: Margin) -> None:
        """Add what stands in the gap before a piece: the end of the line before and comments of their own."""
        gap = self.pieces[position].gap
        if gap is None:
            return
        if gap.trailing is not None:
            self.lines[-1].comment = gap.trailing
        for comment in gap.own:
            blank = comment.blank and self._may_be_blank(position)
            self.lines.append(Line(margin, position, position, blank, comment))

    def _may_be_blank(self, position: int) -> bool:
        """Whether an empty line may stand where the next line is going to begin, before (or above) a piece."""
        if not self.lines:
            return False
        line, piece = self.lines[-1], self.pieces[position]
        if line.first < line.last and self.pieces[line.last - 1].kind in OPENING:
            return False
        return (
            piece.separated
            or piece.kind in CLOSING
            or piece.kind == "$END"
            or not self._frames[-1].braces
            or (self.pieces[position - 1].kind == "LBRACE")
        )

    # ------------------------------------------------------------------------------------ taking lines

    def _take(self, position: int, margin: Margin) -> int:
        """Add the line that begins at a piece and return where the next one does."""
        pieces = self.pieces
        gap = pieces[position].gap
        blank = gap is not None and gap.blank and pieces[position].kind not in CLOSING and self._may_be_blank(position)
        line = Line(margin, position, position, blank)
        self.lines.append(line)
        column = margin.column
        at = position
        while at == position or not pieces[at].broken:
            piece = pieces[at]
            if at != position:
                column += len(piece.lead)
            if piece.kind in OPENING:
                self._frames.append(self._frame(at, margin, column))
            elif piece.kind in CLOSING:
                self._frames.pop()
            column += len(piece.text)
            at += 1
        line.last = at
        return at

    def _frame(self, opening: int, margin: Margin, column: int) -> _Frame:
        if self.pieces[opening].kind == "LBRACE":
            outer = self._frames[-1].latest
            return _Frame(outer.indented(), outer, outer)
        if is_open(self.pieces, opening):
            return _Frame(margin.indented(), margin, margin, braces=False)
        behind = Margin(opening, 1, column + 1)
        return _Frame(behind, behind, behind, braces=False)

    # ------------------------------------------------------------------------------------ lines too long

    def _fit(self, position: int, margin: Margin) -> None:
        """Break a line until it fits or nothing is left to break."""
        while self._end_within(position, margin.column) is None:
            if not self._break(position, margin):
                return

    def _end_within(self, position: int, column: int) -> int | None:
        """Return where the line from a piece on ends, or None where that is too far right."""
        pieces = self.pieces
        at = position
        while at == position or not pieces[at].broken:
            column += len(pieces[at].text) + (len(pieces[at].lead) if at != position else 0)
            if column > WIDTH:
                return None
            at += 1
        return at

    def _break(self, position: int, margin: Margin) -> bool:
        pieces = self.pieces
        end = position + 1
        while not pieces[end].broken:
            end += 1
        if end > self._whole_until:
            if self._open_bodies(position, end) or self._fill(position, end, margin, "ARROW"):
                return True
            self._whole_until = end
        if self._fill(position, end, margin, "COMMA"):
            return True
        return self._open_brackets(position, end, margin.column)

    def _open_bodies(self, position: int, end: int) -> bool:
        found = [at for at in self._level(position, end) if self.pieces[at].kind == "LBRACE"]
        wanted = [at for at in found if at + 1 < self.pieces[at].mate < end]
        for opening in wanted:
            open_body(self.pieces, opening)
        return bool(wanted)

    def _fill(self, position: int, end: int, margin: Margin, kind: str) -> bool:
        """Break as late as possible, before `->` or behind commas; return whether there was anything to break."""
        points = list(self._points(position, end, kind))
        column = margin.column + self._length(position, points[0][0]) if points else 0
        changed = False
        for (start, later), (stop, _) in pairwise([*points, (end, 0)]):
            length = self._length(start, stop)
            column += len(self.pieces[start].lead) + length
            if column > WIDTH:
                self.pieces[start].broken = changed = True
                column = later + length
        return changed

    def _points(self, position: int, end: int, kind: str) -> Iterator[tuple[int, int]]:
        """The pieces before which a line may break because of an arrow or a comma, and where they would begin."""
        depth = len(self._frames) - 1
        for at in self._level(position, end):
            found = self.pieces[at].kind
            if found in CLOSING:
                depth -= 1
            elif found == kind == "ARROW":
                if at > position and not needs_arrow(self.pieces, at - 1):
                    yield at, self._frames[depth].inner.column + INDENT
            elif found == kind and not self._frames[depth].braces and at + 1 < end and not self._closes(at + 1):
                yield at + 1, self._frames[depth].inner.column

    def _open_brackets(self, position: int, end: int, column: int) -> bool:
        """Open the first list in brackets that reaches beyond the width."""
        pieces = self.pieces
        column -= len(pieces[position].lead)
        at = position
        while at < end:
            piece = pieces[at]
            column += len(piece.lead) + len(piece.text)
            if piece.kind in {"LPAR", "LSQUARE"} and at + 1 < end:
                stop = min(piece.mate, end)
                length = self._length(at + 1, stop)
                if column + length < WIDTH:
                    column, at = column + length, stop
                    continue
                if any(pieces[inner].kind == "COMMA" and inner + 1 < stop for inner in self._level(at + 1, stop)):
                    open_brackets(pieces, at)
                    return True
            at += 1
        return False

    def _closes(self, position: int) -> bool:
        return self.pieces[position].kind in CLOSING

    def _level(self, start: int, end: int) -> Iterator[int]:
        """The pieces of a range that are in none of its brackets; a bracket counts, the one that closes it does not."""
        at = start
        while at < end:
            yield at
            at = max(at, self.pieces[at].mate) + 1

    def _length(self, start: int, end: int) -> int:
        """The columns of a range of pieces in one line."""
        inner = sum(len(piece.lead) + len(piece.text) for piece in self.pieces[start:end])
        return inner - len(self.pieces[start].lead)
