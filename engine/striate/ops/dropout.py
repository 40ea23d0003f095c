"""Dropout: in training something is left out at random and the rest made larger; evaluation passes values on.

What is left out: single entries, whole channels, or a whole branch for an image (stochastic depth).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.entrywise import EVERY_RANK, onnx_operator, unchanged
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, keeping, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _rate(what: str, default: float) -> Argument:
    return Argument("rate", Real(0, 1, open_maximum=True), f"Probability that {what} is left out.", default)


def _samples(*shapes: tuple[int, ...]) -> tuple[Sample, ...]:
    return (
        *(Sample({}, (shape,)) for shape in shapes),
        Sample({"rate": 0.2}, (shapes[0],)),
        Sample({"rate": 0}, (shapes[0],)),
        Sample({"rate": 1}, (shapes[0],), fails="rate must be a number from 0 below 1"),
    )


def _torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.dropout(call.inputs[0], call.attributes["rate"], call.training)
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    # Without its third input the node passes values on; the rate is kept for whoever reads or trains the model.
    rate = sink.constant(f"{call.name}/rate", call.attributes["rate"], "float32")
    sink.node("Dropout", [call.inputs[0], rate], call.outputs)


DROPOUT = OpRecord(
    name="dropout",
    work=Work(no_operations, keeping(per_output=1)),
    summary="In training each entry becomes 0 with probability rate and is divided by 1 - rate otherwise; "
    "evaluation passes it through.",
    inference="same",
    role="regularisation",
    arguments=(_rate("an entry", 0.5),),
    shape=unchanged,
    torch=_torch,
    onnx=_onnx,
    samples=_samples(*EVERY_RANK),
    reference="Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014",
)


def _spatial_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    with_space(inputs)
    return same_type(inputs)


def _spatial_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(numbers=inputs[0].channels)


def _masked(call: TorchCall, kept_axes: int) -> Tensor:
    """Return the input times a mask that has the input's first axes and is the same along all others."""
    value = call.inputs[0]
    if not call.training:
        return value
    ones = value.new_ones((*value.shape[:kept_axes], *[1] * (value.dim() - kept_axes)))
    mask: Tensor = call.torch.nn.functional.dropout(ones, call.attributes["rate"], True)
    return value * mask


def _spatial_torch(call: TorchCall) -> Tensor:
    return _masked(call, 2)


SPATIAL_DROPOUT = OpRecord(
    name="spatial_dropout",
    work=Work(no_operations, _spatial_keeps),
    summary="In training each channel of each image becomes 0 as a whole with probability rate and is divided by "
    "1 - rate otherwise; evaluation passes it through.",
    inference="same",
    role="regularisation",
    arguments=(_rate("a channel", 0.5),),
    shape=_spatial_shape,
    torch=_spatial_torch,
    onnx=onnx_operator("Identity"),
    samples=(
        *_samples(*(shape for shape in EVERY_RANK if len(shape) > 1)),
        Sample({}, ((10,),), fails="needs pixels beside the channels, but gets 10"),
    ),
    reference="Tompson, Goroshin, Jain, LeCun and Bregler, Efficient object localization using convolutional "
    "networks, 2015, section 3.2",
)


def _droppath_torch(call: TorchCall) -> Tensor:
    return _masked(call, 1)


DROPPATH = OpRecord(
    name="droppath",
    work=Work(no_operations, KEEPS_NOTHING),
    summary="Stochastic depth, for the end of a residual branch: in training everything of an image becomes 0 with "
    "probability rate and is divided by 1 - rate otherwise, for each image by itself; evaluation passes it through.",
    inference="same",
    role="regularisation",
    arguments=(_rate("the branch", 0.1),),
    shape=unchanged,
    torch=_droppath_torch,
    onnx=onnx_operator("Identity"),
    samples=_samples(*EVERY_RANK),
    reference="Huang, Sun, Liu, Sedra and Weinberger, Deep networks with stochastic depth, 2016, section 3, for each "
    "image by itself as in Larsson, Maire and Shakhnarovich, FractalNet, 2017",
)


def _alpha_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.alpha_dropout(call.inputs[0], call.attributes["rate"], call.training)
    return result


ALPHA_DROPOUT = OpRecord(
    name="alpha_dropout",
    work=Work(no_operations, keeping(per_output=1)),
    summary="Dropout for selu: in training entries become selu's lowest value, -1.7581, with probability rate, and all "
    "are scaled and shifted so that mean 0 and variance 1 stay; evaluation passes them through.",
    inference="same",
    role="regularisation",
    arguments=(_rate("an entry", 0.05),),
    shape=unchanged,
    torch=_alpha_torch,
    onnx=onnx_operator("Identity"),
    samples=_samples(*EVERY_RANK),
    reference="Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, 2017, section 3",
)

RECORDS = (DROPOUT, SPATIAL_DROPOUT, ALPHA_DROPOUT, DROPPATH)
