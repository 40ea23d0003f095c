"""A residual network as the peers' checkers want it: an ONNX file and an NNEF text with the same layers.

Both are written from striate's graph, one statement per layer. Weights are declared by size alone (as graph inputs in
ONNX, as variables in NNEF), so that a checker has nothing to read but the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from striate.graph import Graph, Node

OPSET, IR_VERSION = 20, 10


def write_onnx(graph: Graph, path: Path) -> None:
    """Write the network as an ONNX file of the given path."""

    def declared(name: str, shape: tuple[Any, ...]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    inputs = [declared(item.value.name, (1, *item.value.type.shape)) for item in graph.inputs]
    inputs += [declared(weight.name, weight.shape) for weight in graph.weights.values()]
    outputs = [declared(value, (1, *graph.types[value].shape)) for value in graph.outputs.values()]
    nodes = []
    for node in graph.nodes:
        op, roles, attributes = _onnx_form(node)
        values = [*node.inputs, *(node.weights[role] for role in roles if role in node.weights)]
        nodes.append(helper.make_node(op, values, [node.name], node.name, **attributes))
    body = helper.make_graph(nodes, graph.name, inputs, outputs)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.save(model, path)


def _onnx_form(node: Node) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    attributes = node.attributes
    match node.op:
        case "conv" | "maxpool":
            top, bottom, left, right = attributes["pad"]
            form = {
                "kernel_shape": attributes["kernel"],
                "strides": attributes["stride"],
                "pads": (top, left, bottom, right),
            }
            return ("Conv", ("weight", "bias"), form) if node.op == "conv" else ("MaxPool", (), form)
        case "bn":
            return (
                "BatchNormalization",
                ("weight", "bias", "running_mean", "running_var"),
                {"epsilon": attributes["eps"]},
            )
        case "dense":
            return "Gemm", ("weight", "bias"), {"transB": 1}
    plain = {
        "relu": "Relu",
        "add": "Add",
        "identity": "Identity",
        "flatten": "Flatten",
        "global_avgpool": "GlobalAveragePool",
    }
    return plain[node.op], (), {}


def write_nnef(graph: Graph, path: Path) -> None:
    """Write the network as an NNEF text of the given path."""
    path.write_text("\n".join(_nnef_lines(graph)) + "\n", encoding="utf-8")


def _nnef_lines(graph: Graph) -> Iterator[str]:
    inputs = ", ".join(item.value.name for item in graph.inputs)
    outputs = ", ".join(map(_identifier, graph.outputs.values()))
    yield from ("version 1.0;", "", f"graph {graph.name}({inputs}) -> ({outputs})", "{")
    for item in graph.inputs:
        yield f"  {item.value.name} = external<scalar>(shape = {[1, *item.value.type.shape]});"
    for node in graph.nodes:
        for name in node.weights.values():
            shape = graph.weights[name].shape
            full = [1, *shape] if len(shape) == 1 else list(shape)
            yield f"  {_identifier(name)} = variable<scalar>(shape = {full}, label = '{name}');"
        yield f"  {_identifier(node.name)} = {_nnef_call(node)};"
    yield "}"


def _nnef_call(node: Node) -> str:
    values = ", ".join(map(_identifier, node.inputs))
    weights = {role: _identifier(name) for role, name in node.weights.items()}
    attributes = node.attributes
    match node.op:
        case "conv":
            top, bottom, left, right = attributes["pad"]
            form = f"stride = {list(attributes['stride'])}, padding = [({top}, {bottom}), ({left}, {right})]"
            return f"conv({', '.join([values, *weights.values()])}, {form})"
        case "maxpool":
            top, bottom, left, right = attributes["pad"]
            size, stride = [1, 1, *attributes["kernel"]], [1, 1, *attributes["stride"]]
            padding = f"[(0, 0), (0, 0), ({top}, {bottom}), ({left}, {right})]"
            return f"max_pool({values}, size = {size}, stride = {stride}, padding = {padding}, border = 'ignore')"
        case "bn":
            order = (weights[role] for role in ("running_mean", "running_var", "bias", "weight"))
            return f"batch_normalization({values}, {', '.join(order)}, epsilon = {attributes['eps']})"
        case "dense":
            return f"linear({values}, {weights['weight']}, {weights['bias']})"
    plain = {
        "relu": f"relu({values})",
        "add": f"add({values})",
        "identity": f"copy({values})",
        "flatten": f"squeeze({values}, axes = [2, 3])",
        "global_avgpool": f"mean_reduce({values}, axes = [2, 3])",
    }
    return plain[node.op]


def _identifier(name: str) -> str:
    return name.replace(".", "_")
