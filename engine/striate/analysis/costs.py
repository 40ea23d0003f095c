"""What a network costs: parameters and multiply-adds per node and in total, and the memory of its values.

One MAC is one multiply-add of a convolution, a dense layer or a matrix product, for one image; other layers count none.
Parameters are trainable entries; a weight used twice counts once, at its first use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from striate.dims import Dim
from striate.graph import Graph, Node, TensorType
from striate.ops.record import OpRecord

Lookup = Callable[[str], OpRecord | None]
BYTES_PER_ELEMENT = 4


class UnknownLayerError(LookupError):
    """A graph holds a layer that nobody provides any more; the message names it."""


@dataclass(frozen=True, slots=True)
class NodeCost:
    """The costs of one node for one image: parameters, statistics, multiply-adds, bytes of its outputs in float32."""

    parameters: int
    statistics: int
    macs: Dim
    memory: Dim


def record_of(node: Node, lookup: Lookup) -> OpRecord:
    """Return a node's record.

    Raises:
        UnknownLayerError: nobody provides it.
    """
    record = lookup(node.op)
    if record is None:
        raise UnknownLayerError(f"no plugin provides the layer {node.op} of {node.name}")
    return record


def node_macs(graph: Graph, node: Node, lookup: Lookup) -> Dim:
    """Return the multiply-adds of a node for one image."""
    inputs = tuple(graph.types[name] for name in node.inputs)
    return record_of(node, lookup).macs(node.attributes, inputs, tuple(value.type for value in node.outputs))


def graph_macs(graph: Graph, lookup: Lookup) -> Dim:
    """Return the multiply-adds of the whole network for one image."""
    total: Dim = 0
    for node in graph.nodes:
        total = total + node_macs(graph, node, lookup)
    return total


def node_costs(graph: Graph, lookup: Lookup) -> dict[str, NodeCost]:
    """Return the costs of every node by name."""
    counted: set[str] = set()
    costs = {}
    for node in graph.nodes:
        fresh = [graph.weights[name] for name in node.weights.values() if name not in counted]
        counted.update(weight.name for weight in fresh)
        memory: Dim = 0
        for value in node.outputs:
            memory = memory + elements(value.type) * BYTES_PER_ELEMENT
        costs[node.name] = NodeCost(
            sum(weight.size for weight in fresh if weight.trainable),
            sum(weight.size for weight in fresh if not weight.trainable),
            node_macs(graph, node, lookup),
            memory,
        )
    return costs


def elements(kind: TensorType) -> Dim:
    """Return the number of entries of a value for one image."""
    product: Dim = 1
    for size in kind.shape:
        product = product * size
    return product
