"""Sliding windows in one place: padding forms, output sizes and the messages when a window does not fit.

Formulas after Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016):
`out = floor((in + before + after - extent) / stride) + 1` with `extent = dilation * (kernel - 1) + 1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.dims import Dim, ceil_div, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, Window

AXES = ("height", "width")
Pads = tuple[int, int, int, int]


def image_size(inputs: Sequence[TensorType]) -> tuple[Dim, Dim, Dim]:
    """Return channels, height and width of the (first) input.

    Raises:
        LayerError: the value is no image `C x H x W`.
    """
    value = inputs[0]
    if value.rank != 3:
        raise LayerError(
            Problem(
                f"needs an image C x H x W, but gets {format_shape(value)}",
                code="E0204",
                help="put this layer before flatten" if value.rank == 1 else None,
            )
        )
    channels, height, width = value.shape
    return channels, height, width


def extents(attributes: Attributes) -> tuple[int, int]:
    """Return the pixels that the dilated kernel spans, `dilation * (kernel - 1) + 1`, per axis."""
    kernel = attributes["kernel"]
    dilation = attributes.get("dilation", (1, 1))
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def settle_padding(attributes: dict[str, Any], inputs: tuple[TensorType, ...]) -> dict[str, Any]:
    """Replace `half` and, where stride or input size allow it, `same` by numbers.

    `same` with a stride above 1 needs the input size; with an open size it stays `same` and is worked out per input.
    """
    padding = attributes["pad"]
    if not isinstance(padding, str):
        return attributes
    spans = extents(attributes)
    if padding == "half":
        top, left = ((span - 1) // 2 for span in spans)
        return {**attributes, "pad": (top, top, left, left)}
    sizes = image_size(inputs)[1:]
    totals = [
        same_total(size, span, stride) for size, span, stride in zip(sizes, spans, attributes["stride"], strict=True)
    ]
    if not all(isinstance(total, int) for total in totals):
        return attributes
    return {**attributes, "pad": split_same(*totals)}  # type: ignore[arg-type]  # whole numbers, checked above


def same_total(size: Dim, extent: int, stride: int) -> Dim | None:
    """Return the padding of one axis that gives `ceil(size / stride)`, or None where it depends on an open size."""
    if stride == 1:
        return extent - 1
    if not isinstance(size, int):
        return None
    return max((-(-size // stride) - 1) * stride + extent - size, 0)


def split_same(vertical: int, horizontal: int) -> Pads:
    """Split totals into `(top, bottom, left, right)`, the odd row below and to the right (ONNX SAME_UPPER)."""
    return vertical // 2, vertical - vertical // 2, horizontal // 2, horizontal - horizontal // 2


def ceil_padding(attributes: Attributes, pads: Pads) -> Pads:
    """Return the padding with which rounding down gives the output size that rounding up asks for.

    torch and ONNX define rounding up as `ceil((in + before + after - extent) / stride) + 1`, less a last window that
    would begin behind the image and the padding before it. For `after < extent` that is the same as rounding down with
    `min(after + stride - 1, extent - 1)` in place of `after`, for known and open sizes alike. A layer for which the
    value of padding does not count needs no other form.
    """
    (tall, wide), (down, across) = extents(attributes), attributes["stride"]
    top, bottom, left, right = pads
    return top, min(bottom + down - 1, tall - 1), left, min(right + across - 1, wide - 1)


def window_output(attributes: Attributes, sizes: tuple[Dim, Dim], check: Check, *, ceil: bool = False) -> list[Dim]:
    """Return output height and width of a sliding window; demands that the window fits.

    With `ceil` the division rounds up (see `ceil_padding`); each side's padding must then be smaller than the window.
    """
    spans, strides = extents(attributes), attributes["stride"]
    if attributes["pad"] == "same":
        return [ceil_div(size, stride) for size, stride in zip(sizes, strides, strict=True)]
    top, bottom, left, right = ceil_padding(attributes, attributes["pad"]) if ceil else attributes["pad"]
    result = []
    for axis, pads in ((0, top + bottom), (1, left + right)):
        room = sizes[axis] + pads - spans[axis]
        check.at_least(room, 0, lambda axis=axis: _does_not_fit(attributes, axis, sizes, ceil=ceil))  # type: ignore[misc]
        result.append(room // strides[axis] + 1)
    return result


def _does_not_fit(attributes: Attributes, axis: int, sizes: tuple[Dim, Dim], *, ceil: bool) -> Problem:
    size, span = sizes[axis], extents(attributes)[axis]
    stride, kernel = attributes["stride"][axis], attributes["kernel"][axis]
    before, after = attributes["pad"][2 * axis : 2 * axis + 2]
    slack = stride - 1 if ceil else 0
    numbers = f"{'ceil' if ceil else 'floor'}(({format_dim(size)} + {before} + {after} - {span}) / {stride}) + 1"
    if not isinstance(size, int):
        return Problem(
            f"needs a {AXES[axis]} of at least {span - before - after - slack}, but gets {format_dim(size)}",
            code="E0202",
            argument="kernel",
            notes=(f"{AXES[axis]}: {numbers}",),
        )
    dilation = (span - 1) // (kernel - 1) if kernel > 1 else 1
    largest = (size + before + after + slack - 1) // dilation + 1
    padding = format_padding(_least_padding(attributes, sizes, ceil=ceil))
    return Problem(
        f"kernel {kernel}{f' (dilated to {span})' if span != kernel else ''} is larger than the {AXES[axis]} {size}"
        f" with padding {before} + {after}",
        code="E0202",
        argument="kernel",
        notes=(f"{AXES[axis]}: {numbers} = {(size + before + after - span + slack) // stride + 1}",),
        help=f"pad = {padding} is the least that fits, or use a kernel of at most {largest}",
        repair=(("pad", padding),),
    )


def _least_padding(attributes: Attributes, sizes: tuple[Dim, Dim], *, ceil: bool) -> list[int]:
    """Return the padding with both axes widened, as little as possible, to where the window fits."""
    pads = list(attributes["pad"])
    for axis, (size, span) in enumerate(zip(sizes, extents(attributes), strict=True)):
        slack = attributes["stride"][axis] - 1 if ceil else 0
        if isinstance(size, int) and size + pads[2 * axis] + pads[2 * axis + 1] + slack < span:
            pads[2 * axis : 2 * axis + 2] = [-(-(span - size - slack) // 2)] * 2
    return pads


def format_padding(pads: Sequence[int]) -> str:
    """Return settled padding in its shortest written form: a number, a pair, or `(top, bottom, left, right)`."""
    top, bottom, left, right = pads
    if top != bottom or left != right:
        return f"({top}, {bottom}, {left}, {right})"
    return str(top) if top == left else f"({top}, {left})"


def receptive_window(attributes: Attributes, inputs: tuple[TensorType, ...]) -> Window:
    """Return the window of a convolution or pooling layer with settled attributes.

    Where `same` waits for the input size, its padding is that of an input whose size the stride divides.
    """
    spans, strides, padding = extents(attributes), attributes["stride"], attributes["pad"]
    if padding == "same":
        before = tuple(max(span - stride, 0) // 2 for span, stride in zip(spans, strides, strict=True))
    else:
        before = (padding[0], padding[2])
    return Window(spans, strides, (before[0], before[1]))
