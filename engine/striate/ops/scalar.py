"""A number applied to every entry: scale, offset. `linear` does both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import onnx_nodes, samples, unchanged
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall
from striate.ops.work import KEEPS_NOTHING, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor


def _scale_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0] * call.attributes["factor"]
    return result


def _scale_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Mul", value, write.number(attributes["factor"]))


def _offset_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0] + call.attributes["amount"]
    return result


def _offset_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Add", value, write.number(attributes["amount"]))


SCALE = OpRecord(
    name="scale",
    work=Work(per_entry(1), KEEPS_NOTHING),
    summary="Multiplies every entry by a number: out = factor * in.",
    arguments=(Argument("factor", Real(), "The number."),),
    shape=unchanged,
    torch=_scale_torch,
    onnx=onnx_nodes(_scale_onnx),
    samples=(*samples({"factor": 0.17}), Sample({"factor": "twice"}, ((10,),), fails="factor must be a number")),
    reference="Szegedy et al., Inception-v4, 2017, section 3.3 (scaling of the residuals)",
)

OFFSET = OpRecord(
    name="offset",
    work=Work(per_entry(1), KEEPS_NOTHING, passes_gradient=True),
    summary="Adds a number to every entry: out = in + amount.",
    arguments=(Argument("amount", Real(), "The number; below 0 it is taken away."),),
    shape=unchanged,
    torch=_offset_torch,
    onnx=onnx_nodes(_offset_onnx),
    samples=(*samples({"amount": -0.5}), Sample({"amount": "half"}, ((10,),), fails="amount must be a number")),
    reference="numpy.add with a number; 1 - x is scale(-1) -> offset(1)",
)

RECORDS = (SCALE, OFFSET)
