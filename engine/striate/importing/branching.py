"""Merge layers whose inputs are branches from one value: found in a sequence of steps, so that they can be written so.

A residual unit is `add { conv -> bn; in }`: the steps before the merge layer fall into runs, one per input and in the
order of the inputs, that use nothing but one value and what they make, and of which nothing else is used elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from striate.importing.steps import Branching, Item, Step

FARTHEST = 400
"""Steps back from a merge layer in which its branches are looked for."""

DEEPEST = 2
"""Bodies within each other; networks that go deeper, like U-Net, read better with names."""

LONGEST = 12
"""Steps of a branch; longer ones read better as lines of their own, with a name for where they start."""

MOST_STARTS = 40
"""Values that are tried as the start of branches."""


def with_branches(steps: Sequence[Step], uses: Mapping[int, int]) -> list[Item]:
    """Return steps with merge layers and their branches put together.

    Args:
        steps: the steps in order.
        uses: how often every value is used, outputs of the network included.
    """
    return _Finder(steps, uses).items(0, len(steps))


class _Finder:
    def __init__(self, steps: Sequence[Step], uses: Mapping[int, int]) -> None:
        self._steps, self._uses = steps, uses
        self._maker = {number: place for place, step in enumerate(steps) for number in step.outputs}
        self._named: set[int] = set()

    def items(self, begin: int, end: int) -> list[Item]:
        """Return the steps from one place up to another as items."""
        found: list[tuple[int, Branching]] = []
        place = end - 1
        while place >= begin:
            runs = self._runs(place, begin)
            if runs is None:
                place -= 1
                continue
            start, cuts = runs
            branching = Branching(self._steps[place], start, [self.items(low, high) for low, high in cuts])
            inner = list(_levels(branching))
            longest = max(len(branch) for branch in branching.branches)
            if longest > LONGEST or max(level for level, _ in inner) > DEEPEST:
                self._named.update(self._maker[each.step.outputs[0]] for _, each in inner)
                continue
            first = min(low for low, _ in cuts)
            found += [(first, branching), (place, branching)]
            place = first - 1
        return self._woven(begin, end, found)

    def _woven(self, begin: int, end: int, found: list[tuple[int, Branching]]) -> list[Item]:
        ends = {found[index][0]: (found[index + 1][0], found[index][1]) for index in range(0, len(found), 2)}
        items: list[Item] = []
        place = begin
        while place < end:
            if place in ends:
                last, branching = ends[place]
                items.append(branching)
                place = last + 1
            else:
                items.append(self._steps[place])
                place += 1
        return items

    def _runs(self, place: int, begin: int) -> tuple[int, list[tuple[int, int]]] | None:
        """Return the value that the branches of a merge layer start from, and where each begins and ends."""
        step = self._steps[place]
        if (
            place in self._named
            or not step.merge
            or step.named
            or len(step.inputs) < 2
            or len(set(step.inputs)) < len(step.inputs)
        ):
            return None
        for start in self._starts(place, begin):
            cuts = self._cuts(place, begin, start)
            if cuts is not None:
                return start, cuts
        return None

    def _starts(self, place: int, begin: int) -> list[int]:
        """Return the values that branches may start from, the nearest first: those used more than once."""
        found: dict[int, None] = {}
        for number in self._steps[place].inputs:
            if self._uses[number] > 1:
                found[number] = None
        for index in range(place - 1, max(begin, place - FARTHEST) - 1, -1):
            for number in self._steps[index].inputs:
                if self._uses[number] > 1 and self._maker.get(number, -1) < index:
                    found.setdefault(number)
            if len(found) > MOST_STARTS:
                break
        return list(found)[:MOST_STARTS]

    def _cuts(self, place: int, begin: int, start: int) -> list[tuple[int, int]] | None:
        cuts: list[tuple[int, int]] = []
        end = place
        for number in reversed(self._steps[place].inputs):
            if number == start:
                cuts.append((end, end))
                continue
            low = self._run(number, end, begin, start)
            if low is None:
                return None
            cuts.append((low, end))
            end = low
        cuts.reverse()
        return cuts if end < place else None

    def _run(self, result: int, end: int, begin: int, start: int) -> int | None:
        """Return where the run of steps begins that ends just before `end` with a value and uses `start` alone."""
        if self._maker.get(result) != end - 1 or self._uses[result] != 1 or len(self._steps[end - 1].outputs) != 1:
            return None
        inside: set[int] = set()
        used: dict[int, int] = {}
        for low in range(end - 1, max(begin, end - FARTHEST) - 1, -1):
            step = self._steps[low]
            if start in step.outputs:
                return None
            inside.update(step.outputs)
            for number in step.inputs:
                used[number] = used.get(number, 0) + 1
            missing = [number for number in used if number not in inside and number != start]
            if not missing:
                whole = all(used.get(number, 0) == self._uses[number] for number in inside if number != result)
                return low if whole and start in used else None
        return None


def _levels(branching: Branching) -> Iterator[tuple[int, Branching]]:
    """Yield a merge layer and those in its branches, each with how deep it lies, counted from 1."""
    waiting = [(1, branching)]
    while waiting:
        level, here = waiting.pop()
        yield level, here
        waiting += [(level + 1, item) for branch in here.branches for item in branch if isinstance(item, Branching)]
