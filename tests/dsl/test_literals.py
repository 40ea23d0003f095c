"""Numbers and texts: what they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate_dsl.lexer import tokenize
from striate_dsl.literals import LARGEST, number, text


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("3", 3),
        ("0", 0),
        ("007", 7),
        ("1_000", 1000),
        ("0.5", 0.5),
        ("1.0", 1.0),
        ("1e-4", 1e-4),
        ("2E3", 2000.0),
        ("5M", 5_000_000),
        ("300k", 300_000),
        ("4G", 4_000_000_000),
        ("1.5M", 1_500_000),
        ("0.25k", 250),
        ("1.2345k", 1234.5),
        ("0" * 5000 + "1", 1),
        (str(LARGEST), LARGEST),
    ],
)
def test_numbers(literal, value):
    assert number(literal) == value
    assert type(number(literal)) is type(value)


@pytest.mark.parametrize("literal", [str(LARGEST + 1), "9" * 5000, "1e999", "9" * 18 + "M", "1" + "0" * 400 + ".5"])
def test_numbers_that_are_too_large(literal):
    assert number(literal) is None


@given(st.integers(0, LARGEST))
def test_whole_numbers_come_back(value):
    assert number(f"{value:_}") == number(str(value)) == value


@given(st.floats(0, 1e300))
def test_fractions_come_back(value):
    written = repr(value)
    if "." in written or "e" in written:
        assert number(written) == value


@given(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])))
def test_texts_come_back(value):
    written = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    tokens, odd = tokenize(written)
    assert [token.kind for token in tokens] == ["TEXT", "$END"]
    assert not odd
    assert text(written) == value


def test_escapes():
    assert text(r'"a\n\t\"\\n"') == 'a\n\t"\\n'


@pytest.mark.parametrize("literal", ["1", "1.5", "0", "1e5", "1e-5", "1_0", "5M", "0.5k"])
def test_numbers_are_one_token(literal):
    tokens, odd = tokenize(literal)
    assert [token.kind for token in tokens] == ["NUMBER", "$END"]
    assert not odd


@pytest.mark.parametrize("literal", ["5x", "1.2.3", "5MB", "0x10", "1e", "3_a", "5m"])
def test_what_only_begins_like_a_number_is_one_token(literal):
    tokens, odd = tokenize(literal)
    assert [token.kind for token in tokens] == ["BAD_NUMBER", "$END"]
    assert odd


def test_a_range_is_not_a_fraction():
    assert [token.text for token in tokenize("0..5")[0]] == ["0", "..", "5", ""]
