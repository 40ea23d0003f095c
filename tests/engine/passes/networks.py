"""Networks made by hand from the layers' records, and random ones for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from striate.dims import Dim
from striate.graph import Graph, Input, Node, Origin, TensorType, Value, Weight
from striate.ops.arguments import convert_all
from striate.ops.problems import Check
from striate.ops.registry import BUILTIN
from striate_dsl.source import Source, Span


class Network:
    """Builds a graph node by node; every node lies on a line of its own of an imagined file."""

    def __init__(self, name: str = "Hand", file: str = "hand.cnn") -> None:
        self.name = name
        self.source = Source(file, "\n" * 200)
        self.inputs: list[Input] = []
        self.nodes: list[Node] = []
        self.weights: dict[str, Weight] = {}
        self.types: dict[str, TensorType] = {}

    def _origin(self) -> Origin:
        line = len(self.inputs) + len(self.nodes)
        return Origin(Span(self.source, line, line + 1))

    def input(self, name: str, *shape: Dim, **contract) -> str:
        value = Value(name, TensorType(shape))
        self.inputs.append(Input(value, contract, self._origin()))
        self.types[name] = value.type
        return name

    def add(self, name: str, op: str, *inputs: str, share: str | None = None, **arguments) -> str:
        """Add a layer; with `share` it uses the weights of the layer of that name."""
        record = BUILTIN[op]
        types = tuple(self.types[value] for value in inputs)
        attributes = record.settle(convert_all(record.arguments, arguments), types)
        (result,) = record.shape(attributes, types, Check())
        roles = {}
        for spec in record.weights(attributes, types):
            weight = Weight(f"{share or name}.{spec.role}", spec.shape, spec.initializer, spec.trainable)
            roles[spec.role] = self.weights.setdefault(weight.name, weight).name
        self.nodes.append(Node(name, op, inputs, attributes, roles, (Value(name, result),), self._origin()))
        self.types[name] = result
        return name

    def graph(self, *outputs: str, **named: str) -> Graph:
        """Finish: outputs by the name of their value, or `name=value`."""
        table = {**{value: value for value in outputs}, **named}
        return Graph(self.name, tuple(self.inputs), tuple(self.nodes), table, dict(self.weights))


LAYERS = ("relu", "identity", "dropout", "tanh", "bn", "conv", "add", "mul")


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Draw a network of up to nine layers on images of 3 x 4 x 5, wired at random, with one to three outputs."""
    network = Network()
    values = [network.input("image", 3, 4, 5)]
    for number in range(draw(st.integers(0, 9))):
        op = draw(st.sampled_from(LAYERS))
        arguments = {"channels": 3, "kernel": 3, "pad": 1} if op == "conv" else {}
        count = 2 if BUILTIN[op].merge else 1
        inputs = [draw(st.sampled_from(values)) for _ in range(count)]
        values.append(network.add(f"{op}{number}", op, *inputs, **arguments))
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    return network.graph(**{f"out{number}": value for number, value in enumerate(chosen)})
