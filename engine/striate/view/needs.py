"""The memory that a network needs under the conditions of a summary; nothing where sizes are open."""

from __future__ import annotations

from striate.analysis.costs import Lookup
from striate.analysis.liveness import InferenceMemory, inference_memory
from striate.analysis.training import TrainingMemory, training_memory
from striate.dims import is_known
from striate.graph import Graph
from striate.view.conditions import Conditions


def peak_of(graph: Graph, lookup: Lookup, given: Conditions) -> InferenceMemory | None:
    """Return the memory of inputs and values in evaluation."""
    if not _is_settled(graph, given):
        return None
    return inference_memory(
        graph, lookup, sizes=given.sizes, batch=given.batch, bytes_per_element=given.precision.bytes
    )


def training_of(graph: Graph, lookup: Lookup, given: Conditions) -> TrainingMemory | None:
    """Return the memory of a step of training, where that is asked for."""
    if given.optimizer is None or not _is_settled(graph, given):
        return None
    return training_memory(
        graph,
        lookup,
        sizes=given.sizes,
        batch=given.batch,
        precision=given.precision,
        optimizer=given.optimizer,
    )


def _is_settled(graph: Graph, given: Conditions) -> bool:
    return bool(given.sizes) or all(is_known(extent) for kind in graph.types.values() for extent in kind.shape)
