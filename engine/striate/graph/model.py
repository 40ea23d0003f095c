"""The graph of one network: values, weights and nodes, immutable and in execution order.

A `Graph` says what is computed, never how: lowering, export and analysis read it. Sizes are channels first and leave
the batch axis out, so an image value has the shape `C x H x W`. Structural questions (who uses a value, what reaches
an output) go to `structure.py`, which is the one module that uses networkx.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from striate.dims import Dim
from striate.dims.constraints import Constraint
from striate_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Frame:
    """One block instance on the way from the model to a node: which block, instantiated where."""

    block: str
    span: Span


@dataclass(frozen=True, slots=True)
class Origin:
    """The text a node comes from: the span of its layer call and the block instances around it, outermost first."""

    span: Span
    trail: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorType:
    """The size of a value without its batch axis, e.g. `(3, 224, 224)`; entries may be symbolic."""

    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        """Number of axes, batch not counted."""
        return len(self.shape)

    @property
    def channels(self) -> Dim:
        """Size of the first axis: the channels of an image, the features of a flat value."""
        return self.shape[0]


@dataclass(frozen=True, slots=True)
class Value:
    """What flows along an edge: the name of its producer (a node or an input) and its size."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True)
class Initializer:
    """How a weight starts: the name of a rule in `striate.ops.initializers` and its numbers, e.g. the fan-in."""

    name: str
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weight:
    """One stored tensor of the network.

    Statistics (batch norm's running mean and variance) have `trainable = False`: they are saved with the weights, but
    are no parameters.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True

    @property
    def size(self) -> int:
        """Number of entries."""
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: a record's name, its inputs (value names), settled attributes, weights by role, outputs."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    weights: Mapping[str, str]
    outputs: tuple[Value, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Input:
    """A network input: its value and the pixel contract written in its body (colour order, range, mean, std)."""

    value: Value
    contract: Mapping[str, Any]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Extent:
    """Height and width in pixels of the input."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Objects:
    """The sizes of the objects that a head is to find: for each group of values, of which one must see the object."""

    groups: tuple[tuple[tuple[str, ...], tuple[Extent, ...]], ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Task:
    """The task head that closes a model: its record's name, its settled arguments, and the output it decodes.

    `objects` says what the head is to find, where its statement says so; it changes nothing that is computed.
    """

    name: str
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]
    objects: Objects | None = None


@dataclass(frozen=True)
class Graph:
    """A network. `outputs` maps an output's name to the value it stands for; nodes are in execution order."""

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    weights: Mapping[str, Weight]
    constraints: tuple[Constraint, ...] = ()
    tasks: tuple[Task, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """The size of every value by name."""
        types = {item.value.name: item.value.type for item in self.inputs}
        for node in self.nodes:
            for value in node.outputs:
                types[value.name] = value.type
        return types

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @property
    def parameters(self) -> int:
        """Number of trainable parameters; shared weights count once, running statistics not at all."""
        return sum(weight.size for weight in self.weights.values() if weight.trainable)

    def with_nodes(self, nodes: tuple[Node, ...], outputs: Mapping[str, str] | None = None) -> Graph:
        """Return the graph with other nodes; weights that no node uses any more are left out."""
        used = {name for node in nodes for name in node.weights.values()}
        return replace(
            self,
            nodes=nodes,
            outputs=self.outputs if outputs is None else outputs,
            weights={name: weight for name, weight in self.weights.items() if name in used},
        )
