"""Replaces kernels that are not used as they are trained by those that they are used as (`weight = spectral`).

Only for graphs that are evaluated: what training keeps for such a kernel goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from striate.graph import Graph, Node
from striate.ops.reparametrised import evaluated_kernel

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def plain_kernels(graph: Graph, arrays: Mapping[str, Array]) -> tuple[Graph, dict[str, Array], int]:
    """Return the graph with plain kernels only, its weights by name, and how many kernels were replaced.

    Args:
        graph: a graph for evaluation.
        arrays: its weights by name, in the precision to compute in.
    """
    made = dict(arrays)
    found = {node.name: node for node in graph.nodes if node.attributes.get("weight", "plain") != "plain"}
    baked = set()
    for node in found.values():
        name = node.weights["weight"]
        if name in baked:
            continue  # an instance that is used several times: its uses have the same arguments
        baked.add(name)
        stored = {role: arrays[owned] for role, owned in node.weights.items()}
        made[name] = evaluated_kernel(node.attributes, stored, rows=1 if node.op == "deconv" else 0)
    plain = graph.with_nodes(tuple(_plain(node) if node.name in found else node for node in graph.nodes))
    return plain, {name: made[name] for name in plain.weights}, len(baked)


def _plain(node: Node) -> Node:
    weights = {role: name for role, name in node.weights.items() if role in ("weight", "bias")}
    return replace(node, attributes={**node.attributes, "weight": "plain"}, weights=weights)
