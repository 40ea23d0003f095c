"""Layers that merge several values: sum, product, and joining along an axis."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import ONE_AXIS, axis_of
from striate.ops.geometry import axis_names
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import POINTWISE, Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Work, keeping_all, merging, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def check_merge(inputs: Types) -> None:
    """Refuse fewer than two values, and values with different numbers of axes.

    Raises:
        LayerError: there is one value, or the axes differ.
    """
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
    return axis_names(rank - 1)[axis - 1]


def _common_size(inputs: Types, positions: Sequence[int], axis: int, check: Check, note: str) -> Dim:
    """Demand that some of the values have one size along an axis, and return it: a number where one of them has one."""
    first = inputs[positions[0]]
    for position in positions[1:]:
        other = inputs[position]
        check.equal(
            first.shape[axis],
            other.shape[axis],
            partial(_sizes_differ, first, other, positions=(positions[0], position), axis=axis, note=note),
        )
    sizes = [inputs[position].shape[axis] for position in positions]
    return next((size for size in sizes if isinstance(size, int)), sizes[0])


def _sizes_differ(first: TensorType, other: TensorType, *, positions: tuple[int, int], axis: int, note: str) -> Problem:
    sizes = f"{format_dim(first.shape[axis])} and {format_dim(other.shape[axis])}"
    return Problem(
        f"branch sizes differ in {_axis_name(axis, first.rank)}: {sizes}",
        code="E0203",
        position=positions[1],
        other=positions[0],
        axis=axis,
        notes=(f"the values are {format_shape(first)} and {format_shape(other)}", note),
    )


def common_sizes(inputs: Types, check: Check, note: str, *, repeat: bool = False) -> list[Dim]:
    """Demand that values have one size along every axis, and return it; with `repeat` a size of 1 fits to any."""
    sizes: list[Dim] = []
    for axis in range(inputs[0].rank):
        fitted = [position for position, value in enumerate(inputs) if not repeat or value.shape[axis] != 1]
        sizes.append(_common_size(inputs, fitted, axis, check, note) if fitted else 1)
    return sizes


def _add_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    return typed(*common_sizes(inputs, check, "only values of the same size can be added"))


def _mul_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    note = "each size must be the same or 1, as in a gate of C x 1 x 1"
    return typed(*common_sizes(inputs, check, note, repeat=True))


def _concat_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    joined = axis_of(attributes["axis"], inputs[0].rank) - 1
    note = f"values are joined along the {attributes['axis']}; their other sizes must be the same"
    total: Dim = 0
    for value in inputs:
        total = total + value.shape[joined]
    every = range(len(inputs))
    return typed(
        *(total if axis == joined else _common_size(inputs, every, axis, check, note) for axis in range(inputs[0].rank))
    )


def _concat_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """Along an axis of positions each place belongs to one value; a window has no words for that."""
    return POINTWISE if attributes["axis"] == "channels" and inputs[0].rank > 1 else "all"


def _sums_between(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) if len(inputs) > 2 else 0


def _add_torch(call: TorchCall) -> Tensor:
    return reduce(operator.add, call.inputs)


def _mul_torch(call: TorchCall) -> Tensor:
    return reduce(operator.mul, call.inputs)


def _concat_torch(call: TorchCall) -> Tensor:
    axis = axis_of(call.attributes["axis"], call.inputs[0].dim() - 1)
    result: Tensor = call.torch.cat(tuple(call.inputs), axis)
    return result


def in_turn(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
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
    axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
    sink.node("Concat", call.inputs, call.outputs, axis=axis)


_REFUSED = (
    Sample({}, ((64, 28, 28), (64, 27, 27)), fails="branch sizes differ in height: 28 and 27"),
    Sample({}, ((64, 28, 28), (64, 28, 30)), fails="branch sizes differ in width: 28 and 30"),
    Sample({}, ((64, 28, 28),), fails="at least two values, but gets 1"),
    Sample({}, ((64, 7, 7), (3136,)), fails="differ in their number of axes: 64 x 7 x 7 and 3136"),
)

ADD = OpRecord(
    name="add",
    work=Work(merging, KEEPS_NOTHING, scratch=_sums_between, passes_gradient=True),
    summary="Sum of values of the same size: out = a + b + …",
    merge=True,
    shape=_add_shape,
    torch=_add_torch,
    onnx=in_turn("Add"),
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
    work=Work(merging, keeping_all),
    summary="Product of values: out = a * b * …; a size of 1 is repeated, so that C x 1 x 1 or 1 x H x W act as gates.",
    merge=True,
    shape=_mul_shape,
    torch=_mul_torch,
    onnx=in_turn("Mul"),
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
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    summary="Values one after the other along the channels: C1 x H x W and C2 x H x W give (C1 + C2) x H x W; or along "
    "another axis.",
    arguments=(Argument("axis", OneOf(ONE_AXIS), "The axis along which the values are joined.", Choice("channels")),),
    merge=True,
    shape=_concat_shape,
    window=_concat_window,
    torch=_concat_torch,
    onnx=_concat_onnx,
    samples=(
        Sample({}, ((16, 8, 6), (8, 8, 6))),
        Sample({}, ((3, 5, 4), (1, 5, 4), (2, 5, 4))),
        Sample({}, ((10,), (6,))),
        Sample({"axis": "height"}, ((3, 5, 4), (3, 2, 4))),
        Sample({"axis": "last"}, ((3, 5, 4), (3, 5, 1))),
        Sample({"axis": "length"}, ((3, 5), (3, 4), (3, 1))),
        Sample({"axis": "depth"}, ((2, 1, 3, 4), (2, 2, 3, 4))),
        Sample({"axis": "height"}, ((3, 5, 4), (2, 5, 4)), fails="branch sizes differ in channels: 3 and 2"),
        Sample({"axis": "height"}, ((5,), (5,)), fails="its input has no height"),
        *_REFUSED,
    ),
    reference="Szegedy et al., Going deeper with convolutions, 2015, section 4",
)

RECORDS = (ADD, MUL, CONCAT)
