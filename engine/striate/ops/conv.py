"""Convolution and transposed convolution in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Padding, Pair, format_value
from striate.ops.geometry import (
    AXES,
    extents,
    image_size,
    receptive_window,
    settle_padding,
    window_output,
)
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import onnx_padding, onnx_pads, padded
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.sizes import known_channels, typed
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS = Argument("channels", Integer(), "Number of output channels (filters).")
_KERNEL = Argument("kernel", Pair(), "Height and width of the kernel.")
_STRIDE = Argument("stride", Pair(), "Step between two windows.", 1)
_GROUPS = Argument("groups", Integer(), "Channels are split into this many independent groups.", 1)
_DILATION = Argument("dilation", Pair(), "Distance between two kernel entries.", 1)
_BIAS = Argument("bias", Flag(), "Whether a bias is added per output channel.", True)
_INIT = Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernel starts.", Choice("he_normal"))


def _check_groups(attributes: Attributes, channels: int) -> None:
    groups = attributes["groups"]
    for count, what in ((channels, "input"), (attributes["channels"], "output")):
        if count % groups:
            legal = [g for g in range(groups, 0, -1) if channels % g == 0 and attributes["channels"] % g == 0]
            raise LayerError(
                Problem(
                    f"{count} {what} channels cannot be split into {groups} groups",
                    code="E0205",
                    argument="groups",
                    notes=(
                        f"groups must divide the input channels ({channels}) "
                        f"and the output channels ({attributes['channels']})",
                    ),
                    help=f"groups = {legal[0]} is the nearest below that divides both",
                    repair=(("groups", str(legal[0])),),
                )
            )


def _conv_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _, height, width = image_size(inputs)
    _check_groups(attributes, known_channels(inputs))
    return typed(attributes["channels"], *window_output(attributes, (height, width), check))


def _conv_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    height, width = attributes["kernel"]
    out, each = attributes["channels"], known_channels(inputs) // attributes["groups"]
    fans = {"fan_in": each * height * width, "fan_out": out // attributes["groups"] * height * width}
    kernel = WeightSpec("weight", (out, each, height, width), Initializer(attributes["init"], fans))
    return (kernel, WeightSpec("bias", (out,), Initializer("zeros"))) if attributes["bias"] else (kernel,)


def _conv_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    height, width = attributes["kernel"]
    channels, out_height, out_width = outputs[0].shape
    per_pixel: int = known_channels(inputs) // attributes["groups"] * height * width
    return channels * out_height * out_width * per_pixel


def _conv_torch(call: TorchCall) -> Tensor:
    functional, attributes = call.torch.nn.functional, call.attributes
    values, padding = padded(call, call.inputs[0])
    result: Tensor = functional.conv2d(
        values,
        call.weights["weight"],
        call.weights.get("bias"),
        attributes["stride"],
        padding,
        attributes["dilation"],
        attributes["groups"],
    )
    return result


def _conv_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    values, padding = onnx_padding(call, sink)
    sink.node(
        "Conv",
        [values, *call.weights.values()],
        call.outputs,
        kernel_shape=attributes["kernel"],
        strides=attributes["stride"],
        dilations=attributes["dilation"],
        group=attributes["groups"],
        **padding,
    )


CONV = OpRecord(
    name="conv",
    summary="Convolution: out = floor((in + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1 per axis.",
    arguments=(
        _CHANNELS,
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Zeros added around the image.", 0),
        _GROUPS,
        _DILATION,
        _BIAS,
        _INIT,
    ),
    settle=settle_padding,
    shape=_conv_shape,
    weights=_conv_weights,
    macs=_conv_macs,
    window=receptive_window,
    torch=_conv_torch,
    onnx=_conv_onnx,
    samples=(
        Sample({"channels": 6, "kernel": 5}, ((1, 32, 32),)),
        Sample({"channels": 8, "kernel": (3, 5), "stride": (2, 1), "pad": (1, 0, 2, 1)}, ((3, 17, 20),)),
        Sample({"channels": 8, "kernel": 3, "stride": 2, "pad": "same", "bias": False}, ((4, 15, 16),)),
        Sample({"channels": 4, "kernel": 1, "stride": (2, 3), "pad": "same", "init": "xavier_uniform"}, ((4, 7, 8),)),
        Sample({"channels": 8, "kernel": 3, "dilation": 2, "pad": "half", "groups": 4}, ((4, 9, 9),)),
        Sample({"channels": 32, "kernel": 11}, ((32, 8, 8),), fails="larger than the height 8"),
        Sample({"channels": 32, "kernel": 3, "groups": 3}, ((16, 8, 8),), fails="16 input channels"),
        Sample({"channels": 4, "kernel": 3}, ((16,),), fails="needs an image"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 15",
)


def _deconv_settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    if attributes["pad"] != "same":
        return settle_padding(attributes, inputs)
    totals = [
        span + extra - stride
        for span, extra, stride in zip(
            extents(attributes), attributes["output_padding"], attributes["stride"], strict=True
        )
    ]
    if min(totals) < 0:
        raise LayerError(
            Problem(
                "pad = same needs a kernel at least as large as the stride",
                code="E0206",
                argument="pad",
                notes=("same gives in * stride, which takes kernel + output_padding - stride rows away",),
                help=f"use kernel = {max(attributes['stride'])} or more",
            )
        )
    vertical, horizontal = totals
    return {
        **attributes,
        "pad": (vertical // 2, vertical - vertical // 2, horizontal // 2, horizontal - horizontal // 2),
    }


def _deconv_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _, height, width = image_size(inputs)
    _check_groups(attributes, known_channels(inputs))
    _check_output_padding(attributes)
    top, bottom, left, right = attributes["pad"]
    spans, strides, extras = extents(attributes), attributes["stride"], attributes["output_padding"]
    sizes = []
    for axis, (size, cut) in enumerate(((height, top + bottom), (width, left + right))):
        full = (size - 1) * strides[axis] + spans[axis] + extras[axis]
        check.at_least(full - cut, 1, lambda axis=axis, full=full, cut=cut: _nothing_left(axis, full, cut))  # type: ignore[misc]
        sizes.append(full - cut)
    return typed(attributes["channels"], *sizes)


def _check_output_padding(attributes: Attributes) -> None:
    # torch also takes an output_padding below the dilation, which adds rows of nothing but bias; ONNX Runtime does not.
    extras, strides = attributes["output_padding"], attributes["stride"]
    for axis, (extra, stride) in enumerate(zip(extras, strides, strict=True)):
        if extra >= stride:
            most = tuple(min(extra, stride - 1) for extra, stride in zip(extras, strides, strict=True))
            written = format_value(most[0] if most[0] == most[1] else most)
            raise LayerError(
                Problem(
                    f"output_padding {extra} must be smaller than the stride {stride} in {AXES[axis]}",
                    code="E0206",
                    argument="output_padding",
                    notes=("it settles which of the sizes that one stride apart give the same input is meant",),
                    help=f"use output_padding = {written}",
                    repair=(("output_padding", written),),
                )
            )


def _nothing_left(axis: int, full: Dim, cut: int) -> Problem:
    return Problem(
        f"padding takes the whole output away: {cut} of a {AXES[axis]} of {format_dim(full)}",
        code="E0202",
        argument="pad",
        notes=("without padding the output is (in - 1) * stride + dilation * (kernel - 1) + 1 + output_padding",),
        help=f"use pad = {(full - 1) // 2} or less" if isinstance(full, int) else None,
    )


def _deconv_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    height, width = attributes["kernel"]
    channels, out = known_channels(inputs), attributes["channels"]
    covered = height * width / (attributes["stride"][0] * attributes["stride"][1])
    fans = {
        "fan_in": channels // attributes["groups"] * max(covered, 1.0),
        "fan_out": out // attributes["groups"] * height * width,
    }
    shape = (channels, out // attributes["groups"], height, width)
    kernel = WeightSpec("weight", shape, Initializer(attributes["init"], fans))
    return (kernel, WeightSpec("bias", (out,), Initializer("zeros"))) if attributes["bias"] else (kernel,)


def _deconv_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    height, width = attributes["kernel"]
    channels, in_height, in_width = inputs[0].shape
    per_pixel: int = attributes["channels"] // attributes["groups"] * height * width
    return channels * in_height * in_width * per_pixel


def _deconv_torch(call: TorchCall) -> Tensor:
    functional, attributes = call.torch.nn.functional, call.attributes
    top, bottom, left, right = attributes["pad"]
    symmetric = top == bottom and left == right
    result: Tensor = functional.conv_transpose2d(
        call.inputs[0],
        call.weights["weight"],
        call.weights.get("bias"),
        attributes["stride"],
        (top, left) if symmetric else 0,
        attributes["output_padding"],
        attributes["groups"],
        attributes["dilation"],
    )
    if not symmetric:
        result = result[..., top : result.shape[-2] - bottom, left : result.shape[-1] - right]
    return result


def _deconv_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    sink.node(
        "ConvTranspose",
        [call.inputs[0], *call.weights.values()],
        call.outputs,
        kernel_shape=attributes["kernel"],
        strides=attributes["stride"],
        dilations=attributes["dilation"],
        output_padding=attributes["output_padding"],
        pads=onnx_pads(attributes["pad"]),
        group=attributes["groups"],
    )


def _deconv_window(attributes: Attributes, inputs: Types) -> Window:
    # Output row o is reached by the input rows between (o + before - (extent - 1)) / stride and (o + before) / stride.
    spans, strides, padding = extents(attributes), attributes["stride"], attributes["pad"]
    extent = tuple((span - 1) / stride + 1 for span, stride in zip(spans, strides, strict=True))
    before = tuple(
        (span - 1 - pad) / stride for span, pad, stride in zip(spans, (padding[0], padding[2]), strides, strict=True)
    )
    return Window((extent[0], extent[1]), (1 / strides[0], 1 / strides[1]), (before[0], before[1]))


DECONV = OpRecord(
    name="deconv",
    summary="Transposed convolution: "
    "out = (in - 1) * stride + dilation * (kernel - 1) + 1 + output_padding - before - after per axis.",
    arguments=(
        _CHANNELS,
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Rows and columns taken away around the output; same gives in * stride.", 0),
        Argument("output_padding", Pair(0), "Rows and columns added below and to the right of the output.", 0),
        _GROUPS,
        _DILATION,
        _BIAS,
        _INIT,
    ),
    settle=_deconv_settle,
    shape=_deconv_shape,
    weights=_deconv_weights,
    macs=_deconv_macs,
    window=_deconv_window,
    torch=_deconv_torch,
    onnx=_deconv_onnx,
    samples=(
        Sample({"channels": 4, "kernel": 2, "stride": 2}, ((8, 5, 6),)),
        Sample({"channels": 4, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1}, ((8, 5, 6),)),
        Sample({"channels": 32, "kernel": 3, "stride": 2, "pad": "same"}, ((32, 16, 16),)),
        Sample({"channels": 4, "kernel": 3, "groups": 2, "dilation": 2, "pad": "half"}, ((8, 5, 6),)),
        Sample(
            {"channels": 4, "kernel": (2, 5), "stride": (1, 3), "pad": (1, 0, 0, 2), "bias": False, "init": "zeros"},
            ((3, 6, 5),),
        ),
        Sample({"channels": 4, "kernel": 2, "groups": 3}, ((3, 5, 5),), fails="4 output channels cannot be split"),
        Sample(
            {"channels": 4, "kernel": 1, "stride": 2, "pad": "same"}, ((3, 5, 5),), fails="pad = same needs a kernel"
        ),
        Sample({"channels": 4, "kernel": 1, "pad": 1}, ((8, 2, 2),), fails="takes the whole output away"),
        Sample({"channels": 4, "kernel": 3, "output_padding": 1}, ((8, 5, 5),), fails="smaller than the stride"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 14",
)

RECORDS = (CONV, DECONV)
