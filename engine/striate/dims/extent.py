"""Whether a size is one that can be worked with: not too large to be written, not too long to be reasoned about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from striate.dims.expr import Dim, Expr, Floor, Symbol
from striate_dsl.limits import SIZE_TERMS

LARGEST: Final = 2**63
"""Numbers stay below this: more than any size needs, and what ONNX can store."""


def is_simple(dim: Dim) -> bool:
    """Whether a size is neither too large nor too long."""
    if isinstance(dim, Expr) and len(dim.terms) == 1 and -LARGEST < dim.constant < LARGEST:
        ((monomial, factor),) = dim.terms.items()
        if len(monomial) == 1 and factor == 1:
            ((atom, power),) = monomial
            if power == 1 and isinstance(atom, Symbol):
                return True  # `H - 4`, by far the most frequent size
    return not is_too_large(dim) and not is_too_long(dim)


def is_too_large(dim: Dim) -> bool:
    """Whether a number in a size is `LARGEST` or more."""
    if isinstance(dim, int):
        return not -LARGEST < dim < LARGEST
    return any(not -LARGEST < number < LARGEST for inner in _sums(dim) for number in _numbers(inner)) or any(
        atom.divisor >= LARGEST for atom in dim.atoms() if isinstance(atom, Floor)
    )


def is_too_long(dim: Dim) -> bool:
    """Whether a size has more terms, powers and roundings than `limits.SIZE_TERMS`."""
    if isinstance(dim, int):
        return False
    most = SIZE_TERMS.value
    return len(dim.atoms()) > most or sum(map(_factors, _sums(dim))) > most


def _sums(dim: Expr) -> Iterator[Expr]:
    """Yield a size and the sums inside its roundings."""
    yield dim
    for atom in dim.atoms():
        if not isinstance(atom, Symbol):
            yield atom.numerator if isinstance(atom, Floor) else atom.argument


def _numbers(dim: Expr) -> Iterator[int]:
    yield dim.constant
    yield from dim.terms.values()


def _factors(dim: Expr) -> int:
    """The factors of all terms: `H*H + W` has three."""
    return sum(power for monomial in dim.terms for _, power in monomial)
