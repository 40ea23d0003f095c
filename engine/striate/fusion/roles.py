"""What a layer can be to a kernel: its heart, something done to the heart's numbers on the way in or out, or neither.

A layer is named here only if what it does to one entry follows from that entry, its channel and the entries of other
values at the same place; the tests hold every layer of the registry to that, in both directions.
"""

from __future__ import annotations

from typing import Literal

from striate.analysis.storage import is_view
from striate.graph import Graph, Node
from striate.ops.record import OpRecord

Role = Literal["product", "depthwise", "pool", "squeeze", "entrywise", "merge", "concat", "view", "other"]
"""The part of a layer: a product with trained weights, one channel by channel, a pool of windows, a mean or maximum of
whole channels, a function of one entry, of several values entry by entry, values side by side, another look at the
same memory, or something of its own."""

ENTRYWISE = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "bn",
        "ceil",
        "celu",
        "clip",
        "cos",
        "cosh",
        "elu",
        "erf",
        "exp",
        "floor",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "leaky_relu",
        "linear",
        "log",
        "log_sigmoid",
        "mish",
        "neg",
        "offset",
        "power",
        "prelu",
        "reciprocal",
        "relu",
        "relu6",
        "round",
        "scale",
        "selu",
        "sigmoid",
        "sign",
        "silu",
        "sin",
        "sinh",
        "softplus",
        "softsign",
        "sqrt",
        "square",
        "step",
        "swish",
        "tan",
        "tanh",
        "threshold",
    ]
)
"""Functions of one entry and its channel in evaluation."""

MERGES = frozenset(["add", "average", "div", "maximum", "minimum", "mul", "sub"])
"""Functions of several values, entry by entry."""

POOLS = frozenset({"avgpool", "maxpool"})
SQUEEZES = frozenset({"global_avgpool", "global_maxpool"})
PRODUCTS = frozenset({"conv", "deconv", "dense"})

CHEAP = frozenset({"product", "depthwise", "pool", "entrywise", "merge"})
"""The roles whose kernels can go on computing with the numbers that they have made."""


def role_of(node: Node, graph: Graph, record: OpRecord) -> Role:
    """Return what a node is to a kernel."""
    if is_view(graph, node, record):
        return "view"
    if node.op in PRODUCTS:
        return "depthwise" if _is_depthwise(node, graph) else "product"
    if node.op in POOLS:
        return "pool"
    if node.op in SQUEEZES:
        return "squeeze"
    if node.op in ENTRYWISE:
        return "entrywise"
    if node.op in MERGES:
        return "merge" if all(_fits(graph, node, name) for name in node.inputs) else "other"
    if node.op == "concat" and _joins_channels(node, graph):
        return "concat"
    return "other"


def is_gate(graph: Graph, node: Node, name: str) -> bool:
    """Whether a value that a merge takes holds one number per channel, such as a squeeze-and-excitation gate."""
    shape, made = graph.types[name].shape, node.outputs[0].type.shape
    return shape != made and len(shape) == len(made) and shape[0] == made[0] and all(size == 1 for size in shape[1:])


def is_pointwise_product(node: Node) -> bool:
    """Whether a convolution looks at one pixel only and makes one pixel for each."""
    if node.op != "conv" or isinstance(node.attributes["pad"], str):
        return False
    sizes = (*node.attributes["kernel"], *node.attributes["stride"], node.attributes["groups"])
    return all(size == 1 for size in sizes) and not any(node.attributes["pad"])


def _is_depthwise(node: Node, graph: Graph) -> bool:
    groups = node.attributes.get("groups", 1)
    return bool(groups != 1 and groups == graph.types[node.inputs[0]].shape[0])


def _fits(graph: Graph, node: Node, name: str) -> bool:
    return graph.types[name].shape == node.outputs[0].type.shape or is_gate(graph, node, name)


def _joins_channels(node: Node, graph: Graph) -> bool:
    made = node.outputs[0].type.shape
    return all(graph.types[name].shape[1:] == made[1:] for name in node.inputs)
