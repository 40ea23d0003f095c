"""Did-you-mean: which name is near enough, and how near two names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate_dsl.names import edit_distance, nearest

LAYERS = [
    "conv",
    "deconv",
    "conv_transpose",
    "dense",
    "relu",
    "relu6",
    "maxpool",
    "avgpool",
    "bn",
    "flatten",
    "dropout",
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("covn", "conv"),
        ("Conv", "conv"),
        ("CONV", "conv"),
        ("connv", "conv"),
        ("con", "conv"),
        ("maxpol", "maxpool"),
        ("max_pool", "maxpool"),
        ("maxpool2", "maxpool"),
        ("flaten", "flatten"),
        ("drpoout", "dropout"),
        ("RELU6", "relu6"),
        ("nb", "bn"),
        ("Covn2D", "conv"),
        ("conv2d", "conv"),
        ("max", "maxpool"),
        ("xyz", None),
        ("lstm", None),
        ("q", None),
        ("", None),
    ],
)
def test_nearest(written, meant):
    assert nearest(written, LAYERS) == meant


def test_nothing_is_near_nothing():
    assert nearest("conv", []) is None


def test_the_nearer_one_wins_whatever_the_order():
    assert nearest("skp", ["skip1", "skip"]) == nearest("skp", ["skip", "skip1"]) == "skip"


def test_a_difference_in_case_alone_is_nearest():
    assert nearest("ab", ["ac", "AB"]) == "AB"


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("", "", 0), ("", "ab", 2), ("conv", "covn", 1), ("ca", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0)],
)
def test_edit_distance(first, second, distance):
    assert edit_distance(first, second) == distance


words = st.text("abc", max_size=6)


@given(words, words)
def test_edit_distance_is_symmetric_and_bounded(first, second):
    distance = edit_distance(first, second)
    assert distance == edit_distance(second, first)
    assert abs(len(first) - len(second)) <= distance <= max(len(first), len(second))
    assert (distance == 0) == (first == second)


@given(st.text("abcdefgh", min_size=4, max_size=10), st.integers(0, 8))
def test_one_swap_is_always_found(name, at):
    swapped = name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :]
    assert nearest(swapped, [name, "zzzz", "yyyyyyy"]) == name
