"""Which nodes of a document compute in a narrow float and which stay in float32, and why.

Narrow: products, sums, activations, pooling. In float32 stay, as in torch's autocast, whatever sums up squares or many
entries, exponentials and logarithms, and beside that places (a float16 counts pixels to 2048), constants that the
format cannot hold, operators that ONNX does not have in it, and the layers that the user names. Of a layer with such a
node everything stays in float32 but its products (the two of an attention layer, for example). Nodes that only move
entries take them as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, defs, numpy_helper

from striate.graph import Graph
from striate.onnx.opsets import HIGHEST
from striate.onnx.precision.element_types import is_float
from striate.onnx.precision.formats import ExportPrecision
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""Where the time goes, and where runtimes add up in float32 whatever the entries are."""

SUMS = frozenset(
    {
        "BatchNormalization",
        "CumSum",
        "GlobalLpPool",
        "GroupNormalization",
        "InstanceNormalization",
        "LRN",
        "LayerNormalization",
        "LpNormalization",
        "LpPool",
        "MeanVarianceNormalization",
        "ReduceL1",
        "ReduceL2",
        "ReduceMean",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "RMSNormalization",
    }
)
"""Reductions: squares above 255 are beyond float16, and sums of many entries lose the small ones."""

EXPONENTIALS = frozenset(
    {
        "Cosh",
        "Exp",
        "Log",
        "LogSoftmax",
        "Pow",
        "Reciprocal",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "Sinh",
        "Softmax",
        "Softplus",
        "Tan",
    }
)
"""Functions that leave the range of float16, or come near its ends, for ordinary arguments."""

PLACES = frozenset({"AffineGrid", "GridSample", "NonMaxSuppression", "Range", "RoiAlign"})
"""Operators on places in an image."""

MOVES = frozenset(
    {
        "DepthToSpace",
        "Expand",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
    }
)
"""Operators that only move entries; they take the numbers that come in."""

_WHOLE = {TensorProto.INT64, TensorProto.INT32}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is computed in which numbers.

    Attributes:
        narrow: the places in the document of the nodes that compute in the narrow format.
        kept: the layers that stay in float32 as a whole, each with the reason in words.
        partial: the layers of which only products are narrow, each with the reason.
    """

    narrow: frozenset[int]
    kept: Mapping[str, str]
    partial: Mapping[str, str]


def choose(
    document: ModelProto,
    graph: Graph,
    types: dict[str, int],
    precision: ExportPrecision,
    asked: Collection[str] = (),
) -> Choice:
    """Decide for every node of a document that was written in float32.

    Args:
        document: the document.
        graph: the network that it was written from.
        types: the element type of every value of the document.
        precision: the narrow format.
        asked: the layers that are to stay in float32.

    Raises:
        DiagnosticError: E0602, a layer has the format in a later operator set only.
    """
    opset = document.opset_import[0].version
    _check_opset(document, graph, types, precision, opset)
    constants = {item.name: item for item in document.graph.initializer if item.name not in graph.weights}
    unfit = {name for name, item in constants.items() if not _holds(precision, item)}
    narrow: set[int] = set()
    kept: dict[str, str] = {}
    partial: dict[str, str] = {}
    for layer, members in _by_layer(document.graph.node):
        floats = [place for place, node in members if any(is_float(types, name) for name in node.output)]
        nodes = [node for _, node in members]
        if layer in asked:
            kept[layer] = "asked for"
            continue
        reason = _reason(nodes, types, unfit, precision, opset)
        if reason is None:
            narrow.update(floats)
            continue
        products = {place for place, node in members if node.op_type in PRODUCTS}
        (partial if products else kept)[layer] = reason
        narrow |= products
    return Choice(frozenset(narrow), kept, partial)


def layer_of(node: NodeProto) -> str:
    """Return the layer that a node belongs to: inside a layer, names have a slash behind the layer's."""
    return node.name.partition("/")[0]


def _by_layer(nodes: Iterable[NodeProto]) -> Iterable[tuple[str, list[tuple[int, NodeProto]]]]:
    for layer, members in groupby(enumerate(nodes), key=lambda item: layer_of(item[1])):
        yield layer, list(members)


def _reason(
    nodes: list[NodeProto], types: dict[str, int], unfit: Collection[str], precision: ExportPrecision, opset: int
) -> str | None:
    """Return why a layer stays in float32, or None where it does not."""
    checks: tuple[tuple[str, Callable[[NodeProto], bool]], ...] = (
        ("sums of many entries", lambda node: node.op_type in SUMS),
        ("exponentials and quotients", lambda node: node.op_type in EXPONENTIALS),
        ("places", lambda node: node.op_type in PLACES or _counts(node, types)),
        (f"constants that {precision.name} cannot hold", lambda node: any(name in unfit for name in node.input)),
    )
    touching = [node for node in nodes if any(is_float(types, name) for name in (*node.input, *node.output))]
    for reason, applies in checks:
        if any(applies(node) for node in touching):
            return reason
    missing = [node.op_type for node in touching if not _knows(node, types, precision, opset)]
    return f"ONNX's {missing[0]} has no {precision.name}" if missing else None


def _counts(node: NodeProto, types: dict[str, int]) -> bool:
    """Whether a node turns whole numbers into floats or back: places, or how many there are of something."""
    return node.op_type == "Cast" and bool({types[node.input[0]], types[node.output[0]]} & _WHOLE)


def _holds(precision: ExportPrecision, tensor: TensorProto) -> bool:
    """Whether a constant of a layer keeps its meaning: neither endless nor, as a tiny number, without its digits."""
    if tensor.data_type != TensorProto.FLOAT:
        return True
    values = numpy_helper.to_array(tensor).astype(np.float64)
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    return not sizes.size or bool(sizes.max() <= precision.largest and sizes.min() >= precision.smallest)


def _check_opset(
    document: ModelProto, graph: Graph, types: dict[str, int], precision: ExportPrecision, opset: int
) -> None:
    """Refuse an operator set that lacks the format for a product: a file without its products in it would be none."""
    for node in document.graph.node:
        if node.op_type not in PRODUCTS or _knows(node, types, precision, opset):
            continue
        known = (each for each in range(opset + 1, HIGHEST + 1) if _knows(node, types, precision, each))
        later = next(known, HIGHEST)
        layer = graph.by_name.get(layer_of(node))
        raise DiagnosticError(
            Diagnostic(
                "E0602",
                f"layer {layer_of(node)} needs opset {later} in {precision.name}, not {opset}",
                layer.origin.span if layer else None,
                notes=(f"ONNX's {node.op_type} knows {precision.name} since opset {later}",),
                help=f"use opset {later} or later: --opset {later}",
            )
        )


def _knows(node: NodeProto, types: dict[str, int], precision: ExportPrecision, opset: int) -> bool:
    """Whether ONNX has a node's operator for the format: everywhere where the node has float32."""
    return all(
        takes_type(node.op_type, opset, True, place, precision.name)
        for place, name in enumerate(node.output)
        if is_float(types, name)
    ) and all(
        takes_type(node.op_type, opset, False, place, precision.name) or _only_float(node.op_type, opset, place)
        for place, name in enumerate(node.input)
        if is_float(types, name)
    )


@cache
def takes_type(op_type: str, opset: int, output: bool, place: int, name: str) -> bool:
    """Whether an operator's input or output may be of a type, by its name in numpy."""
    return f"tensor({name})" in _legal(op_type, opset, output, place)


@cache
def _only_float(op_type: str, opset: int, place: int) -> bool:
    """Whether an input is float32 whatever the others are, like the factors of Resize."""
    return _legal(op_type, opset, False, place) == {"tensor(float)"}


def _legal(op_type: str, opset: int, output: bool, place: int) -> set[str]:
    try:
        schema = defs.get_schema(op_type, opset, "")
    except onnx.onnx_cpp2py_export.defs.SchemaError:
        return set()
    formal = schema.outputs if output else schema.inputs
    return set(formal[min(place, len(formal) - 1)].types)
