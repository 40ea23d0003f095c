"""What disturbs an image in training and leaves it alone in evaluation: noise, and patches that are blanked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Integer, Pair, Real
from striate.ops.entrywise import EVERY_RANK, onnx_operator, unchanged
from striate.ops.geometry import image_size
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import pixels, same_type
from striate.ops.work import KEEPS_NOTHING, Kept, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _noise_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    if not call.training:
        return value
    result: Tensor = value + call.attributes["std"] * call.torch.randn_like(value)
    return result


GAUSSIAN_NOISE = OpRecord(
    name="gaussian_noise",
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    summary="In training out = in + a normal number with mean 0 and standard deviation std, drawn for each entry; "
    "evaluation passes values through.",
    inference="same",
    role="regularisation",
    arguments=(Argument("std", Real(0), "Standard deviation of the noise.", 0.1),),
    shape=unchanged,
    torch=_noise_torch,
    onnx=onnx_operator("Identity"),
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"std": 0.5}, ((4, 5, 3),)),
        Sample({"std": -1}, ((4, 5, 3),), fails="std must be a number of at least 0"),
    ),
    reference="Bishop, Training with noise is equivalent to Tikhonov regularization, 1995",
)


def _cutout_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    image_size(inputs)
    return same_type(inputs)


def _cutout_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(marks=pixels(inputs[0]) * int(attributes["holes"]))


def _cutout_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    if not call.training:
        return value
    for _ in range(call.attributes["holes"]):
        rows, columns = (_covered(call, value, axis) for axis in (0, 1))
        value = value.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0)
    return value


def _covered(call: TorchCall, value: Tensor, axis: int) -> Tensor:
    """Return which rows (axis 0) or columns (axis 1) a hole around a random pixel covers, `N x H` or `N x W`."""
    extent, size = call.attributes["size"][axis], value.shape[2 + axis]
    first = call.torch.randint(size, (value.shape[0], 1), device=value.device) - extent // 2
    places = call.torch.arange(size, device=value.device)
    result: Tensor = (places >= first) & (places < first + extent)
    return result


CUTOUT = OpRecord(
    name="cutout",
    work=Work(no_operations, _cutout_keeps),
    summary="In training a rectangle around a random pixel becomes 0 in all channels of an image, another one for each "
    "image; what reaches over the border is cut off. Evaluation passes values through.",
    inference="same",
    role="regularisation",
    arguments=(
        Argument("size", Pair(), "Height and width of a rectangle."),
        Argument("holes", Integer(), "Number of rectangles; they may overlap.", 1),
    ),
    shape=_cutout_shape,
    torch=_cutout_torch,
    onnx=onnx_operator("Identity"),
    samples=(
        Sample({"size": 2}, ((3, 6, 5),)),
        Sample({"size": (3, 2), "holes": 2}, ((3, 6, 5),)),
        Sample({"size": 20}, ((3, 6, 5),)),
        Sample({"size": 2}, ((10,),), fails="needs an image C x H x W, but gets 10"),
        Sample({"size": 0}, ((3, 6, 5),), fails="size must be a whole number of at least 1"),
    ),
    reference="DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, 2017",
)

RECORDS = (GAUSSIAN_NOISE, CUTOUT)
