"""The network of one model while it is being made, and one layer call with everything evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from striate.dims.constraints import Constraint
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, ValueRef
from striate.graph import Node, Origin, TensorType, Weight
from striate.ops.record import OpRecord
from striate_dsl.source import Span
from striate_dsl.syntax import Call
from striate_dsl.value_class import value_class


@value_class
class OpenCondition:
    """A condition on the input size and the place that makes it."""

    constraint: Constraint
    origin: Origin


@dataclass(slots=True)
class Network:
    """The nodes, weights and conditions made so far; `calls` holds the call that made each node.

    `shared` are the names of weights that belong to instances made with `let`.

    With `sizes_only` no weights are made, so that sizes can be followed where weights would need numbers.
    """

    nodes: list[Node] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    records: dict[str, OpRecord] = field(default_factory=dict)
    inputs: dict[str, TensorType] = field(default_factory=dict)
    sizes_only: bool = False
    names: set[str] = field(default_factory=set)
    weights: dict[str, Weight] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    conditions: list[OpenCondition] = field(default_factory=list)


@value_class
class Incoming:
    """A value that flows into a layer and the text it comes from (None for the value that flows along the line)."""

    value: ValueRef
    span: Span | None


@value_class
class LayerCall:
    """A layer call with everything evaluated; `span` is what findings point at when no argument is to blame."""

    record: OpRecord
    call: Call
    incoming: Sequence[Incoming]
    arguments: dict[str, Given]
    scope: Scope
    path: str
    weight_path: str

    @property
    def written(self) -> str:
        return self.call.callee.span.text
