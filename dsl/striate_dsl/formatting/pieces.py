"""The text as the formatter sees it: tokens with the gap before each, the bracket each belongs to, the canonical blank.

Only texts without mistakes come here. Where lines break is decided in `breaks.py` and `lines.py`.
"""

from __future__ import annotations

from striate_dsl.formatting.gaps import Gap, read_gap
from striate_dsl.layout import Layout
from striate_dsl.lexer import Token, tokenize

OPENING = frozenset({"LPAR", "LSQUARE", "LBRACE"})
CLOSING = frozenset({"RPAR", "RSQUARE", "RBRACE"})
_OPERAND_ENDS = frozenset({"NAME", "PATH", "NUMBER", "TEXT", "TRUE", "FALSE", "IN", "RPAR", "RSQUARE"})
_CLOSE_BEHIND = frozenset({"LPAR", "LSQUARE", "DOT", "RANGE"})
_CLOSE_BEFORE = frozenset({"RPAR", "RSQUARE", "DOT", "RANGE", "COMMA", "COLON"})


class Piece:
    """A token; `lead` is what stands before it in canonical form where no line break does.

    `mate` is the position of the other bracket (-1 for what is no bracket), `line_start` the offset of the source line,
    `separated` whether a statement begins here behind another, `prefix` whether it is a sign before a single operand,
    `broken` whether it begins a line in the result.
    """

    __slots__ = (
        "broken",
        "gap",
        "kind",
        "lead",
        "line_start",
        "mate",
        "padded",
        "prefix",
        "separated",
        "start",
        "text",
    )

    def __init__(self, token: Token, line_start: int, separated: bool, gap: Gap | None) -> None:
        self.kind = token.kind
        self.text = token.text
        self.start = token.start
        self.line_start = line_start
        self.separated = separated
        self.gap = gap
        self.mate = -1
        self.lead = ""
        self.prefix = False
        self.padded = False
        self.broken = False

    @property
    def has_comments(self) -> bool:
        return self.gap is not None and self.gap.has_comments

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"


def read_pieces(text: str) -> list[Piece]:
    """Return the tokens of a text without mistakes; the last one is the end of the file."""
    pieces: list[Piece] = []
    end = line_start = 0
    separated = False
    opened: list[int] = []
    for token in Layout(tokenize(text)[0]).arrange():
        if token.kind == "NEWLINE":
            separated = True
            continue
        gap = None
        between = text[end : token.start]
        if "\n" in between or "#" in between:
            gap = read_gap(between, end - line_start, first=not pieces)
            line_start = end + between.rfind("\n") + 1 if gap.broken else line_start
        piece = Piece(token, line_start, separated, gap)
        if pieces:
            _pair(pieces, piece, opened)
            piece.lead = _lead(pieces[-1], piece)
            piece.padded = gap is None and len(between) > len(piece.lead)
        pieces.append(piece)
        end, separated = token.end, False
    return pieces


def _pair(pieces: list[Piece], piece: Piece, opened: list[int]) -> None:
    if piece.kind in OPENING:
        opened.append(len(pieces))
    elif piece.kind in CLOSING:
        piece.mate = opened.pop()
        pieces[piece.mate].mate = len(pieces)


def _lead(before: Piece, piece: Piece) -> str:
    """What stands between two neighbours of one line."""
    kind, previous = piece.kind, before.kind
    if piece.separated:
        return "; "
    if kind in _CLOSE_BEFORE or previous in _CLOSE_BEHIND or before.prefix:
        piece.prefix = kind == "SIGN"
        return ""
    ends_operand = previous in _OPERAND_ENDS
    if kind == "SIGN":
        piece.prefix = not ends_operand
    elif kind in {"LPAR", "LSQUARE"}:
        return "" if ends_operand else " "
    elif kind == "IN" and previous in {"NAME", "RPAR"}:
        piece.kind = "LOOP_IN"  # `in` of a loop, which is no operand
    return "" if kind == "RBRACE" and previous == "LBRACE" else " "
