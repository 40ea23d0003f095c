"""Tracks: what positions see, phase by phase."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from striate.analysis.track import MOST_PHASES, PIXEL, Track, widest


@given(
    windows=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=5),
    position=st.integers(0, 30),
)
def test_windows_reach_where_counting_backwards_reaches(windows: list[tuple[int, int, int]], position: int):
    track = PIXEL
    for extent, stride, padding in windows:
        track = track.through(extent, stride, padding)
    low = high = position
    for extent, stride, padding in reversed(windows):
        low, high = low * stride - padding, high * stride - padding + extent - 1
    assert track.at(position) == (low, high)
    assert track.period == 1


@given(kernel=st.integers(1, 6), stride=st.integers(1, 5), pad=st.integers(0, 3), position=st.integers(0, 40))
def test_upsampling_reaches_the_taps_that_land_there(kernel: int, stride: int, pad: int, position: int):
    """A transposed convolution adds tap k of input i to output i * stride + k - pad."""
    track = PIXEL.through((kernel - 1) / stride + 1, 1 / stride, (kernel - 1 - pad) / stride)
    inputs = [place for place in range(-50, 50) for tap in range(kernel) if place * stride + tap - pad == position]
    low, high = track.at(position)
    assert ([low, high] == [min(inputs), max(inputs)]) if inputs else low > high


def test_down_and_up_again_is_one_track_with_several_phases():
    track = PIXEL.through(2, 2, 0).through(1 / 2 + 1, 1 / 2, 1 / 2)
    assert (track.period, track.advance) == (2, 2)
    assert [track.at(position) for position in range(4)] == [(0, 1), (0, 1), (2, 3), (2, 3)]
    assert widest((track,), 8) == 2
    assert widest((track.joined(PIXEL),), 8) == 2


def test_a_position_between_the_taps_sees_nothing():
    track = PIXEL.through(1, 1 / 2, 0)
    assert track.at(0) == (0, 0)
    assert track.at(1)[0] > track.at(1)[1]
    assert track.through(2, 1, 0).at(0) == (0, 0), "a window over the gap sees its other entry"


@given(st.lists(st.integers(2, 5), min_size=1, max_size=9), st.integers(1, 5))
def test_phases_are_bounded_and_the_bound_holds(strides: list[int], kernel: int):
    track = PIXEL
    for stride in strides:
        track = track.through((kernel - 1) / stride + 1, 1 / stride, (kernel - 1) / stride)
    assert track.period <= MOST_PHASES
    position = 12345
    low = high = position
    for stride in reversed(strides):
        low, high = -((-low + kernel - 1) // stride), high // stride
        assume(low <= high)
    assert track.at(position)[0] <= low
    assert track.at(position)[1] >= high


def test_tracks_that_drift_apart_are_widest_at_an_end():
    near, far = Track(1, 1, (0,), (0,)), Track(1, 3, (2,), (4,))
    for size in (1, 2, 7):
        spans = [max(place, 3 * place + 4) - min(place, 3 * place + 2) + 1 for place in range(size)]
        assert widest((near, far), size) == max(spans)
    assert widest((near, far), "open") is None


@pytest.mark.parametrize("position", [0, 1, 9])
def test_a_repeated_value_shows_everyone_the_same(position: int):
    assert PIXEL.through(4, 4, 1).held().at(position) == (-1, 2)
