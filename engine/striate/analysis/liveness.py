"""The memory that values need while a network is evaluated: who is alive when, and the peak.

The rule of release is stated here once, and `striate.lower.torch` runs by it. Counted are the inputs, which their owner
keeps, the values of layers, and what a layer of several of torch's functions holds in between; not the weights, and not
what a single kernel takes and gives back while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate.analysis.costs import BYTES_PER_ELEMENT, elements, record_of
from striate.analysis.storage import Storages, is_rearranged, is_view
from striate.dims import Dim, evaluate
from striate.graph import Graph, Node
from striate.ops.record import OpRecord

Lookup = Callable[[str], OpRecord | None]


@dataclass(frozen=True, slots=True)
class InferenceMemory:
    """Bytes that are alive while each layer runs, by its name, its inputs and outputs included."""

    while_running: Mapping[str, int]

    @property
    def peak(self) -> int:
        """The most bytes that are alive at once; 0 for a network without layers."""
        return max(self.while_running.values(), default=0)

    @property
    def peak_layer(self) -> str:
        """The first layer at which the peak is reached; nothing for a network without layers."""
        return max(self.while_running, key=self.while_running.__getitem__, default="")


def released(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return, for every node in execution order, the values that nobody reads any more once it has run."""
    last_use = {value: index for index, node in enumerate(graph.nodes) for value in node.inputs}
    kept = set(graph.outputs.values())
    steps = []
    for index, node in enumerate(graph.nodes):
        unread = {value.name for value in node.outputs if value.name not in last_use}
        ending = {value for value in node.inputs if last_use[value] == index}
        steps.append(tuple(sorted((unread | ending) - kept)))
    return tuple(steps)


def inference_memory(
    graph: Graph,
    lookup: Lookup,
    *,
    sizes: Mapping[str, int] | None = None,
    batch: int = 1,
    bytes_per_element: int = BYTES_PER_ELEMENT,
) -> InferenceMemory:
    """Return the bytes that are alive while each layer runs in evaluation.

    Args:
        graph: the network.
        lookup: gives the record of a layer.
        sizes: sizes to put in for the symbols, all of them.
        batch: the number of images.
        bytes_per_element: 4 for float32, 2 for float16 and bfloat16, 1 for int8.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    memory = Storages()
    known = sizes or {}

    def size(value: str) -> int:
        return evaluate(elements(graph.types[value]), known) * batch * bytes_per_element

    for item in graph.inputs:
        name = item.value.name
        memory.make(("owner", name), size(name))  # whoever calls the network keeps the tensor that was passed
        if is_rearranged(item.value.type):
            memory.make((name,), size(name))
    while_running = {}
    for node, ending in zip(graph.nodes, released(graph), strict=True):
        record = record_of(node, lookup)
        for value in node.outputs:
            if is_view(graph, node, record):
                memory.share((value.name,), (node.inputs[0],))
            else:
                memory.make((value.name,), size(value.name))
        scratch = _scratch(graph, node, record, bytes_per_element)
        while_running[node.name] = memory.alive + evaluate(scratch, known) * batch
        for name in ending:
            memory.drop((name,))
    return InferenceMemory(while_running)


def _scratch(graph: Graph, node: Node, record: OpRecord, bytes_per_element: int) -> Dim:
    """Return what torch needs for one image while the node runs, beside its inputs and outputs."""
    if record.inference == "same":
        return 0
    inputs, outputs = tuple(graph.types[name] for name in node.inputs), tuple(value.type for value in node.outputs)
    return record.work.scratch_bytes(node.attributes, inputs, outputs, bytes_per_element)
