"""The domain of a model: which sizes of its symbols are legal, in words, as JSON and as questions to ask.

Works out the constraints that the elaboration of a model collects. Sizes of one symbol come out exactly; relations
between symbols are kept as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from striate.dims.condition import Condition, decide_by_bounds
from striate.dims.constraints import Constraint, simplified
from striate.dims.expr import symbols_of
from striate.dims.frozen import Frozen
from striate.dims.onesymbol import ALL_SIZES, solve_one_symbol
from striate.dims.progression import Progression
from striate.dims.search import Found, smallest_sizes
from striate.dims.sizes import SizeSet
from striate.dims.system import System, reduced_system


class Domain(Frozen):
    """The legal sizes of `symbols`.

    `sizes` has the set of every symbol, `joint` what ties several symbols beyond these sets. Where `exact` is False,
    some constraint was too costly to work into the sets (it is then listed in `joint` as well) or no example could be
    found: the sets may name sizes that are not legal, but leave out none. `contains` is exact in any case.
    `unsatisfiable` is the first constraint that no sizes can meet together with those before it, None if none is.
    """

    __slots__ = ("symbols", "sizes", "constraints", "joint", "exact", "unsatisfiable", "example")  # noqa: RUF023

    symbols: tuple[str, ...]
    sizes: Mapping[str, SizeSet]
    constraints: tuple[Constraint, ...]
    joint: tuple[Constraint, ...]
    exact: bool
    unsatisfiable: Constraint | None
    example: Mapping[str, int] | None

    def __init__(
        self,
        symbols: tuple[str, ...],
        sizes: Mapping[str, SizeSet],
        constraints: tuple[Constraint, ...],
        joint: tuple[Constraint, ...],
        exact: bool,
        unsatisfiable: Constraint | None,
        example: Mapping[str, int] | None,
    ) -> None:
        self._fill(symbols, sizes, constraints, joint, exact, unsatisfiable, example)

    def __getitem__(self, symbol: str) -> SizeSet:
        return self.sizes[symbol]

    def is_empty(self) -> bool:
        """Whether it is proven that no sizes are legal."""
        return self.unsatisfiable is not None

    def contains(self, sizes: Mapping[str, int]) -> bool:
        """Whether these sizes are legal; raises KeyError if a symbol has none."""
        positive = all(sizes[name] >= 1 for name in self.symbols)
        return positive and all(constraint.holds(sizes) for constraint in self.constraints)

    def smallest(self) -> dict[str, int] | None:
        """Legal sizes with a sum as small as could be found, None if there are none (or `exact` is False)."""
        return None if self.example is None else dict(self.example)

    def sentences(self) -> list[str]:
        """The domain in words: one sentence per set of sizes and per relation."""
        if self.unsatisfiable is not None:
            return [_conflict_text(self.unsatisfiable)]
        groups: dict[SizeSet, list[str]] = {}
        for name in self.symbols:
            groups.setdefault(self.sizes[name], []).append(name)
        sentences = [f"{_enumerated(names)}: {sizes.text()}" for sizes, names in groups.items()]
        sentences += dict.fromkeys(str(constraint) for constraint in self.joint)
        if not self.exact:
            sentences.append("not worked out in full: some of the sizes named may be illegal")
        return sentences

    def to_json(self) -> dict[str, object]:
        """The domain as plain JSON values."""
        return {
            "symbols": {name: self.sizes[name].to_json() for name in self.symbols},
            "joint": [str(constraint) for constraint in self.joint],
            "exact": self.exact,
            "unsatisfiable": None if self.unsatisfiable is None else str(self.unsatisfiable),
            "smallest": self.smallest(),
            "sentences": self.sentences(),
        }


def solve(constraints: Iterable[Constraint], symbols: Iterable[str]) -> Domain:
    """The sizes of the symbols that meet all constraints.

    Symbols that only the constraints name are added after those given, in alphabetical order.
    """
    given = tuple(constraints)
    named = tuple(dict.fromkeys(symbols))
    more = frozenset().union(*(constraint.symbols() for constraint in given))
    names = (*named, *sorted(more.difference(named)))
    system, found = _worked_out(given, names)
    if _is_contradiction(system, found):
        nothing = {name: SizeSet(()) for name in names}
        return Domain(names, nothing, given, (), True, _first_conflict(given, names), None)
    undecided = any(system.undecided.values())
    example = None if found.sizes is None else system.completed(found.sizes)
    exact = not undecided and example is not None
    sets = {name: system.sets[name] for name in names}
    return Domain(names, sets, given, _joint(system, given), exact, None, example)


def _worked_out(constraints: Sequence[Constraint], names: tuple[str, ...]) -> tuple[System, Found]:
    system = reduced_system((constraint.condition() for constraint in constraints), names)
    if system.contradiction:
        return system, Found(None, True)
    undecided = [condition for conditions in system.undecided.values() for condition in conditions]
    free = {name: system.sets[name] for name in system.free_names()}
    return system, smallest_sizes(free, [*system.shared, *undecided])


def _is_contradiction(system: System, found: Found) -> bool:
    return system.contradiction or (found.sizes is None and found.complete)


def _first_conflict(constraints: Sequence[Constraint], names: tuple[str, ...]) -> Constraint:
    """The last constraint of the shortest beginning that contradicts itself, by halving where symbols are tied."""
    alone = _first_conflict_alone(constraints)
    if alone is not None:
        return alone
    low, high = 0, len(constraints)
    while low + 1 < high:
        middle = (low + high) // 2
        if _is_contradiction(*_worked_out(constraints[:middle], names)):
            high = middle
        else:
            low = middle
    return constraints[high - 1]


def _first_conflict_alone(constraints: Sequence[Constraint]) -> Constraint | None:
    """The same, going through the constraints once; None where one speaks of several symbols or is left undecided."""
    asked = [constraint.condition() for constraint in constraints]
    if any(isinstance(each, Condition) and len(symbols_of(each.expr)) > 1 for each in asked):
        return None
    sets: Sets = {}
    for start in range(0, len(constraints), _TOGETHER):
        several = range(start, min(start + _TOGETHER, len(constraints)))
        after = _narrowed(sets, [asked[number] for number in several])
        if after is None:
            return None
        if _nothing_left(after):
            return _narrow_down(sets, [(constraints[number], asked[number]) for number in several])
        sets = after
    return None


_TOGETHER = 256
"""Conditions that are worked in together before it is asked whether anything is left."""

Sets: TypeAlias = "dict[str, Sequence[Progression]]"


def _narrow_down(sets: Sets, several: Sequence[tuple[Constraint, Condition | bool]]) -> Constraint | None:
    for constraint, asked in several:
        after = _narrowed(sets, [asked])
        if after is None or _nothing_left(after):
            return constraint if after is not None else None
        sets = after
    return None


def _narrowed(sets: Sets, asked: Iterable[Condition | bool]) -> Sets | None:
    """The sizes left for each symbol, under the name "" if nothing holds anyway; None if a condition is undecided."""
    by_symbol: dict[str, list[Condition]] = {}
    for each in asked:
        if each is False:
            return {**sets, "": ()}
        if isinstance(each, Condition):
            (name,) = symbols_of(each.expr)
            by_symbol.setdefault(name, []).append(each)
    after = dict(sets)
    for name, conditions in by_symbol.items():
        left, undecided = solve_one_symbol(name, conditions, after.get(name, ALL_SIZES))
        if undecided:
            return None
        after[name] = left.progressions
    return after


def _nothing_left(sets: Sets) -> bool:
    return any(not pieces for pieces in sets.values())


def _joint(system: System, constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The constraints behind ties, shared conditions and undecided ones, unless the sets imply them."""
    undecided = (system.own[name][each] for name, conditions in system.undecided.items() for each in conditions)
    ranges = system.ranges()
    joint: dict[Constraint, None] = {}
    for number in sorted({*system.ties, *system.shared.values(), *undecided}):
        asked = constraints[number].condition()
        if isinstance(asked, bool) or decide_by_bounds(asked, ranges) is not True:
            joint[simplified(constraints[number])] = None
    return tuple(joint)


def _conflict_text(conflict: Constraint) -> str:
    alone = conflict.decide() is False
    return f"no sizes are legal: {conflict} {'never holds' if alone else 'contradicts what is asked before it'}"


def _enumerated(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
