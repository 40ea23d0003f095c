"""How a size with one symbol H behaves as H grows: its slope, its period, and whether it only ever rises or falls.

An expression of sums, integer multiples and floors stays within a strip around a line, and repeats itself, raised by
a constant, after a period: floor((H + 1)/2) lies between H/2 and H/2 + 1/2 and gains 1 every 2. That makes questions
about infinitely many sizes answerable from finitely many.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, lcm

from striate.dims.expr import Atom, Dim, Expr, Floor, Positive, Symbol
from striate.dims.frozen import Frozen


class Growth(Frozen):
    """The strip and the period of an expression, with one denominator for all numbers.

    For every H >= settled: slope*H + low <= unit * value(H) <= slope*H + high, and
    value(H + period) = value(H) + slope*period/unit, which is a whole number.
    """

    __slots__ = ("slope", "low", "high", "unit", "settled", "period")  # noqa: RUF023 - the order of the arguments

    slope: int
    low: int
    high: int
    unit: int
    settled: int
    period: int

    def __init__(self, slope: int, low: int, high: int, unit: int, settled: int, period: int) -> None:
        self._fill(slope, low, high, unit, settled, period)


_IDENTITY = Growth(1, 0, 0, 1, 1, 1)


def growth(expr: Expr) -> Growth | None:
    """The growth of an expression in one symbol, or None if it has products of sizes."""
    known: dict[Atom, Growth] = {}
    for atom in expr.atoms():
        if isinstance(atom, Symbol):
            known[atom] = _IDENTITY
            continue
        inner = _sum_growth(atom.numerator if isinstance(atom, Floor) else atom.argument, known)
        if inner is None:
            return None
        known[atom] = _floor_growth(inner, atom.divisor) if isinstance(atom, Floor) else _positive_growth(inner)
    return _sum_growth(expr, known)


def direction(dim: Dim) -> int:
    """1 if the expression never falls as any symbol grows and has no upper end, -1 for the mirror image, else 0.

    Canonical floors have no negative coefficients, so only coefficients outside and positive parts need a look.
    """
    if isinstance(dim, int):
        return 0
    if any(isinstance(atom, Positive) and _sign(atom.argument) <= 0 for atom in dim.atoms()):
        return 0
    return _sign(dim)


def repetition(expr: Expr) -> int | None:
    """A period after which the expression is an integer polynomial in the number of periods; None if there is none.

    Coarser than `Growth.period`, but there for products of sizes too.
    """
    known: dict[Atom, int] = {}
    for atom in expr.atoms():
        if isinstance(atom, Positive):
            return None
        known[atom] = 1 if isinstance(atom, Symbol) else atom.divisor * _common_period(atom.numerator, known)
    return _common_period(expr, known)


def _common_period(expr: Expr, known: Mapping[Atom, int]) -> int:
    return lcm(*(known[atom] for monomial in expr.terms for atom, _ in monomial))


def _sign(expr: Expr) -> int:
    if all(factor > 0 for factor in expr.terms.values()):
        return 1
    return -1 if all(factor < 0 for factor in expr.terms.values()) else 0


def _sum_growth(expr: Expr, known: Mapping[Atom, Growth]) -> Growth | None:
    parts: list[tuple[Growth, int]] = []
    for monomial, factor in expr.terms.items():
        (atom, power), *others = monomial
        if power > 1 or others:
            return None
        parts.append((known[atom], factor))
    unit = lcm(*(each.unit for each, _ in parts))
    slope, low, high = 0, expr.constant * unit, expr.constant * unit
    for each, factor in parts:
        scale = factor * (unit // each.unit)
        slope += scale * each.slope
        low += scale * (each.low if factor > 0 else each.high)
        high += scale * (each.high if factor > 0 else each.low)
    settled = max(each.settled for each, _ in parts)
    return Growth(slope, low, high, unit, settled, lcm(*(each.period for each, _ in parts)))


def _floor_growth(inner: Growth, divisor: int) -> Growth:
    """x/k - (k-1)/k <= floor(x/k) <= x/k, repeating once a whole number of divisors has been gained."""
    unit = inner.unit * divisor
    gained = inner.slope * inner.period
    period = inner.period * (unit // gcd(gained, unit))
    return Growth(inner.slope, inner.low - (divisor - 1) * inner.unit, inner.high, unit, inner.settled, period)


def _positive_growth(inner: Growth) -> Growth:
    """A positive part follows its argument once that has become positive for good, or stays at zero."""
    if inner.slope > 0:
        settled = max(inner.settled, -(inner.low // inner.slope))
        return Growth(inner.slope, inner.low, inner.high, inner.unit, settled, inner.period)
    if inner.slope < 0:
        settled = max(inner.settled, -(inner.high // inner.slope))
        return Growth(0, 0, 0, 1, settled, 1)
    return Growth(0, max(inner.low, 0), max(inner.high, 0), inner.unit, inner.settled, inner.period)
