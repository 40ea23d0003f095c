"""What our own lexer and layout say about each piece of a text; every highlighter is held against it."""

from __future__ import annotations

from typing import NamedTuple

from striate_dsl.comments import comments
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS, Layout
from striate_dsl.lexer import RESERVED, tokenize
from striate_dsl.source import Source

COMMENT, TEXT, NUMBER, KEYWORD, NAME = "comment", "text", "number", "keyword", "name"
_KEYWORDS = {*RESERVED.values(), *DEFINITION_WORDS.values(), *STATEMENT_WORDS.values(), "WHERE"}
_KINDS = {"TEXT": TEXT, "NUMBER": NUMBER, "VERSION": NUMBER, "NAME": NAME} | dict.fromkeys(_KEYWORDS, KEYWORD)


class Piece(NamedTuple):
    """A comment, text, number, keyword or name, and where it lies."""

    start: int
    end: int
    kind: str
    text: str


def read(text: str) -> list[Piece]:
    """Return the pieces of a legal text in order; signs are left out."""
    source = Source("text", text)
    found = [Piece(span.start, span.end, COMMENT, span.text) for span in comments(source)]
    for token in Layout(tokenize(text)[0]).arrange():
        kind = _KINDS.get(token.kind)
        if kind is not None:
            found.append(Piece(token.start, token.end, kind, token.text))
    return sorted(found)


def place(text: str, piece: Piece) -> str:
    """Say where a piece lies, with its line, for a message."""
    line = text.count("\n", 0, piece.start)
    return f"line {line + 1}: {piece.kind} {piece.text!r} in {text.splitlines()[line]!r}"


def hangs_on_another_line(text: str, piece: Piece) -> bool:
    """Whether `in` is a name because of a `.` or `=` on another line; highlighters see one line at a time."""
    before = text[text.rfind("\n", 0, piece.start) + 1 : piece.start].rstrip()
    after = text[piece.end :].partition("\n")[0].lstrip()
    return (piece.kind, piece.text) == (NAME, "in") and not before.endswith(".") and not after.startswith("=")
