"""The pixels of an image in other places: roll, flip, and several copies side by side: tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import format_dim
from striate.ops.arguments import Argument, Choice, Integer, OneOf
from striate.ops.axes import ONE_AXIS, SINGLE_AXES, axes_of, axis_of
from striate.ops.decomposition import Decomposition
from striate.ops.moves import Move, moved
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.shape_arguments import AxisNames, Whole
from striate.ops.sizes import same_type, with_size
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import MOVING

if TYPE_CHECKING:
    from torch import Tensor

_END = 2**63 - 1
_SEVERAL = AxisNames((*SINGLE_AXES, "space", "all", "last"))


def _positions(attributes: Attributes, rank: int) -> list[int]:
    """Return the positions of the named axes, in order; demands that none is named twice."""
    found = [position for name in attributes["axis"] for position in axes_of(name, rank)]
    if len(set(found)) < len(found):
        raise LayerError(Problem("names an axis twice", code="E0216", argument="axis", help="name every axis once"))
    return sorted(found)


def _roll_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    size, shift = inputs[0].shape[axis_of(attributes["axis"], inputs[0].rank) - 1], attributes["shift"]

    def problem() -> Problem:
        return Problem(
            f"shift {shift} is more than once round the {attributes['axis']} {format_dim(size)}",
            code="E0216",
            argument="shift",
            help=f"shift = {shift % size} does the same" if isinstance(size, int) else None,
        )

    check.at_least(size, abs(shift), problem)
    return same_type(inputs)


def _roll_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    shift = attributes["shift"]
    return moved(inputs[0], {axis_of(attributes["axis"], inputs[0].rank): Move(-shift, -shift)})


def _roll_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.roll(call.attributes["shift"], axis_of(call.attributes["axis"], value.dim() - 1))


def _roll_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, shift = Decomposition(call, sink), call.inputs[0], call.attributes["shift"]
    axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
    if shift == 0:
        write.result("Identity", value)
        return
    cut, start, place = write.sizes([-shift]), write.sizes([0]), write.sizes([axis])
    tail = write("Slice", value, cut, write.sizes([_END]), place)
    write.result("Concat", tail, write("Slice", value, start, cut, place), axis=axis)


ROLL = OpRecord(
    name="roll",
    work=MOVING,
    summary="Moves all entries along an axis; what leaves at one end comes in at the other: out[i + shift] = in[i].",
    arguments=(
        Argument("shift", Whole(), "By how many places, towards the end; below 0 towards the beginning."),
        Argument("axis", OneOf(ONE_AXIS), "The axis along which they move."),
    ),
    shape=_roll_shape,
    window=_roll_window,
    torch=_roll_torch,
    onnx=_roll_onnx,
    samples=(
        Sample({"shift": 2, "axis": "height"}, ((3, 5, 7),)),
        Sample({"shift": -1, "axis": "width"}, ((3, 5, 7),)),
        Sample({"shift": 0, "axis": "width"}, ((3, 5, 7),)),
        Sample({"shift": 3, "axis": "channels"}, ((8,),)),
        Sample({"shift": -4, "axis": "length"}, ((2, 9),)),
        Sample({"shift": 1, "axis": "depth"}, ((2, 3, 4, 5),)),
        Sample({"shift": 6, "axis": "height"}, ((3, 5, 7),), fails="more than once round the height 5"),
        Sample({"shift": 1, "axis": "depth"}, ((3, 5, 7),), fails="its input has no depth"),
        Sample({"shift": 0.5, "axis": "height"}, ((3, 5, 7),), fails="shift must be a whole number"),
    ),
    reference="Liu et al., Swin transformer, 2021, section 3.2 (cyclic shift)",
)


def _flip_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _positions(attributes, inputs[0].rank)
    return same_type(inputs)


def _flip_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return moved(inputs[0], dict.fromkeys(_positions(attributes, inputs[0].rank)))


def _flip_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.flip(_positions(call.attributes, value.dim() - 1))


def _flip_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, axes = Decomposition(call, sink), _positions(call.attributes, call.input_types[0].rank)
    backwards = write.sizes([-1] * len(axes))
    write.result("Slice", call.inputs[0], backwards, write.sizes([-_END] * len(axes)), write.sizes(axes), backwards)


FLIP = OpRecord(
    name="flip",
    work=MOVING,
    summary="The other way round along one or several axes: out[i] = in[size - 1 - i]; axis = width mirrors an image.",
    arguments=(Argument("axis", _SEVERAL, "The axis, or a list of axes; space is all but the channels."),),
    shape=_flip_shape,
    window=_flip_window,
    torch=_flip_torch,
    onnx=_flip_onnx,
    samples=(
        Sample({"axis": "width"}, ((3, 5, 7),)),
        Sample({"axis": ["height", "width"]}, ((3, 5, 7),)),
        Sample({"axis": "channels"}, ((6, 5, 7),)),
        Sample({"axis": "all"}, ((8,),)),
        Sample({"axis": "space"}, ((2, 9),)),
        Sample({"axis": ["depth", "channels"]}, ((2, 3, 4, 5),)),
        Sample({"axis": ["width", "space"]}, ((3, 5, 7),), fails="names an axis twice"),
        Sample({"axis": "length"}, ((3, 5, 7),), fails="its input has no length"),
        Sample({"axis": []}, ((3, 5, 7),), fails="axis must be one of channels"),
    ),
    reference="numpy.flip, torch.flip; x(i, W - 1 - j) for the width",
)


def _tile_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value = inputs[0]
    for position in _positions(attributes, value.rank):
        value = with_size(value, position, value.shape[position - 1] * attributes["times"])
    return (value,)


def _tile_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    if attributes["times"] == 1:
        return moved(inputs[0], {})
    return moved(inputs[0], dict.fromkeys(_positions(attributes, inputs[0].rank)))


def _repeats(attributes: Attributes, rank: int) -> list[int]:
    along = _positions(attributes, rank)
    return [attributes["times"] if position in along else 1 for position in range(rank + 1)]


def _tile_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.repeat(_repeats(call.attributes, value.dim() - 1))


def _tile_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    write.result("Tile", call.inputs[0], write.sizes(_repeats(call.attributes, call.input_types[0].rank)))


TILE = OpRecord(
    name="tile",
    work=MOVING,
    summary="Several copies of a value side by side: out[i] = in[i mod size].",
    arguments=(
        Argument("times", Integer(), "How many copies along each of the axes."),
        Argument("axis", _SEVERAL, "The axis, or a list of axes; space is all but the channels.", Choice("space")),
    ),
    shape=_tile_shape,
    window=_tile_window,
    torch=_tile_torch,
    onnx=_tile_onnx,
    samples=(
        Sample({"times": 2}, ((3, 2, 4),)),
        Sample({"times": 1}, ((3, 2, 4),)),
        Sample({"times": 3, "axis": "channels"}, ((2, 5, 4),)),
        Sample({"times": 2, "axis": ["channels", "width"]}, ((2, 5, 4),)),
        Sample({"times": 4, "axis": "all"}, ((3,),)),
        Sample({"times": 2}, ((3, 4),)),
        Sample({"times": 2, "axis": ["depth", "width"]}, ((2, 3, 1, 2),)),
        Sample({"times": 2}, ((3,),), fails="its input has no other axis than channels"),
        Sample({"times": 0}, ((3, 2, 4),), fails="times must be a whole number of at least 1"),
    ),
    reference="numpy.tile, torch.Tensor.repeat, ONNX's Tile",
)

RECORDS = (ROLL, FLIP, TILE)
