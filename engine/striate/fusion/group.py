"""A group: layers that one kernel computes, what it reads from memory and what it leaves there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from striate.fusion.roles import Role
from striate.graph import Graph, Node

Kind = Literal["product", "depthwise", "chain", "pool", "pointwise", "buffer", "view", "other"]
"""What a group is: one product with what lies around it, one by channels, several products in a row, a pool, functions
of single entries, values that lie side by side already, another look at memory, or one layer of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """Layers that one kernel computes.

    Attributes:
        kind: what the group is.
        nodes: its layers in execution order.
        inputs: the values that it reads from memory, each once.
        outputs: the values that it leaves in memory: those that other groups read, and outputs of the network.
        hearts: its products and pools by name, in execution order; what comes before the first is its prologue, what
            comes after a heart that heart's epilogue.
    """

    kind: Kind
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    hearts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its last layer, which no other group has."""
        return self.nodes[-1].name


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a value lies in the memory of another one: from which channel on."""

    buffer: str
    start: int


@dataclass(frozen=True)
class Plan:
    """A graph cut into groups.

    Attributes:
        graph: the graph.
        groups: every node is in exactly one; in an order in which they can run.
        slices: the values that are written into a part of another one (what is concatenated), by name.
        roles: what every node is to a kernel, by name.
    """

    graph: Graph
    groups: tuple[Group, ...]
    slices: Mapping[str, Slice]
    roles: Mapping[str, Role]

    @property
    def kernels(self) -> int:
        """The number of groups that compute something."""
        return sum(group.kind not in ("buffer", "view") for group in self.groups)


def borders(nodes: tuple[Node, ...], readers: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a set of nodes reads from outside and what it leaves to others.

    Args:
        nodes: the nodes in execution order.
        readers: the names of the nodes that read a value; the network itself, as reader of its outputs, is `""`.
    """
    inside = {node.name for node in nodes}
    made = [value.name for node in nodes for value in node.outputs]
    own = set(made)
    read = dict.fromkeys(name for node in nodes for name in node.inputs if name not in own)
    left = [name for name in made if any(reader not in inside for reader in readers.get(name, ()))]
    return tuple(read), tuple(left)


def readers_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return the readers of every value; the network itself, as reader of its outputs, is `""`."""
    found: dict[str, dict[str, None]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            found.setdefault(name, {})[node.name] = None
    for name in graph.outputs.values():
        found.setdefault(name, {})[""] = None
    return {name: tuple(readers) for name, readers in found.items()}
