"""How much of the input one entry of a value sees.

Along a path, a window of extent `e` and stride `s` makes the field grow by `(e - 1) * jump` and the jump by a factor
`s` (Araujo et al., "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019). Where paths meet,
the field is the union of the intervals that the paths see, so positions are tracked, not only extents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from striate.graph import Graph
from striate.ops.record import OpRecord, Window

Lookup = Callable[[str], OpRecord | None]
_ALL: Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Field:
    """Per axis: entry `i` of a value sees the input pixels from `i * jump + low` to `i * jump + high`."""

    jump: tuple[float, float]
    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the part of the input that is seen."""
        return round(self.high[0] - self.low[0]) + 1, round(self.high[1] - self.low[1]) + 1


@dataclass(frozen=True, slots=True)
class ReceptiveFields:
    """The field of every value; "all" where the whole input is seen, None where a value is no image."""

    fields: Mapping[str, Field | Literal["all"]]

    def of(self, value: str) -> tuple[int, int] | Literal["all"]:
        """Return height and width seen by one entry of a value, or "all"."""
        found = self.fields[value]
        return found if found == _ALL else found.extent

    def largest(self, value: str) -> float:
        """Return the larger side of a value's field; infinite where everything is seen."""
        found = self.of(value)
        return float("inf") if isinstance(found, str) else max(found)


def receptive_field(graph: Graph, lookup: Lookup) -> ReceptiveFields:
    """Return the receptive field of every value with respect to the inputs."""
    fields: dict[str, Field | Literal["all"]] = {
        item.value.name: Field((1, 1), (0, 0), (0, 0)) for item in graph.inputs
    }
    for node in graph.nodes:
        record = lookup(node.op)
        window = record.window(node.attributes, tuple(graph.types[name] for name in node.inputs)) if record else _ALL
        seen = _union([fields[name] for name in node.inputs])
        for value in node.outputs:
            fields[value.name] = _through(seen, window)
    return ReceptiveFields(fields)


def _through(field: Field | Literal["all"], window: Window | Literal["all"]) -> Field | Literal["all"]:
    if isinstance(field, str) or isinstance(window, str):
        return _ALL
    jump, low, high = [], [], []
    for axis in (0, 1):
        start = field.low[axis] - window.padding[axis] * field.jump[axis]
        low.append(start)
        high.append(start + (window.extent[axis] - 1) * field.jump[axis] + field.high[axis] - field.low[axis])
        jump.append(field.jump[axis] * window.stride[axis])
    return Field((jump[0], jump[1]), (low[0], low[1]), (high[0], high[1]))


def _union(fields: list[Field | Literal["all"]]) -> Field | Literal["all"]:
    known = [field for field in fields if not isinstance(field, str)]
    if len(known) != len(fields):
        return _ALL
    first = known[0]
    return Field(
        first.jump,
        (min(field.low[0] for field in known), min(field.low[1] for field in known)),
        (max(field.high[0] for field in known), max(field.high[1] for field in known)),
    )
