"""What a size comes to: its value for given sizes of its symbols, and the size after symbols are replaced."""

from __future__ import annotations

from collections.abc import Mapping

from striate.dims.expr import Atom, Dim, Expr, Floor, Symbol, atom_expr, symbols_of
from striate.dims.extremes import positive_part


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number that `dim` comes to when each symbol has the size given.

    Raises:
        KeyError: if a symbol of the expression has no size.
    """
    if isinstance(dim, int):
        return dim
    values: dict[Atom, int] = {}
    for atom in dim.atoms():
        if isinstance(atom, Symbol):
            values[atom] = sizes[atom.name]
        elif isinstance(atom, Floor):
            values[atom] = atom.numerator.at(values) // atom.divisor
        else:
            values[atom] = max(atom.argument.at(values), 0)
    return dim.at(values)


def substitute(dim: Dim, replacements: Mapping[str, Dim]) -> Dim:
    """`dim` with the named symbols replaced by other sizes, all at once; symbols that are not named stay."""
    if isinstance(dim, int) or symbols_of(dim).isdisjoint(replacements):
        return dim
    values: dict[Atom, Dim] = {}
    for atom in dim.atoms():
        if isinstance(atom, Symbol):
            values[atom] = replacements.get(atom.name, atom_expr(atom))
        elif isinstance(atom, Floor):
            values[atom] = _rebuilt(atom.numerator, values) // atom.divisor
        else:
            values[atom] = positive_part(_rebuilt(atom.argument, values))
    return _rebuilt(dim, values)


def _rebuilt(expr: Expr, values: Mapping[Atom, Dim]) -> Dim:
    total: Dim = expr.constant
    for monomial, factor in expr.terms.items():
        product: Dim = factor
        for atom, power in monomial:
            for _ in range(power):
                product = product * values[atom]
        total = total + product
    return total
