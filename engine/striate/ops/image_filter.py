"""Fixed image filters that are convolutions: edges, sharpening, relief and blur, one channel at a time.

Like every convolution here they are correlations: the kernel is not turned round, so that `sobel` is positive where
values grow to the right or downwards. A filter is a list of passes, each a depthwise convolution with constant kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.graph import TensorType
from striate.ops.arguments import Argument, Choice, OneOf, Optional, Real
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
from striate.ops.geometry import image_size
from striate.ops.padding import onnx_pads
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.shape_arguments import Factors, per_axis
from striate.ops.sizes import entries, known_channels
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

Kernel = tuple[tuple[float, ...], ...]
"""Rows of weights."""

Pass = tuple[Kernel, ...]
"""The kernels that are laid over each channel, all of one size: as many maps come out of it."""

Passes = Callable[[Attributes], Sequence[Pass]]

_SOBEL_X: Kernel = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
_PREWITT_X: Kernel = ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1))
_LAPLACIANS: dict[str, Kernel] = {
    "four": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "eight": ((1, 1, 1), (1, -8, 1), (1, 1, 1)),
}
_EMBOSS: Kernel = ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))


def _turned(kernel: Kernel) -> Kernel:
    return tuple(zip(*kernel, strict=True))


def _size(kernels: Pass) -> tuple[int, int]:
    return len(kernels[0]), len(kernels[0][0])


def _constant(kernel: Kernel) -> Passes:
    return lambda attributes: [(kernel,)]


def _gradient(across: Kernel) -> Passes:
    kernels = {"x": (across,), "y": (_turned(across),), "magnitude": (across, _turned(across))}
    return lambda attributes: [kernels[attributes["direction"]]]


def _sharpen(attributes: Attributes) -> Sequence[Pass]:
    amount = attributes["amount"]
    return [(((0, -amount, 0), (-amount, 1 + 4 * amount, -amount), (0, -amount, 0)),)]


def _separated(lines: Sequence[tuple[float, ...]]) -> Sequence[Pass]:
    """Return the passes along height and width; an axis along which the window is one pixel needs none."""
    height, width = lines
    passes = [(tuple((weight,) for weight in height),), ((width,),)]
    return [each for each in passes if _size(each) != (1, 1)] or passes[:1]


def _box(attributes: Attributes) -> Sequence[Pass]:
    return _separated([(1 / side,) * side for side in attributes["kernel"]])


def _gaussian(attributes: Attributes) -> Sequence[Pass]:
    lines = []
    for side, sigma in zip(attributes["kernel"], attributes["sigma"], strict=True):
        bell = [math.exp(-((place - side // 2) ** 2) / (2 * sigma**2)) for place in range(side)]
        lines.append(tuple(height / sum(bell) for height in bell))
    return _separated(lines)


def _macs(passes: Passes) -> Callable[[Attributes, Types, Types], Dim]:
    def rule(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
        taps: int = sum(len(kernels) * math.prod(_size(kernels)) for kernels in passes(attributes))
        return entries(outputs[0]) * taps

    return rule


def _torch(passes: Passes) -> Callable[[TorchCall], Tensor]:
    def rule(call: TorchCall) -> Tensor:
        values = call.inputs[0]
        for kernels in passes(call.attributes):
            values = _convolved(call, values, kernels)
        return values

    return rule


def _convolved(call: TorchCall, values: Tensor, kernels: Pass) -> Tensor:
    pads, fill, channels = half_of(_size(kernels)), call.attributes["fill"], values.shape[1]
    if fill != "zeros" and any(pads):
        values = torch_padded(call, values, pads, fill)
    weight = call.torch.tensor(kernels, dtype=values.dtype, device=values.device)[:, None].repeat(channels, 1, 1, 1)
    padding = pads[::2] if fill == "zeros" else (0, 0)
    result: Tensor = call.torch.nn.functional.conv2d(values, weight, padding=padding, groups=channels)
    if len(kernels) == 1:
        return result
    # Two maps for each channel are the sides of a right angle. The length's gradient is 0 where both are 0.
    sides = result.reshape(len(values), channels, 2, *result.shape[2:])
    length: Tensor = call.torch.linalg.vector_norm(sides, dim=2)
    return length


def _onnx(passes: Passes) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write, value, several = Decomposition(call, sink), call.inputs[0], passes(call.attributes)
        channels, fill = known_channels(tuple(call.input_types)), call.attributes["fill"]
        for number, kernels in enumerate(several, start=1):
            pads = half_of(_size(kernels))
            if fill != "zeros" and any(pads):
                value = onnx_padded(write, call, value, pads, fill)
            rows = [[[list(row) for row in kernel]] for _ in range(channels) for kernel in kernels]
            weight = sink.constant(f"{call.name}/kernel{number}", rows, "float32")
            settings = {"group": channels, "pads": onnx_pads(pads) if fill == "zeros" else [0] * 4}
            if len(kernels) == 2:
                sides = write("Conv", value, weight, **settings)
                _write_length(write, call, sides, channels)
            elif number == len(several):
                write.result("Conv", value, weight, **settings)
            else:
                value = write("Conv", value, weight, **settings)

    return rule


def _write_length(write: Decomposition, call: OnnxCall, sides: str, channels: int) -> None:
    """Write the root of the squares of two maps for each channel, which lie one behind the other."""
    height, width = image_size(call.input_types)[1:]
    if isinstance(height, int) and isinstance(width, int):
        sizes = write.sizes([0, channels, 2, height, width])
    else:
        sizes = write("Concat", write.sizes([0, channels, 2]), write.space_of(sides, 3), axis=0)
    write.reduced_result("ReduceL2", write("Reshape", sides, sizes), [2], keep=False)


def _copied(attributes: Attributes, value: TensorType, kernels: Pass) -> Dim:
    """Return the entries of the copy that is made of the value for its padding; 0 where torch pads by itself."""
    pads = half_of(_size(kernels))
    return widened(value, pads) if any(pads) and attributes["fill"] != "zeros" else 0


def _keeps(passes: Passes) -> Callable[[Attributes, Types, Types], Kept]:
    """What torch keeps of convolutions, although the gradient of a constant kernel is never asked for."""

    def rule(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
        numbers: Dim = _sides(attributes, outputs)
        image = False
        for number, kernels in enumerate(passes(attributes)):
            copy = _copied(attributes, inputs[0], kernels)
            numbers = numbers + copy
            if copy == 0 or fill_keeps_image(attributes):
                image = image or number == 0
                numbers = numbers + (entries(inputs[0]) if number else 0)
        return Kept((0,) if image else (), output=attributes.get("direction") == "magnitude", numbers=numbers)

    return rule


def _scratch(passes: Passes) -> Callable[[Attributes, Types, Types], Dim]:
    def rule(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
        several = passes(attributes)
        between = entries(outputs[0]) * (len(several) - 1)
        return between + _copied(attributes, inputs[0], several[-1]) + _sides(attributes, outputs)

    return rule


def _sides(attributes: Attributes, outputs: Types) -> Dim:
    """Return the entries of both slopes, where their length is asked for."""
    return entries(outputs[0]) * (2 if attributes.get("direction") == "magnitude" else 0)


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # Of a length: two squares, their sum and the root.
    return entries(outputs[0]) * (4 if attributes.get("direction") == "magnitude" else 0)


def _filter(
    name: str, summary: str, passes: Passes, arguments: tuple[Argument, ...], samples: tuple[Sample, ...], **given: Any
) -> OpRecord:
    return OpRecord(
        name=name,
        summary=summary,
        work=Work(_operations, _keeps(passes), scratch=_scratch(passes)),
        arguments=(*arguments, FILL),
        shape=filter_shape,
        window=filter_window,
        macs=_macs(passes),
        torch=_torch(passes),
        onnx=_onnx(passes),
        samples=(*samples, Sample(dict(samples[0].arguments), ((10,),), fails="needs an image C x H x W, but gets 10")),
        **given,
    )


_DIRECTION = Argument(
    "direction",
    OneOf(("x", "y", "magnitude")),
    "The slope to the right (x), downwards (y), or the length of both: sqrt(x^2 + y^2).",
    Choice("magnitude"),
)


def _slope(name: str, kernel: Kernel, rows: str, reference: str) -> OpRecord:
    return _filter(
        name,
        f"Slope of each channel over 3 x 3 pixels, rows {rows}: positive where values grow to the right or downwards "
        "(a true convolution would turn the sign). The kernel is not divided by the sum of its weights.",
        _gradient(kernel),
        (_DIRECTION,),
        (
            Sample({}, ((3, 6, 5),)),
            Sample({"direction": "x"}, ((3, 6, 5),)),
            Sample({"direction": "y", "fill": "zeros"}, ((2, 4, 7),)),
            Sample({"direction": "magnitude", "fill": "reflect"}, ((2, 4, 7),)),
            Sample({"fill": "circular"}, ((2, 5, 4),)),
            Sample({"direction": "x", "fill": 1.5}, ((2, 5, 4),)),
            Sample({"direction": "z"}, ((3, 6, 5),), fails="direction must be one of x, y, magnitude"),
            Sample({"fill": "reflect"}, ((3, 1, 5),), fails="too wide for the height 1 with fill = reflect"),
        ),
        reference=reference,
    )


SOBEL = _slope(
    "sobel",
    _SOBEL_X,
    "-1 0 1, -2 0 2, -1 0 1 for x",
    "Sobel and Feldman, 1968, in Duda and Hart, Pattern classification and scene analysis, 1973, section 7.3",
)
PREWITT = _slope(
    "prewitt",
    _PREWITT_X,
    "-1 0 1 three times for x",
    "Prewitt, Object enhancement and extraction, 1970",
)
LAPLACIAN = _filter(
    "laplacian",
    "Second derivative of each channel: the sum of the neighbours less as many times the pixel; below zero on peaks, "
    "where edge detectors that are written with the other sign are above it.",
    lambda attributes: [(_LAPLACIANS[attributes["neighbours"]],)],
    (
        Argument(
            "neighbours",
            OneOf(tuple(_LAPLACIANS)),
            "The pixels above, below, left and right (four), or the corners as well (eight).",
            Choice("four"),
        ),
    ),
    (
        Sample({}, ((3, 6, 5),)),
        Sample({"neighbours": "eight", "fill": "zeros"}, ((2, 4, 7),)),
        Sample({"neighbours": "six"}, ((3, 6, 5),), fails="neighbours must be one of four, eight"),
    ),
    reference="Gonzalez and Woods, Digital image processing, section 3.6 (sharpening spatial filters)",
)
SHARPEN = _filter(
    "sharpen",
    "Sharpens each channel: out = in - amount * laplacian(in), over the pixels above, below, left and right.",
    _sharpen,
    (Argument("amount", Real(0), "How much; 1 is the kernel 0 -1 0, -1 5 -1, 0 -1 0.", 1.0),),
    (
        Sample({}, ((3, 6, 5),)),
        Sample({"amount": 0.5, "fill": "reflect"}, ((2, 4, 7),)),
        Sample({"amount": -1}, ((3, 6, 5),), fails="amount must be a number of at least 0"),
    ),
    reference="Gonzalez and Woods, Digital image processing, section 3.6 (sharpening spatial filters)",
)
EMBOSS = _filter(
    "emboss",
    "Relief of each channel, lit along its diagonal, on the image itself: rows -2 -1 0, -1 1 1, 0 1 2.",
    _constant(_EMBOSS),
    (),
    (
        Sample({}, ((3, 6, 5),)),
        Sample({"fill": "zeros"}, ((2, 4, 7),)),
        Sample({"fill": "mirror"}, ((2, 4, 7),), fails="fill must be one of zeros"),
    ),
    reference="Wikipedia, Image embossing: the kernel of the south-east direction with the image added to it",
)
BOX_BLUR = _filter(
    "box_blur",
    "Mean of the pixels around each pixel of a channel; computed along height, then along width.",
    _box,
    (KERNEL,),
    (
        Sample({"kernel": 3}, ((3, 6, 5),)),
        Sample({"kernel": (5, 3), "fill": "reflect"}, ((2, 4, 7),)),
        Sample({"kernel": (1, 3), "fill": "zeros"}, ((2, 4, 7),)),
        Sample({"kernel": 3, "fill": 2.5}, ((2, 4, 7),)),
        Sample({"kernel": 1}, ((2, 4, 7),)),
        Sample({"kernel": 4}, ((3, 6, 5),), fails="an even kernel (4 x 4) has no pixel in its middle"),
        Sample({"kernel": (3, 3, 3)}, ((3, 6, 5),), fails="kernel has 3 numbers"),
        Sample({"kernel": 7, "fill": "reflect"}, ((3, 3, 5),), fails="too wide for the height 3"),
    ),
    settle=settle_kernel,
    reference="Gonzalez and Woods, Digital image processing, section 3.5 (smoothing spatial filters)",
)


def _settle_gaussian(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    settled, sigma = settle_kernel(attributes, inputs), attributes["sigma"]
    if sigma is None:
        sigma = tuple(0.3 * ((side - 1) / 2 - 1) + 0.8 for side in settled["kernel"])
    return {**settled, "sigma": per_axis(sigma, 2, "sigma")}


GAUSSIAN_BLUR = _filter(
    "gaussian_blur",
    "Mean of the pixels around each pixel of a channel, weighted by exp(-distance^2 / (2 * sigma^2)), the weights "
    "summing to 1; computed along height, then along width.",
    _gaussian,
    (
        KERNEL,
        Argument(
            "sigma",
            Optional(Factors()),
            "Standard deviation in pixels: a number, or (height, width). None takes 0.3 * ((kernel - 1) / 2 - 1) + "
            "0.8, as OpenCV. A kernel of less than about 6 sigma cuts the bell off.",
            None,
        ),
    ),
    (
        Sample({"kernel": 5}, ((3, 6, 5),)),
        Sample({"kernel": 5, "sigma": 1.5}, ((3, 6, 5),)),
        Sample({"kernel": (3, 7), "sigma": (0.5, 2), "fill": "zeros"}, ((2, 4, 7),)),
        Sample({"kernel": 3, "sigma": 1, "fill": "circular"}, ((2, 4, 7),)),
        Sample({"kernel": 1, "sigma": 1}, ((2, 4, 7),)),
        Sample({"kernel": 4, "sigma": 1}, ((3, 6, 5),), fails="an even kernel (4 x 4) has no pixel in its middle"),
        Sample({"kernel": 3, "sigma": 0}, ((3, 6, 5),), fails="sigma must be a number above 0"),
    ),
    settle=_settle_gaussian,
    reference="Gonzalez and Woods, Digital image processing, section 3.5 (smoothing spatial filters)",
)

RECORDS = (SOBEL, PREWITT, LAPLACIAN, SHARPEN, EMBOSS, BOX_BLUR, GAUSSIAN_BLUR)
