"""Where the ONNX rules of the records write: collects nodes and constants, with the names and origin of their layer.

Every node is looked up in ONNX's own table of operators, so a layer that needs a later operator set is found by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, defs, helper, numpy_helper

from striate.graph import Node, Origin
from striate.onnx.opsets import HIGHEST
from striate.onnx.scopes import Scope, scopes_of
from striate.ops.record import OpRecord
from striate.ops.targets import OnnxCall
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

MOST_NAMED = 12
"""Layers that a message lists before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class _Demand:
    """A layer that needs a later operator set than the one to be written, or an operator that no set has."""

    layer: Node
    op_type: str
    opset: int | None


@dataclass(slots=True)
class NodeSink:
    """The `OnnxSink` of one file.

    Attributes:
        opset: the operator set to be written.
        nodes: the ONNX nodes so far, in order.
        constants: constant tensors by name.
    """

    opset: int
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)
    _layer: Node | None = None
    _demands: list[_Demand] = field(default_factory=list)

    def write(self, layer: Node, record: OpRecord, call: OnnxCall) -> None:
        """Let a record write a layer; the ONNX node that makes the layer's value is called like the layer."""
        self._layer = layer
        first = len(self.nodes)
        record.onnx(call, self)
        self._layer = None
        place, scopes = origin_text(layer.origin), scopes_of(layer)
        for node in self.nodes[first:]:
            node.name = layer.name if call.outputs[0] in node.output else node.output[0]
            node.doc_string = place
            _state_scopes(node, scopes)

    def node(self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], /, **attributes: Any) -> None:
        """Write one ONNX node; see `OnnxSink`."""
        given = frozenset(name for name, value in attributes.items() if value is not None)
        first = max((_LATER.get((op_type, name, str(value)), 0) for name, value in attributes.items()), default=0)
        if self._layer is not None and (first > self.opset or not _exists(op_type, self.opset, given, len(inputs))):
            later = (
                opset
                for opset in range(max(self.opset + 1, first), HIGHEST + 1)
                if _exists(op_type, opset, given, len(inputs))
            )
            self._demands.append(_Demand(self._layer, op_type, next(later, None)))
        self.nodes.append(helper.make_node(op_type, list(inputs), list(outputs), **attributes))

    def constant(self, name: str, values: Any, dtype: str) -> str:
        """Write a constant tensor; see `OnnxSink`."""
        tensor = numpy_helper.from_array(np.asarray(values, dtype=dtype), name)
        if self.constants.setdefault(name, tensor) != tensor:
            raise ValueError(f"two constants are called {name!r}")
        return name

    def check_demands(self) -> None:
        """Report all layers that need a later operator set than what is to be written, that of the latest in front.

        Raises:
            DiagnosticError: there is such a layer.
        """
        if not self._demands:
            return
        worst = max(self._demands, key=lambda demand: HIGHEST + 1 if demand.opset is None else demand.opset)
        raise DiagnosticError(_cannot_write(worst, self._demands, self.opset))


def _state_scopes(node: NodeProto, scopes: Sequence[Scope]) -> None:
    """Note in a node's metadata the block instances around it, outermost first, as lists in JSON."""
    if scopes:
        node.metadata_props.add(key="striate.scopes", value=json.dumps([each.path for each in scopes]))
        node.metadata_props.add(key="striate.blocks", value=json.dumps([each.block for each in scopes]))


def origin_text(origin: Origin) -> str:
    """Return where a layer comes from as `file.cnn:line`, without the folder: files are passed on to strangers."""
    return f"{PurePath(origin.span.file).name}:{origin.span.line}"


def _cannot_write(demand: _Demand, all_demands: Sequence[_Demand], opset: int) -> Diagnostic:
    layer = demand.layer
    if demand.opset is None:
        return Diagnostic(
            "E0605",
            f"layer {layer.name} writes ONNX's {demand.op_type} in a form that no opset up to {HIGHEST} has",
            layer.origin.span,
            help=f"this is a mistake in the layer {layer.op}; report it to whoever provides it",
        )
    return Diagnostic(
        "E0602",
        f"layer {layer.name} needs opset {demand.opset}, not {opset}",
        layer.origin.span,
        notes=(
            f"it is written as ONNX's {demand.op_type}, which has this form since opset {demand.opset}",
            *_others(demand, all_demands),
        ),
        help=f"use opset {demand.opset} or later: --opset {demand.opset}",
    )


_LATER = {("ScatterElements", "reduction", way): 18 for way in ("max", "min")}
"""Values of attributes that an operator takes since a later operator set than it has the attribute."""


def _others(worst: _Demand, demands: Sequence[_Demand]) -> list[str]:
    """Return a sentence for every other layer that needs a later operator set too, each layer once."""
    latest: dict[str, _Demand] = {}
    for demand in demands:
        before = latest.setdefault(demand.layer.name, demand)
        if (demand.opset or 0) > (before.opset or 0):
            latest[demand.layer.name] = demand
    latest.pop(worst.layer.name)
    lines = [
        f"layer {name}, line {demand.layer.origin.span.line}, needs opset {demand.opset}: it is ONNX's {demand.op_type}"
        for name, demand in latest.items()
    ]
    more = len(lines) - MOST_NAMED
    return [*lines[:MOST_NAMED], *([f"and {more} more layers"] if more > 0 else [])]


@cache
def _exists(op_type: str, opset: int, attributes: frozenset[str], inputs: int) -> bool:
    try:
        schema = defs.get_schema(op_type, opset, "")
    except onnx.onnx_cpp2py_export.defs.SchemaError:
        return False
    return attributes <= schema.attributes.keys() and inputs <= schema.max_input and not schema.deprecated
