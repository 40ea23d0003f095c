"""What a network costs: parameters and multiply-adds per node and in total, and the memory of its values.

One MAC is one multiply-add of a convolution, a dense layer or a matrix product, for one image; other layers count none.
FLOPs are two for each MAC and one for every other operation (`striate.ops.work` says what counts as one).
Parameters are trainable entries; a weight used twice counts once, at its first use.

What a layer moves is what it must read and write if it runs by itself: every value that flows in once, its weights once
for the whole batch, and its outputs. A layer whose output lies in the memory of its input moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from striate.analysis.storage import is_view
from striate.dims import Dim
from striate.graph import Graph, Node, TensorType, Weight
from striate.ops.record import OpRecord

Lookup = Callable[[str], OpRecord | None]
BYTES_PER_ELEMENT = 4


class UnknownLayerError(LookupError):
    """A graph holds a layer that nobody provides any more; the message names it."""


@dataclass(frozen=True, slots=True)
class NodeCost:
    """The costs of one node for one image.

    Attributes:
        parameters: trainable entries that no earlier node has used.
        statistics: other stored entries that no earlier node has used.
        macs: multiply-adds of convolutions and products.
        made: entries of its outputs.
        operations: arithmetic operations beside the multiply-adds.
        read: entries of values that it reads.
        written: entries of values that it writes.
        weights: entries of weights that it reads, whatever the batch.
    """

    parameters: int
    statistics: int
    macs: Dim
    made: Dim
    operations: Dim
    read: Dim
    written: Dim
    weights: int

    @property
    def flops(self) -> Dim:
        """Floating-point operations: two for each multiply-add, and the others."""
        return self.macs * 2 + self.operations

    def output_bytes(self, bytes_per_entry: int) -> Dim:
        """Return the bytes of its outputs for one image, whoever's memory they lie in."""
        return self.made * bytes_per_entry

    def moved(self, batch: int, bytes_per_entry: int) -> Dim:
        """Return the bytes that the node reads and writes for a batch, weights included."""
        return ((self.read + self.written) * batch + self.weights) * bytes_per_entry


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
        costs[node.name] = _cost(graph, node, record_of(node, lookup), fresh)
    return costs


def _cost(graph: Graph, node: Node, record: OpRecord, fresh: list[Weight]) -> NodeCost:
    inputs, outputs = tuple(graph.types[name] for name in node.inputs), tuple(value.type for value in node.outputs)
    made = _added(outputs)
    passed_on = record.inference == "same"
    read, written = (0, 0) if is_view(graph, node, record) else (_added(_read(graph, node, record)), made)
    return NodeCost(
        parameters=sum(weight.size for weight in fresh if weight.trainable),
        statistics=sum(weight.size for weight in fresh if not weight.trainable),
        macs=record.macs(node.attributes, inputs, outputs),
        made=made,
        operations=0 if passed_on else record.work.operations(node.attributes, inputs, outputs),
        read=read,
        written=written,
        weights=0 if passed_on else sum(graph.weights[name].size for name in dict.fromkeys(node.weights.values())),
    )


def _read(graph: Graph, node: Node, record: OpRecord) -> list[TensorType]:
    """Return the types of the values that a node reads, each once; of some the size alone is asked."""
    unread = record.work.unread(node.attributes)
    return [graph.types[name] for name in dict.fromkeys(node.inputs) if unread is None or node.inputs[unread] != name]


def _added(kinds: Iterable[TensorType]) -> Dim:
    total: Dim = 0
    for kind in kinds:
        total = total + elements(kind)
    return total


def elements(kind: TensorType) -> Dim:
    """Return the number of entries of a value for one image."""
    product: Dim = 1
    for size in kind.shape:
        product = product * size
    return product
