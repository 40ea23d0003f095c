"""Values for the tests by the kind of an argument: what it takes, and what it must refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from striate.ops import Argument, Flag, Integer, Kind, OneOf, Optional, Padding, Pair, PerAxis, Real
from striate.ops.fills import FILLS, Fill
from striate.ops.shape_arguments import AxisNames, Counts, Factors, NamedValue, Places, Sides, Sizes, Whole
from striate.ops.table_conv import ConnectionTable

Values = st.SearchStrategy[Any]


def _pair(kind: Pair, axes: int) -> Values:
    size = st.integers(kind.minimum, kind.minimum + 3)
    return st.one_of(size, st.tuples(size, size))


def _several(number: Values, *counts: int) -> Values:
    return st.sampled_from(counts).flatmap(lambda count: st.lists(number, min_size=count, max_size=count).map(tuple))


def _per_axis(kind: PerAxis, axes: int) -> Values:
    size = st.integers(kind.minimum, kind.minimum + 3)
    return st.one_of(size, _several(size, axes))


def _sides(kind: Sides, axes: int) -> Values:
    width = st.integers(0, 3)
    return st.one_of(width, _several(width, axes, 2 * axes))


def _padding(kind: Padding, axes: int) -> Values:
    return st.one_of(st.sampled_from(["valid", "same", "half"]), _sides(Sides(), axes))


def _real(kind: Real, axes: int) -> Values:
    upper = min(kind.maximum, 2.0)
    return st.floats(max(kind.minimum, 0.05), upper, exclude_max=kind.open_maximum and kind.maximum <= 2)


def _axis_names(kind: AxisNames, axes: int) -> Values:
    name = st.sampled_from(kind.names)
    return st.one_of(name, st.lists(name, min_size=1, unique=True))


def _factors(kind: Factors, axes: int) -> Values:
    factor = st.one_of(st.integers(1, 3), st.sampled_from([0.5, 1.5, 0.75, 1.1, 2.5, 1 / 3]))
    return st.one_of(factor, _several(factor, axes))


def _sizes(kind: Sizes, axes: int) -> Values:
    size = st.one_of(st.integers(1, 6), *([st.sampled_from(kind.axes)] if kind.axes else []))
    sizes = st.lists(size, min_size=1, max_size=3)
    some = st.tuples(sizes, st.booleans()).map(lambda drawn: [*drawn[0], *(["auto"] if drawn[1] else [])])
    return st.one_of(some, *([st.integers(2, 4)] if kind.count else []))


_LEGAL: Mapping[type, Callable[[Any, int], Values]] = {
    Integer: lambda kind, axes: st.integers(kind.minimum, kind.minimum + 7),
    Pair: _pair,
    Padding: _padding,
    Optional: lambda kind, axes: st.one_of(st.none(), legal_values(kind.kind, axes)),
    Flag: lambda kind, axes: st.booleans(),
    OneOf: lambda kind, axes: st.sampled_from(kind.names),
    Real: _real,
    AxisNames: _axis_names,
    PerAxis: _per_axis,
    Fill: lambda kind, axes: st.one_of(st.sampled_from(FILLS), st.floats(-2, 2)),
    Sides: _sides,
    ConnectionTable: lambda kind, axes: st.lists(
        st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True), min_size=1, max_size=4
    ),
    Factors: _factors,
    Sizes: _sizes,
    Whole: lambda kind, axes: st.integers(-6, 6),
    Places: lambda kind, axes: st.lists(st.integers(0, 6), min_size=1, max_size=5),
    Counts: lambda kind, axes: st.lists(st.integers(1, 4), min_size=1, max_size=3),
    NamedValue: lambda kind, axes: st.just(1),
}

_NO_NUMBER = ["nothing", True, float("nan"), float("inf")]

_ILLEGAL: Mapping[type, Callable[[Any], Sequence[Any]]] = {
    Integer: lambda kind: [kind.minimum - 1, -5, 1.5, True, "three", None, (3, 3)],
    Pair: lambda kind: [kind.minimum - 1, (3, kind.minimum - 1), (3, 3, 3), 2.5, True, "same", None, ()],
    Padding: lambda kind: [-1, (1, -1), (1, 2, 3, 4, 5), 0.5, "full", True, None, ()],
    Flag: lambda kind: [0, 1, "true", None],
    OneOf: lambda kind: ["nothing", 1, None, True],
    Real: lambda kind: [kind.minimum - 1, kind.maximum + 1, *_NO_NUMBER],
    AxisNames: lambda kind: ["nothing", [], ["channels", "channels"], 1, None, True],
    PerAxis: lambda kind: [kind.minimum - 1, (3, kind.minimum - 1), (3,) * 4, 2.5, True, "same", None, ()],
    Fill: lambda kind: [*_NO_NUMBER, None, "constant", (1, 2)],
    Sides: lambda kind: [-1, (3, -1), (3,) * 5, 2.5, True, "same", None, ()],
    ConnectionTable: lambda kind: ["nothing", [], [[]], [[0], 1], [[-1]], [[0, 0]], [[0.5]], [[True]], 3, None],
    Factors: lambda kind: [0, -1, (2, 0), (2, 2, 2, 2), None, (), *_NO_NUMBER],
    Sizes: lambda kind: [[], [0], [-1, 3], ["auto", "auto"], [1.5], ["nothing"], None, True, [True], [2] * 9],
    Whole: lambda kind: [0.5, None, (3, 3), *_NO_NUMBER],
    Places: lambda kind: [[], [-1], 0, [0.5], None, [True]],
    Counts: lambda kind: [[], [0], [-1, 3], 2, [1.5], None, [True], [1] * 9],
    NamedValue: lambda kind: [0, -1, "skip", None, True],
}


def legal_values(kind: Kind, axes: int = 2) -> Values:
    """Values that a kind takes, small ones first, for a grid of so many axes."""
    if type(kind) not in _LEGAL:
        raise NotImplementedError(f"say here which values {kind} takes")
    return _LEGAL[type(kind)](kind, axes)


def illegal_values(kind: Kind) -> Values:
    """Values that a kind must refuse."""
    if isinstance(kind, Optional):
        return illegal_values(kind.kind).filter(lambda value: value is not None)
    if type(kind) not in _ILLEGAL:
        raise NotImplementedError(f"say here which values {kind} refuses")
    return st.sampled_from(_ILLEGAL[type(kind)](kind))


@st.composite
def written_arguments(draw: st.DrawFn, arguments: Sequence[Argument], axes: int = 2) -> dict[str, Any]:
    """Legal values for the required arguments and for some of the others."""
    return {
        argument.name: draw(legal_values(argument.kind, axes))
        for argument in arguments
        if argument.required or draw(st.booleans())
    }
