"""Graphs for tests, made from records directly, so that these tests need neither parser nor elaborator."""

from __future__ import annotations

from typing import Any

from striate.dims import Dim
from striate.graph import Graph, Input, Node, Origin, TensorType, Value, Weight
from striate.ops import BUILTIN, Check
from striate.ops.arguments import convert_all
from striate_dsl.source import Source, Span

NOWHERE = Origin(Span(Source("test.cnn", "conv\n"), 0, 4))


class GraphMaker:
    """Collects layers; every call returns the name of the value that it makes."""

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.nodes: list[Node] = []
        self.weights: dict[str, Weight] = {}
        self.types: dict[str, TensorType] = {}
        self.check = Check()

    def input(self, name: str, *shape: Dim) -> str:
        kind = TensorType(shape)
        self.inputs.append(Input(Value(name, kind), {}, NOWHERE))
        self.types[name] = kind
        return name

    def layer(
        self,
        op: str,
        *inputs: str,
        name: str | None = None,
        share: str | None = None,
        origin: Origin = NOWHERE,
        **arguments: Any,
    ) -> str:
        """Add a layer; `share` names the layer whose weights it uses."""
        record = BUILTIN[op]
        name = name or f"{op}{len(self.nodes)}"
        kinds = tuple(self.types[value] for value in inputs)
        attributes = record.settle(convert_all(record.arguments, arguments), kinds)
        (kind,) = record.shape(attributes, kinds, self.check)
        weights = {}
        for spec in record.weights(attributes, kinds):
            weight = Weight(f"{share or name}.{spec.role}", spec.shape, spec.initializer, spec.trainable)
            self.weights.setdefault(weight.name, weight)
            weights[spec.role] = weight.name
        self.nodes.append(Node(name, op, inputs, attributes, weights, (Value(name, kind),), origin))
        self.types[name] = kind
        return name

    def graph(self, *outputs: str, name: str = "Test") -> Graph:
        return Graph(
            name,
            tuple(self.inputs),
            tuple(self.nodes),
            {value: value for value in outputs},
            self.weights,
            tuple(self.check.open),
        )
