"""Which nodes of a document compute in int8, and which values share a scale.

A unit is a node that runtimes have in int8, with the relu or clip behind it: between the two nothing is rounded, as
runtimes compute both in one step. Values that are only moved, pooled by their maximum, or joined have one scale, so
that they need not be computed anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from onnx import ModelProto, NodeProto

from striate.onnx.precision.choosing import MOVES, layer_of

WEIGHTED: Mapping[str, int] = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0, "MatMul": 1}
"""Products with weights, and the axis of output channels in their weights (of a Gemm with the second transposed)."""

ELEMENTWISE = frozenset({"Add", "AveragePool", "Concat", "GlobalAveragePool", "Mul"})
"""Other operators that runtimes have in int8."""

SAME_SCALE = (MOVES - {"Gather", "Split", "Tile", "Expand"}) | {"MaxPool"}
"""Operators whose result has the scale of what comes in."""

ABSORBED = frozenset({"Clip", "Relu"})
"""Operators that become part of the unit before them."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One step in int8.

    Attributes:
        node: the node.
        inputs: the values that it reads, its weights left out.
        output: the value that leaves the unit.
        axis: the axis of output channels in its weights, None for one scale; without weights it says nothing.
        weights: the names of kernel and bias, of which the bias may be missing.
    """

    node: NodeProto
    inputs: tuple[str, ...]
    output: str
    axis: int | None = None
    weights: tuple[str, ...] = ()


@dataclass(slots=True)
class Layout:
    """What is in int8.

    Attributes:
        units: the steps.
        groups: for every int8 value, the value whose scale it has.
    """

    units: list[Unit] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    def root(self, value: str) -> str:
        """Return the value whose scale a value has."""
        while self.groups[value] != value:
            value = self.groups[value]
        return value

    def add(self, value: str) -> None:
        """Take in a value."""
        self.groups.setdefault(value, value)

    def join(self, values: Iterable[str]) -> None:
        """Let values have one scale."""
        roots = [self.root(value) for value in values]
        for root in roots[1:]:
            self.groups[self.root(root)] = self.root(roots[0])


def lay_out(document: ModelProto, weights: Collection[str], known: Collection[str], keep: Collection[str]) -> Layout:
    """Decide what is computed in int8.

    Args:
        document: the document, in float32.
        weights: the names of the network's weights.
        known: the values whose ranges are known.
        keep: layers that stay in float32.
    """
    return _Laying(document, weights, known, keep).result()


class _Laying:
    def __init__(
        self, document: ModelProto, weights: Collection[str], known: Collection[str], keep: Collection[str]
    ) -> None:
        self._nodes = document.graph.node
        self._outputs = {item.name for item in document.graph.output}
        self._weights, self._keep = frozenset(weights), frozenset(keep)
        self._stored = {item.name for item in document.graph.initializer}
        self._known = frozenset(known) - self._stored
        self._uses = Counter(name for node in self._nodes for name in node.input)
        self._readers = {name: node for node in self._nodes for name in node.input[:1]}

    def result(self) -> Layout:
        layout = Layout()
        for node in self._nodes:
            unit = self._unit(node)
            if unit is not None:
                layout.units.append(unit)
                for value in (*unit.inputs, *((unit.output,) if unit.output not in self._outputs else ())):
                    layout.add(value)
        moving = [node for node in self._nodes if node.op_type in SAME_SCALE and self._is_free(node)]
        for node in moving:
            if node.input[0] in layout.groups and node.output[0] not in self._outputs:
                layout.add(node.output[0])
                layout.units.append(Unit(node, (node.input[0],), node.output[0]))
                layout.join((node.input[0], node.output[0]))
        for unit in layout.units:
            if unit.node.op_type == "Concat":
                layout.join(value for value in (*unit.inputs, unit.output) if value in layout.groups)
        return layout

    def _is_free(self, node: NodeProto) -> bool:
        named = (node.input[0], node.output[0])
        return layer_of(node) not in self._keep and len(node.output) == 1 and all(x in self._known for x in named)

    def _unit(self, node: NodeProto) -> Unit | None:
        if node.op_type not in WEIGHTED and node.op_type not in ELEMENTWISE:
            return None
        read = [name for name in node.input if name and name not in self._stored]
        output = self._output(node)
        if layer_of(node) in self._keep or output is None or not all(name in self._known for name in read):
            return None
        if node.op_type in ELEMENTWISE:
            return Unit(node, tuple(read), output) if len(read) == len(node.input) else None
        names = tuple(node.input[1:])
        if len(read) != 1 or not names or not self._weights.issuperset(names) or not _is_plain(node):
            return None
        return Unit(node, tuple(read), output, _axis(node), names)

    def _output(self, node: NodeProto) -> str | None:
        """Return the value that leaves the unit of a node: behind a relu or clip that alone reads the node's."""
        value = node.output[0]
        after = self._readers.get(value)
        if after is not None and self._uses[value] == 1 and value not in self._outputs:
            absorbed = after.op_type in ABSORBED and layer_of(after) not in self._keep
            if absorbed and after.output[0] in self._known:
                return str(after.output[0])
        return value if value in self._known else None


def _axis(node: NodeProto) -> int | None:
    """Return the axis of output channels in a node's weights; None where they are not along one axis."""
    given = {item.name: item.i for item in node.attribute}
    if node.op_type == "ConvTranspose" and given.get("group", 1) != 1:
        return None
    if node.op_type == "Gemm":
        return 0 if given.get("transB") else 1
    return WEIGHTED[node.op_type]


def _is_plain(node: NodeProto) -> bool:
    """Whether a product has no factors: a bias in int32 has the scale of the sum of products."""
    given = {item.name: item.f for item in node.attribute if item.name in ("alpha", "beta")}
    return all(value == 1.0 for value in given.values())
