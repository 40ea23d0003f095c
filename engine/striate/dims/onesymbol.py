"""Works out exactly which sizes of a single symbol meet a list of conditions.

Starts from all positive sizes and lets one condition after the other narrow the progressions, those that cut off an
end first. Progressions are split into residue classes only as far as a condition's period asks, so chains of
divisibility cost little even where the last period is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from striate.dims.condition import Condition
from striate.dims.evaluation import evaluate
from striate.dims.expr import symbols_of
from striate.dims.extent import LARGEST
from striate.dims.progression import Progression, merged, single, smallest_period
from striate.dims.regions import Region, Rule, ValueAt, first_reaching, is_lower_end, regions
from striate.dims.sizes import SizeSet

MOST_TESTS = 1 << 14
"""Sizes or residue classes that one condition may test; a condition that needs more is left undecided."""

MOST_TESTS_TOGETHER = 1 << 17
"""Tests for all conditions on one symbol together; those behind are left undecided too."""

ALL_SIZES = (Progression(1),)


def solve_one_symbol(
    name: str, conditions: Iterable[Condition], within: Sequence[Progression] = ALL_SIZES
) -> tuple[SizeSet, list[Condition]]:
    """The sizes of `name` that meet the conditions, and the conditions that were too costly to work in.

    All conditions speak of this symbol only; only sizes `within` these progressions are considered. The set is exact
    but for the conditions left over: it holds every size that is legal, and with left-over conditions perhaps some
    that are not.
    """
    ends: list[ValueAt] = []
    work: list[tuple[Condition, ValueAt, list[Region]]] = []
    undecided: list[Condition] = []
    for condition in conditions:
        value_at = _value_at(name, condition)
        if is_lower_end(condition):
            ends.append(value_at)
        elif (stretches := regions(condition, value_at)) is not None:
            work.append((condition, value_at, stretches))
        else:
            undecided.append(condition)
    pieces = _below_all_bounds(_from_lower_end(within, ends))
    tests = 0
    for condition, value_at, stretches in sorted(work, key=lambda each: _effort(each[2])):
        narrowing = _Narrowing(condition, value_at)
        narrowed = narrowing.apply(pieces, stretches) if tests < MOST_TESTS_TOGETHER else None
        tests += narrowing.tests
        if narrowed is None:
            undecided.append(condition)
        else:
            pieces = _below_all_bounds(narrowed)
    return SizeSet(merged(pieces)), undecided


def _below_all_bounds(pieces: list[Progression]) -> list[Progression]:
    """Leave out sizes of `LARGEST` and more: no size gets there, and the numbers in a text cannot grow without end."""
    kept = [piece for piece in pieces if piece.start < LARGEST]
    return [piece if piece.start + piece.step < LARGEST else single(piece.start) for piece in kept]


def decide_one_symbol(condition: Condition) -> bool | None:
    """True if a condition on one symbol holds for all its sizes, False if for none, None if neither shows."""
    names = symbols_of(condition.expr)
    if len(names) != 1:
        return None
    (name,) = names
    if is_lower_end(condition):
        if condition.holds({name: 1}):
            return True
        return None if condition.holds({name: LARGEST - 1}) else False
    seen = {condition.holds({name: size}) for size in range(1, 9)}
    if len(seen) == 2:
        return None
    sizes, undecided = solve_one_symbol(name, [condition])
    if undecided:
        return None
    if sizes.is_empty():
        return False
    return True if sizes.is_everything() else None


def _value_at(name: str, condition: Condition) -> ValueAt:
    return lambda size: evaluate(condition.expr, {name: size})


def _from_lower_end(within: Sequence[Progression], ends: list[ValueAt]) -> list[Progression]:
    """The progressions from the first size on where all rising expressions have stopped being negative.

    The last layer of a chain mostly asks for the largest input, so it goes first and the others need only one look.
    """
    least = 1
    for value_at in reversed(ends):
        if value_at(least) < 0:
            least = first_reaching(value_at, 0, least)
    clipped = (piece.between(least, None) for piece in within)
    return [piece for piece in clipped if piece is not None]


def _effort(stretches: list[Region]) -> tuple[int, int]:
    """Ends first, then single sizes, then residue classes from short periods to long ones."""
    ranks = {Rule.KEEP: 0, Rule.DROP: 0, Rule.CHECK: 1, Rule.CLASSES: 2, Rule.LINEAR: 2}
    return max((ranks[stretch.rule], stretch.period) for stretch in stretches)


class _TooManyTestsError(Exception):
    """One condition has used up its tests."""


class _Narrowing:
    """One condition at work on progressions, with a budget of tests."""

    def __init__(self, condition: Condition, value_at: ValueAt) -> None:
        self._condition = condition
        self._value_at = value_at
        self.tests = 0

    def apply(self, pieces: list[Progression], stretches: list[Region]) -> list[Progression] | None:
        """The parts of the progressions that meet the condition, or None if it takes too many tests."""
        narrowed: list[Progression] = []
        try:
            for piece in pieces:
                for stretch in stretches:
                    part = piece.between(stretch.low, stretch.high)
                    if part is not None:
                        narrowed += self._within(part, stretch)
        except _TooManyTestsError:
            return None
        return narrowed

    def _within(self, part: Progression, stretch: Region) -> list[Progression]:
        if stretch.rule is Rule.KEEP:
            return [part]
        if stretch.rule is Rule.DROP:
            return []
        length = part.length()
        classes = stretch.period // gcd(part.step, stretch.period)
        if stretch.rule is Rule.CHECK or (length is not None and length <= classes):
            return self._checked(part)
        self._spend(classes)
        if stretch.rule is Rule.LINEAR:
            return self._congruent(part, classes)
        accepted = frozenset(number for number in range(classes) if self._accepts(part.start + number * part.step))
        return _classes(part, accepted, classes)

    def _checked(self, part: Progression) -> list[Progression]:
        length = part.length()
        if length is None:
            raise _TooManyTestsError
        self._spend(length)
        return [single(size) for size in part if self._accepts(size)]

    def _congruent(self, part: Progression, classes: int) -> list[Progression]:
        """In each class the value is first + gain*t; the t that make it a multiple of the modulus are a progression."""
        found: list[Progression] = []
        for number in range(classes):
            each = part.every(classes, number)
            if each is None:
                continue
            first = self._value_at(each.start)
            gain = self._value_at(each.start + each.step) - first
            modulus = self._condition.modulus
            common = gcd(gain, modulus)
            if first % common == 0:
                spacing = modulus // common
                offset = -first // common * pow(gain // common, -1, spacing) % spacing
                hit = each.every(spacing, offset)
                found += [] if hit is None else [hit]
        return found

    def _accepts(self, size: int) -> bool:
        return self._condition.accepts(self._value_at(size))

    def _spend(self, tests: int) -> None:
        self.tests += tests
        if self.tests > MOST_TESTS:
            raise _TooManyTestsError


def _classes(part: Progression, accepted: frozenset[int], classes: int) -> list[Progression]:
    """The accepted residue classes of a progression, by the smallest period of their pattern."""
    if not accepted:
        return []
    period = smallest_period(accepted, classes)
    kept = (part.every(period, number) for number in range(period) if number in accepted)
    return [piece for piece in kept if piece is not None]
