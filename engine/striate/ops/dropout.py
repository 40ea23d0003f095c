"""Dropout: entries are left out at random in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import same_type
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return same_type(inputs)


def _torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.dropout(call.inputs[0], call.attributes["rate"], call.training)
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    # Without its third input the node passes values on; the rate is kept for whoever reads or trains the model.
    rate = sink.constant(f"{call.name}/rate", call.attributes["rate"], "float32")
    sink.node("Dropout", [call.inputs[0], rate], call.outputs)


DROPOUT = OpRecord(
    name="dropout",
    summary="In training each entry becomes 0 with probability rate and is divided by 1 - rate otherwise; "
    "evaluation passes it through.",
    arguments=(Argument("rate", Real(0, 1, open_maximum=True), "Probability that an entry is left out.", 0.5),),
    shape=_shape,
    torch=_torch,
    onnx=_onnx,
    inference="same",
    samples=(
        Sample({}, ((10,),)),
        Sample({"rate": 0.2}, ((4, 5, 3),)),
        Sample({"rate": 0}, ((10,),)),
        Sample({"rate": 1}, ((10,),), fails="rate must be a number from 0 below 1"),
    ),
    reference="Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014",
)

RECORDS = (DROPOUT,)
