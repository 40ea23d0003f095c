"""Where the batch of values is: which nodes may have it elsewhere than in front, and where their results have it."""

from __future__ import annotations

from dataclasses import replace

from striate.importing.call import Call
from striate.importing.converters import ANYWHERE
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value

_STATEFUL = frozenset({"LSTM", "GRU"})
"""Operators whose inputs have their batch each in a place of its own, which the converter knows."""


def demand_batch(call: Call, operator: str) -> None:
    """Refuse inputs whose batch is elsewhere than in front, where the converter does not know of that."""
    first = call.values[0]
    if operator in _STATEFUL:
        return
    if any((value.batch, value.merged) != (first.batch, first.merged) for value in call.values):
        raise UnsupportedError("the batch is another axis of one input than of the other")
    if not first.is_plain and operator not in ANYWHERE:
        raise UnsupportedError("the batch is not its first axis, or one with another")


def with_batch(call: Call, value: Value) -> Value:
    """Return a result with its batch where that of the inputs is, unless the converter has said where it is."""
    first = call.values[0]
    if call.placed or first.is_plain:
        return value
    return replace(value, batch=first.batch, merged=first.merged)
