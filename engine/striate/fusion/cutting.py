"""A graph being cut into groups: groups are united as long as no group has to wait for itself.

An order in which all groups can run is kept all the while, after Pearce and Kelly, "A dynamic topological sort
algorithm for directed acyclic graphs" (2007): to unite two groups one looks only at what runs between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from striate.fusion.group import borders, readers_of
from striate.fusion.roles import Role, role_of
from striate.graph import Graph, Node
from striate.ops.record import OpRecord

HEARTS: frozenset[Role] = frozenset({"product", "depthwise", "pool"})
"""The roles that a kernel is built around."""


class Cutting:
    """Sets of nodes that are united; every node is a set of its own at first.

    Attributes:
        graph: the graph.
        roles: what every node is to a kernel, by name.
        readers: who reads a value, as in `readers_of`.
        makers: the node that makes a value; inputs of the network have none.
        depth: how many products lie on the longest way to a node, itself included.
    """

    def __init__(self, graph: Graph, records: Mapping[str, OpRecord]) -> None:
        self.graph = graph
        self.roles = {node.name: role_of(node, graph, records[node.op]) for node in graph.nodes}
        self.readers = readers_of(graph)
        self.makers = {value.name: node for node in graph.nodes for value in node.outputs}
        self.depth: dict[str, int] = {}
        self._position = {node.name: index for index, node in enumerate(graph.nodes)}
        self._set_of = {node.name: index for index, node in enumerate(graph.nodes)}
        self._members = {index: [node.name] for index, node in enumerate(graph.nodes)}
        self._place = {index: index for index in self._members}
        """Where a set stands in an order in which all can run."""
        for node in graph.nodes:
            above = max((self.depth[self.makers[name].name] for name in node.inputs if name in self.makers), default=0)
            self.depth[node.name] = above + (self.roles[node.name] in ("product", "depthwise"))

    # ------------------------------------------------------------------------------------------ looking

    def exists(self, which: int) -> bool:
        """Whether a set has not been united with an earlier one."""
        return which in self._members

    def set_of(self, node: Node) -> int:
        """Return the set of a node."""
        return self._set_of[node.name]

    def nodes(self, which: int) -> tuple[Node, ...]:
        """Return the nodes of a set in execution order."""
        return tuple(self.graph.by_name[name] for name in self._members[which])

    def borders(self, which: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the values that a set reads from outside and those that it leaves to others."""
        return borders(self.nodes(which), self.readers)

    def hearts(self, which: int) -> list[Node]:
        """Return the nodes of a set that a kernel is built around."""
        return [node for node in self.nodes(which) if self.roles[node.name] in HEARTS]

    def last(self, which: int) -> Node:
        """Return the node whose numbers a set ends with; squeezes, which only sum them up, are passed over."""
        nodes = self.nodes(which)
        return next((node for node in reversed(nodes) if self.roles[node.name] != "squeeze"), nodes[-1])

    def only_reader(self, value: str) -> Node | None:
        """Return the node that alone reads a value, None where there are several or the network gives it away."""
        readers = self.readers.get(value, ())
        return self.graph.by_name[readers[0]] if len(readers) == 1 and readers[0] else None

    # ------------------------------------------------------------------------------------------ uniting

    def can_unite(self, one: int, other: int) -> bool:
        """Whether two sets can be one without waiting for itself: no way from one to the other leads outside."""
        if one == other:
            return False
        first, last = self._in_order(one, other)
        return not self._reached(self._successors(first) - {last}, last) & self._predecessors(last)

    def unite(self, one: int, other: int) -> None:
        """Make two sets one, where that is legal."""
        first, last = self._in_order(one, other)
        later = self._reached(self._successors(first) - {last}, last)
        if later:
            self._move_behind(later, first, last)
        else:  # all that runs between the two can run before both
            self._place[first] = self._place.pop(last)
        names = sorted([*self._members[first], *self._members.pop(last)], key=self._position.__getitem__)
        self._members[first] = names
        for name in names:
            self._set_of[name] = first

    def _move_behind(self, later: set[int], first: int, last: int) -> None:
        """Let some sets between two run behind both, which run together; all others between them run before."""
        low, high = self._place[first], self._place.pop(last)
        between = sorted(
            (which for which, place in self._place.items() if low < place < high), key=self._place.__getitem__
        )
        before = [which for which in between if which not in later]
        behind = [which for which in between if which in later]
        free = sorted([low, high, *(self._place[which] for which in between)])
        self._place.update(zip((*before, first, *behind), free, strict=False))

    def ordered(self) -> list[int]:
        """Return the sets in an order in which they can run."""
        return sorted(self._place, key=self._place.__getitem__)

    def _in_order(self, one: int, other: int) -> tuple[int, int]:
        return (one, other) if self._place[one] < self._place[other] else (other, one)

    def _reached(self, starts: set[int], end: int) -> set[int]:
        """Return the sets on ways from some sets that run before a certain one; these sets themselves included."""
        limit = self._place[end]
        found = {which for which in starts if self._place[which] < limit}
        waiting = list(found)
        while waiting:
            fresh = {which for which in self._successors(waiting.pop()) if self._place[which] < limit} - found
            found |= fresh
            waiting += fresh
        return found

    def _successors(self, which: int) -> set[int]:
        made = (value.name for name in self._members[which] for value in self.graph.by_name[name].outputs)
        found = {self._set_of[reader] for value in made for reader in self.readers.get(value, ()) if reader}
        return found - {which}

    def _predecessors(self, which: int) -> set[int]:
        read = (name for node in self.nodes(which) for name in node.inputs)
        found = {self._set_of[self.makers[name].name] for name in read if name in self.makers}
        return found - {which}
