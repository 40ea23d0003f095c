"""A graph as an ONNX model: inputs, nodes, initialisers, outputs and the sizes of everything in between.

Built from the graph alone; what a layer becomes is written in its record. Same graph, same weights: same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from striate.dims import Dim, format_dim, symbols_of
from striate.graph import Graph, TensorType
from striate.onnx.filling import StoredWeights, fill
from striate.onnx.names import ValueNames, value_names
from striate.onnx.opsets import IR_VERSIONS
from striate.onnx.sink import NodeSink
from striate.ops.record import OpRecord
from striate.ops.targets import OnnxCall
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Colophon:
    """What a file says about itself: who wrote it, in one sentence, and in entries by name."""

    producer: str
    version: str
    sentence: str
    entries: Mapping[str, str]


def build_document(
    graph: Graph,
    lookup: Callable[[str], OpRecord],
    weights: Mapping[str, Array],
    opset: int,
    colophon: Colophon,
    *,
    filled: bool = True,
) -> ModelProto:
    """Return a graph as an ONNX model.

    Args:
        graph: the network, for evaluation.
        lookup: from a layer's name to its record.
        weights: an array for every weight of the graph.
        opset: a legal operator set.
        colophon: what the file says about itself.
        filled: put the numbers of the weights in. Protocol buffers give no memory back, so who changes or moves them
            fills the document in the end (`striate.onnx.filling`).

    Raises:
        DiagnosticError: a layer cannot be written in this operator set.
    """
    names = value_names(graph)
    sink = NodeSink(opset)
    for node in graph.nodes:
        sink.write(node, lookup(node.op), _call(graph, node.name, names, opset))
    sink.check_demands()
    for output, value in names.copies.items():
        sink.node("Identity", [value], [output])
        sink.nodes[-1].name = output
    network = helper.make_graph(
        sink.nodes,
        graph.name,
        [_described(item.value.name, item.value.type, batch_name(graph)) for item in graph.inputs],
        [_described(name, graph.types[value], batch_name(graph)) for name, value in graph.outputs.items()],
        value_info=list(_between(graph, names)),
    )
    document = _model(network, opset, colophon)
    _declare_weights(document, graph, weights)
    document.graph.initializer.extend(sink.constants.values())
    if filled:
        fill(document, StoredWeights(weights))
    return document


def serialize(document: ModelProto) -> bytes:
    """Return the bytes of the file; the same document always gives the same bytes."""
    content: bytes = document.SerializeToString(deterministic=True)
    return content


def check_content(content: bytes | str) -> None:
    """Hold a file's content, or a file by its path, against ONNX's rules, and its sizes against its shape inference.

    Raises:
        DiagnosticError: ONNX's checker refuses it, or works out other sizes than striate.
    """
    try:
        onnx.checker.check_model(content, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise DiagnosticError(
            Diagnostic(
                "E0605",
                "ONNX's own checker refuses what the layers wrote",
                notes=tuple(line.strip() for line in str(error).splitlines() if line.strip()),
                help="this is a mistake in one of the layers, not in your file; report it to whoever provides it",
            )
        ) from error


def batch_name(graph: Graph) -> str:
    """Return the name of the batch axis: `N`, or `batch` where the network calls one of its own sizes N."""
    own = {name for item in graph.inputs for extent in item.value.type.shape for name in symbols_of(extent)}
    return "batch" if "N" in own else "N"


def _call(graph: Graph, name: str, names: ValueNames, opset: int) -> OnnxCall:
    node = graph.by_name[name]
    return OnnxCall(
        name=node.name,
        inputs=[names.written[value] for value in node.inputs],
        outputs=[names.written[value.name] for value in node.outputs],
        attributes=node.attributes,
        weights=node.weights,
        input_types=[graph.types[value] for value in node.inputs],
        output_types=[value.type for value in node.outputs],
        opset=opset,
    )


def _declare_weights(document: ModelProto, graph: Graph, weights: Mapping[str, Array]) -> None:
    for name, weight in graph.weights.items():
        shape = np.shape(weights[name])
        if shape != weight.shape:
            raise ValueError(f"weight {name!r} must have the size {weight.shape}, not {shape}")
        document.graph.initializer.add(name=name, data_type=TensorProto.FLOAT, dims=weight.shape)


def _between(graph: Graph, names: ValueNames) -> Iterable[ValueInfoProto]:
    ends = {item.value.name for item in graph.inputs} | set(graph.outputs)
    for value, size in graph.types.items():
        if names.written[value] not in ends:
            yield _described(names.written[value], size, batch_name(graph))


def _described(name: str, size: TensorType, batch: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [batch, *(_dimension(extent) for extent in size.shape)]
    )


def _dimension(extent: Dim) -> int | str | None:
    """Return a size as ONNX writes it: a number, a name or formula as text, or nothing where the text is cut short.

    ONNX takes equal texts for equal sizes; so do we, since a size has one text only.
    """
    if isinstance(extent, int):
        return extent
    text = format_dim(extent)
    return None if "..." in text else text


def _model(network: onnx.GraphProto, opset: int, colophon: Colophon) -> ModelProto:
    document = helper.make_model(
        network,
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=IR_VERSIONS[opset],
        producer_name=colophon.producer,
        producer_version=colophon.version,
        doc_string=colophon.sentence,
    )
    helper.set_model_props(document, dict(colophon.entries))
    return document
