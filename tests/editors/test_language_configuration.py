"""VS Code's indentation and line rules, run as JavaScript, against texts in canonical form."""

from __future__ import annotations

import json

import pytest

from striate_dsl.formatter import format_source
from striate_dsl.lexer import tokenize
from striate_dsl.source import Source
from tests.editors.corpus import examples, files

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("node")]


@pytest.fixture(scope="module")
def configuration(editors):
    return json.loads((editors / "vscode" / "language-configuration.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def canonical(repository):
    corpus = {**files(repository), **examples(repository)}
    return [format_source(Source(name, text)).text for name, text in corpus.items()]


def test_lines_that_end_with_an_open_bracket_indent_the_next(workshop, configuration, canonical):
    rules = configuration["indentationRules"]
    lines = sorted({line for text in canonical for line in text.splitlines() if line.strip()})
    increase, decrease = workshop.expressions([rules["increaseIndentPattern"], rules["decreaseIndentPattern"]], lines)
    opens = [tokenize(line)[0][-2:-1] for line in lines]
    expected = [bool(last) and last[0].kind in {"LBRACE", "LPAR", "LSQUARE"} for last in opens]
    assert increase == expected
    assert decrease == [line.lstrip()[:1] in {"}", ")", "]"} for line in lines]
    assert sum(expected) > 20


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("block A {  # a body", True),
        ("# no body {", False),
        ('assert a, "{params}"', False),
        ('assert a, "say \\" {"', False),
        ('train A { data = digits("x"); y = [  # list', True),
        ("add { relu }", False),
    ],
)
def test_brackets_in_comments_and_texts_do_not_count(workshop, configuration, line, opens):
    assert workshop.expressions([configuration["indentationRules"]["increaseIndentPattern"]], [line]) == [[opens]]


def test_what_enter_does(workshop, configuration):
    """A comment that is cut in two goes on as one; a line that ends with an arrow goes on one level in."""
    comment, arrow = configuration["onEnterRules"]
    lines = ["  # a comment", "#", "relu  # a comment", "conv(8) ->", "  -> conv(8) ->", "a -> b", '"-> # ->', "# ->"]
    found = workshop.expressions([comment["beforeText"]["pattern"], arrow["beforeText"]["pattern"]], lines)
    assert [line for line, hit in zip(lines, found[0], strict=True) if hit] == ["  # a comment", "#", "# ->"]
    assert [line for line, hit in zip(lines, found[1], strict=True) if hit] == ["conv(8) ->"]
    assert comment["action"] == {"indent": "none", "appendText": "# "}
    assert arrow["action"] == {"indent": "indent"}


def test_a_number_is_one_word(workshop, configuration):
    pattern = f"^(?:{configuration['wordPattern']})$"
    words = ["conv2", "1e-4", "300k", "0.5", "1_000", "a-b", "in.channels", "->"]
    (found,) = workshop.expressions([pattern], words)
    assert found == [True] * 5 + [False] * 3


def test_brackets_and_comments_are_the_languages(configuration):
    assert configuration["comments"] == {"lineComment": "#"}
    pairs = [tuple(pair) for pair in configuration["brackets"]]
    assert pairs == [("{", "}"), ("(", ")"), ("[", "]")]
    assert [(each["open"], each["close"]) for each in configuration["autoClosingPairs"]] == [*pairs, ('"', '"')]
