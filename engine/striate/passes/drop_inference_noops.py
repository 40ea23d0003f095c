"""Takes out the layers that do nothing in evaluation (dropout, identity): their users read their input instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from striate.graph import Graph
from striate.ops.record import OpRecord
from striate.passes.contract import Condition, GraphPass, Rewritten


@dataclass(frozen=True, slots=True)
class DropInferenceNoops(GraphPass):
    """Drops nodes whose record says that evaluation passes the input through.

    An output that is such a node keeps its name and stands for the node's input from then on. Only for graphs that
    are evaluated: training needs its dropout.

    Attributes:
        lookup: from a layer's name to its record.
    """

    name = "drop_inference_noops"
    lookup: Callable[[str], OpRecord]

    @property
    def ensures(self) -> tuple[Condition, ...]:
        """No such node is left."""
        return (Condition("no layer passes its input through", self._left_over),)

    def run(self, graph: Graph) -> Rewritten:
        """Return the graph without these nodes."""
        source: dict[str, str] = {}
        kept = []
        for node in graph.nodes:
            inputs = tuple(source.get(value, value) for value in node.inputs)
            if self._passes_through(node.op):
                source[node.outputs[0].name] = inputs[0]
            else:
                kept.append(node if inputs == node.inputs else replace(node, inputs=inputs))
        if not source:
            return Rewritten(graph, False)
        outputs = {name: source.get(value, value) for name, value in graph.outputs.items()}
        return Rewritten(graph.with_nodes(tuple(kept), outputs), True)

    def _passes_through(self, op: str) -> bool:
        return self.lookup(op).inference == "same"

    def _left_over(self, graph: Graph) -> Iterator[str]:
        for node in graph.nodes:
            if self._passes_through(node.op):
                yield f"node {node.name!r} is a {node.op}"
