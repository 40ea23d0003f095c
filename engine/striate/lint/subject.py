"""What lints look at: a file with the networks that its models give, arranged by the places of the text.

A block used fifty times is one place with fifty uses, so that a lint speaks once, and can ask whether all uses agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from striate.analysis.costs import Lookup, node_macs, record_of
from striate.dims import Dim
from striate.elaborate.faults import trail_notes
from striate.graph import Graph, Node
from striate.lint.names import used_names
from striate.lint.sites import Sites
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate_dsl.source import Span
from striate_dsl.syntax import Block, File, Model


@dataclass(eq=False, slots=True)
class Loss:
    """The loss of a recipe: its name, what it does to the outputs before it compares, and where it is written."""

    name: str
    applies: str | None
    span: Span


@dataclass(eq=False)
class Network:
    """One model's graph, with the losses of its recipes, and who makes and who uses each value.

    `lookup` finds the records of its layers; `tensor_cores` is the arithmetic of tensor cores in which its exports are
    to run, None where they ask for none.
    """

    graph: Graph
    losses: Sequence[Loss] = ()
    lookup: Lookup = BUILTIN.get
    tensor_cores: str | None = None

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        """The node that makes a value, by the value's name; inputs have none."""
        return {value.name: node for node in self.graph.nodes for value in node.outputs}

    @cached_property
    def users(self) -> Mapping[str, list[Node]]:
        """The nodes that take a value, by the value's name."""
        found: dict[str, list[Node]] = defaultdict(list)
        for node in self.graph.nodes:
            for name in node.inputs:
                found[name].append(node)
        return found

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The names of the values that are outputs."""
        return frozenset(self.graph.outputs.values())

    @cached_property
    def live(self) -> frozenset[str]:
        """The names of the values that some output depends on."""
        waiting, found = list(self.outputs), set(self.outputs)
        while waiting:
            node = self.producers.get(waiting.pop())
            for name in node.inputs if node else ():
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return frozenset(found)

    def macs(self, node: Node) -> Dim:
        """Return the multiply-adds of a layer for one image."""
        return node_macs(self.graph, node, self.lookup)

    def record(self, node: Node) -> OpRecord:
        """Return the record of a node's layer."""
        return record_of(node, self.lookup)

    def input_shape(self, node: Node) -> tuple[object, ...]:
        """Return the size of a node's first input; open sizes are expressions."""
        return self.graph.types[node.inputs[0]].shape


@dataclass(eq=False, slots=True)
class Use:
    """A node and the network it is in."""

    network: Network
    node: Node

    @property
    def notes(self) -> tuple[str, ...]:
        """The block instances around the node, innermost first."""
        return trail_notes(self.node.origin.trail)


@dataclass(eq=False, slots=True)
class Place:
    """A layer call of the text and the nodes that come from it, in all models; `op` is their layer."""

    op: str
    span: Span
    uses: list[Use] = field(default_factory=list)


@dataclass(eq=False)
class Subject:
    """A file without errors, and its networks."""

    file: File
    networks: Sequence[Network]

    @cached_property
    def sites(self) -> Sites:
        """The calls of the file by place, for those who repair."""
        return Sites(self.file)

    @cached_property
    def _places(self) -> Mapping[str, Mapping[tuple[int, int], Place]]:
        source = self.file.span.source
        found: dict[str, dict[tuple[int, int], Place]] = defaultdict(dict)
        for network in self.networks:
            for node in network.graph.nodes:
                span = node.origin.span
                if span.source is source:
                    key = (span.start, span.end)
                    places = found[node.op]
                    if key not in places:
                        places[key] = Place(node.op, span)
                    places[key].uses.append(Use(network, node))
        return found

    @cached_property
    def names(self) -> Mapping[str, set[str]]:
        """The plain names that the bodies of blocks and models use, by the name of the block or model."""
        definitions = (item for item in self.file.definitions if isinstance(item, Block | Model))
        return {item.name.text: used_names(item.body) for item in definitions}

    def places_of(self, wanted: Callable[[OpRecord], bool]) -> Iterator[Place]:
        """Yield the places of this file that make layers of such records."""
        for found in self._places.values():
            places = list(found.values())
            first = places[0].uses[0]
            if wanted(first.network.record(first.node)):
                yield from places

    def places(self, *ops: str) -> Iterator[Place]:
        """Yield the places of this file that make layers of these names."""
        for op in ops:
            yield from self._places.get(op, {}).values()
