"""Partial convolution: over the pixels that a mask calls valid, for images with holes; gives the next mask as well."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Padding, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import (
    grid_size,
    kept_windows,
    receptive_window,
    settle_windows,
    window_formula,
    window_output,
)
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import actual_pads, explicitly_padded, is_symmetric, onnx_padding
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.shape_arguments import NamedValue
from striate.ops.sizes import entries, known_channels, pixels
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    known_channels(inputs)
    _check_mask(inputs[0], inputs[attributes["mask"]], check)
    _mask_channels(attributes, inputs)
    made = window_output(attributes, sizes, check)
    return TensorType((attributes["channels"], *made)), TensorType((1, *made))


def _check_mask(value: TensorType, mask: TensorType, check: Check) -> None:
    def problem() -> Problem:
        space = format_shape(TensorType(value.shape[1:]))
        return Problem(
            f"needs a mask 1 x {space} or {format_shape(value)}, but {format_shape(mask)} is given",
            code="E0203",
            argument="mask",
            notes=("a mask has one channel for all, or as many as the value; above 0 a pixel is valid",),
            help="the mask that a partial_conv gives has the size of its output: pass it on to the next one",
        )

    if mask.rank != value.rank:
        raise LayerError(problem())
    if mask.channels != 1:
        check.equal(mask.channels, value.channels, problem)
    for size, other in zip(value.shape[1:], mask.shape[1:], strict=True):
        check.equal(size, other, problem)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    taps, made, channels = prod(attributes["kernel"]), attributes["channels"], known_channels(inputs)
    start = Initializer(attributes["init"], {"fan_in": channels * taps, "fan_out": made * taps})
    kernel = WeightSpec("weight", (made, channels, *attributes["kernel"]), start)
    return (kernel, WeightSpec("bias", (made,), Initializer("zeros"))) if attributes["bias"] else (kernel,)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * (known_channels(inputs) * prod(attributes["kernel"]))


def _mask_channels(attributes: Attributes, inputs: Types) -> int:
    return known_channels((inputs[attributes["mask"]],))


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count comparing and masking, the sum of each window and its factor, and scaling and bias of each entry."""
    mask = inputs[attributes["mask"]]
    window = prod(attributes["kernel"]) * _mask_channels(attributes, inputs) + 3
    scaled = entries(outputs[0]) * (3 if attributes["bias"] else 1)
    return entries(mask) + entries(inputs[0]) + pixels(outputs[0]) * window + scaled


def _torch(call: TorchCall) -> tuple[Tensor, Tensor]:
    attributes, values = call.attributes, call.inputs[0]
    mask = call.inputs[attributes["mask"]]
    valid = (mask > 0).to(values.dtype)
    ones = values.new_ones(1, mask.shape[1], *attributes["kernel"])
    seen = _convolved(call, valid, ones)
    # A window without a valid pixel gives 0: neither a quotient nor a bias.
    some = (seen > 0).to(values.dtype)
    share = some * ones.numel() / seen.clamp(min=1)
    result = _convolved(call, values * valid, call.weights["weight"]).mul_(share)
    if "bias" in call.weights:
        result.addcmul_(call.weights["bias"].reshape(-1, *(1 for _ in attributes["kernel"])), some)
    return result, some


def _convolved(call: TorchCall, values: Tensor, kernel: Tensor) -> Tensor:
    pads, attributes = actual_pads(call, values), call.attributes
    if is_symmetric(pads):
        padding = pads[::2]
    else:
        values, padding = explicitly_padded(call, values, pads), (0,) * (len(pads) // 2)
    convolution = getattr(call.torch.nn.functional, f"conv{len(padding)}d")
    result: Tensor = convolution(values, kernel, None, attributes["stride"], padding, attributes["dilation"])
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    taps = prod(attributes["kernel"]) * _mask_channels(attributes, tuple(call.input_types))
    valid = write("Cast", write("Greater", call.inputs[attributes["mask"]], write.number(0)), to=_FLOAT)
    one = write("ConstantOfShape", write.sizes([1, taps // prod(attributes["kernel"]), *attributes["kernel"]]))
    ones = write("Add", one, write.number(1))
    seen = _onnx_convolved(write, replace(call, name=f"{call.name}/mask", inputs=[valid]), sink, ones)
    some = write("Cast", write("Greater", seen, write.number(0)), to=_FLOAT)
    share = write("Div", write("Mul", some, write.number(taps)), write("Max", seen, write.number(1)))
    masked = write("Mul", call.inputs[0], valid)
    weight = call.weights["weight"]
    made = _onnx_convolved(write, replace(call, name=f"{call.name}/values", inputs=[masked]), sink, weight)
    values, mask = call.outputs
    if attributes["bias"]:
        behind = write.sizes(range(1, 1 + len(attributes["kernel"])))
        bias = write("Mul", write("Unsqueeze", call.weights["bias"], behind), some)
        sink.node("Add", [write("Mul", made, share), bias], [values])
    else:
        sink.node("Mul", [made, share], [values])
    sink.node("Identity", [some], [mask])


def _onnx_convolved(write: Decomposition, call: OnnxCall, sink: OnnxSink, kernel: str) -> str:
    """Write a convolution of the one input of a call, whose name its padding is written under."""
    value, padding = onnx_padding(call, sink)
    settings = {name + "s": call.attributes[name] for name in ("stride", "dilation")}
    return write("Conv", value, kernel, kernel_shape=call.attributes["kernel"], **settings, **padding)


def _slid_over(attributes: Attributes, inputs: Types) -> tuple[Dim, bool]:
    """Return how many entries the kernel slides over, and whether they are a padded copy of the masked value."""
    kept = kept_windows(attributes, inputs, copies=lambda pads: not is_symmetric(pads))
    return (entries(inputs[0]), False) if kept.inputs else (kept.numbers, True)


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    # The mask, what the kernel slides over, the factor of each window, and for the bias which windows see something.
    windows = entries(outputs[1]) * (2 if attributes["bias"] else 1)
    return Kept(numbers=entries(inputs[attributes["mask"]]) + _slid_over(attributes, inputs)[0] + windows)


def _scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    beside = entries(inputs[attributes["mask"]]) + entries(outputs[1]) * 2 + entries(inputs[0])
    slid, copied = _slid_over(attributes, inputs)
    # The copy is made before there is a result.
    return beside + slid - entries(outputs[0]) if copied else beside


PARTIAL_CONV = OpRecord(
    name="partial_conv",
    work=Work(_operations, _keeps, scratch=_scratch),
    role="weights",
    summary="Convolution over valid pixels: each window is multiplied by its number of entries over the number of "
    "valid ones, before the bias; a window without any gives 0. The second output, 1 x H x W, is the next mask: 1 "
    "where a window had a valid pixel, else 0. Padding is not valid.",
    arguments=(
        Argument("channels", Integer(), "Number of output channels (filters)."),
        Argument("kernel", PerAxis(), "Size of the kernel: one number, or one per axis, e.g. (height, width)."),
        Argument(
            "mask",
            NamedValue(),
            "Where the value is valid: above 0. One channel, or one for each channel of the value. No gradient flows "
            "into it.",
        ),
        Argument("stride", PerAxis(), "Step between two windows.", 1),
        Argument("pad", Padding(), "Rows and columns added around the image; they are not valid.", 0),
        Argument("dilation", PerAxis(), "Distance between two kernel entries.", 1),
        Argument("bias", Flag(), "Whether a bias is added per output channel.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernel starts.", Choice("he_normal")),
    ),
    settle=settle_windows,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=receptive_window,
    formula=window_formula,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"channels": 4, "kernel": 3, "mask": 1, "pad": 1}, ((3, 6, 5), (1, 6, 5))),
        Sample({"channels": 4, "kernel": 3, "mask": 1, "stride": 2, "pad": "same"}, ((3, 6, 7), (3, 6, 7))),
        Sample({"channels": 2, "kernel": (2, 3), "mask": 1, "dilation": 2, "bias": False}, ((2, 7, 8), (1, 7, 8))),
        Sample({"channels": 2, "kernel": 3, "mask": 1, "init": "xavier_normal"}, ((2, 8), (1, 8))),
        Sample({"channels": 2, "kernel": 2, "mask": 1}, ((2, 4, 3, 5), (2, 4, 3, 5))),
        Sample({"channels": 4, "kernel": 3, "mask": 1}, ((3, 6, 5), (2, 6, 5)), fails="needs a mask 1 x 6 x 5 or"),
        Sample({"channels": 4, "kernel": 3, "mask": 1}, ((3, 6, 5), (1, 6, 4)), fails="needs a mask 1 x 6 x 5 or"),
        Sample({"channels": 4, "kernel": 3, "mask": 1}, ((3, 6, 5), (1, 6)), fails="but 1 x 6 is given"),
        Sample({"channels": 4, "kernel": 7, "mask": 1}, ((3, 6, 9), (1, 6, 9)), fails="larger than the height 6"),
        Sample({"channels": 4, "kernel": 3, "mask": 1}, ((3,), (1,)), fails="needs an image"),
    ),
    reference="Liu et al., Image inpainting for irregular holes using partial convolutions, 2018, equations 1 and 2",
)

RECORDS = (PARTIAL_CONV,)
