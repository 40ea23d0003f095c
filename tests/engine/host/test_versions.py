"""Versions are ordered as `packaging`, the reference implementation of PEP 440, orders them."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from striate.host.versions import fulfils, version_order

NUMBERS = st.integers(0, 12)


@st.composite
def versions(draw):
    text = draw(st.sampled_from(["", "", "v", "1!"])) + ".".join(
        map(str, draw(st.lists(NUMBERS, min_size=1, max_size=4)))
    )
    if draw(st.booleans()):
        text += draw(st.sampled_from(["a", ".b", "rc", "-alpha", "_beta.", "c", "preview"])) + str(draw(NUMBERS))
    if draw(st.booleans()):
        text += draw(st.sampled_from([".post", "-", "rev", "post."])) + str(draw(NUMBERS))
    if draw(st.booleans()):
        text += draw(st.sampled_from([".dev", "-dev_", "dev"])) + str(draw(NUMBERS))
    return text


@given(versions(), versions())
def test_the_order_is_that_of_packaging(first, second):
    one, two = version_order(first), version_order(second)
    assert one is not None and two is not None
    assert (one < two, one == two) == (Version(first) < Version(second), Version(first) == Version(second))


@pytest.mark.parametrize("text", ["", "one", "1.x", "1..2", "1e5", "1.0~2", "1" * 200, "\u0661.\u0660", "1.0+"])
def test_what_is_no_version(text):
    assert version_order(text) is None


def test_local_parts_have_no_say():
    assert version_order("2.7.0+cu126") == version_order("2.7")


@pytest.mark.parametrize(
    ("sign", "compare"),
    [
        ("==", operator.eq),
        ("!=", operator.ne),
        ("<", operator.lt),
        ("<=", operator.le),
        (">", operator.gt),
        (">=", operator.ge),
    ],
)
def test_every_comparison(sign, compare):
    for first, second in (("1.0", "1.1"), ("1.1", "1.0"), ("1.0", "1"), ("1.0rc1", "1.0"), ("1.9", "1.10")):
        assert fulfils(first, sign, second) == compare(Version(first), Version(second)), (first, sign, second)


def test_an_installed_version_that_cannot_be_read_equals_itself_only():
    assert [fulfils("odd", sign, "odd") for sign in ("==", "!=", "<", "<=", ">", ">=")] == [1, 0, 0, 1, 0, 1]
    assert [fulfils("odd", sign, "1.0") for sign in ("==", "!=", "<", "<=", ">", ">=")] == [0, 1, 0, 0, 0, 0]
