"""A group as the kernels that can be generated for it, one after the other, and the layers that torch computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate.fusion.group import Group, Plan, borders
from striate.graph import Node
from striate.lower.triton.expressions import has_expression
from striate.lower.triton.kernel import Kernel, Tile
from striate.lower.triton.layout import Place
from striate.lower.triton.pointwise import Pointwise, pointwise_kernel
from striate.lower.triton.product import Product, product_kernel, window_of

_PRODUCTS = ("product", "depthwise")
Places = Callable[[str], Place]


@dataclass(frozen=True)
class Piece:
    """Layers that run together: by a kernel, or without one by torch, layer by layer."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    kernel: Kernel | None = None


def pieces_of(plan: Plan, group: Group, readers: Mapping[str, tuple[str, ...]], places: Places) -> list[Piece]:
    """Return what a group is computed by.

    Args:
        plan: the plan that the group is of.
        group: the group.
        readers: who reads a value, as in `striate.fusion.group.readers_of`.
        places: where values lie in memory.
    """
    made = []
    for nodes in _runs(plan, group):
        _, outputs = borders(nodes, readers)
        made.append(Piece(nodes, outputs, _kernel(plan, nodes, outputs, places)))
    return made


def _runs(plan: Plan, group: Group) -> list[tuple[Node, ...]]:
    """Cut a group's layers where no kernel goes on: before a second product, and around what torch computes."""
    runs: list[list[Node]] = [[]]
    has_heart = False
    for node in group.nodes:
        if not _has_kernel(plan, node):
            runs += [[node], []]
            has_heart = False
            continue
        is_heart = plan.roles[node.name] in _PRODUCTS
        if is_heart and has_heart:
            runs.append([])
        runs[-1].append(node)
        has_heart = has_heart or is_heart
    return [tuple(run) for run in runs if run]


def _has_kernel(plan: Plan, node: Node) -> bool:
    role, shape = plan.roles[node.name], node.outputs[0].type.shape
    if len(shape) not in (1, 3) or not all(isinstance(size, int) for size in shape):
        return False
    if role in _PRODUCTS:
        return window_of(node) is not None
    return role in ("entrywise", "merge") and has_expression(node)


def _kernel(plan: Plan, nodes: tuple[Node, ...], outputs: tuple[str, ...], places: Places) -> Kernel | None:
    if not all(_has_kernel(plan, node) for node in nodes):
        return None
    hearts = [index for index, node in enumerate(nodes) if plan.roles[node.name] in _PRODUCTS]
    if not hearts:
        return pointwise_kernel(Pointwise(plan.graph, nodes, outputs, places), Tile(64, 32))
    before, heart, behind = nodes[: hearts[0]], nodes[hearts[0]], nodes[hearts[0] + 1 :]
    source = _source(plan, (*before, heart))
    return product_kernel(Product(plan.graph, heart, before, behind, source, outputs, places), _tile(plan, heart))


def _source(plan: Plan, nodes: tuple[Node, ...]) -> str:
    """Return a value from outside with the size of the product's input."""
    inside = {value.name for node in nodes for value in node.outputs}
    shape = plan.graph.types[nodes[-1].inputs[0]].shape
    return next(
        name for node in nodes for name in node.inputs if name not in inside and plan.graph.types[name].shape == shape
    )


def _tile(plan: Plan, heart: Node) -> Tile:
    """Return a tile that wastes little of itself on few channels."""
    groups = int(heart.attributes.get("groups", 1))
    out = int(heart.outputs[0].type.shape[0]) // groups  # type: ignore[arg-type]
    each = int(plan.graph.types[heart.inputs[0]].shape[0]) // groups  # type: ignore[arg-type]
    columns = min(128, max(16, 1 << (out - 1).bit_length()))
    depth = min(64, max(16, 1 << (each - 1).bit_length()))
    return Tile(128 if columns <= 64 else 64, columns, depth)
