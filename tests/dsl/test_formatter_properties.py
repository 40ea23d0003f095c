"""What holds for the canonical form of every text: it is the same file, with the same comments, and stays as it is."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from striate_dsl.formatter import format_source
from striate_dsl.lexer import tokenize
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from tests.dsl.trees import tree, zoo
from tests.dsl.written import files


def without_spans(node: Any) -> Any:
    """A tree as nested tuples that say everything but the places."""
    if isinstance(node, tuple):
        return tuple(map(without_spans, node))
    if not is_dataclass(node) or isinstance(node, Span):
        return None if isinstance(node, Span) else (type(node).__name__, node)
    return (type(node).__name__, *(without_spans(getattr(node, field.name)) for field in fields(node)))


def comments(text: str) -> list[str]:
    """The comments of a text, found between the tokens."""
    found, end = [], 0
    for token in tokenize(text)[0]:
        found += re.findall(r"#[^\n]*", text[end : token.start])
        end = token.end
    return [comment.rstrip(" \t\r") for comment in found]


def check(text: str) -> str:
    """Format a text without mistakes and check everything that must hold."""
    formatted = format_source(Source("any.cnn", text)).text
    assert formatted is not None
    assert without_spans(tree(formatted)) == without_spans(tree(text))
    assert comments(formatted) == comments(text)
    assert format_source(Source("any.cnn", formatted)).text == formatted
    check_blanks(formatted)
    return formatted


def check_blanks(text: str) -> None:
    lines = text.split("\n")
    assert lines[-1] == ""
    assert lines[0] and lines[-2]
    for line, following in pairwise(lines):
        assert line == line.rstrip(" \t")
        assert not line.startswith("\t")
        assert line or following
        assert line or not following.lstrip().startswith(("}", ")", "]"))


@given(files)
@settings(max_examples=400)
def test_whole_random_files(text):
    check(text)


@st.composite
def reflowed(draw) -> str:
    """A network of the zoo with blanks, line breaks and comments put in or taken out anywhere."""
    text = draw(st.sampled_from(sorted(zoo().values())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.sampled_from([0, 0, 1, 3]))
        inserted = draw(
            st.sampled_from(["", " ", "   ", "\n", "\n\n\n", ";", " # note\n", "\n# own\n", "\t", "\r\n", "  x"])
        )
        text = text[:at] + inserted + text[end:]
    return text


@given(reflowed())
@settings(max_examples=300)
def test_mutations_of_the_zoo(text):
    result = parse(Source("any.cnn", text))
    formatted = format_source(Source("any.cnn", text))
    if result.file is None:
        assert formatted.text is None
        assert [found.message for found in formatted.diagnostics] == [found.message for found in result.diagnostics]
    elif "\r\n" not in text:
        check(text)


@given(st.text(max_size=60))
@example("\ufeffmodel A { relu }")
@example("model A {\r\n relu\r\n}\r\n")
def test_any_text(text):
    formatted = format_source(Source("any.cnn", text)).text
    if formatted is not None:
        assert format_source(Source("any.cnn", formatted)).text == formatted
