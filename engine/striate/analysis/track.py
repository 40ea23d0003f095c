"""Which input pixels the positions along one axis of a value see, followed exactly through windows and upsampling.

A track is the hull of what paths of one jump see. Behind a convolution every position sees the same pattern, shifted by
the jump; behind an upsampling layer the pattern repeats every few positions only, so a track keeps one interval per
phase. It knows nothing of nodes and graphs. Window arithmetic after Araujo, Norris and Sim, "Computing receptive
fields of convolutional neural networks" (Distill, 2019), extended by phases.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, inf, lcm

MOST_PHASES = 256
"""Phases that are told apart; beyond, one interval that holds them all stands for them."""

MOST_STEPS = 1 << 16
"""Positions that are looked at one by one; beyond, one interval stands for the phases."""

_FINEST = 4096
"""Strides and offsets are fractions with a denominator up to this: records give them as floats."""

Number = int | float | Fraction


@dataclass(frozen=True, slots=True)
class Track:
    """Position `q * period + r` sees the pixels `q * advance + low[r]` to `q * advance + high[r]`.

    A phase that sees nothing (between the taps of a transposed convolution) has `low = inf` and `high = -inf`.
    """

    period: int
    advance: Number
    low: tuple[Number, ...]
    high: tuple[Number, ...]

    @property
    def jump(self) -> Fraction:
        """Input pixels from one position to the next, on average."""
        return Fraction(self.advance) / self.period

    def at(self, position: int) -> tuple[Number, Number]:
        """Return the first and last pixel that a position sees."""
        turns, phase = divmod(position, self.period)
        return turns * self.advance + self.low[phase], turns * self.advance + self.high[phase]

    def held(self) -> Track:
        """Return the track of a value of size 1 that is repeated: every position sees what position 0 sees."""
        low, high = self.at(0)
        return Track(1, 0, (low,), (high,))

    def through(self, extent: Number, stride: Number, padding: Number, spacing: Number | None = None) -> Track:
        """Return the track behind a window.

        Output position `o` sees the whole positions from `o * stride - padding` to `o * stride - padding + extent - 1`.
        A stride below 1 is that of an upsampling layer; extent and padding may then be fractions too. With a spacing it
        sees only those of them that lie a multiple of the spacing behind the first.
        """
        if self.period == 1 and isinstance(stride, int) and extent == int(extent) and padding == int(padding):
            low = self.low[0] - padding * self.advance
            high = self.high[0] + (extent - 1 - padding) * self.advance
            return Track(1, self.advance * stride, (low,), (high,))
        step, first, length = (_fraction(number) for number in (stride, -padding, extent - 1))
        if not step.numerator or self.period * step.denominator > MOST_STEPS:
            return self._roughly_through(Fraction(stride), first, length)
        period = lcm(step.numerator, self.period * step.denominator) // step.numerator
        advance = step * period / self.period * self.advance
        gap = None if spacing is None else _fraction(spacing)
        even = self._moves_one_way()
        seen = [self._seen(phase * step + first, length, gap, even=even) for phase in range(period)]
        return Track(period, advance, tuple(low for low, _ in seen), tuple(high for _, high in seen)).bounded()

    def _moves_one_way(self) -> bool:
        """Return whether no position sees less far to either side than the one before it, and all see something."""
        places = [self.at(position) for position in range(self.period + 1)]
        pairs = pairwise(places)
        return inf not in self.low and all(one[0] <= two[0] and one[1] <= two[1] for one, two in pairs)

    def _seen(self, first: Fraction, length: Fraction, gap: Fraction | None, *, even: bool) -> tuple[Number, Number]:
        """Return the first and last pixel that is seen from whole positions from `first` on, up to `length` further.

        Where the intervals move one way (`even`), the outermost positions see the furthest. Otherwise everything is
        seen a multiple of `advance` further a whole number of periods further along, so that the least is found among
        the first positions, and the largest among the last.
        """
        if gap is None:
            start, step = ceil(first), 1
            count = floor(first + length) - start + 1
        else:
            start, count, step = _whole_taps(first, length, gap)
        if count <= 0:
            return inf, -inf
        last, some = start + (count - 1) * step, 1 if even else min(count, self.period)
        ahead, behind = range(start, start + some * step, step), range(last, last - some * step, -step)
        return min(self.at(position)[0] for position in ahead), max(self.at(position)[1] for position in behind)

    def _roughly_through(self, step: Fraction, first: Fraction, length: Fraction) -> Track:
        """Return one interval that holds what every position behind a window sees, where phases are too many."""
        hull = self.flattened()
        low, high = hull.low[0] + first * hull.jump, hull.high[0] + (first + length) * hull.jump
        return Track(1, hull.jump * step, (low,), (high,))

    def joined(self, other: Track) -> Track:
        """Return the hull of two tracks with the same jump."""
        period = lcm(self.period, other.period)
        pairs = [(self.at(position), other.at(position)) for position in range(period)]
        lows = tuple(min(mine[0], its[0]) for mine, its in pairs)
        highs = tuple(max(mine[1], its[1]) for mine, its in pairs)
        return Track(period, self.jump * period, lows, highs).bounded()

    def bounded(self) -> Track:
        """Return the track itself, or one interval that holds every phase where there are too many of them."""
        return self if self.period <= MOST_PHASES else self.flattened()

    def flattened(self) -> Track:
        """Return one interval that holds every phase."""
        lows = (low - phase * self.jump for phase, low in enumerate(self.low))
        highs = (high - phase * self.jump for phase, high in enumerate(self.high))
        return Track(1, self.jump, (min(lows),), (max(highs),))


PIXEL = Track(1, 1, (0,), (0,))
"""The track of the input itself."""


def widest(tracks: tuple[Track, ...], size: object) -> int | None:
    """Return the most pixels that one position of an axis of `size` sees; None where that grows with an open size.

    Positions drift apart along tracks of different jumps. The distance between the outermost pixels is a convex
    function of the position in every phase, so it is greatest in the first or the last period.
    """
    if len(tracks) == 1:
        (track,) = tracks
        return _pixels(max(high - low for low, high in zip(track.low, track.high, strict=True)))
    if not isinstance(size, int):
        return None
    if lcm(*(track.period for track in tracks)) > MOST_STEPS:
        tracks = tuple(track.flattened() for track in tracks)
    period = min(lcm(*(track.period for track in tracks)), size)
    positions = {*range(period), *range(size - period, size)}
    return _pixels(max(_span(tracks, position) for position in positions))


def _span(tracks: tuple[Track, ...], position: int) -> Number:
    seen = [track.at(position) for track in tracks]
    return max(high for _, high in seen) - min(low for low, _ in seen)


def _pixels(distance: Number) -> int:
    return 0 if distance < 0 else floor(distance) + 1


def _fraction(number: Number) -> Fraction:
    return Fraction(number).limit_denominator(_FINEST)


def _whole_taps(first: Fraction, length: Fraction, gap: Fraction) -> tuple[int, int, int]:
    """Return the first whole number among `first`, `first + gap`, … up to `first + length`, their number and distance.

    Whole numbers recur after as many gaps as make a whole number.
    """
    for tap in range(gap.denominator):
        start = first + tap * gap
        if start > first + length:
            break
        if start.denominator == 1:
            return int(start), floor((first + length - start) / gap.numerator) + 1, gap.numerator
    return 0, 0, 1
