"""Turns a document in float32 into one whose weights and computation are float16 or bfloat16.

Casts stand where numbers change: at inputs and outputs (unless those are to be narrow, too) and around what stays in
float32; a value is cast once, however many read it. Values keep their names, an output's included.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from striate.graph import Graph
from striate.onnx.filling import StoredWeights
from striate.onnx.precision.choosing import MOVES, choose, takes_type
from striate.onnx.precision.element_types import element_types, is_float
from striate.onnx.precision.formats import PRECISIONS, ExportPrecision
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, Any]

DTYPES: Mapping[str, Any] = {
    name: helper.tensor_dtype_to_np_dtype(PRECISIONS[name].element) for name in ("float16", "bfloat16")
}
"""The formats in numpy; onnx brings the type that numpy lacks."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What became of a document.

    Attributes:
        weights: the numbers of its weights.
        precision: the narrow format.
        narrow_ends: whether inputs and outputs are in it, too.
        kept: the layers in float32, each with the reason.
        partial: the layers of which only the products are narrow, each with the reason.
        narrow_values: the values of the graph that are narrow in the file.
    """

    weights: StoredWeights
    precision: ExportPrecision
    narrow_ends: bool
    kept: Mapping[str, str]
    partial: Mapping[str, str]
    narrow_values: frozenset[str]


def narrow(
    document: ModelProto,
    graph: Graph,
    arrays: Mapping[str, Array],
    precision: ExportPrecision,
    *,
    narrow_ends: bool = False,
    keep: Collection[str] = (),
) -> Narrowed:
    """Rewrite a document that was written in float32, in place.

    Args:
        document: the document, its weights not filled in.
        graph: the network that it was written from.
        arrays: the weights by name.
        precision: float16 or bfloat16.
        narrow_ends: inputs and outputs in that format; else they stay float32, and the file can take the place of
            the one in float32.
        keep: layers that stay in float32.

    Raises:
        DiagnosticError: E0602, a layer needs a later operator set for it; E0630, weights are beyond the format.
    """
    types = element_types(document)
    choice = choose(document, graph, types, precision, keep)
    work = _Narrowing(document, types, choice.narrow, precision, narrow_ends)
    _check_weights(graph, arrays, work.narrow_weights(), precision)
    work.rewrite()
    entries = {item.key: item.value for item in document.metadata_props}
    helper.set_model_props(document, {**entries, "striate.precision": precision.name})
    weights = StoredWeights(arrays, work.sources)
    return Narrowed(weights, precision, narrow_ends, choice.kept, choice.partial, frozenset(work.narrow_values))


class _Narrowing:
    """One document while it is rewritten."""

    def __init__(
        self,
        document: ModelProto,
        types: dict[str, int],
        places: Collection[int],
        precision: ExportPrecision,
        narrow_ends: bool,
    ) -> None:
        self._graph = document.graph
        self._opset = document.opset_import[0].version
        self._types, self._precision, self._narrow_ends = types, precision, narrow_ends
        self._stored = {item.name: item for item in self._graph.initializer}
        self._outputs = {item.name for item in self._graph.output}
        self._casts: dict[tuple[str, bool], str] = {}
        self._inner: dict[str, str] = {}
        self.narrow_values: set[str] = set()
        self.sources: dict[str, str] = {}
        if narrow_ends:
            self.narrow_values |= {item.name for item in self._graph.input if is_float(types, item.name)}
        self._narrow = self._settle(places)
        self._uses = self._weight_uses()

    def _settle(self, places: Collection[int]) -> set[int]:
        """Return the narrow nodes: those that were chosen, without those that move what is float32; note the values."""
        found = set()
        for place, node in enumerate(self._graph.node):
            follows = node.op_type in MOVES and node.input[0] not in self._stored
            if place not in places or (follows and node.input[0] not in self.narrow_values):
                continue
            found.add(place)
            self.narrow_values |= {name for name in node.output if is_float(self._types, name)}
        return found

    def _weight_uses(self) -> dict[str, set[bool]]:
        """Return in which numbers each initialiser is read: narrow, float32, or both."""
        uses: dict[str, set[bool]] = {}
        for place, node in enumerate(self._graph.node):
            for position, name in enumerate(node.input):
                if name in self._stored and is_float(self._types, name):
                    uses.setdefault(name, set()).add(self._is_narrow_input(place, node, position))
        return uses

    def narrow_weights(self) -> list[str]:
        """Return the initialisers that are stored in the narrow format."""
        return [name for name, uses in self._uses.items() if True in uses]

    def _is_narrow_input(self, place: int, node: NodeProto, position: int) -> bool:
        legal = takes_type(node.op_type, self._opset, False, position, self._precision.name)
        return place in self._narrow and legal

    def rewrite(self) -> None:
        """Rewrite the nodes, then what they read and make."""
        nodes = [each for place, node in enumerate(self._graph.node) for each in self._rewritten(place, node)]
        ends = [self._end(item) for item in self._graph.output if item.name in self._inner]
        del self._graph.node[:]
        self._graph.node.extend([*nodes, *ends])
        self._store_weights()
        described = [*self._graph.value_info]
        if self._narrow_ends:
            described += [*self._graph.input, *self._graph.output]
        for item in described:
            tensor = item.type.tensor_type
            is_narrow_end = self._narrow_ends and item.name in self._outputs and tensor.elem_type == TensorProto.FLOAT
            if is_narrow_end or item.name in self.narrow_values:
                tensor.elem_type = self._precision.element

    def _rewritten(self, place: int, node: NodeProto) -> Iterator[NodeProto]:
        """Yield the casts that a node needs, then the node."""
        narrow = place in self._narrow
        if narrow:
            self._narrow_attributes(node)
        for position, name in enumerate(node.input):
            if is_float(self._types, name):
                wanted = self._is_narrow_input(place, node, position)
                yield from self._provide(node, position, name, wanted)
        for position, name in enumerate(node.output):
            if name in self._outputs and is_float(self._types, name) and narrow != self._narrow_ends:
                self._inner[name] = node.output[position] = f"{name}/{self._name(narrow)}"
        yield node

    def _provide(self, node: NodeProto, position: int, name: str, wanted: bool) -> Iterator[NodeProto]:
        """Let a node read a value in the numbers that it takes, with a cast where it was not read so before."""
        if name in self._stored:
            node.input[position] = self._stored_name(name, wanted)
            return
        source = self._inner.get(name, name)
        if (name in self.narrow_values) == wanted:
            node.input[position] = source
            return
        if (name, wanted) not in self._casts:
            cast = f"{name}/{self._name(wanted)}"
            self._casts[name, wanted] = cast
            yield helper.make_node("Cast", [source], [cast], name=cast, to=self._element(wanted))
        node.input[position] = self._casts[name, wanted]

    def _end(self, item: ValueInfoProto) -> NodeProto:
        to = self._element(self._narrow_ends)
        return helper.make_node("Cast", [self._inner[item.name]], [item.name], name=f"{item.name}/cast", to=to)

    def _stored_name(self, name: str, narrow: bool) -> str:
        """Return what an initialiser is called in the wanted numbers; only one read in both has two."""
        both = len(self._uses[name]) == 2
        return f"{name}/{self._precision.name}" if both and narrow else name

    def _store_weights(self) -> None:
        for name, uses in self._uses.items():
            if True not in uses:
                continue
            tensor = self._stored[name]
            target = tensor
            if len(uses) == 2:
                target = self._graph.initializer.add(name=self._stored_name(name, narrow=True), dims=tensor.dims)
                self.sources[target.name] = name
            if tensor.HasField("raw_data"):
                target.raw_data = numpy_helper.to_array(tensor).astype(DTYPES[self._precision.name]).tobytes()
            target.data_type = self._precision.element

    def _narrow_attributes(self, node: NodeProto) -> None:
        """Let what a node makes by an attribute, not from its inputs, be narrow."""
        if node.op_type == "ConstantOfShape" and not node.attribute:
            zero = numpy_helper.from_array(np.zeros(1, DTYPES[self._precision.name]))
            node.attribute.append(helper.make_attribute("value", zero))
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = self._precision.element
            if attribute.t.data_type == TensorProto.FLOAT:
                values = numpy_helper.to_array(attribute.t).astype(DTYPES[self._precision.name])
                attribute.t.CopyFrom(numpy_helper.from_array(values, attribute.t.name))

    def _name(self, narrow: bool) -> str:
        return self._precision.name if narrow else "float32"

    def _element(self, narrow: bool) -> int:
        return self._precision.element if narrow else int(TensorProto.FLOAT)


def _check_weights(graph: Graph, arrays: Mapping[str, Array], names: list[str], precision: ExportPrecision) -> None:
    """Refuse weights that would become infinite."""
    users = {weight: node for node in graph.nodes for weight in node.weights.values()}
    findings = []
    for name in names:
        if name not in users:
            continue
        values = arrays[name]
        with np.errstate(over="ignore"):
            lost = np.isfinite(values) & ~np.isfinite(values.astype(DTYPES[precision.name]))
        if lost.any():
            layer = users[name]
            worst = float(np.abs(values[lost]).max())
            findings.append(
                Diagnostic(
                    "E0630",
                    f"layer {layer.name} has weights that {precision.name} cannot hold: {worst:.6g} in {name}",
                    layer.origin.span,
                    notes=(
                        f"{int(lost.sum()):,} of its {values.size:,} entries are beyond {precision.largest:.6g}, the "
                        f"largest {precision.name}",
                    ),
                    help=f"let the layer compute in float32: --keep-float {layer.name}; or export in bfloat16, which "
                    "has the range of float32",
                )
            )
    if findings:
        raise DiagnosticError(*findings)
