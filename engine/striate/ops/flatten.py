"""From an image to a flat value, or to one with fewer axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import ONE_AXIS, axis_of
from striate.ops.problems import Check
from striate.ops.record import POINTWISE, Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.reshape import reshaped
from striate.ops.sizes import product, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    first = axis_of(attributes["from"], inputs[0].rank, "from")
    sizes = inputs[0].shape
    return typed(*sizes[: first - 1], product(sizes[first - 1 :]))


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    first = axis_of(attributes["from"], inputs[0].rank, "from")
    return POINTWISE if first in (1, inputs[0].rank) else "all"


def _torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.flatten(axis_of(call.attributes["from"], value.dim() - 1, "from"))


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    if call.attributes["from"] == "channels":
        sink.node("Flatten", call.inputs, call.outputs, axis=1)
    else:
        reshaped(call, sink)


FLATTEN = OpRecord(
    name="flatten",
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    summary="All entries in a row: C x H x W to C * H * W, the columns of a row first, then rows, then channels.",
    arguments=(
        Argument(
            "from",
            OneOf(ONE_AXIS),
            "The first of the axes that become one, e.g. from = height: C x H x W to C x (H * W).",
            Choice("channels"),
        ),
    ),
    shape=_shape,
    window=_window,
    torch=_torch,
    onnx=_onnx,
    keeps_order=True,
    samples=(
        Sample({}, ((32, 8, 7),)),
        Sample({}, ((4, 9, 5),)),
        Sample({}, ((10,),)),
        Sample({"from": "height"}, ((4, 9, 5),)),
        Sample({"from": "length"}, ((4, 9),)),
        Sample({"from": "height"}, ((4, 3, 5, 2),)),
        Sample({"from": "height"}, ((4, 9),), fails="its input has no height"),
        Sample({"from": "rows"}, ((4, 9, 5),), fails="from must be one of channels"),
    ),
    reference="row-major order, as in numpy, torch and ONNX",
)

RECORDS = (FLATTEN,)
