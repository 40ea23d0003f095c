"""Cuts a text into words, numbers, texts and signs; never fails.

A dotted name with the number of a round in it (`stage1.2.conv1`) is one word, of kind PATH.

What is not part of the language becomes a token of one of the kinds `ODD`, which `odd_signs.py` explains and repairs.
Which line breaks count, and which words are keywords where, is decided in `layout.py`.
"""

from __future__ import annotations

import re
from itertools import islice

END = "$END"

RESERVED = {
    "and": "AND",
    "as": "AS",
    "assert": "ASSERT",
    "else": "ELSE",
    "false": "FALSE",
    "for": "FOR",
    "if": "IF",
    "in": "IN",
    "not": "NOT",
    "or": "OR",
    "repeat": "REPEAT",
    "true": "TRUE",
}
"""The words that are never names (they may still be the key of an argument or setting)."""

FOREIGN_WORDS = ("True", "False", "None", "elif")
_WORDS = RESERVED | dict.fromkeys(FOREIGN_WORDS, "FOREIGN_WORD")

SIGNS = {
    "(": "LPAR",
    ")": "RPAR",
    "[": "LSQUARE",
    "]": "RSQUARE",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ":": "COLON",
    ";": "SEMICOLON",
    ".": "DOT",
    "..": "RANGE",
    "->": "ARROW",
    "=": "EQUALS",
    "+": "SIGN",
    "-": "SIGN",
    "*": "TIMES",
    "/": "TIMES",
    "//": "TIMES",
    "%": "TIMES",
    "==": "COMPARE",
    "!=": "COMPARE",
    "<": "COMPARE",
    "<=": "COMPARE",
    ">": "COMPARE",
    ">=": "COMPARE",
}

ODD = frozenset({"FOREIGN", "FOREIGN_WORD", "ODD_WORD", "OPEN_TEXT", "OPEN_QUOTE", "QUOTED", "BAD_NUMBER", "BAD"})
"""The kinds that are not in the language; BAD_NUMBER may still turn out to be sizes (`3x224x224`) or a version."""

# Signs of other languages come first, so that `=>` or `**` is one mistake and not two tokens.
_FOREIGN = r"/\*(?s:.*?)(?:\*/|\Z)|\*\*|->>|--+>|~>|=>|=<|<>|===|!==|:=|&&?|\|>|\|\|?|[-+*/%]=(?!=)|!(?!=)|\.\.\.|\.\.="

_WORD = r"[A-Za-z_][A-Za-z0-9_]*+"

_MASTER = re.compile(
    rf"""[ \t\r]*+(?:\#[^\n]*+)?(?:
      (?P<PATH>{_WORD}(?:(?:\.{_WORD})*+\.[0-9]++)++(?:\.{_WORD})*+(?!\w))
    | (?P<NAME>[A-Za-z_][A-Za-z0-9_]*+(?!\w))
    | (?P<NUMBER>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+|[kMG])?(?!\w|\.[0-9]))
    | (?P<NEWLINE>\n)
    | (?P<FOREIGN>{_FOREIGN})
    | (?P<SIGN>->|\.\.|[=!<>]=|//|[-()\[\]{{}},:;.=+*/%<>])
    | (?P<TEXT>"(?:[^"\\\n]|\\[^\n])*+")
    | (?P<OPEN_TEXT>"[^\n]*+)
    | (?P<QUOTED>'(?:[^'\\\n]|\\[^\n])*+'|[\u201c\u201d\u201e][^\n"\u201c\u201d\u201e]*+[\u201c\u201d"]
        |[\u2018\u2019\u201a][^\n'\u2018\u2019\u201a]*+[\u2018\u2019'])
    | (?P<OPEN_QUOTE>'[^\n]*+)
    | (?P<BAD_NUMBER>[0-9]\w*+(?:\.\w++)*+)
    | (?P<ODD_WORD>[^\W\d]\w*+)
    | (?P<BAD>[^ \t\r\n\#])
    | (?P<REST>\Z)
    )""",
    re.VERBOSE,
)


class Token:
    """A piece of the text: its kind, its characters and where they lie (`end` is exclusive)."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"


def tokenize(text: str, start: int = 0, end: int | None = None, most: int | None = None) -> tuple[list[Token], bool]:
    """Return the tokens of `text` (or of a part of it), closed by one of kind `END`, and whether some kind is `ODD`.

    Every character outside blanks and comments lies in exactly one token. Of more than `most` tokens, one more than
    that is returned, so that it shows.
    """
    tokens: list[Token] = []
    add = tokens.append
    words = _WORDS.get
    odd = False
    stop = len(text) if end is None else end
    matches = _MASTER.finditer(text, start, stop)
    for match in matches if most is None else islice(matches, most + 1):
        kind = match.lastgroup
        assert kind is not None, "every alternative of the pattern is a named group"
        piece = match[kind]
        first, last = match.span(kind)
        if kind == "NAME":
            kind = words(piece, kind)
            odd = odd or kind == "FOREIGN_WORD"
        elif kind == "SIGN":
            kind = SIGNS[piece]
        elif kind in ODD:
            odd = True
        elif kind == "REST":
            break
        add(Token(kind, piece, first, last))
    add(Token(END, "", stop, stop))
    return tokens, odd


def stand_ins(text: str, start: int, end: int) -> list[Token]:
    """Return the tokens of a text that replaces the characters from `start` to `end`: that is where all of them lie."""
    return [Token(piece.kind, piece.text, start, end) for piece in tokenize(text)[0][:-1]]
