"""What sizes come out if calls had other arguments: the shape rules run again over the part of a network they touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from striate.dims.constraints import Constraint
from striate.elaborate.network import Network
from striate.elaborate.repairs.history import History
from striate.elaborate.writing import written_argument
from striate.graph import Node, TensorType
from striate.ops.arguments import ArgumentError, Choice
from striate.ops.problems import Check, LayerError
from striate.ops.record import OpRecord, Types
from striate_dsl.syntax import Call, Name

MOST_RULES = 20_000
"""Shape rules that may be run again on behalf of one finding."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Other arguments for calls of the text, as `.cnn` values by name."""

    calls: tuple[Call, ...]
    arguments: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The sizes of the values asked for, and the conditions on open sizes that the part run again makes."""

    types: Types
    conditions: tuple[Constraint, ...]


@dataclass(slots=True)
class Replay:
    """Runs trials over a network; it tells nothing any more once it has done `MOST_RULES` rules' work."""

    network: Network
    history: History
    _rules: int = field(default=0, init=False)

    def outcome(self, trial: Trial, values: Sequence[str]) -> Outcome | None:
        """Return the sizes of values with a trial's arguments, None where a layer on the way refuses.

        Every node that the text of the call makes is changed, as it would be by an edit of the text.
        """
        changed: dict[str, TensorType] = {}
        check = Check()
        wanted = {id(call): given for call, given in zip(trial.calls, trial.arguments, strict=True)}
        for index, node in enumerate(self.network.nodes):
            here = wanted.get(id(self.network.calls[index]))
            if here is None and changed.keys().isdisjoint(node.inputs):
                continue
            self._rules += 1
            if self._rules > MOST_RULES:
                return None
            outputs = self._outputs(index, node, here or {}, changed, check)
            if outputs is None:
                return None
            changed.update(zip((value.name for value in node.outputs), outputs, strict=False))
        sizes = tuple(changed.get(value) or self.history.type_of(value) for value in values)
        return Outcome(sizes, tuple(check.open))

    def _outputs(
        self, index: int, node: Node, other: Mapping[str, Any], changed: Mapping[str, TensorType], check: Check
    ) -> Types | None:
        record = self.network.records[node.op]
        inputs = tuple(changed.get(value) or self.history.type_of(value) for value in node.inputs)
        attributes = {**node.attributes, **unsettled(self.network.calls[index], record)}
        try:
            attributes |= converted(record, other)
            return record.shape(record.settle(attributes, inputs), inputs, check)
        except (LayerError, ArgumentError):
            return None


def converted(record: OpRecord, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments in the form that the rules work with.

    Raises:
        ArgumentError: a value does not fit its argument's kind.
    """
    return {item.name: item.kind.convert(arguments[item.name]) for item in record.arguments if item.name in arguments}


def unsettled(call: Call, record: OpRecord) -> dict[str, Any]:
    """Return what a call writes, or leaves out, that other sizes and arguments settle to other numbers.

    That is padding by name (`half`, `same`) and arguments that follow another one, such as a pooling layer's stride.
    """
    if call.callee.span.text != record.name:
        return {}
    known = [item.name for item in record.arguments]
    given = written_argument(call, known, "pad")
    optional = [item.name for item in record.arguments if item.default is None]
    found: dict[str, Any] = {name: None for name in optional if written_argument(call, known, name) is None}
    if given is not None and isinstance(given.value, Name):
        with suppress(ArgumentError):  # the name of a parameter: its numbers are in the node
            found |= converted(record, {"pad": Choice(given.value.text)})
    return found
