"""Which layers a user means who names some that are to stay in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from striate.elaborate.faults import suggestion
from striate.graph import Graph, Node
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


def layers_to_keep(graph: Graph, written: Graph, names: Sequence[str]) -> frozenset[str]:
    """Return the layers of the graph that is written which the names stand for.

    A name is a layer's, or that of a block with everything in it (`stage1` for `stage1.0.conv1` and the others). A
    layer that was folded into another one stands for that.

    Args:
        graph: the network as it was elaborated, whose names users know.
        written: the graph that is written: the same, or with layers folded.
        names: what was asked for.

    Raises:
        DiagnosticError: E0631, a name is of no layer and of no block.
    """
    readers = {value: node for node in reversed(graph.nodes) for value in node.inputs}
    kept: set[str] = set()
    problems: list[Diagnostic] = []
    for name in names:
        meant = [node for node in graph.nodes if node.name == name or node.name.startswith(f"{name}.")]
        if not meant:
            problems.append(_unknown(graph, name))
        kept.update(found for node in meant if (found := _survivor(written, node, readers)) is not None)
    if problems:
        raise DiagnosticError(*problems)
    return frozenset(kept)


def _survivor(written: Graph, node: Node, readers: Mapping[str, Node]) -> str | None:
    """Return the layer that a layer went into: folding goes downwards, into the first reader that is still there."""
    here: Node | None = node
    while here is not None and here.name not in written.by_name:
        here = readers.get(here.outputs[0].name)
    return None if here is None else here.name


def _unknown(graph: Graph, name: str) -> Diagnostic:
    names = [node.name for node in graph.nodes]
    blocks = {node.name[:place] for node in graph.nodes for place, sign in enumerate(node.name) if sign == "."}
    return Diagnostic(
        "E0631",
        f"{graph.name} has no layer and no block called {name}, so it cannot stay in float32",
        notes=("`striate summary` shows the names of all layers",),
        help=suggestion(name, [*names, *sorted(blocks)]),
    )
