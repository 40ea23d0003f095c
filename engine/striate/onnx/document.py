"""A graph as an ONNX model: inputs, nodes, initialisers, outputs and the sizes of everything in between.

Built from the graph alone; what a layer becomes is written in its record. Same graph, same weights: same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper

from striate.dims import Dim, format_dim, symbols_of
from striate.graph import Graph, TensorType
from striate.onnx.names import ValueNames, value_names
from striate.onnx.opsets import IR_VERSIONS
from striate.onnx.sink import NodeSink
from striate.ops.record import OpRecord
from striate.ops.targets import OnnxCall
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_DESCRIPTION = 1024
"""Bytes that a layer or a weight takes at most beside its numbers: its name, sizes and origin."""

Array = np.ndarray[Any, np.dtype[np.float32]]

LARGEST_FILE = 2**31 - 1
"""Bytes of the longest message that protocol buffers, and with them ONNX, can hold."""


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
) -> ModelProto:
    """Return a graph as an ONNX model.

    Args:
        graph: the network, for evaluation.
        lookup: from a layer's name to its record.
        weights: an array for every weight of the graph.
        opset: a legal operator set.
        colophon: what the file says about itself.

    Raises:
        DiagnosticError: a layer cannot be written in this operator set, or the file would be too large.
    """
    _check_size(graph)
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
        [*_initializers(graph, weights), *sink.constants.values()],
        value_info=list(_between(graph, names)),
    )
    return _model(network, opset, colophon)


def serialize(document: ModelProto) -> bytes:
    """Return the bytes of the file; the same document always gives the same bytes."""
    content: bytes = document.SerializeToString(deterministic=True)
    return content


def check_content(content: bytes) -> None:
    """Hold a file's content against ONNX's own rules, and its sizes against ONNX's shape inference.

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


def _initializers(graph: Graph, weights: Mapping[str, Array]) -> Iterable[TensorProto]:
    for name, weight in graph.weights.items():
        values = np.ascontiguousarray(weights[name], dtype=np.float32)
        if values.shape != weight.shape:
            raise ValueError(f"weight {name!r} must have the size {weight.shape}, not {values.shape}")
        yield numpy_helper.from_array(values, name)


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


def _check_size(graph: Graph) -> None:
    weights = sum(4 * weight.size for weight in graph.weights.values())
    if weights + _DESCRIPTION * (len(graph.nodes) + len(graph.weights)) <= LARGEST_FILE:
        return
    raise DiagnosticError(
        Diagnostic(
            "E0604",
            f"{graph.name} is too large for an ONNX file: its weights take {weights:,} bytes",
            notes=(f"a file holds {LARGEST_FILE:,} bytes, the layers' names and sizes included",),
            help="make the network smaller: `striate summary` shows which layers hold the parameters",
        )
    )
