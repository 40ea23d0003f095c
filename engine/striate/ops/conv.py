"""Convolution and transposed convolution of sequences, images and volumes."""

from __future__ import annotations

from math import gcd, prod
from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Padding, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.fills import Fill
from striate.ops.geometry import (
    axis_names,
    axis_numbers,
    before_after,
    extents,
    format_numbers,
    grid_size,
    receptive_window,
    settle_windows,
    split_same,
    window_formula,
    window_output,
)
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import FILL, check_filled, is_symmetric, kept_filled, onnx_filled_padding, onnx_pads, padded
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.reparametrised import WEIGHT, check_entries, kernel_specs, onnx_kernel, torch_kernel
from striate.ops.sizes import entries, known_channels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS = Argument("channels", Integer(), "Number of output channels (filters).")
_KERNEL = Argument("kernel", PerAxis(), "Size of the kernel: one number, or one per axis, e.g. (height, width).")
_STRIDE = Argument("stride", PerAxis(), "Step between two windows.", 1)
_GROUPS = Argument("groups", Integer(), "Channels are split into this many independent groups.", 1)
_DILATION = Argument("dilation", PerAxis(), "Distance between two kernel entries.", 1)
_BIAS = Argument("bias", Flag(), "Whether a bias is added per output channel.", True)
_INIT = Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernel starts.", Choice("he_normal"))


def _check_groups(attributes: Attributes, channels: int) -> None:
    groups = attributes["groups"]
    for count, what in ((channels, "input"), (attributes["channels"], "output")):
        if count % groups:
            legal = _largest_divisor(gcd(channels, attributes["channels"]), groups)
            raise LayerError(
                Problem(
                    f"{count} {what} channels cannot be split into {groups} groups",
                    code="E0205",
                    argument="groups",
                    notes=(
                        f"groups must divide the input channels ({channels}) "
                        f"and the output channels ({attributes['channels']})",
                    ),
                    help=f"groups = {legal} is the nearest below that divides both",
                    repair=(("groups", str(legal)),),
                    alternatives=() if channels % groups else ((("channels", str(_multiple(attributes, groups))),),),
                )
            )


def _largest_divisor(number: int, most: int) -> int:
    """Return the largest divisor up to `most`; of numbers beyond all layers, one that is found within some tries."""
    tries = 100_000
    least = -(-number // most)
    cofactor = next((each for each in range(least, min(number, least + tries) + 1) if number % each == 0), number)
    small = next(each for each in range(min(most, tries), 0, -1) if number % each == 0)
    return max(number // cofactor, small)


def _multiple(attributes: Attributes, groups: int) -> int:
    """Return the multiple of the groups nearest to the output channels."""
    channels: int = attributes["channels"]
    return max(groups, (channels + groups // 2) // groups * groups)


def _conv_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    channels = known_channels(inputs)
    _check_groups(attributes, channels)
    check_entries(attributes, channels // attributes["groups"] * prod(attributes["kernel"]), check)
    made = window_output(attributes, sizes, check)
    check_filled(attributes, sizes, check)
    return typed(attributes["channels"], *made)


def _conv_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    size, taps = attributes["kernel"], prod(attributes["kernel"])
    out, each = attributes["channels"], known_channels(inputs) // attributes["groups"]
    fans = {"fan_in": each * taps, "fan_out": out // attributes["groups"] * taps}
    kernel = WeightSpec("weight", (out, each, *size), Initializer(attributes["init"], fans))
    return (*kernel_specs(attributes, kernel), *_bias(attributes))


def _bias(attributes: Attributes) -> tuple[WeightSpec, ...]:
    return (WeightSpec("bias", (attributes["channels"],), Initializer("zeros")),) if attributes["bias"] else ()


def _conv_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    per_entry: int = known_channels(inputs) // attributes["groups"] * prod(attributes["kernel"])
    return entries(outputs[0]) * per_entry


def _bias_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) if attributes["bias"] else 0


def _conv_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return kept_filled(attributes, inputs)


def _conv_torch(call: TorchCall) -> Tensor:
    attributes = call.attributes
    values, padding = padded(call, call.inputs[0])
    result: Tensor = getattr(call.torch.nn.functional, f"conv{len(padding)}d")(
        values,
        torch_kernel(call),
        call.weights.get("bias"),
        attributes["stride"],
        padding,
        attributes["dilation"],
        attributes["groups"],
    )
    return result


def _conv_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    write = Decomposition(call, sink)
    values, padding = onnx_filled_padding(call, sink, write)
    sink.node(
        "Conv",
        [values, *_onnx_weights(write, call)],
        call.outputs,
        kernel_shape=attributes["kernel"],
        strides=attributes["stride"],
        dilations=attributes["dilation"],
        group=attributes["groups"],
        **padding,
    )


def _onnx_weights(write: Decomposition, call: OnnxCall, rows: int = 0) -> list[str]:
    """Write the kernel to compute with and return its name and that of the bias."""
    weights = _deconv_weights if rows else _conv_weights
    shape = weights(call.attributes, tuple(call.input_types))[0].shape
    kernel = onnx_kernel(write, call, shape, rows)
    return [kernel, *([call.weights["bias"]] if call.attributes["bias"] else [])]


CONV = OpRecord(
    name="conv",
    work=Work(_bias_operations, _conv_keeps),
    role="weights",
    summary="Convolution: out = floor((in + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1 per axis.",
    arguments=(
        _CHANNELS,
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Rows and columns added around the image; fill says what they hold.", 0),
        _GROUPS,
        _DILATION,
        _BIAS,
        _INIT,
        FILL,
        WEIGHT,
    ),
    settle=settle_windows,
    shape=_conv_shape,
    weights=_conv_weights,
    macs=_conv_macs,
    window=receptive_window,
    formula=window_formula,
    torch=_conv_torch,
    onnx=_conv_onnx,
    samples=(
        Sample({"channels": 6, "kernel": 5}, ((1, 32, 32),)),
        Sample({"channels": 8, "kernel": (3, 5), "stride": (2, 1), "pad": (1, 0, 2, 1)}, ((3, 17, 20),)),
        Sample({"channels": 8, "kernel": 3, "stride": 2, "pad": "same", "bias": False}, ((4, 15, 16),)),
        Sample({"channels": 4, "kernel": 1, "stride": (2, 3), "pad": "same", "init": "xavier_uniform"}, ((4, 7, 8),)),
        Sample({"channels": 8, "kernel": 3, "dilation": 2, "pad": "half", "groups": 4}, ((4, 9, 9),)),
        Sample({"channels": 6, "kernel": 9, "stride": 4, "pad": (4, 3), "dilation": 2}, ((2, 40),)),
        Sample({"channels": 6, "kernel": 3, "stride": 2, "pad": "same", "groups": 2}, ((4, 11),)),
        Sample({"channels": 4, "kernel": 3, "pad": "half"}, ((2, 5, 6, 7),)),
        Sample({"channels": 4, "kernel": (1, 3, 2), "stride": (2, 1, 1), "pad": (0, 1, 2, 0, 1, 1)}, ((3, 5, 6, 4),)),
        Sample({"channels": 4, "kernel": 3, "pad": "half", "fill": "reflect"}, ((3, 6, 5),)),
        Sample({"channels": 4, "kernel": 5, "stride": 2, "pad": "same", "fill": "replicate"}, ((3, 6, 7),)),
        Sample({"channels": 4, "kernel": (3, 5), "pad": (1, 0, 4, 2), "fill": "circular"}, ((2, 3, 4),)),
        Sample({"channels": 4, "kernel": 3, "pad": 1, "fill": -1.5, "groups": 2}, ((2, 5, 4),)),
        Sample({"channels": 4, "kernel": 4, "pad": "same", "fill": "circular", "dilation": 2}, ((2, 9),)),
        Sample({"channels": 2, "kernel": 3, "pad": (1, 2, 1), "fill": "reflect"}, ((2, 4, 3, 5),)),
        Sample({"channels": 2, "kernel": 2, "fill": "circular"}, ((2, 4, 5),)),
        Sample({"channels": 4, "kernel": 3, "groups": 2, "weight": "standardised"}, ((4, 5, 6),)),
        Sample({"channels": 4, "kernel": 3, "pad": 1, "fill": "reflect", "weight": "spectral"}, ((4, 5, 6),)),
        Sample({"channels": 6, "kernel": 3, "weight": "spectral", "bias": False}, ((4, 5, 6),)),
        Sample({"channels": 32, "kernel": 11}, ((32, 8, 8),), fails="larger than the height 8"),
        Sample({"channels": 32, "kernel": 11}, ((32, 8),), fails="larger than the length 8"),
        Sample({"channels": 32, "kernel": (3, 3, 3)}, ((32, 8, 8),), fails="kernel (3, 3, 3) has 3 numbers"),
        Sample({"channels": 32, "kernel": 3, "pad": (1, 2, 3)}, ((32, 8, 8),), fails="pad (1, 2, 3) has 3 numbers"),
        Sample({"channels": 32, "kernel": 3, "groups": 3}, ((16, 8, 8),), fails="16 input channels"),
        Sample(
            {"channels": 4, "kernel": 3, "pad": 3, "fill": "reflect"}, ((2, 8, 3),), fails="too wide for the width 3"
        ),
        Sample(
            {"channels": 4, "kernel": 9, "pad": "half", "fill": "circular"}, ((2, 3, 8),), fails="with fill = circular"
        ),
        Sample(
            {"channels": 4, "kernel": 3, "pad": 1, "fill": "mirror"}, ((2, 8, 3),), fails="fill must be one of zeros"
        ),
        Sample({"channels": 4, "kernel": 3}, ((16,),), fails="needs an image"),
        Sample(
            {"channels": 4, "kernel": 1, "groups": 4, "weight": "standardised"},
            ((4, 5, 6),),
            fails="has 1 weight for each output channel, of which nothing is left",
        ),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 15",
)


def _deconv_settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    attributes = axis_numbers(attributes, ("output_padding",), inputs)
    if attributes["pad"] != "same":
        return settle_windows(attributes, inputs)
    attributes = settle_windows({**attributes, "pad": 0}, inputs)
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
    return {**attributes, "pad": split_same(totals)}


def _deconv_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    channels = known_channels(inputs)
    _check_groups(attributes, channels)
    check_entries(attributes, channels // attributes["groups"] * prod(attributes["kernel"]), check)
    _check_output_padding(attributes)
    _check_nothing_filled(attributes)
    spans, strides, extras = extents(attributes), attributes["stride"], attributes["output_padding"]
    outputs = []
    for axis, (name, size) in enumerate(zip(axis_names(len(sizes)), sizes, strict=True)):
        cut = sum(before_after(attributes["pad"], axis))
        full = (size - 1) * strides[axis] + spans[axis] + extras[axis]
        check.at_least(full - cut, 1, lambda name=name, full=full, cut=cut: _nothing_left(name, full, cut))  # type: ignore[misc]
        outputs.append(full - cut)
    return typed(attributes["channels"], *outputs)


def _check_output_padding(attributes: Attributes) -> None:
    # torch also takes an output_padding below the dilation, which adds rows of nothing but bias; ONNX Runtime does not.
    extras, strides = attributes["output_padding"], attributes["stride"]
    for name, extra, stride in zip(axis_names(len(strides)), extras, strides, strict=True):
        if extra >= stride:
            written = format_numbers([min(extra, stride - 1) for extra, stride in zip(extras, strides, strict=True)])
            raise LayerError(
                Problem(
                    f"output_padding {extra} must be smaller than the stride {stride} in {name}",
                    code="E0206",
                    argument="output_padding",
                    notes=("it settles which of the sizes that one stride apart give the same input is meant",),
                    help=f"use output_padding = {written}",
                    repair=(("output_padding", written),),
                )
            )


def _check_nothing_filled(attributes: Attributes) -> None:
    if attributes["fill"] != "zeros":
        raise LayerError(
            Problem(
                f"fill = {attributes['fill']} has nothing to fill: padding takes rows of the output away",
                code="E0211",
                argument="fill",
                notes=(
                    "a transposed convolution spreads each pixel over its kernel and reads no row beyond the image",
                ),
                help="leave fill out; to continue the image, put pad(1, mode = …) before deconv and crop behind it",
                repair=(("fill", "zeros"),),
            )
        )


def _nothing_left(name: str, full: Dim, cut: int) -> Problem:
    return Problem(
        f"padding takes the whole output away: {cut} of a {name} of {format_dim(full)}",
        code="E0202",
        argument="pad",
        notes=("without padding the output is (in - 1) * stride + dilation * (kernel - 1) + 1 + output_padding",),
        help=f"use pad = {(full - 1) // 2} or less" if isinstance(full, int) else None,
        repair=(("pad", str((full - 1) // 2)),) if isinstance(full, int) else (),
    )


def _deconv_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    taps = prod(attributes["kernel"])
    channels, out = known_channels(inputs), attributes["channels"]
    covered = taps / prod(attributes["stride"])
    fans = {
        "fan_in": channels // attributes["groups"] * max(covered, 1.0),
        "fan_out": out // attributes["groups"] * taps,
    }
    shape = (channels, out // attributes["groups"], *attributes["kernel"])
    kernel = WeightSpec("weight", shape, Initializer(attributes["init"], fans))
    return (*kernel_specs(attributes, kernel, rows=1), *_bias(attributes))


def _deconv_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    per_entry: int = attributes["channels"] // attributes["groups"] * prod(attributes["kernel"])
    return entries(inputs[0]) * per_entry


def _deconv_torch(call: TorchCall) -> Tensor:
    attributes, pads = call.attributes, call.attributes["pad"]
    symmetric, count = is_symmetric(pads), len(pads) // 2
    result: Tensor = getattr(call.torch.nn.functional, f"conv_transpose{count}d")(
        call.inputs[0],
        torch_kernel(call, rows=1),
        call.weights.get("bias"),
        attributes["stride"],
        pads[::2] if symmetric else 0,
        attributes["output_padding"],
        attributes["groups"],
        attributes["dilation"],
    )
    if symmetric:
        return result
    for axis, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True), start=2):
        result = result.narrow(axis, before, result.shape[axis] - before - after)
    return result


def _deconv_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    sink.node(
        "ConvTranspose",
        [call.inputs[0], *_onnx_weights(Decomposition(call, sink), call, rows=1)],
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
    before = tuple((span - 1 - pad) / stride for span, pad, stride in zip(spans, padding[::2], strides, strict=True))
    apart = attributes["dilation"]
    spacing = tuple(gap / stride for gap, stride in zip(apart, strides, strict=True)) if max(apart) > 1 else ()
    return Window(extent, tuple(1 / stride for stride in strides), before, spacing)


def _deconv_formula(attributes: Attributes, inputs: Types, axis: int) -> str:
    size, stride = format_dim(inputs[0].shape[1 + axis]), attributes["stride"][axis]
    before, after = before_after(attributes["pad"], axis)
    extra = attributes["output_padding"][axis]
    taken = f" - {f'2*{before}' if before == after else f'{before} - {after}'}" if before or after else ""
    return f"({size} - 1)*{stride} + {extents(attributes)[axis]}{f' + {extra}' if extra else ''}{taken}"


DECONV = OpRecord(
    name="deconv",
    work=Work(_bias_operations),
    role="weights",
    summary="Transposed convolution: "
    "out = (in - 1) * stride + dilation * (kernel - 1) + 1 + output_padding - before - after per axis.",
    arguments=(
        _CHANNELS,
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Rows and columns taken away around the output; same gives in * stride.", 0),
        Argument("output_padding", PerAxis(0), "Rows and columns added below and to the right of the output.", 0),
        _GROUPS,
        _DILATION,
        _BIAS,
        _INIT,
        Argument(
            "fill", Fill(), "Only zeros: the padding of a transposed convolution takes rows away.", Choice("zeros")
        ),
        WEIGHT,
    ),
    settle=_deconv_settle,
    shape=_deconv_shape,
    weights=_deconv_weights,
    macs=_deconv_macs,
    window=_deconv_window,
    formula=_deconv_formula,
    torch=_deconv_torch,
    onnx=_deconv_onnx,
    samples=(
        Sample({"channels": 4, "kernel": 2, "stride": 2, "fill": "zeros"}, ((8, 5, 6),)),
        Sample({"channels": 4, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1}, ((8, 5, 6),)),
        Sample({"channels": 32, "kernel": 3, "stride": 2, "pad": "same"}, ((32, 16, 16),)),
        Sample({"channels": 4, "kernel": 3, "groups": 2, "dilation": 2, "pad": "half"}, ((8, 5, 6),)),
        Sample(
            {"channels": 4, "kernel": (2, 5), "stride": (1, 3), "pad": (1, 0, 0, 2), "bias": False, "init": "zeros"},
            ((3, 6, 5),),
        ),
        Sample({"channels": 4, "kernel": 4, "stride": 3, "pad": (1, 2), "output_padding": 1}, ((2, 7),)),
        Sample({"channels": 4, "kernel": 2, "stride": 2, "groups": 2}, ((4, 3, 4, 5),)),
        Sample(
            {"channels": 4, "kernel": 3, "pad": 1, "fill": "reflect"},
            ((8, 5, 6),),
            fails="fill = reflect has nothing to fill",
        ),
        Sample({"channels": 4, "kernel": 2, "stride": 2, "groups": 2, "weight": "standardised"}, ((6, 3, 4),)),
        Sample({"channels": 6, "kernel": 3, "groups": 2, "weight": "spectral"}, ((4, 3, 4),)),
        Sample({"channels": 6, "kernel": 1, "weight": "standardised"}, ((1, 3, 4),), fails="has 1 weight for each"),
        Sample({"channels": 4, "kernel": 2, "groups": 3}, ((3, 5, 5),), fails="4 output channels cannot be split"),
        Sample(
            {"channels": 4, "kernel": 1, "stride": 2, "pad": "same"}, ((3, 5, 5),), fails="pad = same needs a kernel"
        ),
        Sample({"channels": 4, "kernel": 1, "pad": 1}, ((8, 2, 2),), fails="takes the whole output away"),
        Sample({"channels": 4, "kernel": 3, "output_padding": 1}, ((8, 5, 5),), fails="smaller than the stride"),
        Sample({"channels": 4, "kernel": 3}, ((16,),), fails="needs an image"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 14",
)

RECORDS = (CONV, DECONV)
