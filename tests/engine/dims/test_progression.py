import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims.progression import Progression, merged, single, smallest_period
from striate.dims.sizes import SizeSet

MOST = 300


@st.composite
def progressions(draw: st.DrawFn) -> Progression:
    start, step = draw(st.integers(1, 30)), draw(st.integers(1, 12))
    length = draw(st.one_of(st.none(), st.integers(1, 12)))
    return Progression(start, step) if length is None else Progression(start, step, start + (length - 1) * step)


@st.composite
def disjoint(draw: st.DrawFn) -> list[Progression]:
    """Progressions that do not overlap, on common classes and with stray sizes below."""
    step = draw(st.sampled_from((1, 2, 3, 4, 6, 12)))
    residues = draw(st.sets(st.integers(0, step - 1)))
    pieces = [Progression(residue + step * draw(st.integers(1, 3)), step) for residue in residues]
    strays = draw(st.sets(st.integers(1, 40)))
    return pieces + [single(size) for size in strays if not any(size in piece for piece in pieces)]


def members(pieces: list[Progression] | tuple[Progression, ...]) -> list[int]:
    return sorted(size for size in range(1, MOST) for piece in pieces if size in piece)


@settings(max_examples=150, deadline=None)
@given(progressions(), st.integers(-5, 200), st.integers(0, 60), st.integers(1, 5), st.integers(0, 4))
def test_progression_against_its_members(piece: Progression, low: int, width: int, nth: int, offset: int) -> None:
    inside = members([piece])
    assert piece.at_or_below(low) == max((size for size in inside if size <= low), default=None)
    if piece.stop is not None or low < MOST - 12:
        assert piece.at_or_above(low) == min((size for size in inside if size >= low), default=None)
    part = piece.between(low, low + width)
    assert (list(part) if part else []) == [size for size in inside if low <= size <= low + width]
    every = piece.every(nth, offset)
    assert (members([every]) if every else []) == inside[offset::nth]
    assert members([piece.image(2, 1)]) == [2 * size + 1 for size in inside if 2 * size + 1 < MOST]
    assert piece.length() in (None, len(inside))


@settings(max_examples=200, deadline=None)
@given(disjoint())
def test_merging_changes_the_description_only(pieces: list[Progression]) -> None:
    tidy = merged(pieces)
    assert members(tidy) == members(pieces)
    assert len(tidy) <= 2 * len(pieces)
    assert list(tidy) == sorted(tidy, key=lambda piece: piece.start)


@settings(max_examples=100, deadline=None)
@given(disjoint(), st.integers(1, 100))
def test_set_against_its_members(pieces: list[Progression], size: int) -> None:
    sizes, inside = SizeSet(merged(pieces)), members(pieces)
    assert sizes.smallest() == min(inside, default=None)
    below, above = sizes.nearest(size)
    assert below == max((each for each in inside if each <= size), default=None)
    assert above == min((each for each in inside if each >= size), default=None)
    assert (size in sizes) == (size in inside)
    assert all(each % sizes.multiple_of() == 0 for each in inside)
    if any(piece.stop is None for piece in pieces):
        assert sizes.largest() is None
    else:
        assert sizes.largest() == max(inside, default=None)


@pytest.mark.parametrize(
    ("pieces", "tidy"),
    [
        ([Progression(2, 2), Progression(3, 2)], [Progression(2)]),
        ([Progression(9, 4), single(5), single(1), single(3)], [Progression(1, 4), single(3)]),
        ([Progression(4, 4), Progression(6, 4)], [Progression(4, 2)]),
        ([single(3), single(5), single(7), single(20)], [Progression(3, 2, 7), single(20)]),
        ([Progression(1, 1, 10**9)], [Progression(1, 1, 10**9)]),
        ([Progression(2, 2**61 - 1)], [Progression(2, 2**61 - 1)]),
        ([Progression(1, 2), Progression(2 * 10**9, 2)], [Progression(1, 2), Progression(2 * 10**9, 2)]),
        ([Progression(3, 3), Progression(4, 3), Progression(5 + 600, 3)],) * 2,
        ([], []),
    ],
)
def test_merged_forms(pieces: list[Progression], tidy: list[Progression]) -> None:
    assert list(merged(pieces)) == tidy


def test_smallest_period() -> None:
    assert smallest_period(frozenset({0, 4, 8}), 12) == 4
    assert smallest_period(frozenset({0, 1, 4}), 12) == 12
    assert smallest_period(frozenset(range(12)), 12) == 1


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([Progression(1)], "any size"),
        ([Progression(5)], "any, at least 5"),
        ([Progression(16, 16)], "multiples of 16, at least 16"),
        ([Progression(64, 32)], "multiples of 32, at least 64"),
        ([Progression(7, 2)], "odd, at least 7"),
        ([Progression(2, 2)], "even, at least 2"),
        ([Progression(9, 4)], "4k + 1, at least 9"),
        ([single(224)], "224 only"),
        ([single(8), single(16), single(40)], "8, 16 or 40 only"),
        ([Progression(16, 16, 512)], "multiples of 16, from 16 to 512"),
        ([Progression(5, 1, 9), single(20)], "20; any, from 5 to 9"),
        ([Progression(8, 4), Progression(9, 4)], "multiples of 4 or 4k + 1, at least 8"),
        ([Progression(5, 4), Progression(6, 4), Progression(7, 4)], "any but multiples of 4, at least 5"),
        ([Progression(1, 3), Progression(6, 3)], "3k + 1, at least 1; multiples of 3, at least 6"),
        ([single(4), Progression(8)], "4; any, at least 8"),
        ([single(size * size) for size in range(1, 15)], "1, 4, 9, 16, 25, 36, 49, 64 or 6 more only"),
        ([], "no size"),
    ],
)
def test_sets_read_like_this(pieces: list[Progression], text: str) -> None:
    assert SizeSet(merged(pieces)).text() == text


def test_json_of_a_set() -> None:
    assert SizeSet((Progression(16, 16),)).to_json() == {
        "text": "multiples of 16, at least 16",
        "minimum": 16,
        "maximum": None,
        "multiple_of": 16,
        "progressions": [{"start": 16, "step": 16, "stop": None}],
    }
    assert SizeSet((single(6), single(9))).to_json()["multiple_of"] == 3


def test_values_do_not_change() -> None:
    with pytest.raises(AttributeError, match="does not change"):
        Progression(1).start = 2
    with pytest.raises(AttributeError, match="does not change"):
        del Progression(1).start
    assert repr(Progression(1, 2)) == "Progression(start=1, step=2, stop=None)"
