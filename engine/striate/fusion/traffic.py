"""What groups move: bytes to and from memory, for a network cut into groups and for one that runs layer by layer.

A group reads every value that it takes once and writes every value that it leaves once; the borders of tiles, which
neighbours read twice, are left to the cache. Weights are counted apart: they are read once for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from striate.analysis.costs import elements, node_costs
from striate.dims import Dim, evaluate
from striate.fusion.group import Group, Plan
from striate.graph import Graph
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


def group_traffic(plan: Plan, lookup: Lookup) -> dict[str, Traffic]:
    """Return what every group of a plan moves, by the group's name.

    Raises:
        ValueError: the graph has open sizes.
    """
    graph = plan.graph
    costs = node_costs(graph, lookup)
    found = {}
    for group in plan.groups:
        mine = [costs[node.name] for node in group.nodes]
        alone = sum(_number(each.read + each.written) for each in mine)
        weights = sum(graph.weights[name].size for name in {n for node in group.nodes for n in node.weights.values()})
        flops = sum(_number(each.flops) for each in mine)
        read, written = _moved(plan, group)
        found[group.name] = Traffic(read, written, weights, alone, flops)
    return found


def _moved(plan: Plan, group: Group) -> tuple[int, int]:
    if group.kind == "view":
        return 0, 0
    if group.kind == "buffer":
        copied = sum(_entries(plan.graph, name) for name in group.inputs if not _lies_in(plan, name, group))
        return copied, copied
    read = sum(_entries(plan.graph, name) for name in group.inputs)
    return read, sum(_entries(plan.graph, name) for name in group.outputs)


def _lies_in(plan: Plan, name: str, group: Group) -> bool:
    place = plan.slices.get(name)
    return place is not None and place.buffer == group.nodes[-1].outputs[0].name


def _entries(graph: Graph, name: str) -> int:
    return _number(elements(graph.types[name]))


def _number(size: Dim) -> int:
    return size if isinstance(size, int) else evaluate(size, {})
