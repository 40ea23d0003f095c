"""From an image to a flat value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(entries(inputs[0]))


def _torch(call: TorchCall) -> Tensor:
    return call.inputs[0].flatten(1)


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Flatten", call.inputs, call.outputs, axis=1)


FLATTEN = OpRecord(
    name="flatten",
    summary="All entries in a row: C x H x W to C * H * W, the columns of a row first, then rows, then channels.",
    shape=_shape,
    torch=_torch,
    onnx=_onnx,
    samples=(Sample({}, ((32, 8, 7),)), Sample({}, ((4, 9, 5),)), Sample({}, ((10,),))),
    reference="row-major order, as in numpy, torch and ONNX",
)

RECORDS = (FLATTEN,)
