"""The dense layer with connections left out at random in training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.dense import DENSE
from striate.ops.problems import Check, LayerError
from striate.ops.record import Attributes, Sample, TorchCall, Types
from striate.ops.reparametrised import torch_kernel
from striate.ops.sizes import entries
from striate.ops.work import Kept, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    try:
        return DENSE.shape(attributes, inputs, check)
    except LayerError as error:
        advice = error.problem.help
        raise LayerError(replace(error.problem, help=advice and advice.replace("dense(", "dropconnect("))) from None


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=entries(inputs[0]) * attributes["features"] * 2)  # a matrix and its mask


def _torch(call: TorchCall) -> Tensor:
    value, weight, bias = call.inputs[0], torch_kernel(call), call.weights.get("bias")
    functional = call.torch.nn.functional
    if not call.training:
        result: Tensor = functional.linear(value, weight, bias)
        return result
    each = functional.dropout(weight.expand(value.shape[0], *weight.shape), call.attributes["rate"], True)
    product: Tensor = call.torch.bmm(each, value[:, :, None])[:, :, 0]
    return product if bias is None else product + bias


DROPCONNECT = replace(
    DENSE,
    name="dropconnect",
    work=Work(DENSE.work.operations, _keeps, scratch=no_operations),
    summary="Dense layer that in training leaves out each weight with probability rate, for each image by itself, and "
    "divides the others by 1 - rate; evaluation uses all. Training holds a matrix for every image of a batch.",
    arguments=(
        *DENSE.arguments,
        Argument("rate", Real(0, 1, open_maximum=True), "Probability that a weight is left out.", 0.5),
    ),
    shape=_shape,
    torch=_torch,
    samples=(
        *DENSE.samples,
        Sample({"features": 5, "rate": 0.2}, ((7,),)),
        Sample({"features": 5, "rate": 1}, ((7,),), fails="rate must be a number from 0 below 1"),
    ),
    reference="Wan, Zeiler, Zhang, LeCun and Fergus, Regularization of neural networks using DropConnect, 2013, "
    "section 3; in evaluation the mean of the weights instead of the paper's samples",
)

RECORDS = (DROPCONNECT,)
