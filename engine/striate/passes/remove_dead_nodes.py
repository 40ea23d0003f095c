"""Takes out what no output depends on: nodes that are computed for nothing, and their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate.graph import Graph
from striate.graph.structure import live_nodes
from striate.passes.contract import Condition, GraphPass, Rewritten


@dataclass(frozen=True, slots=True)
class RemoveDeadNodes(GraphPass):
    """Drops nodes that no output depends on. Inputs stay, even unused: they are how the network is called."""

    name = "remove_dead_nodes"

    @property
    def ensures(self) -> tuple[Condition, ...]:
        """Every node is needed."""
        return (Condition("every node is needed by an output", _dead),)

    def run(self, graph: Graph) -> Rewritten:
        """Return the graph without these nodes."""
        live = live_nodes(graph)
        kept = tuple(node for node in graph.nodes if node.name in live)
        if len(kept) == len(graph.nodes):
            return Rewritten(graph, False)
        return Rewritten(graph.with_nodes(kept), True)


def _dead(graph: Graph) -> Iterator[str]:
    live = live_nodes(graph)
    for node in graph.nodes:
        if node.name not in live:
            yield f"no output depends on node {node.name!r}"
