"""Splits conditions on several symbols into questions about one symbol each and what truly ties symbols together.

Ties such as H = 2*W + 1 are used to replace H, symbols with a single legal size are replaced by it, and what then
speaks of one symbol is solved exactly. The rest stays as joint conditions for `search.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from striate.dims.bounds import Range
from striate.dims.condition import Condition, Kind, decide_by_bounds, not_negative
from striate.dims.evaluation import evaluate
from striate.dims.expr import Dim, Expr, Monomial, Symbol, symbol, symbols_of
from striate.dims.onesymbol import solve_one_symbol
from striate.dims.sizes import SizeSet

Tie: TypeAlias = "tuple[str, Expr]"
"""A symbol and the expression `factor * other symbol + offset`, factor positive, that it equals."""


class System:
    """Conditions under reduction, each with the number of the constraint that it comes from.

    After `reduce`: `sets` has the sizes of every symbol (those of replaced symbols too), `shared` what still ties
    several symbols, `own` what speaks of one symbol, `undecided` the part of it that was too costly to work into
    `sets`, `ties` and `fixed` what was replaced, in that order, and `contradiction` whether nothing can be legal.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.shared: dict[Condition, int] = {}
        self.own: dict[str, dict[Condition, int]] = {}
        self.undecided: dict[str, list[Condition]] = {}
        self.ties: dict[int, Tie] = {}
        self.fixed: dict[str, int] = {}
        self.sets: dict[str, SizeSet] = {}
        self.contradiction = False

    def note(self, asked: Condition | bool, number: int) -> None:
        """Take in one condition, with the cheap decisions made at once."""
        if isinstance(asked, Condition):
            settled = decide_by_bounds(asked)
            asked = asked if settled is None else settled
        if isinstance(asked, bool):
            self.contradiction = self.contradiction or not asked
            return
        names = symbols_of(asked.expr)
        if len(names) > 1:
            self.shared.setdefault(asked, number)
        else:
            (name,) = names
            self.own.setdefault(name, {}).setdefault(asked, number)
            self.sets.pop(name, None)

    def reduce(self) -> None:
        """Replace, split and solve until nothing changes."""
        while not self.contradiction and (self._use_tie() or self._use_fixed()):
            pass
        if not self.contradiction:
            self._drop_implied()
            self._restore_tied()

    def free_names(self) -> list[str]:
        """The symbols that were not replaced."""
        replaced = {name for name, _ in self.ties.values()}.union(self.fixed)
        return [name for name in self.names if name not in replaced]

    def completed(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Sizes of the free symbols with those of the replaced symbols added, in the order of `names`."""
        known = {**sizes, **self.fixed}
        for name, value in reversed(self.ties.values()):
            known[name] = evaluate(value, known)
        return {name: known[name] for name in self.names}

    def ranges(self) -> dict[str, Range]:
        """The least and greatest size of every symbol whose set is known."""
        return {name: (sizes.smallest() or 1, sizes.largest()) for name, sizes in self.sets.items()}

    def _use_tie(self) -> bool:
        for condition, number in self.shared.items():
            tie = _tie(condition, self.names)
            if tie is not None:
                name, value = tie
                del self.shared[condition]
                self.ties[number] = tie
                self._replace(name, value)
                self.note(not_negative(value - 1), number)
                return True
        return False

    def _use_fixed(self) -> bool:
        """Solve what speaks of one symbol; replace one that has a single size left and still occurs elsewhere."""
        self._solve_single_symbols()
        if self.contradiction:
            return False
        wanted = {name for condition in self.shared for name in symbols_of(condition.expr)}
        for name in self.names:
            if name in wanted and not self.undecided[name]:
                size = self.sets[name].smallest()
                if size is not None and size == self.sets[name].largest():
                    self.fixed[name] = size
                    self._replace(name, size)
                    return True
        return False

    def _replace(self, name: str, value: Dim) -> None:
        """Put `value` for the symbol in all conditions, except in what has led to its one size."""
        affected = [(c, n) for c, n in self.shared.items() if name in symbols_of(c.expr)]
        for condition, _ in affected:
            del self.shared[condition]
        if not isinstance(value, int):
            affected += self.own.pop(name, {}).items()
        for condition, number in affected:
            self.note(condition.substituted({name: value}), number)

    def _solve_single_symbols(self) -> None:
        replaced = {name for name, _ in self.ties.values()}
        for name in self.names:
            if name not in self.sets and name not in replaced:
                self.sets[name], self.undecided[name] = solve_one_symbol(name, self.own.get(name, ()))
                self.contradiction = self.contradiction or self.sets[name].is_empty()

    def _drop_implied(self) -> None:
        """Leave out what the sets imply, by their ends or by the common spacing of their members."""
        ranges = self.ranges()
        spaced = {name: self.sets[name].spaced(symbol(name)) for name in self.free_names()}
        for condition in list(self.shared):
            settled = decide_by_bounds(condition, ranges)
            if settled is None:
                respaced = condition.substituted(spaced)
                settled = respaced if isinstance(respaced, bool) else None
            if settled is not None:
                del self.shared[condition]
                self.contradiction = self.contradiction or not settled

    def _restore_tied(self) -> None:
        for name, value in reversed(self.ties.values()):
            (source,) = symbols_of(value)
            (factor,) = value.terms.values()
            images = (piece.image(factor, value.constant) for piece in self.sets[source].progressions)
            self.sets[name] = SizeSet(tuple(images))


def reduced_system(asked: Iterable[Condition | bool], names: tuple[str, ...]) -> System:
    """The system of numbered conditions, reduced."""
    system = System(names)
    for number, each in enumerate(asked):
        system.note(each, number)
    system.reduce()
    return system


def _tie(condition: Condition, names: tuple[str, ...]) -> Tie | None:
    """The symbol that `condition` fixes through another one, if it is an equation `a*A - b*B + c = 0` with a = 1.

    Where either symbol could be replaced, the later one in `names` is.
    """
    if condition.kind is not Kind.ZERO or len(condition.expr.terms) != 2:
        return None
    found: list[Tie] = []
    for monomial, factor in condition.expr.terms.items():
        name = _lone_symbol(monomial)
        if name is None:
            return None
        ((other, weight),) = ((m, f) for m, f in condition.expr.terms.items() if m != monomial)
        source = _lone_symbol(other)
        if source is not None and abs(factor) == 1 and factor * weight < 0:
            value = symbol(source) * abs(weight) - factor * condition.expr.constant
            found += [(name, value)] if isinstance(value, Expr) else []
    return max(found, key=lambda tie: names.index(tie[0]), default=None)


def _lone_symbol(monomial: Monomial) -> str | None:
    ((atom, power), *others) = monomial
    return atom.name if isinstance(atom, Symbol) and power == 1 and not others else None
