"""Pooling: the maximum or average of a sliding window.

Padding never takes part in a maximum (it counts as minus infinity) and, unless asked for, not in an average either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.ops.arguments import Argument, Flag, Optional, Padding, PerAxis
from striate.ops.decomposition import Decomposition
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
    same_before,
)
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries, pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""

MOST_INDEXED = 2**24
"""Pixels of a channel whose places are exact numbers in float32."""

KERNEL = Argument("kernel", PerAxis(), "Size of the window: one number, or one per axis, e.g. (height, width).")
STRIDE = Argument("stride", Optional(PerAxis()), "Step between two windows; none steps by the kernel.", None)
CEIL = Argument(
    "ceil",
    Flag(),
    "Whether a window that reaches over the lower or right border counts: the division rounds up. "
    "A window that would begin behind the image is left out.",
    False,
)


def settle_pool(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    """Give kernel, stride and padding of a pooling layer one number per axis and side; no stride is the kernel."""
    stride = attributes["kernel"] if attributes["stride"] is None else attributes["stride"]
    return settle_windows({**attributes, "stride": stride}, inputs)


def pool_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    """Shape rule of a sliding window that keeps the channels; no window may lie in the padding alone."""
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


def maxpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the comparisons of each window."""
    return entries(outputs[0]) * (prod(attributes["kernel"]) - 1)


def maxpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep the input, or the copy of it with padding that torch cannot add itself, and the place of each maximum."""
    kept = kept_windows(attributes, inputs, copies=lambda pads: not _fits_torch(pads, attributes))
    return replace(kept, indices=entries(outputs[0]))


def _maxpool_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the padded copy and, where places in it are counted anew, the whole numbers that are at hand meanwhile."""
    padded = maxpool_keeps(attributes, inputs, outputs).numbers
    if not attributes["indices"] or padded == 0:
        return padded
    return padded + entries(outputs[0]) * (9 if inputs[0].rank > 2 else 7)


def _avgpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * prod(attributes["kernel"])


def avgpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep the input, or the copy of it with its padding that torch cannot add itself."""
    return kept_windows(attributes, inputs, copies=lambda pads: not _fits_torch(pads, attributes))


def _maxpool_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    (made,) = pool_shape(attributes, inputs, check)
    if not attributes["indices"]:
        return (made,)
    size = pixels(inputs[0])
    if isinstance(size, int) and size > MOST_INDEXED:
        raise LayerError(
            Problem(
                f"{size:,} pixels are too many for indices",
                code="E0206",
                argument="indices",
                notes=(f"an index is a number in float32, which holds whole numbers up to {MOST_INDEXED:,} exactly",),
                help="leave indices out, or pool an image of fewer pixels",
            )
        )
    return made, made


def maxpool_torch(call: TorchCall) -> Tensor | tuple[Tensor, ...]:
    """Return the maximum of each window, and the place of each maximum where the call asks for indices."""
    attributes, values = call.attributes, call.inputs[0]
    pads = actual_pads(call, values)
    padding, ceil, dilation = pads[::2], attributes["ceil"], dilations(attributes)
    added = not _fits_torch(pads, attributes)
    if added:
        values = explicitly_padded(call, values, reach(attributes, pads), -math.inf)
        padding, ceil = (0,) * len(padding), False
    pool = getattr(call.torch.nn.functional, f"max_pool{len(padding)}d")
    if not attributes.get("indices"):
        result: Tensor = pool(values, attributes["kernel"], attributes["stride"], padding, dilation, ceil)
        return result
    best, places = pool(
        values, attributes["kernel"], attributes["stride"], padding, dilation, ceil, return_indices=True
    )
    if added:
        places = _without_padding(places, values.shape[2:], call.inputs[0].shape[2:], pads)
    # Half precision holds whole numbers up to 2048 only.
    return best, places.to(call.torch.promote_types(best.dtype, call.torch.float32))


def _without_padding(places: Tensor, padded: Sequence[int], sizes: Sequence[int], pads: Pads) -> Tensor:
    """Return the places of pixels in the image, given their places in the padded image."""
    rest, step = places, 1
    found = places * 0
    for axis in reversed(range(len(sizes))):
        at = (rest % padded[axis] - pads[2 * axis]).clamp(0, sizes[axis] - 1)  # -inf in the image may lose to padding
        found, rest, step = found + at * step, rest // padded[axis], step * sizes[axis]
    return found


def reach(attributes: Attributes, pads: Pads) -> Pads:
    """Return the padding up to the end of the last window, with which every division rounds down."""
    return ceil_padding(attributes, pads) if attributes["ceil"] else pads


def reached_entries(attributes: Attributes, inputs: Types) -> Dim:
    """Return the entries of the input with its padding up to the end of the last window."""
    kept = kept_windows({**attributes, "pad": attributes["pad"]}, inputs, copies=lambda pads: True)
    if attributes["pad"] == "same" or not attributes["ceil"]:
        return kept.numbers if kept.numbers != 0 else entries(inputs[0])
    wider = {**attributes, "pad": reach(attributes, attributes["pad"])}
    return kept_windows(wider, inputs, copies=lambda pads: True).numbers


def maxpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the maximum of each window, and the places of the maxima where the call asks for indices."""
    # Rounding up is always written as padding: before opset 22 ONNX's shape inference counts a window too many where
    # the last one begins behind the image, and padding holds minus infinity whoever adds it.
    attributes = call.attributes
    kernel, padding = attributes["kernel"], attributes["pad"]
    wide: Pads = () if padding == "same" else reach(attributes, padding)
    if padding == "same":
        values, written = onnx_padding(call, sink, -math.inf)
    elif all(pad < kernel[side // 2] for side, pad in enumerate(wide)):
        values, written = call.inputs[0], {"pads": onnx_pads(wide)}
    else:  # ONNX Runtime compares the padding with the kernel before dilation
        values, written = onnx_explicit_padding(call, sink, wide, -math.inf), {}
    found = [f"{call.name}/places"] if attributes.get("indices") else []
    sink.node(
        "MaxPool",
        [values],
        [call.outputs[0], *found],
        kernel_shape=kernel,
        strides=attributes["stride"],
        dilations=dilations(attributes),
        **written,
    )
    if found:
        _onnx_indices(Decomposition(call, sink), call, sink, found[0], values)


def _onnx_indices(write: Decomposition, call: OnnxCall, sink: OnnxSink, places: str, values: str) -> None:
    """Write the places within the image of a channel: ONNX's count through batch and channels, and through padding."""
    kind = call.input_types[0]
    if values == call.inputs[0]:
        sizes = [size for size in kind.shape[1:] if isinstance(size, int)]
        if len(sizes) == kind.rank - 1:
            plane = write.sizes([math.prod(sizes)])
        else:
            plane = write.reduced("ReduceProd", write.space_of(values, kind.rank), [0])
        found = write("Mod", places, plane)
    else:
        found = _onnx_without_padding(write, call, places, values)
    sink.node("Cast", [found], [call.outputs[1]], to=_FLOAT)


def _onnx_without_padding(write: Decomposition, call: OnnxCall, places: str, values: str) -> str:
    rank, pads = call.input_types[0].rank, call.attributes["pad"]
    sizes, padded = write.space_of(call.inputs[0], rank), write.space_of(values, rank)
    before = write("Gather", same_before(call), write.sizes(range(rank - 1)), axis=0) if pads == "same" else ""
    found, step, rest = "", "", places
    for axis in reversed(range(rank - 1)):
        here = write.sizes([axis])
        width = write("Gather", padded, here, axis=0)
        first = write("Gather", before, here, axis=0) if before else write.sizes([pads[2 * axis]])
        at = write("Sub", write("Mod", rest, width), first)
        size = write("Gather", sizes, here, axis=0)
        found = write("Add", found, write("Mul", at, step)) if found else at
        step = write("Mul", step, size) if step else size
        rest = write("Div", rest, width)
    return found


MAXPOOL = OpRecord(
    name="maxpool",
    work=Work(maxpool_operations, maxpool_keeps, _maxpool_scratch),
    summary="Maximum of each window: "
    "out = floor((in + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1 per axis. It asks whether a "
    "feature is there, wherever in the window; the gradient goes to one pixel.",
    arguments=(
        KERNEL,
        STRIDE,
        Argument("pad", Padding(), "Rows and columns around the image that never are the maximum.", 0),
        Argument("dilation", PerAxis(), "Distance between two entries of the window.", 1),
        CEIL,
        Argument(
            "indices",
            Flag(),
            "Whether the place of each maximum is a second value, for max_unpool: maxpool(2, indices = true) as "
            "(best, places). Pixels of a channel are counted row by row from 0; of equal ones the first counts.",
            False,
        ),
    ),
    settle=settle_pool,
    shape=_maxpool_shape,
    window=receptive_window,
    formula=window_formula,
    torch=maxpool_torch,
    onnx=maxpool_onnx,
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
        Sample({"kernel": 2, "indices": True}, ((3, 6, 8),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "indices": True}, ((2, 6, 7),)),
        Sample({"kernel": 2, "stride": 1, "dilation": 3, "pad": (2, 3, 3, 2), "indices": True}, ((2, 6, 5),)),
        Sample({"kernel": 3, "stride": 2, "pad": (0, 2), "dilation": 2, "indices": True}, ((3, 15),)),
        Sample({"kernel": 2, "stride": (1, 2, 2), "pad": (1, 0, 0, 1, 0, 0), "indices": True}, ((3, 4, 5, 6),)),
        Sample({"kernel": 3}, ((8, 2, 9),), fails="kernel 3 is larger than the height 2"),
        Sample({"kernel": 2, "indices": True}, ((1, 8192, 4096),), fails="too many for indices"),
        Sample({"kernel": 2, "pad": 2}, ((8, 9, 9),), fails="not smaller than the window's height 2"),
        Sample({"kernel": 2, "dilation": 4, "pad": 3}, ((8, 9, 3),), fails="dilation 4 is larger than the width 3"),
        Sample({"kernel": 2, "stride": 0}, ((8, 9, 9),), fails="stride must be a whole number of at least 1"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 15",
)


def avgpool_torch(call: TorchCall) -> Tensor:
    """Return the average of each window."""
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
        attributes.get("count_include_pad", False),
    )
    return result


def _is_small_volume(values: Tensor, attributes: Attributes) -> bool:
    """Whether torch's avg_pool3d refuses a volume that is smaller than the window before its padding is added."""
    kernel = attributes["kernel"]
    return len(kernel) == 3 and any(size < tall for size, tall in zip(values.shape[2:], kernel, strict=True))


def _sum_over_count(call: TorchCall, values: Tensor, pads: Pads) -> Tensor:
    """Return each window's sum over the number of its entries that count, for padding that torch cannot add itself."""
    wide = reach(call.attributes, pads)
    counted, rest = call.torch.ones_like(values[:1, :1]), wide
    if call.attributes.get("count_include_pad"):
        counted, rest = explicitly_padded(call, counted, pads, 1.0), _difference(wide, pads)
    average = getattr(call.torch.nn.functional, f"avg_pool{len(pads) // 2}d")
    # Averages stand for sums: both are divided by the size of the window, which falls out.
    total, count = (
        average(explicitly_padded(call, item, widths), call.attributes["kernel"], call.attributes["stride"])
        for item, widths in ((values, wide), (counted, rest))
    )
    result: Tensor = total / count
    return result


def _difference(outer: Pads, inner: Pads) -> Pads:
    return tuple(wide - narrow for wide, narrow in zip(outer, inner, strict=True))


def avgpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the average of each window."""
    # Rounding up is written as padding that does not count, see `maxpool_onnx`. Where the layer's own padding counts
    # and that does not, the own padding becomes a node: its rows then are pixels.
    attributes = call.attributes
    padding, counts = attributes["pad"], attributes.get("count_include_pad", False)
    values, written = onnx_padding(call, sink)
    if padding != "same":
        wide = reach(attributes, padding)
        if counts and any(padding) and wide != padding:
            values, counts = onnx_explicit_padding(call, sink, padding, 0.0), False
            wide = _difference(wide, padding)
        written = {"pads": onnx_pads(wide)}
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
    work=Work(_avgpool_operations, avgpool_keeps),
    summary="Average of each window, the sum of its pixels over their number: out = floor((in + before + after - "
    "kernel) / stride) + 1 per axis. It asks how much of a feature there is; the gradient goes to all pixels alike.",
    arguments=(
        KERNEL,
        STRIDE,
        Argument("pad", Padding(), "Zeros added around the image.", 0),
        CEIL,
        Argument(
            "count_include_pad",
            Flag(),
            "Whether the zeros count in the average (torch's default) or only pixels do (ONNX's and Keras's); "
            "what ceil adds never counts.",
            False,
        ),
    ),
    settle=settle_pool,
    shape=pool_shape,
    window=receptive_window,
    formula=window_formula,
    torch=avgpool_torch,
    onnx=avgpool_onnx,
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


RECORDS = (MAXPOOL, AVGPOOL)
