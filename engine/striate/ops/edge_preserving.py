"""Fixed image filters that smooth and keep edges: the median and the bilateral filter, one channel at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.ops.arguments import Argument, Real
from striate.ops.decomposition import Decomposition
from striate.ops.fills import onnx_padded, torch_padded
from striate.ops.filter_window import (
    FILL,
    KERNEL,
    fill_keeps_image,
    filter_shape,
    filter_window,
    half_of,
    settle_kernel,
    widened,
)
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_END = 2**63 - 1


def _neighbours(call: TorchCall) -> Tensor:
    """Return the pixels of each window, `N x C x H x W x T`, row by row."""
    values, (height, width) = call.inputs[0], call.attributes["kernel"]
    around = torch_padded(call, values, half_of((height, width)), call.attributes["fill"])
    return around.unfold(2, height, 1).unfold(3, width, 1).flatten(-2)


def _onnx_neighbours(write: Decomposition, call: OnnxCall) -> str:
    """Write the pixels of each window, `N x C x T x H x W`: the image moved to each place of the window."""
    height, width = call.attributes["kernel"]
    around = onnx_padded(write, call, call.inputs[0], half_of((height, width)), call.attributes["fill"])
    place, axes = write.sizes([2]), write.sizes([2, 3])
    moved = []
    for row in range(height):
        for column in range(width):
            ends = [row + 1 - height or _END, column + 1 - width or _END]
            cut = write("Slice", around, write.sizes([row, column]), write.sizes(ends), axes)
            moved.append(write("Unsqueeze", cut, place))
    return write("Concat", *moved, axis=2)


def _taps(attributes: Attributes) -> int:
    return math.prod(attributes["kernel"])


def _gathered(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Return the numbers of all windows: a window along one axis is another look at the padded image."""
    kernel = attributes["kernel"]
    return widened(inputs[0], half_of(kernel)) if 1 in kernel else entries(outputs[0]) * math.prod(kernel)


def _median_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,) if fill_keeps_image(attributes) else (), indices=entries(outputs[0]))


def _median_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # By halves: a comparison with every pixel, of half of them, and so on.
    return entries(outputs[0]) * (2 * _taps(attributes) - 1)


def _median_torch(call: TorchCall) -> Tensor:
    return _neighbours(call).median(-1).values


def _median_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    upper = write.sizes([_taps(call.attributes) // 2 + 1])
    largest, _ = write.parts("TopK", 2, _onnx_neighbours(write, call), upper, axis=2)
    write.reduced_result("ReduceMin", largest, [2], keep=False)


MEDIAN_BLUR = OpRecord(
    name="median_blur",
    work=Work(_median_operations, _median_keeps, scratch=_gathered),
    summary="Median of the pixels around each pixel of a channel: removes single bright and dark pixels, keeps edges.",
    arguments=(KERNEL, FILL),
    settle=settle_kernel,
    shape=filter_shape,
    window=filter_window,
    torch=_median_torch,
    onnx=_median_onnx,
    samples=(
        Sample({"kernel": 3}, ((3, 6, 5),)),
        Sample({"kernel": (3, 5), "fill": "reflect"}, ((2, 4, 7),)),
        Sample({"kernel": (1, 3), "fill": "zeros"}, ((2, 4, 7),)),
        Sample({"kernel": 3, "fill": "circular"}, ((2, 5, 4),)),
        Sample({"kernel": 1}, ((2, 4, 7),)),
        Sample({"kernel": 2}, ((3, 6, 5),), fails="an even kernel (2 x 2) has no pixel in its middle"),
        Sample({"kernel": 3}, ((10,),), fails="needs an image"),
    ),
    reference="Tukey, Exploratory data analysis, 1977; Gonzalez and Woods, Digital image processing, section 3.5",
)


def _nearness(attributes: Attributes) -> list[float]:
    """Return the logarithm of the weight of each place of a window, row by row."""
    height, width = attributes["kernel"]
    scale = -1 / (2 * attributes["sigma_space"] ** 2)
    return [
        ((row - height // 2) ** 2 + (column - width // 2) ** 2) * scale
        for row in range(height)
        for column in range(width)
    ]


def _bilateral_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # For each pixel of a window: the difference, its square, times the scale, plus the nearness, exp, the product, and
    # both sums; then the division.
    return entries(outputs[0]) * (8 * _taps(attributes) - 1)


def _bilateral_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    # The pixels of the windows, their differences and weights, and both sums.
    numbers = _gathered(attributes, inputs, outputs) + entries(outputs[0]) * (2 * _taps(attributes) + 2)
    return Kept((0,) if fill_keeps_image(attributes) else (), numbers=numbers)


def _bilateral_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _gathered(attributes, inputs, outputs) + entries(outputs[0]) * (3 * _taps(attributes) + 1)


def _bilateral_torch(call: TorchCall) -> Tensor:
    attributes, near = call.attributes, _neighbours(call)
    apart = near - call.inputs[0][..., None]
    closeness = call.torch.tensor(_nearness(attributes), dtype=near.dtype, device=near.device)
    weight = (closeness - apart.square() / (2 * attributes["sigma_color"] ** 2)).exp()
    result: Tensor = (weight * near).sum(-1) / weight.sum(-1)
    return result


def _bilateral_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    near = _onnx_neighbours(write, call)
    apart = write("Sub", near, write("Unsqueeze", call.inputs[0], write.sizes([2])))
    square = write("Mul", write("Mul", apart, apart), write.number(1 / (2 * attributes["sigma_color"] ** 2)))
    closeness = write("Unsqueeze", write.numbers(_nearness(attributes)), write.sizes([1, 2]))
    weight = write("Exp", write("Sub", closeness, square))
    total = write.reduced("ReduceSum", write("Mul", weight, near), [2], keep=False)
    write.result("Div", total, write.reduced("ReduceSum", weight, [2], keep=False))


BILATERAL = OpRecord(
    name="bilateral",
    work=Work(_bilateral_operations, _bilateral_keeps, scratch=_bilateral_scratch),
    summary="Mean of the pixels q around each pixel p of a channel, weighted by exp(-(in_q - in_p)^2 / (2 * "
    "sigma_color^2)) * exp(-|q - p|^2 / (2 * sigma_space^2)), over their sum: smooths, and not across edges. The "
    "window is a rectangle, and each channel is compared with itself (OpenCV takes a disc, and adds the differences of "
    "the channels).",
    arguments=(
        KERNEL,
        Argument("sigma_color", Real(1e-6), "Standard deviation of the difference in value, in units of the input."),
        Argument("sigma_space", Real(1e-6), "Standard deviation of the distance, in pixels."),
        FILL,
    ),
    settle=settle_kernel,
    shape=filter_shape,
    window=filter_window,
    torch=_bilateral_torch,
    onnx=_bilateral_onnx,
    samples=(
        Sample({"kernel": 3, "sigma_color": 5, "sigma_space": 1}, ((3, 6, 5),)),
        Sample({"kernel": (5, 3), "sigma_color": 8, "sigma_space": 1.5, "fill": "reflect"}, ((2, 4, 7),)),
        Sample({"kernel": 3, "sigma_color": 6, "sigma_space": 2, "fill": "zeros"}, ((2, 4, 7),)),
        Sample({"kernel": 1, "sigma_color": 1, "sigma_space": 1}, ((2, 4, 7),)),
        Sample({"kernel": 2, "sigma_color": 1, "sigma_space": 1}, ((3, 6, 5),), fails="an even kernel (2 x 2)"),
        Sample(
            {"kernel": 3, "sigma_color": 0, "sigma_space": 1}, ((3, 6, 5),), fails="sigma_color must be a number of"
        ),
        Sample({"kernel": 3, "sigma_color": 1, "sigma_space": 1}, ((10,),), fails="needs an image"),
    ),
    reference="Tomasi and Manduchi, Bilateral filtering for gray and color images, 1998, section 2",
)

RECORDS = (MEDIAN_BLUR, BILATERAL)
