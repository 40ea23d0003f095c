"""The straight branch of a residual unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import TURNING

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return same_type(inputs)


def _torch(call: TorchCall) -> Tensor:
    return call.inputs[0]


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Identity", call.inputs, call.outputs)


IDENTITY = OpRecord(
    name="identity",
    work=TURNING,
    summary="Passes a value on unchanged: out = in.",
    shape=_shape,
    torch=_torch,
    onnx=_onnx,
    inference="same",
    samples=(Sample({}, ((4, 5, 3),)), Sample({}, ((10,),))),
    reference="He, Zhang, Ren and Sun, Identity mappings in deep residual networks, 2016",
)

RECORDS = (IDENTITY,)
