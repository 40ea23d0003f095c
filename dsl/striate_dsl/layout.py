"""Decides what depends on the place of a token: separating line breaks, keywords, and the `x` between sizes.

Works on tokens whose brackets are balanced (`brackets.py` sees to that); the grammar then needs no exceptions for any
of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from striate_dsl.lexer import END, RESERVED, Token

DEFINITION_WORDS = {
    "block": "BLOCK",
    "export": "EXPORT",
    "language": "LANGUAGE",
    "model": "MODEL",
    "profile": "PROFILE",
    "requires": "REQUIRES",
    "search": "SEARCH",
    "train": "TRAIN",
    "use": "USE",
}
STATEMENT_WORDS = {"head": "HEAD", "input": "INPUT", "let": "LET", "output": "OUTPUT"}
_OPENING_WORDS = DEFINITION_WORDS | STATEMENT_WORDS

_RESERVED_KINDS = frozenset(RESERVED.values())
_WORDS = _RESERVED_KINDS | {"NAME"}
_STARTS = frozenset({"", "NEWLINE", "LBRACE"})
_GOING_ON = frozenset({"ARROW", "ELSE"})
_OPENS_SETTINGS = frozenset({"EXPORT", "INPUT", "PROFILE", "SEARCH", "TRAIN"})
_ALONE = frozenset({"NEWLINE", "SEMICOLON", "RBRACE", END})
_AFTER_OPENING_WORD = {"INPUT": _ALONE | {"COLON"}, "LANGUAGE": {"NUMBER"}, "LET": _ALONE | {"EQUALS", "PATH"}}
_AFTER_OPENING_WORD |= {"OUTPUT": _ALONE | {"PATH"}, "USE": {"TEXT"}}
_OPERAND_ENDS = frozenset({"NAME", "NUMBER", "RPAR", "RSQUARE", "IN", "TRUE", "FALSE"})
_SIZE_PIECES = re.compile(r"x|[0-9]+|[A-Z]")
_GLUED_SIZES = re.compile(r"(?:[0-9]+|[A-Z])(?:x(?:[0-9]+|[A-Z]))*x?|x(?:[0-9]+|[A-Z])(?:x(?:[0-9]+|[A-Z]))*x?")
_TRACKED = (
    _RESERVED_KINDS
    | {"NAME", "PATH", "NEWLINE", "SEMICOLON", "LBRACE", "RBRACE", "LPAR", "RPAR", "LSQUARE", "RSQUARE"}
    | {"ARROW", "COLON", "BAD_NUMBER", "NUMBER", END}
)


@dataclass(slots=True)
class _Frame:
    """What is known inside one pair of braces (or at the top level)."""

    top: bool = False
    settings: bool = False
    statement: str = ""
    brackets: int = 0
    sizes: bool = False


class Layout:
    """One run over the tokens of a file; `arrange` returns them as the grammar wants them."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._out: list[Token] = []
        self._frame = _Frame(top=True)
        self._outer: list[_Frame] = []

    def arrange(self) -> list[Token]:
        """Return the tokens with separating line breaks only, keywords where they are keywords, and sizes split."""
        out = self._out
        previous = ""
        for position, token in enumerate(self._tokens):
            if token.kind in _TRACKED:
                self._place(position, token, previous)
                previous = out[-1].kind if out else ""
            else:
                out.append(token)
                previous = token.kind
        return out

    def _place(self, position: int, token: Token, previous: str) -> None:
        kind, frame = token.kind, self._frame
        if kind == "PATH":
            if previous in _STARTS:
                frame.statement, frame.sizes = kind, False
            self._out.append(token)
        elif kind in _WORDS:
            if previous in _STARTS or previous == "DOT" or frame.sizes or kind != "NAME":
                self._word(position, token, previous)
            else:
                self._out.append(token)
        elif kind in {"NUMBER", "BAD_NUMBER"}:
            self._number(token, previous)
        elif kind in {"NEWLINE", "SEMICOLON"}:
            self._separator(token, previous)
        elif kind in {"LPAR", "LSQUARE"}:
            frame.brackets += 1
            self._out.append(token)
        elif kind in {"RPAR", "RSQUARE"}:
            frame.brackets -= 1
            self._out.append(token)
        else:
            self._edge(token, previous)

    def _edge(self, token: Token, previous: str) -> None:
        """Braces, arrows, colons and the end of the file."""
        kind = token.kind
        if previous == "NEWLINE" and kind not in {"LBRACE", "COLON"}:
            self._out.pop()
        self._out.append(token)
        if kind == "LBRACE":
            settings = self._frame.settings or self._frame.statement in _OPENS_SETTINGS
            if previous in _STARTS:
                self._frame.statement = kind
                settings = self._frame.settings
            self._frame.sizes = False
            self._outer.append(self._frame)
            self._frame = _Frame(settings=settings)
        elif kind == "RBRACE" and self._outer:
            self._frame = self._outer.pop()
        elif kind == "COLON" and self._frame.statement == "INPUT":
            self._frame.sizes = True

    def _separator(self, token: Token, previous: str) -> None:
        if self._frame.brackets or previous in _STARTS or (previous in _GOING_ON and token.kind == "NEWLINE"):
            return
        token.kind = "NEWLINE"
        self._frame.sizes = False
        self._out.append(token)

    def _word(self, position: int, token: Token, previous: str) -> None:
        following = self._tokens[position + 1].kind
        frame = self._frame
        chained = token.kind == "ELSE" and previous == "NEWLINE" and not frame.settings
        if previous in _STARTS and not frame.brackets and not chained:
            token.kind = self._opening_kind(token, following)
            frame.statement, frame.sizes = token.kind, False
        elif token.kind != "NAME":
            if previous == "DOT" or (following == "EQUALS" and frame.brackets and previous in {"LPAR", "COMMA"}):
                token.kind = "NAME"
            elif chained:
                self._out.pop()
        elif frame.sizes and frame.brackets == 0:
            self._size_word(token, previous)
            return
        self._out.append(token)

    def _opening_kind(self, token: Token, following: str) -> str:
        """The kind of a word that opens a statement."""
        if self._frame.settings:
            return "NAME"
        kind = _OPENING_WORDS.get(token.text)
        if token.kind != "NAME" or kind is None:
            return token.kind
        if self._frame.top and token.text in DEFINITION_WORDS:
            return kind
        names_something = following in _WORDS or following in _AFTER_OPENING_WORD.get(kind, ())
        return kind if names_something else "NAME"

    def _number(self, token: Token, previous: str) -> None:
        frame = self._frame
        if frame.statement == "REQUIRES" and previous == "COMPARE":
            token.kind = "VERSION"
        elif token.kind == "BAD_NUMBER" and frame.sizes and frame.brackets == 0 and _GLUED_SIZES.fullmatch(token.text):
            self._split_sizes(token)
            return
        self._out.append(token)

    def _size_word(self, token: Token, previous: str) -> None:
        """A word among the sizes of an input: `x`, `where`, a symbol, or several of them written together."""
        if previous in _OPERAND_ENDS and token.text == "where":
            token.kind = "WHERE"
            self._frame.sizes = False
        elif previous in _OPERAND_ENDS and token.text == "x":
            token.kind = "X"
        elif (previous in _OPERAND_ENDS) == (token.text[0] == "x") and _GLUED_SIZES.fullmatch(token.text):
            self._split_sizes(token)
            return
        self._out.append(token)

    def _split_sizes(self, token: Token) -> None:
        for match in _SIZE_PIECES.finditer(token.text):
            piece = match[0]
            kind = "X" if piece == "x" else "NUMBER" if piece.isdigit() else "NAME"
            self._out.append(Token(kind, piece, token.start + match.start(), token.start + match.end()))
