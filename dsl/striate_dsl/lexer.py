"""Cuts a text into words, numbers, texts and signs; never fails.

What is not part of the language becomes a `BAD` token, which `odd_signs.py` explains and repairs afterwards. Which line
breaks count, and which words are keywords where, is decided in `layout.py`.
"""

from __future__ import annotations

import re

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

NUMBER = r"(?:[0-9][0-9_]*)(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+|[kMG])?(?![A-Za-z0-9_]|\.[0-9])"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"

# Signs of other languages come first, so that `=>` or `**` is one mistake and not two tokens.
_FOREIGN = r"/\*(?s:.*?)(?:\*/|\Z)|\*\*|->>|=>|=<|<>|===|!==|:=|&&|\|\|?|\+\+|--(?!>)|[-+*/%]=(?!=)|!(?!=)|\.\.\.|\.\.="

_MASTER = re.compile(
    rf"""[ \t\r]*(?:\#[^\n]*)?(?:
      (?P<NAME>{NAME})
    | (?P<NUMBER>{NUMBER})
    | (?P<NEWLINE>\n)
    | (?P<FOREIGN>{_FOREIGN})
    | (?P<SIGN>->|\.\.|[=!<>]=|//|[-()\[\]{{}},:;.=+*/%<>])
    | (?P<TEXT>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<OPEN_TEXT>"[^\n]*)
    | (?P<QUOTED>'(?:[^'\\\n]|\\[^\n])*')
    | (?P<BAD_NUMBER>[0-9][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
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


def tokenize(text: str) -> list[Token]:
    """Return the tokens of `text`, closed by one of kind `END`; every character outside blanks and comments is in one."""
    tokens: list[Token] = []
    add = tokens.append
    reserved = RESERVED.get
    for match in _MASTER.finditer(text):
        kind = match.lastgroup
        assert kind is not None, "every alternative of the pattern is a named group"
        piece = match[kind]
        start, end = match.span(kind)
        if kind == "NAME":
            kind = reserved(piece, kind)
        elif kind == "SIGN":
            kind = SIGNS[piece]
        elif kind == "REST":
            break
        add(Token(kind, piece, start, end))
    add(Token(END, "", len(text), len(text)))
    return tokens
