"""What groups move: bytes to and from memory, for a network cut into groups and for one that runs layer by layer.

A group reads every value that it takes once and writes every value that it leaves once; the borders of tiles, which
neighbours read twice, are left to the cache. Weights are counted apart: they are read once for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from striate.analysis.costs import elements, node_costs
from striate.dims import Dim, evaluate
from striate.fusion.group import Group, Plan
from striate.ops.record import OpRecord

Lookup = Callable[[str], OpRecord]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a group does for one image.

    Attributes:
        read: entries of values that it reads.
        written: entries of values that it writes.
        weights: entries of weights, for the whole batch.
        alone: entries that its layers would read and write one by one.
        flops: floating-point operations, two for each multiply-add.
    """

    read: int
    written: int
    weights: int
    alone: int
    flops: int

    @property
    def moved(self) -> int:
        """Entries of values that it reads and writes."""
        return self.read + self.written


def group_traffic(plan: Plan, lookup: Lookup, sizes: Mapping[str, int] | None = None) -> dict[str, Traffic]:
    """Return what every group of a plan moves, by the group's name.

    Args:
        plan: the groups.
        lookup: from a layer's name to its record.
        sizes: sizes to put in for the symbols, all of them.
    """
    graph, known = plan.graph, sizes or {}

    def number(size: Dim) -> int:
        return size if isinstance(size, int) else evaluate(size, known)

    def entries(names: Iterable[str]) -> int:
        return sum(number(elements(graph.types[name])) for name in names)

    costs = node_costs(graph, lookup)
    found = {}
    for group in plan.groups:
        mine = [costs[node.name] for node in group.nodes]
        alone = sum(number(each.read + each.written) for each in mine)
        weights = sum(graph.weights[name].size for name in {n for node in group.nodes for n in node.weights.values()})
        flops = sum(number(each.flops) for each in mine)
        taken, left = _crossing(plan, group)
        found[group.name] = Traffic(entries(taken), entries(left), weights, alone, flops)
    return found


def _crossing(plan: Plan, group: Group) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the values that a group reads from memory and those that it writes."""
    if group.kind == "view":
        return (), ()
    if group.kind == "buffer":
        copied = tuple(name for name in group.inputs if not _lies_in(plan, name, group))
        return copied, copied
    return group.inputs, group.outputs


def _lies_in(plan: Plan, name: str, group: Group) -> bool:
    place = plan.slices.get(name)
    return place is not None and place.buffer == group.nodes[-1].outputs[0].name
