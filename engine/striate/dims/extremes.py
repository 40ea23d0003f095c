"""Maxima and minima of sizes, all of them built from `max(d, 0)`.

Where bounds settle for all positive sizes which of two is larger, that one is the result and no atom is needed.
"""

from __future__ import annotations

from math import gcd

from striate.dims.bounds import bounds
from striate.dims.expr import Dim, Expr, atom_expr, positive_atom, quotient_by_factor


def maximum(first: Dim, second: Dim) -> Dim:
    """The larger of two sizes, each symbol in them being at least 1."""
    return second + positive_part(first - second)


def minimum(first: Dim, second: Dim) -> Dim:
    """The smaller of two sizes, each symbol in them being at least 1."""
    return first - positive_part(first - second)


def positive_part(dim: Dim) -> Dim:
    """`max(dim, 0)`, with common factors moved out and one of `max(d, 0)` and `max(-d, 0)` chosen for both."""
    low, high = bounds(dim)
    if low is not None and low >= 0:
        return dim
    if isinstance(dim, int) or (high is not None and high <= 0):
        return 0
    factor = gcd(dim.constant, *dim.terms.values())
    inner = quotient_by_factor(dim, factor)
    mirrored = -inner
    if _leads(inner, mirrored):
        return atom_expr(positive_atom(inner)) * factor
    return (atom_expr(positive_atom(mirrored)) + inner) * factor


def _leads(expr: Expr, mirrored: Expr) -> bool:
    weight = sum(expr.terms.values()) or expr.constant
    return weight > 0 if weight else str(expr) <= str(mirrored)
