"""Edits are made from the end, and of repairs that overlap the first wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.edits import apply_edits, compatible
from striate_dsl.source import Source, Span

SOURCE = Source("net.cnn", "abcdefghij")


def edit(start: int, end: int, text: str = "") -> Edit:
    return Edit(Span(SOURCE, start, end), text)


def fix(*places: tuple[int, int]) -> Fix:
    return Fix("fix", tuple(edit(start, end) for start, end in places), "safe")


def test_edits_do_not_move_each_other():
    assert apply_edits(SOURCE.text, [edit(0, 1, "AAA"), edit(9, 10, ""), edit(4, 4, "-")]) == "AAAbcd-efghi"


@given(st.lists(st.integers(0, 10), min_size=2, max_size=8, unique=True), st.text(max_size=3))
def test_what_lies_outside_the_edits_stays(bounds, text):
    bounds = sorted(bounds)[: len(bounds) // 2 * 2]
    pairs = list(zip(bounds[::2], bounds[1::2], strict=True))
    result = apply_edits(SOURCE.text, [edit(start, end, text) for start, end in pairs])
    kept = [SOURCE.text[end:start] for (_, end), (start, _) in zip([(0, 0), *pairs], [*pairs, (10, 10)], strict=True)]
    assert result == text.join(kept)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (fix((0, 2)), fix((3, 4)), True),
        (fix((0, 3)), fix((2, 4)), False),
        (fix((0, 2)), fix((2, 4)), False),
        (fix((2, 2)), fix((2, 2)), False),
        (fix((0, 1), (8, 9)), fix((4, 5)), True),
        (fix((0, 1), (4, 5)), fix((4, 4)), False),
        (fix((0, 9)), fix((4, 4)), False),
    ],
)
def test_repairs_that_touch_are_not_made_together(one, other, together):
    assert compatible([one, other]) == ([one, other] if together else [one])
    assert compatible([other, one]) == ([other, one] if together else [other])


def test_the_first_of_two_that_overlap_is_chosen():
    first, second, third = fix((0, 3)), fix((2, 4)), fix((5, 6))
    assert compatible([first, second, third]) == [first, third]
