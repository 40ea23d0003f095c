"""The memory of one step of training: what forward leaves for backward, gradients, weights, the optimizer's state.

The order is that of `striate train`: forward while the gradients of the step before still exist, these freed, backward
layer by layer from the end, the step. Counted is what torch allocates for tensors; what a kernel takes and gives back
while it runs is not, nor what a loss function keeps beside one value of the size of each output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from striate.analysis.costs import Lookup, elements, record_of
from striate.analysis.liveness import released
from striate.analysis.precision import FP32, OPTIMIZERS, OptimizerCost, Precision
from striate.analysis.storage import Storages, is_rearranged, is_view
from striate.dims import Dim, evaluate
from striate.graph import Graph, Node
from striate.ops.record import OpRecord

_FLOAT32 = 4


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Bytes in one step of training.

    Attributes:
        weights: parameters and statistics, in float32.
        gradients: gradients of the parameters, in float32.
        state: what the optimizer keeps from step to step.
        kept: by the name of a layer, what stays of it in memory from its forward to its backward pass; a value that
            two layers keep stands at the layer that made it.
        forward: by the name of a layer, all bytes that are alive while it runs.
        backward: the same in the backward pass; without the layers that it does not reach.
        step: bytes that are alive while the optimizer makes its step.
    """

    weights: int
    gradients: int
    state: int
    kept: Mapping[str, int]
    forward: Mapping[str, int]
    backward: Mapping[str, int]
    step: int

    @property
    def peak(self) -> int:
        """The most bytes that are alive at once, weights and optimizer's state included."""
        return max((self.step, *self.forward.values(), *self.backward.values()))

    @property
    def peak_at(self) -> tuple[str, str]:
        """Where the peak is first reached: forward, backward or step, and the layer (nothing for the step)."""
        for phase, while_running in (("forward", self.forward), ("backward", self.backward)):
            for layer, alive in while_running.items():
                if alive == self.peak:
                    return phase, layer
        return "step", ""


def training_memory(
    graph: Graph,
    lookup: Lookup,
    *,
    sizes: Mapping[str, int] | None = None,
    batch: int = 1,
    precision: Precision = FP32,
    optimizer: OptimizerCost = OPTIMIZERS["sgd"],
) -> TrainingMemory:
    """Return the memory of one step of training, from the second step on.

    Args:
        graph: the network.
        lookup: gives the record of a layer.
        sizes: sizes to put in for the symbols, all of them.
        batch: the number of images.
        precision: of the values; weights, gradients and optimizer's state are float32.
        optimizer: what the optimizer keeps.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
        ValueError: nothing is trained in this precision.
    """
    if not precision.trains:
        raise ValueError(f"no network is trained in {precision.name}")
    return _Step(graph, lookup, sizes or {}, batch, precision).run(optimizer)


class _Step:
    """One step of training, played through with storages instead of tensors."""

    def __init__(
        self, graph: Graph, lookup: Lookup, sizes: Mapping[str, int], batch: int, precision: Precision
    ) -> None:
        self._graph, self._sizes, self._batch, self._precision = graph, sizes, batch, precision
        self._records = {node.name: record_of(node, lookup) for node in graph.nodes}
        self._memory = Storages()
        self._needed = with_gradient(graph, self._records)
        self._held: dict[str, list[tuple[str, ...]]] = {}
        """What each node keeps for its backward pass."""

    def run(self, optimizer: OptimizerCost) -> TrainingMemory:
        """Play the step through."""
        weights = list(self._graph.weights.values())
        stored = _FLOAT32 * sum(weight.size for weight in weights)
        trained = [weight.size for weight in weights if weight.trainable]
        gradients = _FLOAT32 * sum(trained)
        state = gradients * optimizer.state
        self._memory.make(("stored",), stored + state)
        self._memory.make(("gradients",), gradients)
        forward = self._forward()
        kept = self._kept()
        self._loss()
        self._memory.drop(("gradients",))
        backward = self._backward()
        scratch = _FLOAT32 * optimizer.scratch * max(trained, default=0)
        given = sum(self._bytes(elements(item.value.type)) for item in self._graph.inputs)
        step = stored + state + gradients + scratch + given
        return TrainingMemory(stored, gradients, state, kept, forward, backward, step)

    def _bytes(self, count: Dim, each: int | None = None) -> int:
        return evaluate(count, self._sizes) * self._batch * (self._precision.bytes if each is None else each)

    def _size(self, value: str) -> int:
        return self._bytes(elements(self._graph.types[value]))

    def _forward(self) -> dict[str, int]:
        memory = self._memory
        for item in self._graph.inputs:
            name = item.value.name
            memory.make(("owner", name), self._bytes(elements(item.value.type), _FLOAT32))
            if is_rearranged(item.value.type) or self._precision.bytes != _FLOAT32:
                memory.make(("value", name), self._size(name))
        while_running = {}
        for node, ending in zip(self._graph.nodes, released(self._graph), strict=True):
            record = self._records[node.name]
            viewing = is_view(self._graph, node, record, training=True)
            for value in node.outputs:
                if viewing:
                    memory.share(("value", value.name), ("value", node.inputs[0]))
                else:
                    memory.make(("value", value.name), self._size(value.name))
            if node.name in self._needed:
                self._keep(node, record)
            while_running[node.name] = memory.alive
            for name in ending:
                memory.drop(("value", name))
        return while_running

    def _keep(self, node: Node, record: OpRecord) -> None:
        """Let a node hold what its backward pass needs."""
        inputs = tuple(self._graph.types[name] for name in node.inputs)
        kept = record.work.keeps(node.attributes, inputs, tuple(value.type for value in node.outputs))
        values = [node.inputs[place] for place in kept.inputs] + [node.outputs[0].name] * kept.output
        holders: list[tuple[str, ...]] = []
        for number, name in enumerate(values):
            holders.append(("kept", node.name, str(number)))
            self._memory.share(holders[-1], ("value", name))
        more = self._bytes(kept.numbers) + self._bytes(kept.indices, 8) + self._bytes(kept.marks, 1)
        if more:
            holders.append(("more", node.name))
            self._memory.make(holders[-1], more)
        if self._precision.bytes != _FLOAT32 and record.role == "weights":
            for name in node.weights.values():
                holders.append(("cast", node.name, name))
                self._memory.make(holders[-1], self._precision.bytes * self._graph.weights[name].size)
        self._held[node.name] = holders

    def _kept(self) -> dict[str, int]:
        """Return what each layer has left in memory when forward is over."""
        makers = {("value", value.name): node.name for node in self._graph.nodes for value in node.outputs}
        left = dict.fromkeys((node.name for node in self._graph.nodes), 0)
        for holder, size in self._memory.sizes():
            if isinstance(holder, tuple) and holder[0] in ("more", "cast"):
                left[holder[1]] += size
            elif isinstance(holder, tuple) and holder in makers:
                left[makers[holder]] += size
        return left

    def _loss(self) -> None:
        """Evaluate a loss that keeps a value of the size of each output (as log-probabilities), and go back through it.

        Losses are computed in float32.
        """
        names = list(dict.fromkeys(self._graph.outputs.values()))
        for name in names:
            self._memory.make(("loss", name), self._bytes(elements(self._graph.types[name]), _FLOAT32))
            self._memory.drop(("value", name))
        for name in names:
            if name in self._needed:
                self._memory.make(("gradient", name), self._size(name))
            self._memory.drop(("loss", name))

    def _backward(self) -> dict[str, int]:
        memory = self._memory
        while_running = {}
        for node in reversed(self._graph.nodes):
            arrived = [("gradient", value.name) for value in node.outputs if memory.holds(("gradient", value.name))]
            if node.name in self._needed and arrived:
                memory.peak = memory.alive
                made = self._gradients(node, arrived)
                while_running[node.name] = memory.peak
                self._add_up(made)
                while_running[node.name] = max(while_running[node.name], memory.peak)
            for holder in (*self._held.get(node.name, ()), *arrived):
                memory.drop(holder)
        return while_running

    def _gradients(self, node: Node, arrived: list[tuple[str, str]]) -> list[str]:
        """Make the gradients of a node's weights and inputs; return the inputs."""
        memory, record = self._memory, self._records[node.name]
        for name in node.weights.values():
            weight = self._graph.weights[name]
            if not weight.trainable:
                continue
            if self._precision.bytes != _FLOAT32 and record.role == "weights":
                memory.make(("narrow", name), self._precision.bytes * weight.size)
            if memory.holds(("weight", name)):  # used at several places: the new gradient, and the sum of both
                memory.make(("again", name), _FLOAT32 * weight.size)
                memory.make(("sum", name), _FLOAT32 * weight.size)
                memory.drop(("weight", name))
                memory.rename(("sum", name), ("weight", name))
            else:
                memory.make(("weight", name), _FLOAT32 * weight.size)
            memory.drop(("narrow", name))
            memory.drop(("again", name))
        inputs = [name for name in dict.fromkeys(node.inputs) if name in self._needed]
        for name in inputs:
            if record.work.passes_gradient:
                memory.share(("new", name), arrived[0])
            else:
                memory.make(("new", name), self._size(name))
        return inputs

    def _add_up(self, inputs: list[str]) -> None:
        """Add new gradients to those that came by other ways: in place where nobody else holds these."""
        memory = self._memory
        for name in inputs:
            new, known = ("new", name), ("gradient", name)
            if not memory.holds(known):
                memory.rename(new, known)
                continue
            if not memory.is_alone(known):
                memory.make(("sum", name), self._size(name))
                memory.drop(known)
                memory.rename(("sum", name), known)
            memory.drop(new)


def with_gradient(graph: Graph, records: Mapping[str, OpRecord]) -> set[str]:
    """Return the names of the values and nodes that a gradient is computed for."""
    needed: set[str] = set()
    for node in graph.nodes:
        trained = any(graph.weights[name].trainable for name in node.weights.values())
        if trained or any(name in needed for name in node.inputs):
            needed.update((node.name, *(value.name for value in node.outputs)))
    return needed
