"""Part of a value along one axis: a range (slice) and chosen places (select)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, ceil_div, format_dim
from striate.ops.arguments import Argument, Choice, Integer, OneOf, Optional
from striate.ops.axes import ONE_AXIS, axis_of
from striate.ops.decomposition import Decomposition
from striate.ops.moves import Move, moved
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.shape_arguments import Places, Whole
from striate.ops.sizes import with_size
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import MOVING, VIEWING

if TYPE_CHECKING:
    from torch import Tensor

_END = 2**63 - 1


def _range(attributes: Attributes, size: Dim) -> tuple[Dim, Dim]:
    """Return the first place and the place behind the last one; numbers below 0 count from the end."""
    start, stop = attributes["start"], attributes["stop"]
    first = start if start >= 0 else size + start
    if stop is None:
        return first, size
    return first, stop if stop >= 0 else size + stop


def _slice_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    position = axis_of(attributes["axis"], inputs[0].rank)
    size = inputs[0].shape[position - 1]
    first, end = _range(attributes, size)

    def outside(argument: str) -> Problem:
        written = attributes[argument]
        return Problem(
            f"{argument} = {written} is outside of the {attributes['axis']} {format_dim(size)}",
            code="E0216",
            argument=argument,
            help=f"places go from 0 to {format_dim(size)}, or from -{format_dim(size)} counted from the end",
        )

    def empty() -> Problem:
        return Problem(
            f"nothing lies between {format_dim(first)} and {format_dim(end)} along the {attributes['axis']}",
            code="E0216",
            argument="start" if attributes["stop"] is None else "stop",
            notes=(f"its size is {format_dim(size)}; the place of stop itself is left out",),
        )

    check.at_least(first, 0, lambda: outside("start"))
    check.at_least(size - end, 0, lambda: outside("stop"))
    check.at_least(end, 0, lambda: outside("stop"))
    check.at_least(end - first, 1, empty)
    return (with_size(inputs[0], position, ceil_div(end - first, attributes["step"])),)


def _slice_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    position = axis_of(attributes["axis"], inputs[0].rank)
    first, _ = _range(attributes, inputs[0].shape[position - 1])
    move = Move(first, first, attributes["step"]) if isinstance(first, int) else None
    return moved(inputs[0], {position: move})


def _slice_torch(call: TorchCall) -> Tensor:
    value, attributes = call.inputs[0], call.attributes
    index = [slice(None)] * value.dim()
    index[axis_of(attributes["axis"], value.dim() - 1)] = slice(
        attributes["start"], attributes["stop"], attributes["step"]
    )
    return value[tuple(index)]


def _slice_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    numbers = (
        attributes["start"],
        _END if attributes["stop"] is None else attributes["stop"],
        axis_of(attributes["axis"], call.input_types[0].rank),
        attributes["step"],
    )
    write.result("Slice", call.inputs[0], *(write.sizes([number]) for number in numbers))


SLICE = OpRecord(
    name="slice",
    work=VIEWING,
    summary="A range along one axis: the places start, start + step, … before stop, out = ceil((stop - start) / step).",
    arguments=(
        Argument("axis", OneOf(ONE_AXIS), "The axis along which a range is taken."),
        Argument("start", Whole(), "The first place, counted from 0; below 0 it counts from the end.", 0),
        Argument(
            "stop",
            Optional(Whole()),
            "The place behind the last one; below 0 it counts from the end, none is the end itself.",
            None,
        ),
        Argument("step", Integer(), "Distance from one place to the next.", 1),
    ),
    shape=_slice_shape,
    window=_slice_window,
    torch=_slice_torch,
    onnx=_slice_onnx,
    samples=(
        Sample({"axis": "channels", "start": 1, "stop": 4}, ((6, 5, 7),)),
        Sample({"axis": "height", "start": -3}, ((2, 5, 7),)),
        Sample({"axis": "width", "start": 1, "stop": -1, "step": 2}, ((2, 5, 7),)),
        Sample({"axis": "width", "step": 3}, ((2, 5, 7),)),
        Sample({"axis": "last", "stop": 4}, ((10,),)),
        Sample({"axis": "length", "start": 2, "step": 2}, ((3, 9),)),
        Sample({"axis": "depth", "stop": 2}, ((3, 4, 5, 2),)),
        Sample({"axis": "channels", "stop": 8}, ((6, 5, 7),), fails="stop = 8 is outside of the channels 6"),
        Sample({"axis": "height", "start": -6}, ((6, 5, 7),), fails="start = -6 is outside of the height 5"),
        Sample({"axis": "height", "start": 5}, ((6, 5, 7),), fails="nothing lies between 5 and 5"),
        Sample({"axis": "depth"}, ((6, 5, 7),), fails="its input has no depth"),
        Sample({"axis": "width", "step": 0}, ((6, 5, 7),), fails="step must be a whole number of at least 1"),
    ),
    reference="ranges of Python and numpy, without their clipping of places that do not exist",
)


def _select_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    position = axis_of(attributes["axis"], inputs[0].rank)
    size, last = inputs[0].shape[position - 1], max(attributes["places"])

    def problem() -> Problem:
        return Problem(
            f"place {last} does not exist: the {attributes['axis']} are {format_dim(size)}",
            code="E0216",
            argument="places",
            help=f"places are counted from 0; the last one is {format_dim(size - 1)}",
        )

    check.at_least(size, last + 1, problem)
    return (with_size(inputs[0], position, len(attributes["places"])),)


def _select_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    places = attributes["places"]
    step = places[1] - places[0] if len(places) > 1 else 1
    even = step > 0 and list(places) == [places[0] + step * index for index in range(len(places))]
    position = axis_of(attributes["axis"], inputs[0].rank)
    return moved(inputs[0], {position: Move(places[0], places[0], step) if even else None})


def _select_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    places = call.torch.tensor(call.attributes["places"], device=value.device)
    return value.index_select(axis_of(call.attributes["axis"], value.dim() - 1), places)


def _select_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
    write.result("Gather", call.inputs[0], write.sizes(call.attributes["places"]), axis=axis)


SELECT = OpRecord(
    name="select",
    work=MOVING,
    summary="Chosen places along one axis in the order given, e.g. select([2, 1, 0]) turns RGB into BGR.",
    arguments=(
        Argument("places", Places(), "The places, counted from 0; a place may occur again."),
        Argument("axis", OneOf(ONE_AXIS), "The axis along which they are counted.", Choice("channels")),
    ),
    shape=_select_shape,
    window=_select_window,
    torch=_select_torch,
    onnx=_select_onnx,
    samples=(
        Sample({"places": [2, 1, 0]}, ((3, 5, 7),)),
        Sample({"places": [0, 0, 4, 1]}, ((6,),)),
        Sample({"places": [1, 3], "axis": "height"}, ((2, 5, 7),)),
        Sample({"places": [3, 1, 1], "axis": "width"}, ((2, 5, 7),)),
        Sample({"places": [1], "axis": "length"}, ((3, 9),)),
        Sample({"places": [2, 0], "axis": "last"}, ((3, 2, 4, 5),)),
        Sample({"places": [0, 3]}, ((3, 5, 7),), fails="place 3 does not exist: the channels are 3"),
        Sample({"places": [-1]}, ((3, 5, 7),), fails="places must be a list of whole numbers of at least 0"),
        Sample({"places": [0], "axis": "depth"}, ((3, 5, 7),), fails="its input has no depth"),
    ),
    reference="torch.index_select, ONNX's Gather",
)

RECORDS = (SLICE, SELECT)
