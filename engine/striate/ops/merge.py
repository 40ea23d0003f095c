"""Layers that merge several values: sum, product, and joining along the channels."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.geometry import AXES
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import typed
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def _check_merge(inputs: Types) -> None:
    """Refuse fewer than two values, and values with different numbers of axes."""
    if len(inputs) < 2:
        raise LayerError(
            Problem(
                f"merges at least two values, but gets {len(inputs)}",
                code="E0212",
                help="give it a body with one branch per line, or the names of other values",
            )
        )
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


def _common_size(inputs: Types, positions: Sequence[int], axis: int, check: Check, note: str) -> Dim:
    """Demand that some of the values have one size along an axis, and return it: a number where one of them has one."""
    first = inputs[positions[0]]
    for position in positions[1:]:
        other = inputs[position]
        check.equal(
            first.shape[axis],
            other.shape[axis],
            partial(_sizes_differ, first, other, position=position, axis=axis, note=note),
        )
    sizes = [inputs[position].shape[axis] for position in positions]
    return next((size for size in sizes if isinstance(size, int)), sizes[0])


def _sizes_differ(first: TensorType, other: TensorType, *, position: int, axis: int, note: str) -> Problem:
    sizes = f"{format_dim(first.shape[axis])} and {format_dim(other.shape[axis])}"
    return Problem(
        f"branch sizes differ in {_axis_name(axis, first.rank)}: {sizes}",
        code="E0203",
        position=position,
        notes=(f"the values are {format_shape(first)} and {format_shape(other)}", note),
    )


def _add_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _check_merge(inputs)
    note = "only values of the same size can be added"
    every = range(len(inputs))
    return typed(*(_common_size(inputs, every, axis, check, note) for axis in range(inputs[0].rank)))


def _mul_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _check_merge(inputs)
    note = "each size must be the same or 1, as in a gate of C x 1 x 1"
    sizes: list[Dim] = []
    for axis in range(inputs[0].rank):
        wide = [position for position, value in enumerate(inputs) if value.shape[axis] != 1]
        sizes.append(_common_size(inputs, wide, axis, check, note) if wide else 1)
    return typed(*sizes)


def _concat_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _check_merge(inputs)
    note = "values are joined along the channels; their other sizes must be the same"
    channels: Dim = 0
    for value in inputs:
        channels = channels + value.channels
    every = range(len(inputs))
    return typed(channels, *(_common_size(inputs, every, axis, check, note) for axis in range(1, inputs[0].rank)))


def _add_torch(call: TorchCall) -> Tensor:
    return reduce(operator.add, call.inputs)


def _mul_torch(call: TorchCall) -> Tensor:
    return reduce(operator.mul, call.inputs)


def _concat_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.cat(tuple(call.inputs), 1)
    return result


def _chain(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
    """Return a rule that writes nodes of two inputs from left to right, in the order in which torch computes."""

    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        left = call.inputs[0]
        for index, right in enumerate(call.inputs[1:], start=1):
            last = index == len(call.inputs) - 1
            outputs = call.outputs if last else [f"{call.name}/{index}"]
            sink.node(op_type, [left, right], outputs)
            left = outputs[0]

    return rule


def _concat_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Concat", call.inputs, call.outputs, axis=1)


_REFUSED = (
    Sample({}, ((64, 28, 28), (64, 27, 27)), fails="branch sizes differ in height: 28 and 27"),
    Sample({}, ((64, 28, 28), (64, 28, 30)), fails="branch sizes differ in width: 28 and 30"),
    Sample({}, ((64, 28, 28),), fails="at least two values, but gets 1"),
    Sample({}, ((64, 7, 7), (3136,)), fails="differ in their number of axes: 64 x 7 x 7 and 3136"),
)

ADD = OpRecord(
    name="add",
    summary="Sum of values of the same size: out = a + b + …",
    merge=True,
    shape=_add_shape,
    torch=_add_torch,
    onnx=_chain("Add"),
    samples=(
        Sample({}, ((16, 9, 7), (16, 9, 7))),
        Sample({}, ((4, 5, 3), (4, 5, 3), (4, 5, 3))),
        Sample({}, ((10,), (10,))),
        Sample({}, ((32, 32, 32), (16, 32, 32)), fails="branch sizes differ in channels: 32 and 16"),
        Sample({}, ((10,), (12,)), fails="branch sizes differ in features: 10 and 12"),
        Sample({}, ((4, 5, 3), (4, 1, 1)), fails="branch sizes differ in height: 5 and 1"),
        *_REFUSED,
    ),
    reference="He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, equation 1",
)

MUL = OpRecord(
    name="mul",
    summary="Product of values: out = a * b * …; a size of 1 is repeated, so that C x 1 x 1 or 1 x H x W act as gates.",
    merge=True,
    shape=_mul_shape,
    torch=_mul_torch,
    onnx=_chain("Mul"),
    samples=(
        Sample({}, ((16, 9, 7), (16, 9, 7))),
        Sample({}, ((16, 9, 7), (16, 1, 1))),
        Sample({}, ((1, 9, 7), (16, 9, 7), (16, 1, 1))),
        Sample({}, ((10,), (10,))),
        Sample({}, ((32, 9, 9), (16, 1, 1)), fails="branch sizes differ in channels: 32 and 16"),
        *_REFUSED,
    ),
    reference="Hu, Shen and Sun, Squeeze-and-excitation networks, 2018, equation 4",
)

CONCAT = OpRecord(
    name="concat",
    summary="Values one after the other along the channels: C1 x H x W and C2 x H x W give (C1 + C2) x H x W.",
    merge=True,
    shape=_concat_shape,
    torch=_concat_torch,
    onnx=_concat_onnx,
    samples=(
        Sample({}, ((16, 8, 6), (8, 8, 6))),
        Sample({}, ((3, 5, 4), (1, 5, 4), (2, 5, 4))),
        Sample({}, ((10,), (6,))),
        *_REFUSED,
    ),
    reference="Szegedy et al., Going deeper with convolutions, 2015, section 4",
)

RECORDS = (ADD, MUL, CONCAT)
