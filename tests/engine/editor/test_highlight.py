"""The Pygments lexer: found by name and ending, loses no character, and knows words, names and numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String

from striate.editor.highlight import CnnLexer

TEXT = """# a comment
block Unit(width = 8) { conv(width, 3, pad = half) -> bn }
model Net {
  input image: 3 x H x W where H % 2 == 0
  add { Unit(16); identity } -> relu as out
  if in.channels != 16 { Unit } else { relu }
  assert params <= 26M, "too big: {params}"
  output out
}
train Net { epochs = 3; seed = 1e2 }
"""


def kinds(text):
    return {(kind, value) for kind, value in CnnLexer().get_tokens(text)}


def test_pygments_finds_the_lexer():
    assert isinstance(get_lexer_by_name("cnn"), CnnLexer)
    assert isinstance(get_lexer_for_filename("net.cnn"), CnnLexer)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Comment.Single, "# a comment"),
        (Keyword.Declaration, "block"),
        (Name.Class, "Unit"),
        (Name.Attribute, "pad"),
        (Name.Function, "conv"),
        (Name, "half"),
        (Keyword.Declaration, "input"),
        (Name.Variable, "out"),
        (Operator.Word, "in"),
        (Keyword, "else"),
        (Number, "26M"),
        (Number, "1e2"),
        (String, '"too big: {params}"'),
        (Operator, "->"),
        (Keyword.Declaration, "train"),
        (Name.Class, "Net"),
    ],
)
def test_words_get_their_kind(kind, value):
    assert (kind, value) in kinds(TEXT)


@pytest.mark.parametrize("text", ["foo(input = 3)", "output(3)", "head.conv"])
def test_a_word_of_a_statement_may_be_a_plain_name(text):
    assert not any(kind is Keyword.Declaration for kind, _ in kinds(text))


def test_the_networks_of_the_zoo_have_nothing_that_is_unknown(repository):
    paths = sorted((repository / "plugins" / "striate_plugins" / "zoo").glob("*.cnn"))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        tokens = list(CnnLexer().get_tokens(text))
        assert not [value for kind, value in tokens if kind is Error]
        assert "".join(value for _, value in tokens) == text


@given(st.text(alphabet='ab1 .,"#{}()->=\\\nx', max_size=80))
def test_no_character_is_lost(text):
    lexer = CnnLexer(stripnl=False, ensurenl=False)
    assert "".join(value for _, value in lexer.get_tokens(text)) == text.replace("\r\n", "\n").replace("\r", "\n")
