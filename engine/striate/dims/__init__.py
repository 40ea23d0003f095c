"""Sizes with symbols: expressions, what must hold of them, and which sizes are therefore legal."""

from striate.dims.constraints import AtLeast, Constraint, Divisible, Equal
from striate.dims.domain import Domain, solve
from striate.dims.evaluation import evaluate, substitute
from striate.dims.expr import Dim, Expr, ceil_div, format_dim, is_known, symbol, symbols_of
from striate.dims.extremes import maximum, minimum
from striate.dims.progression import Progression
from striate.dims.sizes import SizeSet

__all__ = [
    "AtLeast",
    "Constraint",
    "Dim",
    "Divisible",
    "Domain",
    "Equal",
    "Expr",
    "Progression",
    "SizeSet",
    "ceil_div",
    "evaluate",
    "format_dim",
    "is_known",
    "maximum",
    "minimum",
    "solve",
    "substitute",
    "symbol",
    "symbols_of",
]
