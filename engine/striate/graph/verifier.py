"""The rules every graph obeys; run between passes in tests and under `--verify`.

A broken rule is a fault of striate or of a plugin's pass, never of the user's file, so it is an exception and no
diagnostic.
"""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.model import Graph, Node
from striate.graph.structure import find_cycle


class GraphError(Exception):
    """A graph breaks the rules that later stages rely on; the message lists every broken rule."""


def verify(graph: Graph) -> None:
    """Check a graph.

    Raises:
        GraphError: names are used twice, a value is used before it is made or never made, a weight is missing or
            unused, an output is unknown, or the nodes form a cycle.
    """
    problems = [*_names(graph), *_uses(graph), *_weights(graph)]
    problems += [f"output {name!r} stands for {value!r}, which no node makes" for name, value in _unmade(graph)]
    if not problems and (cycle := find_cycle(graph)):
        problems.append(f"nodes form a cycle: {' -> '.join(cycle)}")
    if problems:
        raise GraphError(f"graph {graph.name!r} is not well formed:\n" + "\n".join(f"  {item}" for item in problems))


def _names(graph: Graph) -> Iterator[str]:
    seen: set[str] = set()
    names = [item.value.name for item in graph.inputs]
    names += [value.name for node in graph.nodes for value in node.outputs]
    for name in names:
        if name in seen:
            yield f"value {name!r} is made twice"
        seen.add(name)
    if len({node.name for node in graph.nodes}) != len(graph.nodes):
        yield "two nodes have the same name"


def _uses(graph: Graph) -> Iterator[str]:
    made = {item.value.name for item in graph.inputs}
    for node in graph.nodes:
        for value in node.inputs:
            if value not in made:
                yield f"node {node.name!r} uses {value!r} before any node makes it"
        made.update(value.name for value in node.outputs)


def _weights(graph: Graph) -> Iterator[str]:
    used: set[str] = set()
    for node in graph.nodes:
        used.update(node.weights.values())
        yield from _missing(graph, node)
    for name, weight in graph.weights.items():
        if name != weight.name:
            yield f"weight {weight.name!r} is filed under {name!r}"
        if name not in used:
            yield f"weight {name!r} belongs to no node"


def _missing(graph: Graph, node: Node) -> Iterator[str]:
    for role, name in node.weights.items():
        if name not in graph.weights:
            yield f"node {node.name!r} has no weight {name!r} for its {role}"


def _unmade(graph: Graph) -> Iterator[tuple[str, str]]:
    for name, value in graph.outputs.items():
        if value not in graph.types:
            yield name, value
