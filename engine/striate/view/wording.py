"""Sizes and counts as text, open ones in the fewest words that the network's domain allows.

Where every legal height is a multiple of 16, `floor(H/2)` is `H/2`, and a count that would be a sum of products of
floors is one product. That holds for legal sizes only, which are the only ones that the network takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from striate.dims import Dim, Expr, format_dim, substitute, symbol
from striate.dims.expr import Monomial, Symbol
from striate.graph import TensorType
from striate.view.numbers import full_number, short_number
from striate.view.rows import Extent

if TYPE_CHECKING:
    from striate.dims.domain import Domain

Terms = list[tuple[Fraction, str]]
"""Coefficients and products of symbols; the product of a constant is empty."""


class Wording:
    """Writes the sizes of one network; `multiples` says what every legal size of a symbol is a multiple of."""

    def __init__(self, multiples: Mapping[str, int] | None = None) -> None:
        self._multiples = dict(multiples or {})
        self._known: dict[Expr, Terms] = {}

    @classmethod
    def of(cls, domain: Domain | None) -> Wording:
        """Return the wording for a domain."""
        if domain is None or domain.is_empty():
            return cls()
        return cls({name: domain[name].multiple_of() for name in domain.symbols})

    def count(self, count: Dim, *, full: bool) -> str:
        """Return a count, e.g. `25,557,032` in full and `25.6 M` in short, `1,728*H*W` or `1.73k*H*W` if it is open."""
        if isinstance(count, int):
            return full_number(count) if full else short_number(count)
        return self._sum(count, grouped=True) if full else self._short_sum(count)

    def memory(self, size: Dim) -> str:
        """Return a number of bytes, e.g. `3.21 MB`."""
        return short_number(size, "B") if isinstance(size, int) else f"{self._short_sum(size)} B"

    def size(self, kind: TensorType, *, spaced: bool) -> str:
        """Return the size of a value as the language writes it, `64 x 56 x 56`, or without blanks where it is known."""
        is_known = all(isinstance(extent, int) for extent in kind.shape)
        return ("x" if is_known and not spaced else " x ").join(map(self._factor, kind.shape))

    def plain(self, size: Dim) -> int | str:
        """Return a number as it is, and an open size as text without separators of thousands."""
        return size if isinstance(size, int) else self._sum(size, grouped=False)

    def _factor(self, size: Dim) -> str:
        text = str(self.plain(size))
        return f"({text})" if isinstance(size, Expr) and len(self._terms(size)) > 1 else text

    def _sum(self, size: Expr, *, grouped: bool) -> str:
        parts = []
        for factor, product in self._terms(size):
            above = f"{abs(factor.numerator):,}" if grouped else str(abs(factor.numerator))
            text = "*".join(([above] if above != "1" or not product else []) + ([product] if product else []))
            below = f"/{factor.denominator}" if factor.denominator != 1 else ""
            parts.append((factor < 0, text + below))
        return _joined(parts)

    def _short_sum(self, size: Expr) -> str:
        parts = []
        for factor, product in self._terms(size):
            number = short_number(float(abs(factor)), gap="")
            parts.append((factor < 0, f"{number}*{product}" if product else number))
        return _joined(parts)

    def _terms(self, size: Expr) -> Terms:
        if size not in self._known:
            self._known[size] = self._divided(size) or _terms_of(size, {})
        return self._known[size]

    def _divided(self, size: Expr) -> Terms | None:
        """Return the terms with every symbol written as its multiple, or None where a floor is left over."""
        steps = {name: multiple for name, multiple in self._multiples.items() if multiple > 1}
        swapped = substitute(size, {name: symbol(name) * multiple for name, multiple in steps.items()})
        if isinstance(swapped, int) or not all(isinstance(atom, Symbol) for atom in swapped.atoms()):
            return None
        return _terms_of(swapped, steps)


def extent_text(extent: Extent, *, spaced: bool) -> str:
    """Return a receptive field, e.g. `7 x 7`, or `all`."""
    return extent if isinstance(extent, str) else (" x " if spaced else "x").join(map(str, extent))


def _terms_of(size: Expr, steps: Mapping[str, int]) -> Terms:
    """Return coefficients and products, of high degree first, each symbol divided by its step."""
    ordered = []
    for monomial, factor in size.terms.items():
        divisor = prod(steps.get(atom.name, 1) ** power for atom, power in monomial if isinstance(atom, Symbol))
        degree = sum(power for _, power in monomial)
        ordered.append((-degree, _product(monomial), Fraction(factor, divisor)))
    terms = [(factor, product) for _, product, factor in sorted(ordered)]
    return [*terms, (Fraction(size.constant), "")] if size.constant else terms


def _product(monomial: Monomial) -> str:
    return format_dim(Expr({monomial: 1}, 0))


def _joined(parts: list[tuple[bool, str]]) -> str:
    (is_negative, first), *others = parts
    return ("-" if is_negative else "") + first + "".join(f" {'-' if sign else '+'} {text}" for sign, text in others)
