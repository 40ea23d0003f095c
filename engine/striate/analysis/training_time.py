"""A lower bound of the time of a training step on a device: forward, backward, the update of the weights.

As in `roofline.py`, a layer takes no less than its arithmetic and no less than its traffic. Of the backward pass the
products are counted (one for each factor of a product that needs a gradient), what forward kept, the gradients of
outputs and inputs, and those of weights; the other arithmetic of backward is left out, so that the bound stays one.
The optimizer reads weights, gradients and its state once and writes weights and state, in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate.analysis.costs import Lookup, elements, record_of
from striate.analysis.devices import Device
from striate.analysis.precision import FP32, OptimizerCost, Precision
from striate.analysis.roofline import LayerBound, Roofline, layer_bound
from striate.analysis.storage import is_view
from striate.analysis.training import with_gradient
from striate.dims import Dim, evaluate
from striate.graph import Graph, Node
from striate.ops.record import OpRecord

_FLOAT32, _INDEX = 4, 8


@dataclass(frozen=True, slots=True)
class BackwardCost:
    """What the backward pass of one layer takes for a batch: multiply-adds, and bytes that are read and written."""

    macs: int
    moved: int


@dataclass(frozen=True, slots=True)
class TrainingTime:
    """Bounds of a training step, in seconds.

    Attributes:
        forward: layer by layer.
        backward: by the name of the layer; without the layers that no gradient reaches.
        update: the optimizer's step.
        fused: the whole step however layers are fused.
    """

    forward: float
    backward: Mapping[str, LayerBound]
    update: float
    fused: float

    @property
    def seconds(self) -> float:
        """The least seconds of the step, layer by layer."""
        return self.forward + sum(bound.seconds for bound in self.backward.values()) + self.update


def training_time(
    graph: Graph,
    lookup: Lookup,
    forward: Roofline,
    optimizer: OptimizerCost,
    *,
    batch: int = 1,
    sizes: Mapping[str, int] | None = None,
) -> TrainingTime:
    """Return bounds of a training step, given those of its forward pass.

    Args:
        graph: the network.
        lookup: gives the record of a layer.
        forward: the bounds of the forward pass on the device, for the batch.
        optimizer: what the optimizer keeps.
        batch: the number of images.
        sizes: sizes to put in for the symbols, all of them.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    device, precision = forward.device, forward.precision
    costs = backward_costs(graph, lookup, precision, batch=batch, sizes=sizes)
    trained = sum(weight.size for weight in graph.weights.values() if weight.trainable)
    moved = _FLOAT32 * trained * (3 + 2 * optimizer.state)
    back = {name: layer_bound(device, precision, 2 * cost.macs, cost.moved) for name, cost in costs.items()}
    operations = forward.operations + 2 * sum(cost.macs for cost in costs.values())
    fused = layer_bound(device, precision, operations, forward.unavoidable + moved)
    return TrainingTime(forward.seconds, back, _update(device, trained, moved), fused.seconds)


def _update(device: Device, trained: int, moved: int) -> float:
    """Return the time of the optimizer's step: a product and a sum for each parameter at least."""
    return layer_bound(device, FP32, 2 * trained, moved).seconds


def backward_costs(
    graph: Graph,
    lookup: Lookup,
    precision: Precision = FP32,
    *,
    batch: int = 1,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, BackwardCost]:
    """Return what the backward pass takes at least of every layer that a gradient reaches, for a batch.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    records = {node.name: record_of(node, lookup) for node in graph.nodes}
    needed = with_gradient(graph, records)

    def numbers(count: Dim) -> int:
        return batch * evaluate(count, sizes or {})

    costs = {}
    for node in graph.nodes:
        if node.name not in needed:
            continue
        record = records[node.name]
        reached = [name for name in dict.fromkeys(node.inputs) if name in needed]
        trained = sum(graph.weights[name].size for name in node.weights.values() if graph.weights[name].trainable)
        inputs = tuple(graph.types[name] for name in node.inputs)
        macs = numbers(record.macs(node.attributes, inputs, tuple(value.type for value in node.outputs)))
        moved = 0
        if not _passes(graph, node, record):
            given = sum(numbers(elements(value.type)) for value in node.outputs)
            made = sum(numbers(elements(graph.types[name])) for name in reached)
            read = trained if macs and reached else 0
            moved = (given + made + read) * precision.bytes + _kept_bytes(graph, node, record, precision, numbers)
        costs[node.name] = BackwardCost(macs * _factors(graph, node, reached), moved + _FLOAT32 * trained)
    return costs


def _factors(graph: Graph, node: Node, reached: list[str]) -> int:
    """Return how many products the backward pass needs for each of the forward pass, at least.

    A product needs one for each factor that has a gradient. Where some inputs have none, it is not known how many of a
    layer's products are of those alone.
    """
    matrices = sum(
        graph.weights[name].trainable and len(graph.weights[name].shape) > 1 for name in node.weights.values()
    )
    values = len(set(node.inputs))
    if len(reached) == values:
        return 2 if matrices or values > 1 else 1
    return 1 if reached or matrices == 1 else 0


def _passes(graph: Graph, node: Node, record: OpRecord) -> bool:
    """Return whether the gradient of the inputs lies in the memory of that of the output."""
    return record.work.passes_gradient and (record.merge or is_view(graph, node, record, training=True))


def _kept_bytes(graph: Graph, node: Node, record: OpRecord, precision: Precision, numbers: Callable[[Dim], int]) -> int:
    """Return the bytes that forward left for the backward pass of a layer."""
    inputs, outputs = tuple(graph.types[name] for name in node.inputs), tuple(value.type for value in node.outputs)
    kept = record.work.keeps(node.attributes, inputs, outputs)
    whole = [*(inputs[place] for place in kept.inputs), *(outputs[:1] if kept.output else ())]
    values = sum(numbers(elements(kind)) for kind in whole) + numbers(kept.numbers)
    return values * precision.bytes + numbers(kept.indices) * _INDEX + numbers(kept.marks)
