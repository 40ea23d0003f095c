"""The columns that a summary can show: their names, what they mean, what stands in them for one or several layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

from striate.dims import Dim
from striate.graph import TensorType
from striate.view.rows import Extent, LayerRow, added
from striate.view.tree import Group
from striate.view.wording import Wording, extent_text

Value = Dim | float | str | TensorType | tuple[int, ...] | tuple[Fraction, ...] | None
Form = Literal["text", "count", "bytes", "ratio", "seconds", "size", "extent", "places"]
Summing = Literal["sum", "peak", "quotient", "none"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as it is asked for.
        title: its header.
        meaning: what it says, for help.
        form: how its values are written.
        value: what stands in it for a group of layers (one layer, a block instance, several alike ones).
        total: what its last line says: the sum, the largest, a quotient of sums, or nothing.
        needs: the option without which it has nothing to say.
    """

    name: str
    title: str
    meaning: str
    form: Form
    value: Callable[[Group], Value]
    total: Summing = "none"
    needs: Literal["", "--device", "--training"] = ""

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, which stand to the right."""
        return self.form in ("count", "bytes", "ratio", "seconds")

    def text(self, value: Value, wording: Wording, *, full: bool) -> str:
        """Return a value for people; `full` gives counts all their digits."""
        if value is None:
            return ""
        if isinstance(value, TensorType):
            return wording.size(value, spaced=False)
        if isinstance(value, tuple):
            return "x".join(f"{float(part):g}" for part in value)
        if isinstance(value, str):
            return value
        return self._number(value, wording, full=full)

    def _number(self, value: Dim | float, wording: Wording, *, full: bool) -> str:
        match self.form:
            case "seconds":
                return f"{_float(value) * 1000:.3g}"
            case "ratio":
                return f"{_float(value):.1f}"
            case "bytes":
                return wording.memory(_dim(value))
            case _:
                return wording.count(_dim(value), full=full)

    def plain(self, value: Value, wording: Wording) -> str:
        """Return a value for programs: all digits, bytes and milliseconds without units, nothing for none."""
        if value is None or isinstance(value, str | tuple | TensorType):
            return self.text(value, wording, full=True)
        if self.form == "seconds":
            return f"{_float(value) * 1000:.6g}"
        if self.form == "ratio":
            return f"{_float(value):.6g}"
        return str(wording.plain(_dim(value)))


def _float(value: Dim | float) -> float:
    assert isinstance(value, int | float), "times and ratios are numbers"
    return float(value)


def _dim(value: Dim | float) -> Dim:
    assert not isinstance(value, float), "counts are whole"
    return value


def _sum(field: Callable[[LayerRow], Dim | None]) -> Callable[[Group], Value]:
    """Return the rule that adds up a number of all layers of a group; nothing where one has none."""

    def rule(group: Group) -> Value:
        found = [field(row) for row in group.every]
        known = [number for number in found if number is not None]
        return added(known) if len(known) == len(found) else None

    return rule


def _largest(field: Callable[[LayerRow], int | None]) -> Callable[[Group], Value]:
    def rule(group: Group) -> Value:
        return max((number for row in group.every if (number := field(row)) is not None), default=None)

    return rule


def _of_last(field: Callable[[LayerRow], Value]) -> Callable[[Group], Value]:
    """Return the rule that takes what comes out of a group: the value of its last layer."""
    return lambda group: field(group.every[-1])


def _of_layer(field: Callable[[LayerRow], Value]) -> Callable[[Group], Value]:
    """Return the rule of a column that a block has nothing to say in."""
    return lambda group: field(group.every[0]) if group.is_layer else None


def _label(group: Group) -> Value:
    return f"{group.count} x {group.label}" if group.count > 1 else group.label


def intensity(rows: Iterable[LayerRow]) -> float | None:
    """Return the operations per byte moved of several layers; None where sizes are open or nothing is moved."""
    every = list(rows)
    flops, moved = added(row.flops for row in every), added(row.moved for row in every)
    return flops / moved if isinstance(flops, int) and isinstance(moved, int) and moved else None


def _seconds(group: Group) -> Value:
    bounds = [row.bound for row in group.every if row.bound is not None]
    return sum(bound.seconds for bound in bounds) if bounds else None


def _limit(row: LayerRow) -> Value:
    return row.bound.limit if row.bound is not None and row.bound.limit != "nothing" else None


def _extent(extent: Extent) -> Value:
    return extent_text(extent, spaced=False)


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        each.name: each
        for each in (
            Column("layer", "layer", "the layer or block", "text", _label),
            Column("detail", "detail", "kernel/stride, dilation, groups", "text", _of_layer(lambda row: row.detail)),
            Column("inputs", "inputs", "the values that flow in", "text", _of_layer(lambda row: ", ".join(row.inputs))),
            Column("output", "output", "size of the output, channels first", "size", lambda group: group.output),
            Column("parameters", "params", "trained entries", "count", _sum(lambda row: row.parameters), "sum"),
            Column("statistics", "statistics", "stored, not trained", "count", _sum(lambda row: row.statistics), "sum"),
            Column("macs", "MACs", "multiply-adds of products", "count", _sum(lambda row: row.macs), "sum"),
            Column("flops", "FLOPs", "all operations, two for a MAC", "count", _sum(lambda row: row.flops), "sum"),
            Column("moved", "moved", "bytes read and written", "bytes", _sum(lambda row: row.moved), "sum"),
            Column(
                "intensity", "FLOP/B", "operations per byte moved", "ratio", lambda g: intensity(g.every), "quotient"
            ),
            Column("memory", "memory", "bytes of the outputs", "bytes", _sum(lambda row: row.memory), "sum"),
            Column("alive", "alive", "bytes in use while it runs", "bytes", _largest(lambda row: row.alive), "peak"),
            Column("kept", "kept", "bytes kept for backward", "bytes", _sum(lambda row: row.kept), "sum", "--training"),
            Column("field", "field", "receptive field", "extent", _of_last(lambda row: _extent(row.receptive_field))),
            Column("stride", "stride", "input pixels per step", "places", _of_last(lambda row: row.stride)),
            Column("offset", "offset", "centre of the first field", "places", _of_last(lambda row: row.offset)),
            Column("time", "ms", "least milliseconds", "seconds", _seconds, "sum", "--device"),
            Column("bound", "bound", "what the time is due to", "text", _of_layer(_limit), "none", "--device"),
            Column("line", "line", "where the file has it", "text", _of_layer(lambda row: f"{row.file}:{row.line}")),
        )
    }
)
"""Every column but the first, which is always the name."""


def total(column: Column, rows: tuple[LayerRow, ...]) -> Value:
    """Return what the last line of a table has in a column."""
    if not rows or column.total == "none":
        return None
    return column.value(Group("", "", rows, (), 0, every=rows))
