"""The text form of a graph: one line per node, for reading, comparing and fingerprints.

It is a rendering, not a language: nothing parses it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from striate.dims import Dim, Expr, format_dim
from striate.graph.model import Graph, Node, TensorType


def format_shape(shape: TensorType, *, batch: bool = False) -> str:
    """Return a size as the language writes it, e.g. `64 x 56 x 56`, with `N x` in front where `batch` is asked for.

    Open sizes that are sums stand in brackets: `8 x (H - 2) x (W - 2)`.
    """
    sizes = [_factor(extent) for extent in shape.shape]
    return " x ".join(["N", *sizes] if batch else sizes)


def format_graph(graph: Graph) -> str:
    """Return the whole graph as text, one line per input, node and output."""
    return "\n".join(_lines(graph)) + "\n"


def fingerprint(graph: Graph) -> str:
    """Return a SHA-256 over names, operations, attributes, sizes and weights.

    Two graphs with the same fingerprint compute the same function of the same weights. Where the text came from
    (file, line, comments) does not count.
    """
    import hashlib  # noqa: PLC0415  # 3 ms that only checkpoints need

    return hashlib.sha256(format_graph(graph).encode()).hexdigest()


def _lines(graph: Graph) -> Iterator[str]:
    yield f"graph {graph.name}"
    for item in graph.inputs:
        yield f"input {item.value.name}: {format_shape(item.value.type)}{_attributes(item.contract)}"
    for node in graph.nodes:
        yield _node_line(node)
    for weight in graph.weights.values():
        kind = "weight" if weight.trainable else "statistic"
        yield f"{kind} {weight.name}: {' x '.join(map(str, weight.shape))}"
    for task in graph.tasks:
        yield f"task {task.name}({', '.join(task.outputs)}){_attributes(task.arguments)}"
    for name, value in graph.outputs.items():
        yield f"output {name} = {value}"


def _node_line(node: Node) -> str:
    results = ", ".join(f"{value.name}: {format_shape(value.type)}" for value in node.outputs)
    weights = "".join(f" {role}=@{name}" for role, name in node.weights.items())
    return f"{results} = {node.op}({', '.join(node.inputs)}){_attributes(node.attributes)}{weights}"


def _factor(extent: Dim) -> str:
    text = format_dim(extent)
    is_sum = isinstance(extent, Expr) and len(extent.terms) + (extent.constant != 0) > 1
    return f"({text})" if is_sum else text


def _attributes(attributes: Mapping[str, Any]) -> str:
    if not attributes:
        return ""
    return " {" + ", ".join(f"{name}={_plain(value)}" for name, value in attributes.items()) + "}"


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(_plain(item) for item in value) + ")"
    return str(value)
