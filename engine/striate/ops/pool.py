"""Pooling: the maximum or average of a sliding window, and of a whole image.

Padding never takes part in a maximum (it counts as minus infinity) and, unless asked for, not in an average either.
"""

from __future__ import annotations

import math
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Flag, Optional, Padding, PerAxis
from striate.ops.geometry import (
    Pads,
    axis_names,
    ceil_padding,
    dilations,
    extents,
    format_padding,
    grid_size,
    kept_windows,
    receptive_window,
    settle_windows,
    window_formula,
    window_output,
)
from striate.ops.padding import (
    actual_pads,
    explicitly_padded,
    is_symmetric,
    onnx_explicit_padding,
    onnx_padding,
    onnx_pads,
)
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, keeping, per_input_entry, reducing

if TYPE_CHECKING:
    from torch import Tensor

_KERNEL = Argument("kernel", PerAxis(), "Size of the window: one number, or one per axis, e.g. (height, width).")
_STRIDE = Argument("stride", Optional(PerAxis()), "Step between two windows; none steps by the kernel.", None)
_CEIL = Argument(
    "ceil",
    Flag(),
    "Whether a window that reaches over the lower or right border counts: the division rounds up. "
    "A window that would begin behind the image is left out.",
    False,
)


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    stride = attributes["kernel"] if attributes["stride"] is None else attributes["stride"]
    return settle_windows({**attributes, "stride": stride}, inputs)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    if attributes["pad"] != "same":
        _check_padding(attributes)
    _check_holes(attributes, inputs, check)
    return typed(inputs[0].channels, *window_output(attributes, sizes, check, ceil=attributes["ceil"]))


def _check_padding(attributes: Attributes) -> None:
    """Refuse a window that would lie in the padding alone."""
    pads, spans = attributes["pad"], extents(attributes)
    names = axis_names(len(spans))
    for side, pad in enumerate(pads):
        span = spans[side // 2]
        if pad >= span:
            repaired = [min(pad, spans[side // 2] - 1) for side, pad in enumerate(pads)]
            raise LayerError(
                Problem(
                    f"padding {pad} is not smaller than the window's {names[side // 2]} {span}",
                    code="E0206",
                    argument="pad",
                    notes=("a window that lies in the padding alone holds no pixel",),
                    help=f"use pad = {format_padding(repaired)}",
                    repair=(("pad", format_padding(repaired)),),
                )
            )


def _check_holes(attributes: Attributes, inputs: Types, check: Check) -> None:
    """Demand that no dilated window lets the whole image fall between two of its entries.

    Windows inside the image hold a pixel anyway; one that begins in the padding before an image smaller than the
    dilation may hold none.
    """
    padding = attributes["pad"]
    names = axis_names(len(attributes["kernel"]))
    for axis, dilation in enumerate(dilations(attributes)):
        size = inputs[0].shape[1 + axis]
        padded = padding == "same" or padding[2 * axis] > 0
        if dilation > 1 and attributes["kernel"][axis] > 1 and padded:
            check.at_least(
                size,
                dilation,
                lambda name=names[axis], size=size, dilation=dilation: Problem(  # type: ignore[misc]
                    f"dilation {dilation} is larger than the {name} {size}",
                    code="E0202",
                    argument="dilation",
                    notes=("a window that begins in the padding could hold no pixel of the image",),
                    help="use a smaller dilation, or no padding",
                ),
            )


def _fits_torch(pads: Pads, attributes: Attributes) -> bool:
    """Whether torch pads by itself: the same on opposite sides, by half the kernel (before dilation) at most."""
    small = all(2 * pad <= size for pad, size in zip(pads[::2], attributes["kernel"], strict=True))
    return is_symmetric(pads) and small


def _maxpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * (prod(attributes["kernel"]) - 1)


def _maxpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    kept = kept_windows(attributes, inputs, copies=lambda pads: not _fits_torch(pads, attributes))
    return replace(kept, indices=entries(outputs[0]))  # the place of each maximum


def _avgpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * prod(attributes["kernel"])


def _avgpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return kept_windows(attributes, inputs, copies=lambda pads: not _fits_torch(pads, attributes))


def _maxpool_torch(call: TorchCall) -> Tensor:
    attributes, values = call.attributes, call.inputs[0]
    pads = actual_pads(call, values)
    padding, ceil = pads[::2], attributes["ceil"]
    if not _fits_torch(pads, attributes):
        values = explicitly_padded(call, values, _reach(attributes, pads), -math.inf)
        padding, ceil = (0,) * len(padding), False
    result: Tensor = getattr(call.torch.nn.functional, f"max_pool{len(padding)}d")(
        values, attributes["kernel"], attributes["stride"], padding, attributes["dilation"], ceil
    )
    return result


def _reach(attributes: Attributes, pads: Pads) -> Pads:
    """Return the padding up to the end of the last window, with which every division rounds down."""
    return ceil_padding(attributes, pads) if attributes["ceil"] else pads


def _maxpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    # Rounding up is always written as padding: before opset 22 ONNX's shape inference counts a window too many where
    # the last one begins behind the image, and padding holds minus infinity whoever adds it.
    attributes = call.attributes
    kernel, padding = attributes["kernel"], attributes["pad"]
    reach: Pads = () if padding == "same" else _reach(attributes, padding)
    if padding == "same":
        values, written = onnx_padding(call, sink, -math.inf)
    elif all(pad < kernel[side // 2] for side, pad in enumerate(reach)):
        values, written = call.inputs[0], {"pads": onnx_pads(reach)}
    else:  # ONNX Runtime compares the padding with the kernel before dilation
        values, written = onnx_explicit_padding(call, sink, reach, -math.inf), {}
    sink.node(
        "MaxPool",
        [values],
        call.outputs,
        kernel_shape=kernel,
        strides=attributes["stride"],
        dilations=attributes["dilation"],
        **written,
    )


MAXPOOL = OpRecord(
    name="maxpool",
    work=Work(_maxpool_operations, _maxpool_keeps),
    summary="Maximum of each window: "
    "out = floor((in + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1 per axis.",
    arguments=(
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Rows and columns around the image that never are the maximum.", 0),
        Argument("dilation", PerAxis(), "Distance between two entries of the window.", 1),
        _CEIL,
    ),
    settle=_settle,
    shape=_shape,
    window=receptive_window,
    formula=window_formula,
    torch=_maxpool_torch,
    onnx=_maxpool_onnx,
    samples=(
        Sample({"kernel": 2}, ((16, 28, 30),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "ceil": True}, ((4, 14, 11),)),
        Sample({"kernel": (2, 3), "stride": (1, 2), "pad": (0, 1, 2, 1)}, ((3, 9, 12),)),
        Sample({"kernel": 2, "pad": "same"}, ((5, 7, 8),)),
        Sample({"kernel": 3, "stride": 1, "dilation": (2, 1), "pad": "half"}, ((2, 9, 7),)),
        Sample({"kernel": 2, "stride": 1, "dilation": 3, "pad": (2, 3, 3, 2)}, ((2, 6, 5),)),
        Sample({"kernel": 2, "stride": 3, "pad": 1, "ceil": True}, ((2, 7, 5),)),
        Sample({"kernel": 1, "stride": 2, "ceil": True}, ((2, 4, 5),)),
        Sample({"kernel": 3, "stride": 2, "ceil": True}, ((2, 2, 3),)),
        Sample({"kernel": 3, "stride": 2, "pad": (0, 2), "dilation": 2}, ((3, 15),)),
        Sample({"kernel": 2, "stride": (1, 2, 2), "ceil": True}, ((3, 4, 5, 6),)),
        Sample({"kernel": 3}, ((8, 2, 9),), fails="kernel 3 is larger than the height 2"),
        Sample({"kernel": 2, "pad": 2}, ((8, 9, 9),), fails="not smaller than the window's height 2"),
        Sample({"kernel": 2, "dilation": 4, "pad": 3}, ((8, 9, 3),), fails="dilation 4 is larger than the width 3"),
        Sample({"kernel": 2, "stride": 0}, ((8, 9, 9),), fails="stride must be a whole number of at least 1"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 15",
)


def _avgpool_torch(call: TorchCall) -> Tensor:
    attributes, values = call.attributes, call.inputs[0]
    pads = actual_pads(call, values)
    if not _fits_torch(pads, attributes) or _is_small_volume(values, attributes):
        return _sum_over_count(call, values, pads)
    result: Tensor = getattr(call.torch.nn.functional, f"avg_pool{len(pads) // 2}d")(
        values,
        attributes["kernel"],
        attributes["stride"],
        pads[::2],
        attributes["ceil"],
        attributes["count_include_pad"],
    )
    return result


def _is_small_volume(values: Tensor, attributes: Attributes) -> bool:
    """Whether torch's avg_pool3d refuses a volume that is smaller than the window before its padding is added."""
    kernel = attributes["kernel"]
    return len(kernel) == 3 and any(size < tall for size, tall in zip(values.shape[2:], kernel, strict=True))


def _sum_over_count(call: TorchCall, values: Tensor, pads: Pads) -> Tensor:
    """Return each window's sum over the number of its entries that count, for padding that torch cannot add itself."""
    reach = _reach(call.attributes, pads)
    counted, rest = call.torch.ones_like(values[:1, :1]), reach
    if call.attributes["count_include_pad"]:
        counted, rest = explicitly_padded(call, counted, pads, 1.0), _difference(reach, pads)
    average = getattr(call.torch.nn.functional, f"avg_pool{len(pads) // 2}d")
    # Averages stand for sums: both are divided by the size of the window, which falls out.
    total, count = (
        average(explicitly_padded(call, item, widths), call.attributes["kernel"], call.attributes["stride"])
        for item, widths in ((values, reach), (counted, rest))
    )
    result: Tensor = total / count
    return result


def _difference(outer: Pads, inner: Pads) -> Pads:
    return tuple(wide - narrow for wide, narrow in zip(outer, inner, strict=True))


def _avgpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    # Rounding up is written as padding that does not count, see `_maxpool_onnx`. Where the layer's own padding counts
    # and that does not, the own padding becomes a node: its rows then are pixels.
    attributes = call.attributes
    padding, counts = attributes["pad"], attributes["count_include_pad"]
    values, written = onnx_padding(call, sink)
    if padding != "same":
        reach = _reach(attributes, padding)
        if counts and any(padding) and reach != padding:
            values, counts = onnx_explicit_padding(call, sink, padding, 0.0), False
            reach = _difference(reach, padding)
        written = {"pads": onnx_pads(reach)}
        counts = counts and any(padding)
    sink.node(
        "AveragePool",
        [values],
        call.outputs,
        kernel_shape=attributes["kernel"],
        strides=attributes["stride"],
        count_include_pad=int(counts),
        **written,
    )


AVGPOOL = OpRecord(
    name="avgpool",
    work=Work(_avgpool_operations, _avgpool_keeps),
    summary="Average of each window: out = floor((in + before + after - kernel) / stride) + 1 per axis.",
    arguments=(
        _KERNEL,
        _STRIDE,
        Argument("pad", Padding(), "Zeros added around the image.", 0),
        _CEIL,
        Argument(
            "count_include_pad",
            Flag(),
            "Whether the zeros count in the average (torch's default) or only pixels do (ONNX's and Keras's); "
            "what ceil adds never counts.",
            False,
        ),
    ),
    settle=_settle,
    shape=_shape,
    window=receptive_window,
    formula=window_formula,
    torch=_avgpool_torch,
    onnx=_avgpool_onnx,
    samples=(
        Sample({"kernel": 2}, ((6, 28, 30),)),
        Sample({"kernel": 5, "stride": 3}, ((4, 14, 17),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "count_include_pad": True}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, ((4, 14, 9),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "count_include_pad": True}, ((4, 14, 9),)),
        Sample({"kernel": (2, 3), "stride": (1, 2), "pad": (0, 1, 2, 1), "count_include_pad": True}, ((3, 9, 12),)),
        Sample({"kernel": (2, 3), "stride": 3, "pad": (0, 1, 2, 1), "ceil": True}, ((3, 9, 12),)),
        Sample(
            {"kernel": 3, "stride": (3, 2), "pad": (1, 2, 0, 1), "ceil": True, "count_include_pad": True},
            ((3, 8, 10),),
        ),
        Sample({"kernel": 3, "stride": 2, "pad": "same"}, ((5, 7, 8),)),
        Sample({"kernel": 4, "stride": 2, "pad": "same", "count_include_pad": True}, ((5, 7, 8),)),
        Sample({"kernel": 3, "stride": 2, "pad": (1, 2), "count_include_pad": True}, ((3, 14),)),
        Sample({"kernel": 3, "stride": 2, "pad": "half", "ceil": True}, ((3, 14),)),
        Sample({"kernel": (1, 2, 3), "pad": (0, 1, 1)}, ((3, 4, 5, 7),)),
        Sample({"kernel": (3, 8)}, ((8, 9, 7),), fails="kernel 8 is larger than the width 7"),
        Sample({"kernel": 2, "pad": (0, 0, 0, 2)}, ((8, 9, 9),), fails="not smaller than the window's width 2"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 15",
)


def _global_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(inputs[0].channels, *(1 for _ in grid_size(inputs)))


def _whole_image(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return "all"


def _global_avgpool_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0].mean(tuple(range(2, call.inputs[0].dim())), keepdim=True)
    return result


def _global_maxpool_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0].amax(tuple(range(2, call.inputs[0].dim())), keepdim=True)
    return result


def _global_avgpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("GlobalAveragePool", call.inputs, call.outputs)


def _global_maxpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("GlobalMaxPool", call.inputs, call.outputs)


_GLOBAL_SAMPLES = (
    Sample({}, ((16, 7, 9),)),
    Sample({}, ((3, 1, 1),)),
    Sample({}, ((4, 9),)),
    Sample({}, ((4, 3, 2, 5),)),
    Sample({}, ((16,),), fails="needs an image"),
)

GLOBAL_AVGPOOL = OpRecord(
    name="global_avgpool",
    work=Work(per_input_entry(1), KEEPS_NOTHING),
    summary="Average of each channel over the whole image (sequence, volume): C x H x W to C x 1 x 1, for every H, W.",
    shape=_global_shape,
    window=_whole_image,
    torch=_global_avgpool_torch,
    onnx=_global_avgpool_onnx,
    samples=_GLOBAL_SAMPLES,
    reference="Lin, Chen and Yan, Network in network, 2014, section 3.2",
)

GLOBAL_MAXPOOL = OpRecord(
    name="global_maxpool",
    work=Work(reducing, keeping(0, output=True)),
    summary="Maximum of each channel over the whole image (sequence, volume): C x H x W to C x 1 x 1, for every H, W.",
    shape=_global_shape,
    window=_whole_image,
    torch=_global_maxpool_torch,
    onnx=_global_maxpool_onnx,
    samples=_GLOBAL_SAMPLES,
    reference="Oquab, Bottou, Laptev and Sivic, Is object localization for free?, 2015, section 3",
)

RECORDS = (MAXPOOL, AVGPOOL, GLOBAL_AVGPOOL, GLOBAL_MAXPOOL)
