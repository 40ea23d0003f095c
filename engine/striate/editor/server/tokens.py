"""What each piece of a text is, for colouring by meaning: a layer, a block, a value, a parameter, a choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from striate.editor.server.names import Sight, is_definition, symbol_of
from striate.editor.server.words import Role, Word
from striate_dsl.comments import comments
from striate_dsl.lexer import RESERVED
from striate_dsl.source import Source

TYPES = (
    "keyword",
    "comment",
    "string",
    "number",
    "operator",
    "namespace",
    "class",
    "type",
    "function",
    "variable",
    "parameter",
    "property",
    "enumMember",
)
"""The types of the protocol that are used, in the order of their numbers."""

MODIFIERS = ("declaration", "readonly", "defaultLibrary")
"""The modifiers that are used."""

_OPERATORS = frozenset({"ARROW", "EQUALS", "SIGN", "TIMES", "COMPARE", "RANGE"})
_WORD_OPERATORS = frozenset({"and", "or", "not", "in"})
_BY_SYMBOL = {
    "layer": ("function", ("defaultLibrary",)),
    "head": ("function", ("defaultLibrary",)),
    "record": ("function", ("defaultLibrary",)),
    "argument": ("parameter", ()),
    "block": ("class", ()),
    "model": ("type", ()),
    "file": ("namespace", ()),
    "renamed": ("function", ()),
    "used": ("namespace", ()),
    "plugin": ("namespace", ()),
    "size": ("variable", ("readonly",)),
    "output": ("variable", ()),
    "recipe": ("type", ()),
    "profile": ("type", ()),
    "setting": ("property", ()),
}


class Token(NamedTuple):
    """A piece from `start` to `end`, its type and its modifiers."""

    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


def semantic_tokens(sight: Sight, start: int = 0, end: int | None = None) -> list[Token]:
    """Return the pieces of a text, or of a stretch of it, in order."""
    stop = len(sight.scan.text) if end is None else end
    found = [token for token in _all(sight) if token.end > start and token.start < stop]
    return sorted(found)


def _all(sight: Sight) -> Iterator[Token]:
    words = {word.start: word for word in sight.scan.words}
    texts: list[tuple[int, int]] = []
    for piece in sight.scan.tokens:
        word = words.get(piece.start)
        if word is not None and word.role is not Role.PLACEHOLDER:
            yield _word(word, sight)
        elif piece.kind == "NUMBER":
            yield Token(piece.start, piece.end, "number")
        elif piece.kind in ("TEXT", "OPEN_TEXT", "QUOTED"):
            texts.append((piece.start, piece.end))
        elif piece.kind in _OPERATORS:
            yield Token(piece.start, piece.end, "operator")
    yield from (Token(span.start, span.end, "comment") for span in comments(Source("", sight.scan.text)))
    yield from _quoted(texts, sight)


def _quoted(texts: list[tuple[int, int]], sight: Sight) -> Iterator[Token]:
    """Yield texts in quotes, cut where names stand in them; tokens must not overlap."""
    names = [word for word in sight.scan.words if word.role is Role.PLACEHOLDER]
    for start, end in texts:
        done = start
        for word in names:
            if start <= word.start < end:
                yield Token(done, word.start, "string")
                yield _word(word, sight)
                done = word.end
        yield Token(done, end, "string")


def _word(word: Word, sight: Sight) -> Token:
    if word.role is Role.KEYWORD or (word.text in RESERVED and word.role is not Role.ARGUMENT):
        kind = "operator" if word.text in _WORD_OPERATORS or word.text == "x" else "keyword"
        return Token(word.start, word.end, kind)
    symbol = symbol_of(word, sight)
    if symbol is None:
        return Token(word.start, word.end, "property" if word.role is Role.ATTRIBUTE else "enumMember")
    gives = ("declaration",) if is_definition(word, sight) else ()
    if symbol.kind == "local":
        bound = sight.bindings(sight.scan.by_name.get(symbol.home)).get(word.text, [])
        roles = {item.role for item in bound}
        is_parameter = Role.PARAMETER in roles or (not roles and word.role is Role.ARGUMENT)
        return Token(word.start, word.end, "parameter" if is_parameter else "variable", gives)
    kind, modifiers = _BY_SYMBOL[symbol.kind]
    return Token(word.start, word.end, kind, (*gives, *modifiers))
