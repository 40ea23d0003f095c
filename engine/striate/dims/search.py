"""Looks for the smallest sizes that meet joint conditions, such as `H*W is a multiple of 49`.

All symbols of a group but one are tried out, small sums first; the last is then solved for exactly. The search is
bounded, so it can also end without an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import islice

from striate.dims.condition import Condition
from striate.dims.expr import symbols_of
from striate.dims.frozen import Frozen
from striate.dims.onesymbol import solve_one_symbol
from striate.dims.sizes import SizeSet

MOST_TRIES = 256
"""Combinations of sizes that are tried out per group of symbols."""


class Found(Frozen):
    """The sizes with the smallest sum that was met, if any, and whether everything was looked at.

    `sizes` None with `complete` proves that nothing is legal.
    """

    __slots__ = ("sizes", "complete")  # noqa: RUF023 - the order of the arguments

    sizes: dict[str, int] | None
    complete: bool

    def __init__(self, sizes: dict[str, int] | None, complete: bool) -> None:
        self._fill(sizes, complete)


def smallest_sizes(sets: Mapping[str, SizeSet], conditions: Sequence[Condition]) -> Found:
    """Legal sizes for the symbols of `sets`, which meet all the conditions.

    `sets` are the sizes that each symbol may have by itself; conditions on one symbol that are not worked into its
    set belong among the conditions.
    """
    sizes: dict[str, int] = {}
    complete = True
    for names in _groups(list(sets), conditions):
        about = [condition for condition in conditions if symbols_of(condition.expr) & names]
        found = _smallest_of_group({name: sets[name] for name in sets if name in names}, about)
        complete = complete and found.complete
        if found.sizes is None:
            return found
        sizes.update(found.sizes)
    return Found(sizes, complete)


def _groups(names: list[str], conditions: Sequence[Condition]) -> list[frozenset[str]]:
    """Symbols that occur together in a condition, directly or through others, belong together."""
    groups = [frozenset((name,)) for name in names]
    for condition in conditions:
        touched = [group for group in groups if group & symbols_of(condition.expr)]
        if len(touched) > 1:
            groups = [group for group in groups if group not in touched]
            groups.append(frozenset().union(*touched))
    return groups


def _smallest_of_group(sets: dict[str, SizeSet], conditions: Sequence[Condition]) -> Found:
    last = max(sets, key=lambda name: sets[name].largest() or float("inf"))
    others = [name for name in sets if name != last]
    least = sets[last].smallest() or 1
    best: dict[str, int] | None = None
    prefixes = _small_sums_first([sets[name] for name in others])
    complete = True
    for prefix in islice(prefixes, MOST_TRIES):
        if best is not None and sum(prefix) + least >= sum(best.values()):
            return Found(best, True)
        tried = dict(zip(others, prefix, strict=True))
        found = _last_size(last, sets[last], [condition.substituted(tried) for condition in conditions])
        complete = complete and found.complete
        if found.sizes is not None:
            candidate = {**tried, **found.sizes}
            best = candidate if best is None or sum(candidate.values()) < sum(best.values()) else best
    return Found(best, complete and next(prefixes, None) is None)


def _last_size(name: str, allowed: SizeSet, asked: Sequence[Condition | bool]) -> Found:
    """The smallest allowed size of the last symbol that meets what is asked of it."""
    if any(each is False for each in asked):
        return Found(None, True)
    conditions = [each for each in asked if isinstance(each, Condition)]
    sizes, undecided = solve_one_symbol(name, conditions, allowed.progressions)
    candidates = iter(sizes)
    for size in islice(candidates, MOST_TRIES):
        if all(condition.holds({name: size}) for condition in undecided):
            return Found({name: size}, True)
    return Found(None, next(candidates, None) is None)


def _small_sums_first(sets: Sequence[SizeSet]) -> Iterator[tuple[int, ...]]:
    """Combinations of one member each, by growing sum."""
    members = [_Members(each) for each in sets]
    start = (0,) * len(sets)
    queue: list[tuple[int, tuple[int, ...]]] = []
    seen: set[tuple[int, ...]] = set()
    _offer(queue, seen, members, start)
    while queue:
        _, numbers = heappop(queue)
        yield tuple(each.get(number) or 0 for each, number in zip(members, numbers, strict=True))
        for place in range(len(numbers)):
            _offer(queue, seen, members, (*numbers[:place], numbers[place] + 1, *numbers[place + 1 :]))


def _offer(
    queue: list[tuple[int, tuple[int, ...]]],
    seen: set[tuple[int, ...]],
    members: Sequence[_Members],
    numbers: tuple[int, ...],
) -> None:
    sizes = [each.get(number) for each, number in zip(members, numbers, strict=True)]
    known = [size for size in sizes if size is not None]
    if numbers not in seen and len(known) == len(sizes):
        seen.add(numbers)
        heappush(queue, (sum(known), numbers))


class _Members:
    """The members of a set by number, read only as far as they are asked for."""

    def __init__(self, sizes: SizeSet) -> None:
        self._coming = iter(sizes)
        self._read: list[int] = []

    def get(self, number: int) -> int | None:
        """The member with this number from 0 on, None if there are not so many."""
        self._read += islice(self._coming, max(number + 1 - len(self._read), 0))
        return self._read[number] if number < len(self._read) else None
