"""The memory that values need while a network is evaluated: who is alive when, and the peak.

The rule of release is stated here once, and `striate.lower.torch` runs by it. Counted are the inputs, which their owner
keeps, and the values of layers; not the weights, and not what a single kernel takes and gives back while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate.analysis.costs import BYTES_PER_ELEMENT, elements, record_of
from striate.dims import evaluate
from striate.graph import Graph, Node, TensorType
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
    memory = _Memory()
    known = sizes or {}

    def size(value: str) -> int:
        return evaluate(elements(graph.types[value]), known) * batch * bytes_per_element

    for item in graph.inputs:
        name = item.value.name
        memory.make(("owner", name), size(name))  # whoever calls the network keeps the tensor that was passed
        if _is_rearranged(item.value.type):
            memory.make((name,), size(name))
    while_running = {}
    for node, ending in zip(graph.nodes, released(graph), strict=True):
        for value in node.outputs:
            if _is_view(graph, node, record_of(node, lookup)):
                memory.share((value.name,), (node.inputs[0],))
            else:
                memory.make((value.name,), size(value.name))
        while_running[node.name] = memory.alive
        for name in ending:
            memory.drop((name,))
    return InferenceMemory(while_running)


Holder = tuple[str, ...]


class _Memory:
    """Storages and who holds them; a storage is freed with its last holder."""

    def __init__(self) -> None:
        self.alive = 0
        self._storage: dict[Holder, Holder] = {}
        self._size: dict[Holder, int] = {}
        self._holders: dict[Holder, int] = {}

    def make(self, holder: Holder, size: int) -> None:
        """Give a holder a storage of its own."""
        self._storage[holder], self._size[holder], self._holders[holder] = holder, size, 1
        self.alive += size

    def share(self, holder: Holder, other: Holder) -> None:
        """Let a holder hold the storage of another; one without a storage reads the tensor of its owner."""
        storage = self._storage.get(other)
        if storage is not None:
            self._storage[holder] = storage
            self._holders[storage] += 1

    def drop(self, holder: Holder) -> None:
        """Take a holder away, and its storage where nobody else holds it."""
        storage = self._storage.pop(holder, None)
        if storage is None:
            return
        self._holders[storage] -= 1
        if not self._holders[storage]:
            self.alive -= self._size[storage]


def _is_view(graph: Graph, node: Node, record: OpRecord) -> bool:
    """Return whether the output lies in the memory of the input."""
    if record.inference == "same":
        return True
    return record.keeps_order and not _is_rearranged(graph.types[node.inputs[0]])


def _is_rearranged(kind: TensorType) -> bool:
    """Return whether memory with channels last holds an image in another order than rows of its channels."""
    return kind.rank == 3 and kind.shape[0] != 1 and any(extent != 1 for extent in kind.shape[1:])
