"""The best entries along an axis with their places (topk), and numbers of classes as vectors (one_hot)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Real
from striate.ops.axes import ONE_AXIS, axis_of, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.domains import CLASS_NUMBERS
from striate.ops.indexing import onnx_whole
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window, across_channels
from striate.ops.sizes import entries, with_size
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, per_input_entry

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""


def _topk_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axis = axis_of(attributes["axis"], inputs[0].rank)
    size, count = inputs[0].shape[axis - 1], attributes["k"]

    def problem() -> Problem:
        return Problem(
            f"cannot take {count} of {format_dim(size)} entries",
            code="E0216",
            argument="k",
            help=f"k may be at most {format_dim(size)}",
            repair=(("k", str(size)),) if isinstance(size, int) else (),
        )

    check.at_least(size, count, problem)
    made = with_size(inputs[0], axis, count)
    return made, made


def _topk_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    axis = axis_of(attributes["axis"], inputs[0].rank)
    return across_channels(attributes, inputs) if axis == 1 else window_along([axis], inputs[0])


def _topk_torch(call: TorchCall) -> tuple[Tensor, ...]:
    attributes, value = call.attributes, call.inputs[0]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    # Of equal entries the first comes first, on every device: torch's own topk leaves that open.
    places = (
        value.detach()
        .argsort(dim=axis, descending=attributes["largest"], stable=True)
        .narrow(axis, 0, attributes["k"])
        .clone()
    )
    return value.gather(axis, places), places.to(call.torch.promote_types(value.dtype, call.torch.float32))


def _topk_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    places = f"{call.name}/places"
    sink.node(
        "TopK",
        [call.inputs[0], write.sizes([attributes["k"]])],
        [call.outputs[0], places],
        axis=axis_of(attributes["axis"], call.input_types[0].rank),
        largest=int(attributes["largest"]),
        sorted=1,
    )
    sink.node("Cast", [places], [call.outputs[1]], to=_FLOAT)


def _topk_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), indices=entries(outputs[0]))


def _topk_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the sorted entries and their places, whole numbers of twice the size, less what is made afterwards."""
    size = inputs[0].shape[axis_of(attributes["axis"], inputs[0].rank) - 1]
    if isinstance(size, int) and size < 2 * attributes["k"]:  # the sorted entries are gone when places are copied
        return entries(inputs[0]) * 2 - entries(outputs[0]) * 2
    return entries(inputs[0]) * 3 - entries(outputs[0]) * 4


TOPK = OpRecord(
    name="topk",
    work=Work(per_input_entry(1), _topk_keeps, _topk_scratch),
    summary="The k largest entries along an axis in falling order, and as a second value their places: topk(100) as "
    "(best, places). Of equal entries the first comes first. gather takes what belongs to them from another value.",
    arguments=(
        Argument("k", Integer(), "How many entries."),
        Argument("axis", OneOf(ONE_AXIS), "The axis.", Choice("last")),
        Argument("largest", Flag(), "Whether the largest are taken; false takes the smallest in rising order.", True),
    ),
    shape=_topk_shape,
    window=_topk_window,
    torch=_topk_torch,
    onnx=_topk_onnx,
    samples=(
        Sample({"k": 3}, ((6, 5, 7),)),
        Sample({"k": 2, "axis": "channels"}, ((6, 5, 7),)),
        Sample({"k": 4, "axis": "height", "largest": False}, ((6, 5, 7),)),
        Sample({"k": 10}, ((10,),)),
        Sample({"k": 1}, ((4, 9),)),
        Sample({"k": 2, "axis": "depth"}, ((3, 4, 2, 5),)),
        Sample({"k": 8}, ((6, 5, 7),), fails="cannot take 8 of 7 entries"),
        Sample({"k": 0}, ((10,),), fails="k must be a whole number of at least 1"),
        Sample({"k": 1, "axis": "depth"}, ((6, 5, 7),), fails="its input has no depth"),
    ),
    reference="Zhou, Wang and Krähenbühl, Objects as points, 2019, section 4 (the 100 best peaks of a heat map)",
)


def _one_hot_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axis = axis_of(attributes["axis"], inputs[0].rank)
    size = inputs[0].shape[axis - 1]

    def problem() -> Problem:
        return Problem(
            f"needs one number of a class along the {attributes['axis']}, but gets {format_dim(size)}",
            code="E0205",
            argument="axis",
            notes=(f"the value that flows in is {format_shape(inputs[0])}", "a map of classes is 1 x H x W"),
            help="argmax gives such a map; reshape puts an axis of 1 before the others",
        )

    check.equal(size, 1, problem)
    return (with_size(inputs[0], axis, attributes["classes"]),)


def _one_hot_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return across_channels(attributes, inputs) if axis_of(attributes["axis"], inputs[0].rank) == 1 else "all"


def _one_hot_torch(call: TorchCall) -> Tensor:
    torch, attributes, value = call.torch, call.attributes, call.inputs[0].detach().round()
    count, axis = attributes["classes"], axis_of(attributes["axis"], call.inputs[0].dim() - 1)
    classes = torch.arange(count, dtype=value.dtype, device=value.device)
    classes = classes.reshape([-1 if position == axis else 1 for position in range(value.dim())])
    chosen = torch.where(value < 0, value + count, value) == classes
    made = torch.where(chosen, attributes["on"], attributes["off"])
    result: Tensor = made.to(value.dtype)
    return result


def _one_hot_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    axis = axis_of(attributes["axis"], call.input_types[0].rank)
    numbers = write("Squeeze", onnx_whole(write, call.inputs[0]), write.sizes([axis]))
    values = write.numbers([attributes["off"], attributes["on"]])
    write.result("OneHot", numbers, write.whole(attributes["classes"]), values, axis=axis)


def _one_hot_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count what is compared: with 0, and with each class; and the sum of numbers below 0."""
    return entries(inputs[0]) * 2 + entries(outputs[0])


def _one_hot_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the rounded numbers, and the truths of a byte each; of one class, the numbers counted from the end."""
    quarters = 4 + attributes["classes"] if attributes["classes"] > 1 else 9
    return entries(inputs[0]) * quarters // 4


ONE_HOT = OpRecord(
    name="one_hot",
    work=Work(_one_hot_operations, KEEPS_NOTHING, _one_hot_scratch),
    summary="Numbers of classes as vectors: along an axis of size 1 the number c becomes classes entries, 1 at place "
    "c and 0 elsewhere, so that a map of labels 1 x H x W becomes classes x H x W. A number below 0 counts from the "
    "end; one that is no class gives 0 everywhere. It has no gradient.",
    arguments=(
        Argument("classes", Integer(), "Number of classes."),
        Argument("axis", OneOf(ONE_AXIS), "The axis of size 1 that holds the numbers.", Choice("channels")),
        Argument("on", Real(), "The entry at the place of the class.", 1.0),
        Argument("off", Real(), "The entries elsewhere.", 0.0),
    ),
    shape=_one_hot_shape,
    window=_one_hot_window,
    torch=_one_hot_torch,
    onnx=_one_hot_onnx,
    domain=CLASS_NUMBERS,
    samples=(
        Sample({"classes": 5}, ((1, 5, 7),)),
        Sample({"classes": 4}, ((1,),)),
        Sample({"classes": 3, "axis": "last", "on": 0.9, "off": 0.05}, ((6, 1),)),
        Sample({"classes": 1, "axis": "height"}, ((2, 1, 3),)),
        Sample({"classes": 6, "axis": "depth"}, ((2, 1, 3, 4),)),
        Sample({"classes": 5}, ((2, 5, 7),), fails="needs one number of a class along the channels, but gets 2"),
        Sample({"classes": 0}, ((1, 5, 7),), fails="classes must be a whole number of at least 1"),
    ),
    reference="Isola, Zhu, Zhou and Efros, Image-to-image translation, 2017 (label maps as input); torch's one_hot",
)

RECORDS = (TOPK, ONE_HOT)
