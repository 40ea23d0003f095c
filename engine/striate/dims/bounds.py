"""The least and the greatest value of a size when every symbol lies in a range of its own.

Terms are bounded one by one, so bounds are safe for every expression but loose where a symbol occurs several times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from striate.dims.expr import Atom, Dim, Expr, Floor, Monomial, Symbol

Range: TypeAlias = "tuple[int, int | None]"
"""Least and greatest value; None stands for no upper end."""
Bounds: TypeAlias = "tuple[int | None, int | None]"
"""Like a range, with None for an open end on either side."""

ANY_SIZE: Range = (1, None)


def bounds(dim: Dim, ranges: Mapping[str, Range] | None = None) -> Bounds:
    """Bounds of the size over all sizes of its symbols; a symbol without a range is at least 1."""
    if isinstance(dim, int):
        return dim, dim
    known = ranges or {}
    values: dict[Atom, Range] = {}
    for atom in dim.atoms():
        if isinstance(atom, Symbol):
            values[atom] = known.get(atom.name, ANY_SIZE)
        elif isinstance(atom, Floor):
            values[atom] = _floor_range(_sum_bounds(atom.numerator, values), atom.divisor)
        else:
            values[atom] = _floor_range(_sum_bounds(atom.argument, values), 1)
    return _sum_bounds(dim, values)


def _floor_range(inside: Bounds, divisor: int) -> Range:
    """Atoms are never negative: a floor's numerator has no negative coefficient, and a positive part is one."""
    low, high = inside
    return max((low or 0) // divisor, 0), None if high is None else max(high // divisor, 0)


def _sum_bounds(expr: Expr, values: Mapping[Atom, Range]) -> Bounds:
    low: int | None = expr.constant
    high: int | None = expr.constant
    for monomial, factor in expr.terms.items():
        least, most = _product_range(monomial, values)
        near, far = factor * least, None if most is None else factor * most
        below, above = (near, far) if factor > 0 else (far, near)
        low = None if low is None or below is None else low + below
        high = None if high is None or above is None else high + above
    return low, high


def _product_range(monomial: Monomial, values: Mapping[Atom, Range]) -> Range:
    least, most = 1, 1
    unbounded = False
    for atom, power in monomial:
        low, high = values[atom]
        least *= low**power
        unbounded = unbounded or high is None
        most *= 1 if high is None else high**power
    return least, None if unbounded and most else most
