"""A network with its weights, as passes, back ends and exporters of plugins get it, and what a pass must leave alone.

Passes of striate rewrite graphs alone (`contract.py`); one that is to fold weights needs their numbers too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

from striate.dims.domain import Domain
from striate.graph import Graph, Node, TensorType, format_graph
from striate.graph.verifier import GraphError, verify
from striate.ops.problems import Check, LayerError
from striate.ops.record import OpRecord

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Network:
    """A network for evaluation, with its weights.

    Attributes:
        graph: what is computed; layers that do nothing in evaluation, such as dropout, are gone.
        lookup: from a layer's name to its record.
        arrays: every weight of the graph by name, float32.
        domain: the legal sizes of the symbols in its inputs.
    """

    graph: Graph
    lookup: Callable[[str], OpRecord]
    arrays: Mapping[str, Array]
    domain: Domain


Snapshot: TypeAlias = "tuple[str, dict[str, bytes]]"


def snapshot(network: Network) -> Snapshot:
    """Return what tells whether a network has been changed: the graph as text, and a digest of every weight."""
    digests = {name: blake2b(values.tobytes()).digest() for name, values in network.arrays.items()}
    return format_graph(network.graph), digests


def problems_of(before: Network, after: Network, unchanged: Snapshot) -> Iterator[str]:
    """Yield what is wrong with the network that a pass has returned, a sentence each.

    Args:
        before: the network that the pass was given.
        after: the one that it returned.
        unchanged: what `snapshot` said of `before` before the pass ran.
    """
    if snapshot(before) != unchanged:
        yield "it changed the network that it was given"
    if after.graph.inputs != before.graph.inputs:
        yield "the inputs are no longer the same"
    if _outputs(after.graph) != _outputs(before.graph):
        yield "the outputs no longer have the same names and sizes"
    for name in after.graph.by_name.keys() & before.graph.by_name.keys():
        if after.graph.by_name[name].origin != before.graph.by_name[name].origin:
            yield f"node {name!r} lost its origin"
    yield from _ill_formed(after.graph)
    yield from _weights(after)
    yield from _rules(after)


def _outputs(graph: Graph) -> dict[str, TensorType | None]:
    return {name: graph.types.get(value) for name, value in graph.outputs.items()}


def _ill_formed(graph: Graph) -> Iterator[str]:
    try:
        verify(graph)
    except GraphError as error:
        yield str(error)


def _weights(network: Network) -> Iterator[str]:
    import numpy as np  # passes are imported where nothing is computed

    for name, weight in network.graph.weights.items():
        values = network.arrays.get(name)
        if not isinstance(values, np.ndarray):
            yield f"weight {name!r} has no array"
        elif values.dtype != np.float32 or values.shape != weight.shape:
            yield f"weight {name!r} is {weight.shape} in float32, and its array {values.shape} in {values.dtype}"


def _rules(network: Network) -> Iterator[str]:
    """Yield the nodes that are not what the rules of their layers give for their inputs."""
    types = network.graph.types
    for node in network.graph.nodes:
        try:
            record = network.lookup(node.op)
            if all(name in types for name in node.inputs):
                yield from _node(network.graph, node, record)
        except (LookupError, LayerError) as error:
            yield f"node {node.name!r} ({node.op}): {error}"


def _node(graph: Graph, node: Node, record: OpRecord) -> Iterator[str]:
    inputs = tuple(graph.types[name] for name in node.inputs)
    made = record.shape(node.attributes, inputs, Check())
    if tuple(made) != tuple(value.type for value in node.outputs):
        yield f"node {node.name!r} says that it gives other sizes than the rule of {node.op} does"
    wanted = {spec.role: tuple(spec.shape) for spec in record.weights(node.attributes, inputs)}
    given = {role: graph.weights[name].shape for role, name in node.weights.items() if name in graph.weights}
    if given != wanted:
        yield f"node {node.name!r} has other weights than {node.op} takes with its arguments: {given}, not {wanted}"
