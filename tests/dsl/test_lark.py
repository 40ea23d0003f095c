"""Our loop over Lark's tables against Lark's own parser: they take and refuse the same tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from striate_dsl.automaton import Automaton
from striate_dsl.diagnostics import Diagnostics
from striate_dsl.grammar_tables import START
from striate_dsl.layout import Layout
from striate_dsl.lexer import END, Token, tokenize
from striate_dsl.source import Source
from striate_dsl.tables import grammar_text, tables
from striate_dsl.tree import Builder

TEXT = """
language 1
requires detection >= 1.0
block B(a, b = 2) { repeat 2 { conv(a, 3, pad = half) -> bn }; add { identity; { relu; conv(b, 1) as c } } -> relu }
model M(n = 10) {
  input image: 3 x H x W where H % 32 == 0 { color = rgb }
  for (w, d) in [(64, 1), (128, 2)] { repeat i in 0..d { B(w if d > 1 else 2 * w) } }
  if in.channels != 3 and not false { conv(-1 + n // 2, 1) } else if true { relu } else { tanh }
  let t = B(4)
  image -> t as e
  assert params <= 26M, "too big: {params}"
  output y
}
model V = M(n = max(3, 4))
train M as long { optimizer = sgd(lr = 1e-4); schedule { warmup = 1 } }
"""


class Given(Lexer):
    """Gives Lark the tokens it is called with."""

    def __init__(self, _configuration: object) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[LarkToken]:
        for token in lexer_state:
            yield LarkToken(token.kind, "")


@pytest.fixture(scope="module")
def lark() -> Lark:
    return Lark(grammar_text(), parser="lalr", lexer=Given, start=START)


def lark_takes(lark: Lark, tokens: list[Token]) -> bool:
    frontend: Any = lark.parser
    try:
        frontend.parser.parse(Stream(tokens), START)
    except UnexpectedToken:
        return False
    return True


class Stream:
    """The lexer thread that Lark's parser pulls tokens from."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens

    def lex(self, parser_state: Any) -> Iterator[LarkToken]:
        return (LarkToken(token.kind, "") for token in self.tokens if token.kind != END)


def we_take(source: Source, tokens: list[Token]) -> bool:
    return Automaton(tables(), Builder(source, Diagnostics())).run(tokens) == len(tokens)


def arranged(source: Source) -> list[Token]:
    raw, odd = tokenize(source.text)
    assert not odd
    return Layout(raw).arrange()


def test_a_file_with_every_statement_is_taken_by_both(lark):
    source = Source("all.cnn", TEXT)
    tokens = arranged(source)
    assert we_take(source, tokens)
    assert lark_takes(lark, tokens)


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_changed_tokens_are_judged_alike(lark, seed, changes):
    source = Source("all.cnn", TEXT)
    tokens = arranged(source)
    chance = random.Random(seed)
    for _ in range(changes):
        at, other = chance.randrange(len(tokens) - 1), chance.randrange(len(tokens) - 1)
        kind = chance.choice(("drop", "double", "swap"))
        if kind == "drop":
            del tokens[at]
        elif kind == "double":
            tokens.insert(at, tokens[other])
        else:
            tokens[at], tokens[other] = tokens[other], tokens[at]
    assert we_take(source, tokens) == lark_takes(lark, tokens)
