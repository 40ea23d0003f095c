"""Sizes with symbols: integer polynomials over symbols, floors and positive parts, kept in one canonical form.

A known size is a plain int; an `Expr` exists only while a symbol remains, and every operator gives an int back as soon
as the symbols cancel. Two expressions of the same canonical form are equal and hash alike. Nothing here knows about
constraints, legal sizes or layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from threading import Lock
from typing import TypeAlias, TypeGuard, Union
from weakref import WeakValueDictionary

from striate.dims.text import floor_text, positive_text, sum_text

Terms: TypeAlias = "dict[Monomial, int]"
_set = object.__setattr__


class Symbol:
    """A size that the source file leaves open; made once per name, so that identity is equality."""

    __slots__ = ("__weakref__", "name")

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        return _symbol_atom, (self.name,)


class Floor:
    """`floor(numerator / divisor)`: coefficients of the numerator lie in 1..divisor-1, its constant in 0..divisor-1."""

    __slots__ = ("__weakref__", "divisor", "numerator")

    def __init__(self, numerator: Expr, divisor: int) -> None:
        self.numerator = numerator
        self.divisor = divisor

    def __reduce__(self) -> tuple[object, ...]:
        return _floor_atom, (self.numerator, self.divisor)


class Positive:
    """`max(argument, 0)`, the one building block of maxima and minima."""

    __slots__ = ("__weakref__", "argument")

    def __init__(self, argument: Expr) -> None:
        self.argument = argument

    def __reduce__(self) -> tuple[object, ...]:
        return positive_atom, (self.argument,)


Atom: TypeAlias = Symbol | Floor | Positive
Monomial: TypeAlias = frozenset[tuple[Atom, int]]
"""A product of atoms, each with its power of at least 1; never empty."""


class Expr:
    """An integer polynomial over atoms that is not a constant; immutable, hashable, compared by canonical form."""

    __slots__ = ("_atoms", "_hash", "constant", "terms")

    terms: Terms
    constant: int
    _hash: int | None
    _atoms: tuple[Atom, ...] | None

    def __init__(self, terms: Terms, constant: int) -> None:
        """Take a non-empty mapping without zero coefficients; callers elsewhere use `symbol` and the operators."""
        _set(self, "terms", terms)
        _set(self, "constant", constant)
        _set(self, "_hash", None)
        _set(self, "_atoms", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"sizes do not change: cannot set {name!r}")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Expr):
            return False
        return self.constant == other.constant and self.terms == other.terms

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash((self.constant, frozenset(self.terms.items())))
            _set(self, "_hash", known)
        return known

    def __reduce__(self) -> tuple[object, ...]:
        return Expr, (self.terms, self.constant)

    def __str__(self) -> str:
        return format_dim(self)

    def __repr__(self) -> str:
        return f"Expr({self})"

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Expr(self.terms, self.constant + other) if other else self
        if not isinstance(other, Expr):
            return NotImplemented
        return _collapse(_merged(self.terms, other.terms.items()), self.constant + other.constant)

    __radd__ = __add__

    def __neg__(self) -> Expr:
        return Expr({monomial: -factor for monomial, factor in self.terms.items()}, -self.constant)

    def __sub__(self, other: Dim) -> Dim:
        if not isinstance(other, int | Expr):
            return NotImplemented
        return self + (-other)

    def __rsub__(self, other: int) -> Dim:
        if not isinstance(other, int):
            return NotImplemented
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self._scaled(other)
        if not isinstance(other, Expr):
            return NotImplemented
        terms: Terms = {}
        for monomial, factor in other.terms.items():
            products = ((_product(monomial, mine), factor * coefficient) for mine, coefficient in self.terms.items())
            terms = _merged(terms, products)
        terms = _merged(terms, ((m, c * other.constant) for m, c in self.terms.items()))
        terms = _merged(terms, ((m, c * self.constant) for m, c in other.terms.items()))
        return _collapse(terms, self.constant * other.constant)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Dim:
        if not isinstance(divisor, int):
            return NotImplemented
        _require_positive(divisor)
        return self if divisor == 1 else _floor_division(self, divisor)

    def __mod__(self, divisor: int) -> Dim:
        if not isinstance(divisor, int):
            return NotImplemented
        _require_positive(divisor)
        return self - self // divisor * divisor

    def _scaled(self, factor: int) -> Dim:
        if factor == 1:
            return self
        if factor == 0:
            return 0
        return Expr({monomial: c * factor for monomial, c in self.terms.items()}, self.constant * factor)

    def atoms(self) -> tuple[Atom, ...]:
        """All atoms in the expression and inside its atoms, each once, inner ones before those that hold them."""
        known = self._atoms
        if known is None:
            known = _inner_first(self)
            _set(self, "_atoms", known)
        return known

    def at(self, values: Mapping[Atom, int]) -> int:
        """The value of the polynomial when its outermost atoms have `values`."""
        total = self.constant
        for monomial, factor in self.terms.items():
            product = factor
            for atom, power in monomial:
                product *= values[atom] if power == 1 else values[atom] ** power
            total += product
        return total


Dim: TypeAlias = Union[int, Expr]  # noqa: UP007 - also evaluated by tools that read annotations


def symbol(name: str) -> Expr:
    """The size called `name`, a positive number that is not known yet.

    Raises:
        ValueError: if the name is empty.
    """
    if not name:
        raise ValueError("a size symbol needs a name")
    return Expr({frozenset(((_symbol_atom(name), 1),)): 1}, 0)


def ceil_div(dim: Dim, divisor: int) -> Dim:
    """`dim / divisor` rounded up, as `floor((dim + divisor - 1) / divisor)`.

    Raises:
        ValueError: if the divisor is not positive.
    """
    _require_positive(divisor)
    return (dim + (divisor - 1)) // divisor


def is_known(dim: Dim) -> TypeGuard[int]:
    """Whether the size is a plain number."""
    return isinstance(dim, int)


def symbols_of(dim: Dim) -> frozenset[str]:
    """The names of the symbols that the size depends on."""
    if isinstance(dim, int):
        return frozenset()
    return frozenset(atom.name for atom in dim.atoms() if isinstance(atom, Symbol))


def format_dim(dim: Dim) -> str:
    """The size as a short text, as in `ceil(H/2)`."""
    if isinstance(dim, int):
        return str(dim)
    texts: dict[Atom, str] = {}
    for atom in dim.atoms():
        if isinstance(atom, Symbol):
            texts[atom] = atom.name
        elif isinstance(atom, Floor):
            texts[atom] = floor_text(_term_texts(atom.numerator, texts), atom.numerator.constant, atom.divisor)
        else:
            texts[atom] = positive_text(_term_texts(atom.argument, texts), atom.argument.constant)
    return sum_text(_term_texts(dim, texts), dim.constant)


def atom_expr(atom: Atom) -> Expr:
    """The expression that is one atom and nothing else."""
    return Expr({_monomial(atom): 1}, 0)


def quotient_by_factor(expr: Expr, factor: int) -> Expr:
    """`floor(expr / factor)` for a positive factor that divides every coefficient, though maybe not the constant."""
    if factor == 1:
        return expr
    return Expr({monomial: c // factor for monomial, c in expr.terms.items()}, expr.constant // factor)


def _term_texts(expr: Expr, texts: Mapping[Atom, str]) -> list[tuple[list[tuple[str, int]], int]]:
    return [([(texts[atom], power) for atom, power in m], factor) for m, factor in expr.terms.items()]


def _collapse(terms: Terms, constant: int) -> Dim:
    return Expr(terms, constant) if terms else constant


def _merged(terms: Terms, additions: Iterable[tuple[Monomial, int]]) -> Terms:
    merged = dict(terms)
    for monomial, factor in additions:
        total = merged.get(monomial, 0) + factor
        if total:
            merged[monomial] = total
        else:
            merged.pop(monomial, None)
    return merged


def _product(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return frozenset(powers.items())


def _require_positive(divisor: int) -> None:
    if divisor <= 0:
        raise ValueError(f"sizes are divided by positive numbers only, not by {divisor}")


def _floor_division(expr: Expr, divisor: int) -> Dim:
    """Move every whole multiple of the divisor out of the floor: floor((q*k + r)*x / k) = q*x + floor(r*x / k)."""
    whole: Terms = {}
    part: Terms = {}
    for monomial, factor in expr.terms.items():
        quotient, remainder = divmod(factor, divisor)
        if quotient:
            whole[monomial] = quotient
        if remainder:
            part[monomial] = remainder
    quotient, remainder = divmod(expr.constant, divisor)
    outside = _collapse(whole, quotient)
    return outside + _proper_floor(part, remainder, divisor) if part else outside


def _proper_floor(part: Terms, constant: int, divisor: int) -> Dim:
    """The floor of a numerator whose coefficients are already smaller than the divisor.

    A common factor g of coefficients and divisor goes, as floor((g*x + c) / (g*k)) = floor((x + floor(c/g)) / k), and
    a floor inside is absorbed, as floor((floor(x/j) + y) / k) = floor((x + j*y) / (j*k)).
    """
    factor = gcd(divisor, *part.values())
    if factor > 1:
        part = {monomial: c // factor for monomial, c in part.items()}
        constant, divisor = constant // factor, divisor // factor
    inner = _absorbable(part)
    if inner is None:
        return atom_expr(_floor_atom(Expr(part, constant), divisor))
    rest = {monomial: c for monomial, c in part.items() if monomial != _monomial(inner)}
    return (inner.numerator + _collapse(rest, constant) * inner.divisor) // (inner.divisor * divisor)


def _absorbable(part: Terms) -> Floor | None:
    """The floor among the terms that has coefficient 1 and stands alone; of several, the first in reading order."""
    found: list[Floor] = []
    for monomial, factor in part.items():
        if factor == 1 and len(monomial) == 1:
            ((atom, power),) = monomial
            if power == 1 and isinstance(atom, Floor):
                found.append(atom)
    if len(found) > 1:
        found.sort(key=lambda floor: (floor.divisor, str(floor.numerator)))
    return found[0] if found else None


def _monomial(atom: Atom) -> Monomial:
    return frozenset(((atom, 1),))


def _outer_atoms(expr: Expr) -> list[Atom]:
    return [atom for monomial in expr.terms for atom, _ in monomial]


def _inner_first(expr: Expr) -> tuple[Atom, ...]:
    """Walk with a stack of our own: floors may nest deeper than Python's recursion limit."""
    done: dict[Atom, None] = {}
    stack = _outer_atoms(expr)
    while stack:
        atom = stack[-1]
        inside = [] if isinstance(atom, Symbol) else _outer_atoms(_held(atom))
        waiting = [each for each in inside if each not in done]
        if waiting:
            stack.extend(waiting)
        else:
            done[stack.pop()] = None
    return tuple(done)


def _held(atom: Floor | Positive) -> Expr:
    return atom.numerator if isinstance(atom, Floor) else atom.argument


# Atoms are made once each and then compared by identity: equality and hashing of deep expressions stay shallow.
_lock = Lock()
_symbols: WeakValueDictionary[str, Symbol] = WeakValueDictionary()
_floors: WeakValueDictionary[tuple[Expr, int], Floor] = WeakValueDictionary()
_positives: WeakValueDictionary[Expr, Positive] = WeakValueDictionary()


def _symbol_atom(name: str) -> Symbol:
    with _lock:
        atom = _symbols.get(name)
        if atom is None:
            atom = _symbols[name] = Symbol(name)
        return atom


def _floor_atom(numerator: Expr, divisor: int) -> Floor:
    with _lock:
        atom = _floors.get((numerator, divisor))
        if atom is None:
            atom = _floors[numerator, divisor] = Floor(numerator, divisor)
        return atom


def positive_atom(argument: Expr) -> Positive:
    """The one atom `max(argument, 0)`; sizes are built with `positive_part`, which brings the argument into form."""
    with _lock:
        atom = _positives.get(argument)
        if atom is None:
            atom = _positives[argument] = Positive(argument)
        return atom
