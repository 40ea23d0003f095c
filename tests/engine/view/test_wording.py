"""Numbers and open sizes as text: short ones are rounded right, exact ones mean what the size means."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.dims import Dim, ceil_div, evaluate, solve, symbol
from striate.dims.constraints import AtLeast, Divisible
from striate.graph import TensorType
from striate.view.numbers import full_number, short_number
from striate.view.wording import Wording, extent_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1.00 k"),
        (1023, "1.02 k"),
        (9995, "10.0 k"),
        (99_949, "99.9 k"),
        (99_950, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (25_557_032, "25.6 M"),
        (4_089_184_256, "4.09 G"),
        (999_999_999_999, "1.00 T"),
        (12 * 10**21, "12000 E"),
    ],
)
def test_three_significant_digits(number: int, text: str):
    assert short_number(number) == text


@given(st.integers(1, 10**20))
def test_a_short_number_is_near_the_number(number: int):
    digits, _, prefix = short_number(number).partition(" ")
    shown = Fraction(digits) * 1000 ** ("kMGTPE".index(prefix) + 1 if prefix else 0)
    assert abs(shown - number) <= Fraction(number, 199)


def test_full_numbers_and_bytes():
    assert full_number(1234567) == "1,234,567"
    assert short_number(3_211_264, "B") == "3.21 MB"
    assert short_number(512, "B") == "512 B"
    assert short_number(8832.5, gap="") == "8.83k"
    assert short_number(0.25, gap="") == "0.250"


def sizes(multiple: int) -> st.SearchStrategy[Dim]:
    """Sizes as networks make them: halved, padded, cropped, multiplied."""
    steps = st.lists(
        st.one_of(
            st.tuples(st.just("halve"), st.sampled_from([2, 4])),
            st.tuples(st.just("ceil"), st.sampled_from([2, 3])),
            st.tuples(st.just("add"), st.integers(-3, 5)),
            st.tuples(st.just("times"), st.integers(1, 6)),
            st.tuples(st.just("square"), st.just(0)),
        ),
        max_size=4,
    )
    return st.tuples(st.sampled_from("HW"), steps).map(lambda drawn: _walk(symbol(drawn[0]) * multiple, drawn[1]))


def _walk(size: Dim, steps: list[tuple[str, int]]) -> Dim:
    for step, number in steps:
        if step == "halve":
            size = size // number
        elif step == "ceil":
            size = ceil_div(size, number)
        elif step == "add":
            size = size + number
        elif step == "times":
            size = size * number
        else:
            size = size * symbol("W")
    return size


def meaning(text: str, height: int, width: int) -> Fraction:
    """Evaluate an expression as it is written; `/` divides exactly outside of floor and ceil."""
    written = text.replace(",", "").replace("^", "**")
    written = re.sub(r"(?<![\w.])(\d+)", r"F(\1)", written).replace("**F(2)", "**2").replace("**F(3)", "**3")
    names = {"F": Fraction, "H": Fraction(height), "W": Fraction(width), "max": max}
    names |= {"floor": lambda x: Fraction(x.__floor__()), "ceil": lambda x: Fraction(x.__ceil__())}
    return Fraction(eval(written, {"__builtins__": {}}, names))


@given(
    first=sizes(1),
    second=sizes(1),
    multiple=st.sampled_from([1, 2, 4, 12]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
def test_what_is_written_means_what_the_size_means(first: Dim, second: Dim, multiple: int, height: int, width: int):
    wording = Wording({"H": multiple, "W": multiple})
    legal = {"H": height * multiple, "W": width * multiple}
    for size in (first, first * second, first + second * 3):
        for text in (str(wording.plain(size)), wording.count(size, full=True)):
            assert meaning(text, legal["H"], legal["W"]) == evaluate(size, legal), text


def test_floors_vanish_where_the_domain_lets_them():
    height, width = symbol("H"), symbol("W")
    domain = solve([Divisible(height, 16), AtLeast(height, 32), Divisible(width, 8)], ["H", "W"])
    wording = Wording.of(domain)
    assert wording.plain(height // 2 // 2) == "H/4"
    assert wording.plain((height // 16) * (width // 2) * 96) == "3*H*W"
    assert wording.plain((width // 16) * 3) == "3*floor(W/16)", "a multiple of 8 is not one of 16"
    assert wording.count((height // 2) * (width // 2) * 9408, full=True) == "2,352*H*W"
    assert wording.count((height // 2) * (width // 2) * 9408, full=False) == "2.35k*H*W"
    assert wording.memory(height * 4) == "4*H B"
    assert wording.size(TensorType((64, height // 2, width)), spaced=False) == "64 x H/2 x W"
    assert Wording.of(None).plain(height // 2) == "floor(H/2)"


def test_sizes_and_fields():
    wording = Wording()
    assert wording.size(TensorType((64, 56, 56)), spaced=True) == "64 x 56 x 56"
    assert wording.size(TensorType((64, 56, 56)), spaced=False) == "64x56x56"
    assert wording.size(TensorType((10,)), spaced=True) == "10"
    assert extent_text((7, 9), spaced=True) == "7 x 9"
    assert extent_text((7, 9), spaced=False) == "7x9"
    assert extent_text("all", spaced=True) == "all"
