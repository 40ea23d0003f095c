"""Arithmetic progressions of sizes, with or without an end, and the tidiest union that says the same.

16, 32, 48, ... is one progression; a legal set of sizes is a few of them. Knows nothing of symbols or constraints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from math import lcm

from striate.dims.frozen import Frozen

MOST_LISTED = 512
"""Sizes that are handled one by one when progressions are merged; beyond, they stay as they are."""
MOST_CLASSES = 1 << 14
"""Residue classes that are looked at when progressions are merged; beyond, they stay as they are."""


class Progression(Frozen):
    """start, start + step, ... up to and including `stop`, or without end where `stop` is None."""

    __slots__ = ("start", "step", "stop")

    start: int
    step: int
    stop: int | None

    def __init__(self, start: int, step: int = 1, stop: int | None = None) -> None:
        self._fill(start, step, stop)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop + 1, self.step)) if self.stop is not None else self._endless()

    def _endless(self) -> Iterator[int]:
        return count(self.start, self.step)

    def __contains__(self, size: int) -> bool:
        inside = size >= self.start and (self.stop is None or size <= self.stop)
        return inside and (size - self.start) % self.step == 0

    def length(self) -> int | None:
        """How many sizes there are, None for infinitely many."""
        return None if self.stop is None else (self.stop - self.start) // self.step + 1

    def image(self, factor: int, offset: int) -> Progression:
        """The sizes `factor * size + offset`, for a positive factor."""
        stop = None if self.stop is None else factor * self.stop + offset
        step = 1 if self.start == self.stop else factor * self.step
        return Progression(factor * self.start + offset, step, stop)

    def at_or_below(self, size: int) -> int | None:
        """The largest member that is not above `size`."""
        if size < self.start:
            return None
        reached = size if self.stop is None else min(size, self.stop)
        return reached - (reached - self.start) % self.step

    def at_or_above(self, size: int) -> int | None:
        """The smallest member that is not below `size`."""
        if size <= self.start:
            return self.start
        member = size + (self.start - size) % self.step
        return None if self.stop is not None and member > self.stop else member

    def between(self, low: int, high: int | None) -> Progression | None:
        """The part from `low` to `high` (None: no upper end), or None if nothing lies there."""
        start = self.at_or_above(low)
        if start is None or (high is not None and start > high):
            return None
        if high is None:
            return Progression(start, self.step, self.stop)
        return Progression(start, self.step, self.at_or_below(high))

    def every(self, nth: int, offset: int) -> Progression | None:
        """Each `nth` member, from the member number `offset` on; None if there is no such member."""
        start = self.start + offset * self.step
        if self.stop is None:
            return Progression(start, self.step * nth)
        if start > self.stop:
            return None
        step = self.step * nth
        return Progression(start, step, self.stop - (self.stop - start) % step)


def single(size: int) -> Progression:
    """The progression of one size."""
    return Progression(size, 1, size)


def smallest_period(residues: frozenset[int], modulus: int) -> int:
    """The smallest divisor of `modulus` after which the pattern of residues repeats.

    The modulus shrinks only by factors that the number of residues has too, so huge moduli need no factoring.
    """
    period = modulus
    for prime in _prime_factors(len(residues)):
        while period % prime == 0 and _repeats(residues, modulus, period // prime):
            period //= prime
    return period


def merged(pieces: Iterable[Progression]) -> tuple[Progression, ...]:
    """The same sizes in as few progressions as this module can find, sorted; the pieces must not overlap.

    The endless parts get the smallest common period, each class begins as early as the sizes allow, and what is left
    below is gathered into runs. Where that would take more than twice the progressions, they stay as they are.
    """
    given = sorted(pieces, key=_start)
    endless = [piece for piece in given if piece.stop is None]
    listed, kept = _listed([piece for piece in given if piece.stop is not None])
    tails = _tails(endless, listed)
    tidy = sorted([*tails, *kept, *_runs(sorted(listed))], key=_start)
    return tuple(tidy if len(tidy) <= 2 * len(given) else given)


def _start(piece: Progression) -> int:
    return piece.start


def _listed(finite: list[Progression]) -> tuple[set[int], list[Progression]]:
    """Short progressions as single sizes, long ones as they are."""
    listed: set[int] = set()
    kept: list[Progression] = []
    for piece in finite:
        if len(listed) + (piece.length() or 0) > MOST_LISTED:
            kept.append(piece)
        else:
            listed.update(piece)
    return listed, kept


def _tails(endless: list[Progression], listed: set[int]) -> list[Progression]:
    """The endless progressions with one smallest period; sizes move between them and `listed` as they fit better."""
    step = lcm(*(piece.step for piece in endless)) if endless else 1
    if sum(step // piece.step for piece in endless) > MOST_CLASSES:
        return endless
    begins = {
        (piece.start + number * piece.step) % step: piece.start + number * piece.step
        for piece in endless
        for number in range(step // piece.step)
    }
    period = smallest_period(frozenset(begins), step)
    starts: dict[int, int] = {}
    for begin in begins.values():
        starts[begin % period] = max(starts.get(begin % period, begin), begin)
    early = sum((starts[begin % period] - begin) // step for begin in begins.values())
    if early > MOST_LISTED:
        return endless
    for begin in begins.values():
        listed.update(range(begin, starts[begin % period], step))
    return [Progression(_lowered(start, period, listed), period) for start in starts.values()]


def _lowered(start: int, period: int, listed: set[int]) -> int:
    while start - period in listed:
        start -= period
        listed.remove(start)
    return start


def _runs(sizes: Sequence[int]) -> list[Progression]:
    """Sorted sizes as progressions of three or more where they are evenly spaced, singly elsewhere."""
    runs: list[Progression] = []
    first = 0
    while first < len(sizes):
        last = _run_end(sizes, first)
        if last - first < 2:
            runs.append(single(sizes[first]))
            first += 1
        else:
            runs.append(Progression(sizes[first], sizes[first + 1] - sizes[first], sizes[last]))
            first = last + 1
    return runs


def _run_end(sizes: Sequence[int], first: int) -> int:
    last = first + 1
    if last == len(sizes):
        return first
    step = sizes[last] - sizes[first]
    while last + 1 < len(sizes) and sizes[last + 1] - sizes[last] == step:
        last += 1
    return last


def _repeats(residues: frozenset[int], modulus: int, shift: int) -> bool:
    return all((residue + shift) % modulus in residues for residue in residues)


def _prime_factors(number: int) -> Iterator[int]:
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            yield divisor
        while number % divisor == 0:
            number //= divisor
        divisor += 1
    if number > 1:
        yield number
