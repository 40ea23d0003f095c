"""Open sizes, and what must hold of them, as an input line says it."""

from __future__ import annotations

from striate.dims import Dim, Expr
from striate.dims.constraints import AtLeast, Constraint, Divisible
from striate.dims.expr import Atom, Floor, Symbol, atom_expr
from striate.expand.literals import UnwritableError


def size_text(size: Dim) -> str:
    """Return a size as the language computes it, in brackets unless it is one number or one name.

    Raises:
        UnwritableError: it is the larger of two sizes, which the language cannot ask of open ones.
    """
    text = _sum(size)
    return text if isinstance(size, int) or text.isidentifier() else f"({text})"


def condition_text(constraint: Constraint) -> str:
    """Return a condition as it stands behind `where`; raises like `size_text`."""
    if isinstance(constraint, Divisible):
        return f"{size_text(constraint.dim)} % {constraint.by} == 0"
    if isinstance(constraint, AtLeast):
        larger, smaller = _sides(constraint.dim - constraint.bound)
        return f"{_sum(larger)} >= {_sum(smaller)}"
    if constraint.right == 0 and (remainder := _remainder(constraint.left)):
        return f"{remainder} == 0"
    larger, smaller = _sides(constraint.left - constraint.right)
    return f"{_sum(larger)} == {_sum(smaller)}"


def _sides(difference: Dim) -> tuple[Dim, Dim]:
    """Return two sums without a minus whose difference is this."""
    if isinstance(difference, int):
        return max(difference, 0), max(-difference, 0)
    above = {monomial: factor for monomial, factor in difference.terms.items() if factor > 0}
    larger: Dim = Expr(above, max(difference.constant, 0)) if above else max(difference.constant, 0)
    return larger, larger - difference


def _remainder(size: Dim) -> str | None:
    """Return `W % 2` for `W - 2*floor(W/2)`, and None for what is no remainder."""
    if isinstance(size, Expr):
        for atom in size.atoms():
            if isinstance(atom, Floor) and size == atom.numerator - atom.divisor * atom_expr(atom):
                return f"{size_text(atom.numerator)} % {atom.divisor}"
    return None


def _sum(size: Dim) -> str:
    if isinstance(size, int):
        return str(size)
    texts = []
    for monomial, factor in size.terms.items():
        parts = [part for atom, power in sorted(monomial, key=str) for part in [_atom(atom)] * power]
        texts.append(
            f"{'-' if factor < 0 else '+'} {' * '.join([*([str(abs(factor))] if abs(factor) > 1 else []), *parts])}"
        )
    texts.sort(key=lambda text: text.startswith("-"))
    if size.constant:
        texts.append(f"{'-' if size.constant < 0 else '+'} {abs(size.constant)}")
    written = " ".join(texts)
    return written[2:] if written.startswith("+") else f"-{written[2:]}"


def _atom(atom: Atom) -> str:
    if isinstance(atom, Symbol):
        return atom.name
    if isinstance(atom, Floor):
        return f"({size_text(atom.numerator)} // {atom.divisor})"
    raise UnwritableError("the larger of two open sizes has no form in the language")
