"""What is known of one model of a text: its elaboration with a trace, found again by the places of the text.

Places are kept relative to the definition they are in, so what was built before an edit elsewhere still holds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from striate.analysis.receptive import ReceptiveFields, receptive_field
from striate.elaborate import Elaboration
from striate.elaborate.linked import reachable
from striate.elaborate.scope import Scope
from striate.elaborate.trace import Trace, Visit
from striate.elaborate.values import ValueRef
from striate.graph import Graph, TensorType
from striate.host.catalogue import HostCatalogue
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Block, File, Model, Variant

_WORD = re.compile(r"[A-Za-z_]\w*")
Home = tuple[str, str]
"""A definition: the name of its text's file, and its own."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model took of the budget that the models of a file share, and the steps that were left before it."""

    layers: int
    steps: int
    steps_before: int


@dataclass(eq=False)
class Build:
    """One model as it was elaborated, and where in the text things happened."""

    elaboration: Elaboration
    trace: Trace
    file: File
    key: Hashable
    catalogue: HostCatalogue
    cost: Cost

    @property
    def model(self) -> str:
        return self.elaboration.model

    @cached_property
    def homes(self) -> Mapping[Source, tuple[list[int], list[Block | Model | Variant]]]:
        """The definitions of every text that takes part, with their offsets in order."""
        found = {}
        for file in reachable(self.file):
            items = [item for item in file.definitions if isinstance(item, (Block, Model, Variant))]
            found[file.span.source] = ([item.span.start for item in items], items)
        return found

    def home_of(self, span: Span) -> tuple[Home, int] | None:
        """Return the definition that a span is in, and where that begins."""
        starts, items = self.homes.get(span.source, ([], []))
        place = bisect_right(starts, span.start) - 1
        if place < 0:
            return None
        return (span.file, items[place].name.text), starts[place]

    @cached_property
    def texts(self) -> Mapping[Home, str]:
        """The text of every definition."""
        return {
            (source.name, item.name.text): item.span.text for source, (_, items) in self.homes.items() for item in items
        }

    @cached_property
    def visits(self) -> Mapping[Home, Mapping[int, list[Visit]]]:
        """The runs over each call, by its definition and the offset in it."""
        found: dict[Home, dict[int, list[Visit]]] = defaultdict(lambda: defaultdict(list))
        for visit in self.trace.visits:
            home = self.home_of(visit.call.span)
            if home is not None:
                found[home[0]][visit.call.span.start - home[1]].append(visit)
        return found

    @cached_property
    def flows(self) -> Mapping[Home, Mapping[int, list[TensorType]]]:
        """The sizes at the end of each line, by its definition and the offset of its end."""
        found: dict[Home, dict[int, list[TensorType]]] = defaultdict(lambda: defaultdict(list))
        for flow, value in self.trace.flows:
            home = self.home_of(flow.span)
            if home is not None and value is not None and value.type is not None:
                found[home[0]][flow.span.end - home[1]].append(value.type)
        return found

    @cached_property
    def scopes(self) -> Mapping[Home, list[Scope]]:
        """The instances of each definition."""
        found: dict[Home, list[Scope]] = defaultdict(list)
        for scope in self.trace.scopes:
            home = self.home_of(scope.body.span)
            if home is not None:
                found[home[0]].append(scope)
        return found

    @cached_property
    def graph(self) -> Graph:
        """The network as far as it could be made."""
        network = self.trace.network
        made = self.elaboration.graph
        return made or Graph(self.model, (), tuple(network.nodes), {}, network.weights)

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """The size of every value."""
        return {**self.trace.network.inputs, **self.graph.types}

    @cached_property
    def fields(self) -> ReceptiveFields | None:
        """The receptive field of every value, where the network is whole."""
        made = self.elaboration.graph
        return None if made is None else receptive_field(made, self.catalogue.layer)

    def values_of(self, home: Home, name: str) -> Iterator[object]:
        """Yield what a name of a block or model stands for in each of its instances."""
        for scope in self.scopes.get(home, ()):
            if name in scope.names:
                yield scope.names[name].value


def sizes_of(values: Iterable[object]) -> list[TensorType]:
    """Return the sizes of those values that are values of a network and known."""
    return [value.type for value in values if isinstance(value, ValueRef) and value.type is not None]
