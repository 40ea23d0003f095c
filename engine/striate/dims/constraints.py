"""What must hold of a model's sizes: two are equal, one is at least another, one is divisible by a number.

Each constraint carries an opaque `reason` for whoever reports it (a place in the source, a sentence); reasons take no
part in comparison. Sizes are positive throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from striate.dims import condition
from striate.dims.condition import Condition
from striate.dims.evaluation import evaluate
from striate.dims.expr import Dim, Expr, symbols_of
from striate.dims.onesymbol import decide_one_symbol


@dataclass(frozen=True, slots=True)
class Equal:
    """`left` and `right` are the same size."""

    left: Dim
    right: Dim
    reason: object | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.left} = {self.right}"

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether it holds for these sizes; raises KeyError if a symbol has none."""
        return evaluate(self.left, sizes) == evaluate(self.right, sizes)

    def decide(self) -> bool | None:
        """True or False where it is settled for all positive sizes, None where it depends on them."""
        return _decide(self.condition())

    def condition(self) -> Condition | bool:
        """The constraint in the solver's normal form."""
        return condition.zero(self.left - self.right)

    def symbols(self) -> frozenset[str]:
        """The symbols it speaks about."""
        return symbols_of(self.left) | symbols_of(self.right)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`dim` is not smaller than `bound`."""

    dim: Dim
    bound: Dim
    reason: object | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.dim} >= {self.bound}"

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether it holds for these sizes; raises KeyError if a symbol has none."""
        return evaluate(self.dim, sizes) >= evaluate(self.bound, sizes)

    def decide(self) -> bool | None:
        """True or False where it is settled for all positive sizes, None where it depends on them."""
        return _decide(self.condition())

    def condition(self) -> Condition | bool:
        """The constraint in the solver's normal form."""
        return condition.not_negative(self.dim - self.bound)

    def symbols(self) -> frozenset[str]:
        """The symbols it speaks about."""
        return symbols_of(self.dim) | symbols_of(self.bound)


@dataclass(frozen=True, slots=True)
class Divisible:
    """`dim` is a multiple of the positive number `by`; raises ValueError for any other divisor."""

    dim: Dim
    by: int
    reason: object | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.by <= 0:
            raise ValueError(f"sizes are divisible by positive numbers only, not by {self.by}")

    def __str__(self) -> str:
        return f"{self.dim} is a multiple of {self.by}"

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether it holds for these sizes; raises KeyError if a symbol has none."""
        return evaluate(self.dim, sizes) % self.by == 0

    def decide(self) -> bool | None:
        """True or False where it is settled for all positive sizes, None where it depends on them."""
        return _decide(self.condition())

    def condition(self) -> Condition | bool:
        """The constraint in the solver's normal form."""
        return condition.multiple(self.dim, self.by)

    def symbols(self) -> frozenset[str]:
        """The symbols it speaks about."""
        return symbols_of(self.dim)


Constraint: TypeAlias = Equal | AtLeast | Divisible


def simplified(constraint: Constraint) -> Constraint:
    """The same demand without common factors, with what is taken away moved to the other side; the reason stays.

    `2*H + 2 = 2*W` becomes `H + 1 = W`, and `H = 2*floor(H/2)` that H is a multiple of 2. What is settled already is
    returned as it is.
    """
    asked = constraint.condition()
    if isinstance(asked, bool):
        return constraint
    if asked.kind is condition.Kind.MULTIPLE:
        return Divisible(asked.expr, asked.modulus, constraint.reason)
    gained, lost = _by_sign(asked.expr)
    if isinstance(constraint, AtLeast):
        return AtLeast(gained, lost, constraint.reason)
    first, second = sorted((gained, lost), key=lambda side: (isinstance(side, int), len(str(side)), str(side)))
    return Equal(first, second, constraint.reason)


def _by_sign(expr: Expr) -> tuple[Dim, Dim]:
    """Two sizes with positive coefficients whose difference is the expression; constants go right if they can."""
    gained = {monomial: factor for monomial, factor in expr.terms.items() if factor > 0}
    lost = {monomial: -factor for monomial, factor in expr.terms.items() if factor < 0}
    left = Expr(gained, 0) if gained else 0
    right = Expr(lost, 0) if lost else 0
    return (left + expr.constant, right) if expr.constant > 0 and lost else (left, right - expr.constant)


def _decide(asked: Condition | bool) -> bool | None:
    if isinstance(asked, bool):
        return asked
    settled = condition.decide_by_bounds(asked)
    return decide_one_symbol(asked) if settled is None else settled
