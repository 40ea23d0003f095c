"""What happened while a model was elaborated, by the places of the text: for editors, which show it there.

Where the model has mistakes, everything that could be made is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from striate.elaborate.network import Network
from striate.elaborate.observer import Observer
from striate.elaborate.scope import Scope
from striate.elaborate.values import ValueRef
from striate_dsl.syntax import Call, Flow


@dataclass(slots=True)
class Visit:
    """One run over a layer or block call: what flowed in and what came out.

    `first` and `stop` bound the nodes of the network that were made by it; `path` is the call's own.
    """

    call: Call
    path: str
    incoming: ValueRef | None
    result: ValueRef
    first: int
    stop: int


@dataclass
class Trace(Observer):
    """An observer that keeps the runs over calls and lines, and the scopes with everything that got a name, in order.

    Attributes:
        visits: every run over a call that came to an end.
        flows: every run over a line and the value at its end.
        scopes: the model's scope and those of its block instances.
        network: what was made.
    """

    visits: list[Visit] = field(default_factory=list)
    flows: list[tuple[Flow, ValueRef | None]] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    network: Network = field(default_factory=Network)

    def begun(self, network: Network) -> None:
        self.network = network

    def scope_opened(self, scope: Scope) -> None:
        self.scopes.append(scope)

    def call_ended(self, call: Call, path: str, current: ValueRef | None, result: ValueRef, first: int) -> None:
        self.visits.append(Visit(call, path, current, result, first, len(self.network.nodes)))

    def line_ended(self, flow: Flow, value: ValueRef | None) -> None:
        self.flows.append((flow, value))
