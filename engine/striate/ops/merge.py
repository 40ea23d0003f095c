"""Layers that merge several values: sum, product, and joining along the channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.geometry import AXES
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import typed
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def _check_count(inputs: Types) -> None:
    if len(inputs) < 2:
        raise LayerError(
            Problem(
                f"merges at least two values, but gets {len(inputs)}",
                code="E0212",
                help="give it a body with one branch per line, or the names of other values",
            )
        )


def _check_rank(inputs: Types) -> None:
    for position, value in enumerate(inputs):
        if value.rank != inputs[0].rank:
            raise LayerError(
                Problem(
                    f"branches differ in their number of axes: {format_shape(inputs[0])} and {format_shape(value)}",
                    code="E0203",
                    position=position,
                    help="flatten the image, or merge before flatten",
                )
            )


def _axis_name(axis: int, rank: int) -> str:
    if axis == 0:
        return "features" if rank == 1 else "channels"
    return AXES[axis - 1] if rank == 3 else f"axis {axis}"


def _demand_equal(inputs: Types, position: int, axis: int, check: Check, note: str) -> None:
    first, other = inputs[0], inputs[position]
    left, right = first.shape[axis], other.shape[axis]

    def differ() -> Problem:
        name = _axis_name(axis, first.rank)
        return Problem(
            f"branch sizes differ in {name}: {format_dim(left)} and {format_dim(right)}",
            code="E0203",
            position=position,
            notes=(f"the values are {format_shape(first)} and {format_shape(other)}", note),
        )

    check.equal(left, right, differ)


def _more_concrete(sizes: list[Dim]) -> Dim:
    """Return a number where one of the sizes that must be equal is one, else the first."""
    return next((size for size in sizes if isinstance(size, int)), sizes[0])


def _add_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _check_count(inputs)
    _check_rank(inputs)
    for axis in range(inputs[0].rank):
        for position in range(1, len(inputs)):
            _demand_equal(inputs, position, axis, check, "only values of the same size can be added")
    return typed(*(_more_concrete(list(sizes)) for sizes in zip(*(value.shape for value in inputs), strict=True)))


def _mul_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _check_count(inputs)
    _check_rank(inputs)
    result = []
    for axis in range(inputs[0].rank):
        wide = [position for position, value in enumerate(inputs) if value.shape[axis] != 1]
        for position in wide[1:]:
            _demand_pair(inputs, wide[0], position, axis, check)
        result.append(_more_concrete([inputs[position].shape[axis] for position in wide]) if wide else 1)
    return typed(*result)
