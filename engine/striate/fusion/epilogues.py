"""The first cut: products with what is done to their numbers on the way out, and on the way in.

A function of single entries goes with the product before it where nobody else reads what is in between; a sum of two
branches goes with the branch that ends last, a squeeze with the kernel that makes what it sums up. What is left of
such functions goes into the product behind it, which reads its input through them.
"""

from __future__ import annotations

from striate.fusion.cutting import Cutting
from striate.fusion.roles import CHEAP, is_gate, is_pointwise_product
from striate.graph import Node

_WIDE_POOL = 3
"""Windows up to this size are pooled by the kernel before them: with stride 2 it makes one row in eight twice."""


def take_epilogues(cutting: Cutting) -> None:
    """Unite every function of single entries, sum and squeeze with the kernel whose numbers it takes."""
    for node in cutting.graph.nodes:
        role = cutting.roles[node.name]
        host: Node | None = None
        if role in ("entrywise", "merge"):
            host = _host(cutting, node)
        elif role == "squeeze":
            host = _squeezed(cutting, node)
        elif role == "pool":
            host = _pooled(cutting, node)
        if host is None:
            continue
        one, other = cutting.set_of(host), cutting.set_of(node)
        if cutting.can_unite(one, other):
            cutting.unite(one, other)


def take_prologues(cutting: Cutting) -> None:
    """Unite functions of single entries with the one product or pool that reads what they make."""
    for which in cutting.ordered():
        if not cutting.exists(which):
            continue  # it went into another one
        nodes = cutting.nodes(which)
        roles = {cutting.roles[node.name] for node in nodes}
        if not roles <= {"entrywise", "merge"}:
            continue
        _, made = cutting.borders(which)
        reader = cutting.only_reader(made[0]) if len(made) == 1 else None
        if reader is None or not _reads_through(cutting, nodes, reader, made[0]):
            continue
        other = cutting.set_of(reader)
        if cutting.nodes(other)[0] is reader and cutting.can_unite(which, other):
            cutting.unite(which, other)


def _host(cutting: Cutting, node: Node) -> Node | None:
    """Return the node after which a function of single entries is computed; of several the one with most before it."""
    found = []
    for name in node.inputs:
        maker = cutting.makers.get(name)
        if maker is None or is_gate(cutting.graph, node, name) or cutting.only_reader(name) is not node:
            continue
        which = cutting.set_of(maker)
        if cutting.last(which) is maker and cutting.roles[maker.name] in CHEAP:
            found.append(maker)
    return max(found, key=lambda maker: cutting.depth[maker.name], default=None)


def _squeezed(cutting: Cutting, node: Node) -> Node | None:
    """Return the end of the kernel that makes what a squeeze sums up."""
    maker = cutting.makers.get(node.inputs[0])
    if maker is None:
        return None
    which = cutting.set_of(maker)
    hearts = cutting.hearts(which)
    if not hearts or cutting.roles[hearts[-1].name] == "pool" or hearts[-1].op == "dense":
        return None
    return maker if cutting.last(which) is maker else None


def _pooled(cutting: Cutting, node: Node) -> Node | None:
    """Return the end of the product whose output a pool of small windows alone reads."""
    maker = cutting.makers.get(node.inputs[0])
    if maker is None or cutting.only_reader(node.inputs[0]) is not node:
        return None
    kernel, stride = node.attributes["kernel"], node.attributes["stride"]
    slides = any(size > step for size, step in zip(kernel, stride, strict=True))
    if max(kernel) > _WIDE_POOL or (slides and min(stride) < 2):
        return None
    which = cutting.set_of(maker)
    hearts = cutting.hearts(which)
    if [cutting.roles[heart.name] for heart in hearts] != ["product"] or hearts[0].op == "dense":
        return None
    return maker if cutting.last(which) is maker else None


def _reads_through(cutting: Cutting, nodes: tuple[Node, ...], reader: Node, value: str) -> bool:
    """Whether a product or pool can read its input through functions of single entries."""
    if cutting.roles[reader.name] not in ("product", "depthwise", "pool") or reader.inputs[0] != value:
        return False
    full = [node for node in nodes if sum(not is_gate(cutting.graph, node, name) for name in node.inputs) > 1]
    # A window reads every entry several times: of one value that is what caches are for, of two it is twice as much.
    return not full or is_pointwise_product(reader) or reader.op == "dense"
