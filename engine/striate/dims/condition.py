"""One normal form for everything that can be asked of sizes: a single expression is zero, not negative, or a multiple.

The solver works on these; people write and read the constraints of `constraints.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from math import gcd

from striate.dims.bounds import Range, bounds
from striate.dims.evaluation import evaluate, substitute
from striate.dims.expr import Atom, Dim, Expr, Floor, Symbol, atom_expr, quotient_by_factor
from striate.dims.frozen import Frozen


class Kind(Enum):
    """What is asked of the expression."""

    ZERO = "zero"
    NOT_NEGATIVE = "not negative"
    MULTIPLE = "multiple"


class Condition(Frozen):
    """`expr` is zero, not negative, or a multiple of `modulus` (which is 1 for the other two kinds)."""

    __slots__ = ("expr", "kind", "modulus")

    expr: Expr
    kind: Kind
    modulus: int

    def __init__(self, expr: Expr, kind: Kind, modulus: int = 1) -> None:
        self._fill(expr, kind, modulus)

    def accepts(self, value: int) -> bool:
        """Whether the condition holds where the expression comes to `value`."""
        if self.kind is Kind.ZERO:
            return value == 0
        if self.kind is Kind.NOT_NEGATIVE:
            return value >= 0
        return value % self.modulus == 0

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether the condition holds for these sizes."""
        return self.accepts(evaluate(self.expr, sizes))

    def substituted(self, replacements: Mapping[str, Dim]) -> Condition | bool:
        """The same condition with symbols replaced; True or False where nothing is left to ask."""
        replaced = substitute(self.expr, replacements)
        if self.kind is Kind.ZERO:
            return zero(replaced)
        return not_negative(replaced) if self.kind is Kind.NOT_NEGATIVE else multiple(replaced, self.modulus)


def zero(difference: Dim) -> Condition | bool:
    """`difference = 0`, without common factors; symbols that are common factors go too, as sizes are positive."""
    if isinstance(difference, int):
        return difference == 0
    factor = gcd(*difference.terms.values())
    if difference.constant % factor:
        return False
    reduced = _without_common_symbols(quotient_by_factor(difference, factor))
    if isinstance(reduced, int):
        return reduced == 0
    of_remainder = _of_remainder(reduced)
    return Condition(reduced, Kind.ZERO) if of_remainder is None else of_remainder


def not_negative(dim: Dim) -> Condition | bool:
    """`dim >= 0`, without common factors."""
    if isinstance(dim, int):
        return dim >= 0
    return Condition(quotient_by_factor(dim, gcd(*dim.terms.values())), Kind.NOT_NEGATIVE)


def multiple(dim: Dim, modulus: int) -> Condition | bool:
    """`dim` is a multiple of `modulus`, with coefficients reduced by it."""
    if isinstance(dim, int):
        return dim % modulus == 0
    terms = {monomial: factor % modulus for monomial, factor in dim.terms.items() if factor % modulus}
    constant = dim.constant % modulus
    if not terms:
        return constant == 0
    factor = gcd(modulus, *terms.values())
    if constant % factor:
        return False
    return Condition(quotient_by_factor(Expr(terms, constant), factor), Kind.MULTIPLE, modulus // factor)


def decide_by_bounds(condition: Condition, ranges: Mapping[str, Range] | None = None) -> bool | None:
    """Whether the condition holds for all sizes within the ranges (True) or for none (False); None if neither shows."""
    low, high = bounds(condition.expr, ranges)
    if condition.kind is Kind.NOT_NEGATIVE:
        if low is not None and low >= 0:
            return True
        return False if high is not None and high < 0 else None
    if low is not None and low == high:
        return condition.accepts(low)
    if condition.kind is Kind.ZERO and ((low is not None and low > 0) or (high is not None and high < 0)):
        return False
    return None


def _of_remainder(expr: Expr) -> Condition | bool | None:
    """`numerator mod divisor = remainder` as a question of multiples; None if the expression is of another form.

    A remainder is written with a floor, n - m*floor(n/m), whose values would have to be tried one by one; multiples
    are worked out by congruences, however large the divisor.
    """
    for monomial, factor in expr.terms.items():
        ((atom, power), *others) = monomial
        if others or power != 1 or not isinstance(atom, Floor) or factor % atom.divisor:
            continue
        times = -factor // atom.divisor
        rest = {each: coefficient for each, coefficient in expr.terms.items() if each != monomial}
        if rest != {each: times * coefficient for each, coefficient in atom.numerator.terms.items()}:
            continue
        if expr.constant % times:
            return False
        remainder = atom.numerator.constant - expr.constant // times
        return 0 <= remainder < atom.divisor and multiple(atom.numerator - remainder, atom.divisor)
    return None


def _without_common_symbols(expr: Expr) -> Dim:
    """Divide by every symbol that occurs in each term."""
    if expr.constant:
        return expr
    powers = [dict(monomial) for monomial in expr.terms]
    symbols: list[Atom] = [atom for atom in powers[0] if isinstance(atom, Symbol)]
    shared = {atom: min(each.get(atom, 0) for each in powers) for atom in symbols}
    total: Dim = 0
    for each, factor in zip(powers, expr.terms.values(), strict=True):
        product: Dim = factor
        for atom, power in each.items():
            for _ in range(power - shared.get(atom, 0)):
                product = product * atom_expr(atom)
        total = total + product
    return total
