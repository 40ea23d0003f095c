"""Offsets against lines and columns in UTF-16, with characters of one and two units, and all kinds of line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.editor.server.difference import Difference
from striate.editor.server.places import Lines, Place, readable

TEXTS = st.text(st.sampled_from("ab \n\r#é€😀🧠\u2028\x0b\x85"), max_size=40)
UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def units(text: str, encoding: str) -> int:
    codec, size = UNITS[encoding]
    return len(text.encode(codec)) // size


@pytest.mark.parametrize("encoding", UNITS)
@given(text=TEXTS, data=st.data())
def test_a_place_is_the_line_and_the_units_before_it(encoding, text, data):
    text = readable(text)
    offset = data.draw(st.integers(0, len(text)))
    lines = text[:offset].split("\n")
    place = Lines(text, encoding).place(offset)
    assert place == Place(len(lines) - 1, units(lines[-1], encoding))


@pytest.mark.parametrize("encoding", UNITS)
@given(text=TEXTS, data=st.data())
def test_a_place_leads_back_to_its_offset(encoding, text, data):
    text = readable(text)
    offset = data.draw(st.integers(0, len(text)))
    lines = Lines(text, encoding)
    back = lines.offset(*lines.place(offset))
    inside_break = text[offset - 1 : offset + 1] == "\r\n"
    assert back == (offset - 1 if inside_break else offset)


@given(text=TEXTS, line=st.integers(-2, 50), column=st.integers(-5, 60))
def test_places_that_do_not_exist_are_moved_into_the_text(text, line, column):
    text = readable(text)
    lines = Lines(text)
    found = lines.place(lines.offset(line, column))
    assert 0 <= lines.offset(line, column) <= len(text)
    if 0 <= line < len(lines.starts):
        assert found.line == line
        assert found.column <= max(column, 0)


def test_a_column_within_an_astral_character_is_its_beginning():
    lines = Lines("# 😀 x")
    assert [lines.offset(0, column) for column in range(7)] == [0, 1, 2, 2, 3, 4, 5]


def test_a_lone_carriage_return_is_a_line_break_like_when_the_file_is_read():
    assert readable("a\rb\r\nc") == "a\nb\r\nc"


@given(before=TEXTS, removed=TEXTS, added=TEXTS, behind=TEXTS, data=st.data())
def test_what_is_before_and_behind_a_change_is_found_again(before, removed, added, behind, data):
    old, new = before + removed + behind, before + added + behind
    difference = Difference(old, new)
    assert difference.prefix >= len(before)
    assert difference.prefix + difference.suffix >= len(before) + len(behind)
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    moved = difference.to_new(start, end)
    if moved is None:
        assert end > difference.prefix
        assert start < len(old) - difference.suffix
    else:
        assert old[start:end] == new[slice(*moved)]
        assert difference.to_old(*moved) is not None
