"""Cuts the sizes 1, 2, 3, ... of one symbol into stretches on which a condition is easy to decide.

On a stretch the condition holds throughout, or nowhere, or size by size, or by residue class. Which sizes are legal
in the end is worked out in `onesymbol.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from striate.dims.condition import Condition, Kind
from striate.dims.frozen import Frozen
from striate.dims.growth import Growth, direction, growth, repetition

ValueAt: TypeAlias = Callable[[int], int]
"""The value of a condition's expression at a size."""


class Rule(Enum):
    """How a condition is decided on a stretch."""

    KEEP = "holds throughout"
    DROP = "holds nowhere"
    CHECK = "size by size"
    CLASSES = "alike for all sizes of a residue class"
    LINEAR = "the expression gains the same from each size of a residue class to the next"


class Region(Frozen):
    """The sizes from `low` to `high` (None: no end), the rule there, and the period of its residue classes."""

    __slots__ = ("low", "high", "rule", "period")  # noqa: RUF023 - the order of the arguments

    low: int
    high: int | None
    rule: Rule
    period: int

    def __init__(self, low: int, high: int | None, rule: Rule, period: int = 1) -> None:
        self._fill(low, high, rule, period)


def regions(condition: Condition, value_at: ValueAt) -> list[Region] | None:
    """Stretches that cover all positive sizes in order; None if the expression fits no method.

    Lower ends (see `is_lower_end`) are found in cheaper ways and must not be asked for here.
    """
    rising = direction(condition.expr)
    if rising and condition.kind is not Kind.MULTIPLE:
        return _monotone(condition.kind, value_at if rising > 0 else lambda size: -value_at(size))
    shape = growth(condition.expr)
    if shape is None:
        return _polynomial(condition)
    early = _stretch(1, shape.settled - 1, Rule.CHECK)
    if condition.kind is Kind.MULTIPLE:
        return [*early, Region(shape.settled, None, Rule.LINEAR, shape.period)]
    if shape.slope == 0:
        return [*early, Region(shape.settled, None, Rule.CLASSES, shape.period)]
    return [*early, *_crossing(condition.kind, shape)]


def is_lower_end(condition: Condition) -> bool:
    """Whether the condition holds from one size on and for no smaller one."""
    return condition.kind is Kind.NOT_NEGATIVE and direction(condition.expr) > 0


def _polynomial(condition: Condition) -> list[Region] | None:
    """An integer polynomial in the number of periods repeats modulo m after m of them."""
    period = repetition(condition.expr)
    if condition.kind is not Kind.MULTIPLE or period is None:
        return None
    return [Region(1, None, Rule.CLASSES, period * condition.modulus)]


def _monotone(kind: Kind, rising_value_at: ValueAt) -> list[Region]:
    """A rising expression is zero on one stretch; a falling one is not negative up to the end of that stretch.

    `rising_value_at` is the expression itself or, if it falls, its negative. Conditions that a rising expression is
    not negative are no business of this function: they are lower ends.
    """
    zero_from = first_reaching(rising_value_at, 0)
    positive_from = first_reaching(rising_value_at, 1, zero_from)
    before = Rule.DROP if kind is Kind.ZERO else Rule.KEEP
    on_zero = _stretch(zero_from, positive_from - 1, Rule.KEEP)
    return [*_stretch(1, zero_from - 1, before), *on_zero, Region(positive_from, None, Rule.DROP)]


def _crossing(kind: Kind, shape: Growth) -> list[Region]:
    """A strip around a sloping line meets zero on a limited stretch; before and after it, the sign is plain.

    From slope*H + low <= unit*value <= slope*H + high: for a rising strip the value is negative while
    slope*H + high < 0 and positive once slope*H + low > 0; a falling strip is the same mirrored.
    """
    rising = shape.slope > 0
    low, high = (shape.low, shape.high) if rising else (-shape.high, -shape.low)
    first = max(-(high // abs(shape.slope)), shape.settled)
    last = max(-low // abs(shape.slope), first - 1)
    before = Rule.DROP if kind is Kind.ZERO or rising else Rule.KEEP
    after = Rule.KEEP if kind is Kind.NOT_NEGATIVE and rising else Rule.DROP
    between = [*_stretch(shape.settled, first - 1, before), *_stretch(first, last, Rule.CHECK)]
    return [*between, Region(last + 1, None, after)]


def first_reaching(value_at: ValueAt, target: int, least: int = 1) -> int:
    """The first size from `least` on where a rising expression without upper end reaches `target`.

    Found by doubling and halving.
    """
    low, high = least - 1, least
    while value_at(high) < target:
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        if value_at(middle) < target:
            low = middle
        else:
            high = middle
    return high


def _stretch(low: int, high: int, rule: Rule) -> list[Region]:
    return [Region(low, high, rule)] if low <= high else []
