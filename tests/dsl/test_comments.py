"""Comments are found exactly where the lexer skips them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate_dsl.comments import comments
from striate_dsl.lexer import tokenize
from striate_dsl.source import Source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("conv(3)", []),
        ("# a", ["# a"]),
        ("relu # a  \n#b\n  # c # d\r\nx", ["# a", "#b", "# c # d"]),
        ('assert a, "# no" # yes', ["# yes"]),
        ('assert a, "\\"# no" # yes', ["# yes"]),
        ('"open # no\n# yes', ["# yes"]),
        ("'quoted # no' # yes", ["# yes"]),
        ("/* # no */ # yes", ["# yes"]),
        ("##\n#", ["##", "#"]),
    ],
)
def test_comments_are_found(text, expected):
    assert [span.text for span in comments(Source("net.cnn", text))] == expected


@given(st.text(alphabet="#\"\\'\n\r a1(→/*", max_size=40))
def test_comments_lie_between_tokens_and_hold_every_hash_there(text):
    found = comments(Source("net.cnn", text))
    covered = {place for token in tokenize(text)[0] for place in range(token.start, token.end)}
    commented = {place for span in found for place in range(span.start, span.end)}
    assert not covered & commented
    assert {place for place, sign in enumerate(text) if sign == "#"} <= covered | commented
    assert all(span.text.startswith("#") and "\n" not in span.text for span in found)
