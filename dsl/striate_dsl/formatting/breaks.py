"""Which line breaks of the author stay: statements of bodies with several lines, `->`, `else`, items in brackets.

A break behind `->` moves before it, one before a comma behind it. Breaks that only long lines need are `lines.py`'s.
"""

from __future__ import annotations

from striate_dsl.formatting.gaps import Gap
from striate_dsl.formatting.pieces import OPENING, Piece

_JOINING = frozenset({"TIMES", "COMPARE", "AND", "OR", "IF", "ELSE"})
_HALF_STATEMENTS = frozenset({"input", "let", "output"})
_OPENING_LISTS = frozenset({"LPAR", "LSQUARE"})


def settle(pieces: list[Piece]) -> None:
    """Mark the pieces that begin a line."""
    _move(pieces)
    opened: list[str] = []
    for position, piece in enumerate(pieces):
        if piece.gap is not None:
            piece.broken = piece.gap.has_comments or (piece.gap.broken and _stays(pieces, position, opened))
        if piece.separated and not opened:
            piece.broken = True
        if piece.kind in OPENING:
            opened.append(piece.kind)
        elif piece.mate != -1:
            opened.pop()
            _close(pieces, position)
    pieces[0].broken = pieces[-1].broken = True


def open_body(pieces: list[Piece], opening: int) -> None:
    """Give every statement of a body a line of its own."""
    closing = pieces[opening].mate
    at = opening + 1
    pieces[at].broken = pieces[closing].broken = True
    while at < closing:
        piece = pieces[at]
        if piece.separated:
            piece.broken = True
        at = piece.mate + 1 if piece.kind in OPENING else at + 1
    behind = pieces[closing + 1]
    if behind.kind == "ELSE" and not behind.has_comments:
        behind.broken = False


def open_brackets(pieces: list[Piece], opening: int) -> None:
    """Put what is in round or square brackets on lines of its own."""
    pieces[opening + 1].broken = pieces[pieces[opening].mate].broken = True


def is_open(pieces: list[Piece], opening: int) -> bool:
    """Whether a line ends with this bracket."""
    return pieces[opening + 1].broken


def needs_arrow(pieces: list[Piece], position: int) -> bool:
    """Whether a piece is a value whose name would open a statement if a line ended behind it (see `layout.py`)."""
    piece = pieces[position]
    if piece.kind != "NAME" or piece.text not in _HALF_STATEMENTS:
        return False
    return piece.separated or pieces[position - 1].kind == "LBRACE"


def _move(pieces: list[Piece]) -> None:
    for position, piece in enumerate(pieces):
        if piece.kind not in {"ARROW", "COMMA"}:
            continue
        behind = pieces[position + 1]
        if piece.kind == "COMMA":
            if piece.gap is not None:
                piece.gap.take(behind.gap or Gap())
                piece.gap, behind.gap = None, piece.gap
        elif behind.gap is not None and not needs_arrow(pieces, position - 1):
            piece.gap = piece.gap or Gap()
            piece.gap.take(behind.gap)
            behind.gap = None


def _stays(pieces: list[Piece], position: int, opened: list[str]) -> bool:
    """Whether a line break without comments is one of those that the author decides on."""
    before, piece = pieces[position - 1], pieces[position]
    if not opened or opened[-1] == "LBRACE":
        if piece.kind == "ELSE" and before.kind == "RBRACE":
            return not is_open(pieces, before.mate)
        return piece.kind in {"ARROW", "ELSE"}
    if before.kind in _OPENING_LISTS or before.kind == "COMMA":
        return position != before.mate
    return any(each.kind in _JOINING or (each.kind == "SIGN" and not each.prefix) for each in (before, piece))


def _close(pieces: list[Piece], position: int) -> None:
    """Decide, at a closing bracket, whether what it closes has lines of its own."""
    closing = pieces[position]
    opening = closing.mate
    if closing.kind != "RBRACE":
        if opening + 1 < position:
            if pieces[opening + 1].broken or closing.has_comments:
                open_brackets(pieces, opening)
            else:
                closing.broken = False
    elif closing.has_comments or (opening + 1 < position and pieces[opening].line_start != closing.line_start):
        open_body(pieces, opening)
