"""Sliding windows in one place: padding forms, output sizes and the messages when a window does not fit.

Formulas after Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016):
`out = floor((in + before + after - extent) / stride) + 1` with `extent = dilation * (kernel - 1) + 1`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from striate.dims import Dim, ceil_div, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import format_value
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, Window
from striate.ops.sizes import product
from striate.ops.work import Kept

AXES = ("height", "width")
Pads = tuple[int, ...]
"""Rows before and after, axis by axis: `(top, bottom, left, right)` of an image."""

_AXIS_NAMES = {1: ("length",), 2: AXES, 3: ("depth", *AXES)}


def axis_names(count: int) -> tuple[str, ...]:
    """Return the names of the axes of a sequence (1), an image (2) or a volume (3)."""
    return _AXIS_NAMES.get(count) or tuple(f"axis {axis + 1}" for axis in range(count))


def row_names(count: int) -> tuple[str, ...]:
    """Return what one position along each axis of a sequence, an image or a volume is called."""
    return ("position",) if count == 1 else ("row", "column") if count == 2 else ("slice", "row", "column")


def image_size(inputs: Sequence[TensorType]) -> tuple[Dim, Dim, Dim]:
    """Return channels, height and width of the (first) input.

    Raises:
        LayerError: the value is no image `C x H x W`.
    """
    value = inputs[0]
    if value.rank != 3:
        raise _no_grid(value, "an image C x H x W")
    channels, height, width = value.shape
    return channels, height, width


def grid_size(inputs: Sequence[TensorType]) -> tuple[Dim, ...]:
    """Return the size of the (first) input without its channels: `L`, `H x W` or `D x H x W`.

    Raises:
        LayerError: the value is no sequence `C x L`, image `C x H x W` or volume `C x D x H x W`.
    """
    value = inputs[0]
    if not 2 <= value.rank <= 4:
        raise _no_grid(value, "an image C x H x W (or a sequence C x L, or a volume C x D x H x W)")
    return value.shape[1:]


def _no_grid(value: TensorType, wanted: str) -> LayerError:
    return LayerError(
        Problem(
            f"needs {wanted}, but gets {format_shape(value)}",
            code="E0204",
            help="put this layer before flatten" if value.rank == 1 else None,
        )
    )


def axis_numbers(attributes: Attributes, names: Sequence[str], inputs: Sequence[TensorType]) -> dict[str, Any]:
    """Return the attributes with one number per axis for each of the named ones.

    Raises:
        LayerError: an argument has another number of entries than the input has axes, or the input is no grid.
    """
    axes = axis_names(len(grid_size(inputs)))
    settled = dict(attributes)
    for name in names:
        value = attributes.get(name)
        if isinstance(value, int):
            settled[name] = (value,) * len(axes)
        elif isinstance(value, tuple) and len(value) != len(axes):
            raise _wrong_count(name, value, (len(axes),), f"({', '.join(axes)})", inputs)
    return settled


def _wrong_count(
    name: str, value: tuple[int, ...], counts: tuple[int, ...], form: str, inputs: Sequence[TensorType]
) -> LayerError:
    wanted = " or ".join(map(str, counts))
    # As many as there are axes: what is too much goes, and the last one stands for what is missing.
    right = (*value, *value[-1:] * counts[0])[: counts[0]]
    return LayerError(
        Problem(
            f"{name} {format_value(value)} has {len(value)} numbers, but {format_shape(inputs[0])} takes {wanted}",
            code="E0211",
            argument=name,
            help=f"write one number for all axes, or {form}",
            repair=((name, format_numbers(right)),),
        )
    )


def extents(attributes: Attributes) -> tuple[int, ...]:
    """Return the pixels that the dilated kernel spans, `dilation * (kernel - 1) + 1`, per axis."""
    kernel = attributes["kernel"]
    dilation = attributes.get("dilation") or (1,) * len(kernel)
    return tuple(step * (size - 1) + 1 for size, step in zip(kernel, dilation, strict=True))


def dilations(attributes: Attributes) -> tuple[int, ...]:
    """Return the distance between two kernel entries per axis, 1 for layers that have no such argument."""
    found: tuple[int, ...] = attributes.get("dilation") or (1,) * len(attributes["kernel"])
    return found


def before_after(pads: Pads, axis: int) -> tuple[int, int]:
    """Return the padding before and after along an axis."""
    return pads[2 * axis], pads[2 * axis + 1]


def settle_windows(attributes: dict[str, Any], inputs: tuple[TensorType, ...]) -> dict[str, Any]:
    """Give kernel, stride, dilation and padding one number per axis and side.

    Replaces `half` and, where stride or input size allow it, `same` by numbers. `same` with a stride above 1 needs the
    input size; with an open size it stays `same` and is worked out per input.
    """
    attributes = axis_numbers(attributes, ("kernel", "stride", "dilation"), inputs)
    padding = attributes["pad"]
    if not isinstance(padding, str):
        return {**attributes, "pad": _sides(padding, inputs)}
    spans = extents(attributes)
    if padding == "half":
        return {**attributes, "pad": tuple((span - 1) // 2 for span in spans for _ in range(2))}
    sizes = grid_size(inputs)
    totals = [
        same_total(size, span, stride) for size, span, stride in zip(sizes, spans, attributes["stride"], strict=True)
    ]
    known = [total for total in totals if isinstance(total, int)]
    return {**attributes, "pad": split_same(known)} if len(known) == len(totals) else attributes


def _sides(padding: int | tuple[int, ...], inputs: Sequence[TensorType]) -> Pads:
    """Return `(before, after)` per axis of a number, one number per axis, or two per axis."""
    axes = axis_names(len(grid_size(inputs)))
    count = len(axes)
    if isinstance(padding, int):
        return (padding,) * (2 * count)
    if len(padding) == 2 * count:
        return padding
    if len(padding) == count:
        return tuple(pad for pad in padding for _ in range(2))
    sides = "(top, bottom, left, right)" if count == 2 else f"{2 * count} numbers, two per axis"
    raise _wrong_count("pad", padding, (count, 2 * count), f"({', '.join(axes)}), or {sides}", inputs)


def same_total(size: Dim, extent: int, stride: int) -> Dim | None:
    """Return the padding of one axis that gives `ceil(size / stride)`, or None where it depends on an open size."""
    if stride == 1:
        return extent - 1
    if not isinstance(size, int):
        return None
    return max((-(-size // stride) - 1) * stride + extent - size, 0)


def split_same(totals: Sequence[int]) -> Pads:
    """Split totals into before and after per axis, the odd row below and to the right (ONNX SAME_UPPER)."""
    return tuple(part for total in totals for part in (total // 2, total - total // 2))


def widest_sides(attributes: Attributes, sizes: Sequence[Dim]) -> list[Dim]:
    """Return the wider side of the padding per axis, for an open `same` as an expression (0 or less: none).

    That is half the total, rounded up, of `ceil(size / stride) * stride - size + extent - stride`.
    """
    padding = attributes["pad"]
    if padding != "same":
        return [max(padding[2 * axis : 2 * axis + 2]) for axis in range(len(sizes))]
    steps = zip(sizes, extents(attributes), attributes["stride"], strict=True)
    return [ceil_div(ceil_div(size, stride) * stride - size + extent - stride, 2) for size, extent, stride in steps]


def ceil_padding(attributes: Attributes, pads: Pads) -> Pads:
    """Return the padding with which rounding down gives the output size that rounding up asks for.

    torch and ONNX define rounding up as `ceil((in + before + after - extent) / stride) + 1`, less a last window that
    would begin behind the image and the padding before it. For `after < extent` that is the same as rounding down with
    `min(after + stride - 1, extent - 1)` in place of `after`, for known and open sizes alike. A layer for which the
    value of padding does not count needs no other form.
    """
    widened = list(pads)
    for axis, (span, stride) in enumerate(zip(extents(attributes), attributes["stride"], strict=True)):
        widened[2 * axis + 1] = min(pads[2 * axis + 1] + stride - 1, span - 1)
    return tuple(widened)


def window_output(attributes: Attributes, sizes: Sequence[Dim], check: Check, *, ceil: bool = False) -> list[Dim]:
    """Return the output size of a sliding window per axis; demands that the window fits.

    With `ceil` the division rounds up (see `ceil_padding`); each side's padding must then be smaller than the window.
    """
    spans, strides = extents(attributes), attributes["stride"]
    if attributes["pad"] == "same":
        return [ceil_div(size, stride) for size, stride in zip(sizes, strides, strict=True)]
    pads = ceil_padding(attributes, attributes["pad"]) if ceil else attributes["pad"]
    result = []
    for axis, size in enumerate(sizes):
        room = size + sum(before_after(pads, axis)) - spans[axis]
        check.at_least(room, 0, lambda axis=axis: _does_not_fit(attributes, axis, sizes, ceil=ceil))  # type: ignore[misc]
        result.append(room // strides[axis] + 1)
    return result


def window_formula(attributes: Attributes, inputs: Sequence[TensorType], axis: int) -> str:
    """Return the output-size formula of a sliding window with its numbers, e.g. `floor((56 + 2*1 - 3)/2) + 1`."""
    size, stride = inputs[0].shape[1 + axis], attributes["stride"][axis]
    if attributes["pad"] == "same":
        return f"ceil({format_dim(size) if isinstance(size, int) else f'({format_dim(size)})'}/{stride})"
    before, after = before_after(attributes["pad"], axis)
    padded = "".join((_padded(format_dim(size), before, after), f" - {extents(attributes)[axis]}"))
    if stride == 1:
        return f"{padded} + 1"
    return f"{'ceil' if attributes.get('ceil') else 'floor'}(({padded})/{stride}) + 1"


def _padded(size: str, before: int, after: int) -> str:
    if before == after:
        return f"{size} + 2*{before}" if before else size
    return f"{size} + {before} + {after}"


def _does_not_fit(attributes: Attributes, axis: int, sizes: Sequence[Dim], *, ceil: bool) -> Problem:
    name = axis_names(len(sizes))[axis]
    size, span = sizes[axis], extents(attributes)[axis]
    stride, kernel = attributes["stride"][axis], attributes["kernel"][axis]
    before, after = before_after(attributes["pad"], axis)
    slack = stride - 1 if ceil else 0
    formula = window_formula(attributes, (TensorType((1, *sizes)),), axis)
    if not isinstance(size, int):
        return Problem(
            f"needs a {name} of at least {span - before - after - slack}, but gets {format_dim(size)}",
            code="E0202",
            argument="kernel",
            notes=(f"{name}: {formula}",),
        )
    dilation = (span - 1) // (kernel - 1) if kernel > 1 else 1
    largest = (size + before + after + slack - 1) // dilation + 1
    padding = format_padding(_least_padding(attributes, sizes, ceil=ceil))
    return Problem(
        f"kernel {kernel}{f' (dilated to {span})' if span != kernel else ''} is larger than the {name} {size}"
        f" with padding {before} + {after}",
        code="E0202",
        argument="kernel",
        notes=(f"{name}: {formula} = {(size + before + after - span + slack) // stride + 1}",),
        help=f"pad = {padding} is the least that fits, or use a kernel of at most {largest}",
        repair=(("pad", padding),),
        alternatives=tuple(_smaller_windows(attributes, sizes, ceil=ceil)),
    )


def _smaller_windows(
    attributes: Attributes, sizes: Sequence[Dim], *, ceil: bool
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield the largest kernel that fits, odd where the one written is odd, and the largest dilation that does."""
    kernels, closer = [], []
    for axis, size in enumerate(sizes):
        kernel, dilation = attributes["kernel"][axis], dilations(attributes)[axis]
        slack = attributes["stride"][axis] - 1 if ceil else 0
        room = dilation * (kernel - 1)
        if isinstance(size, int):
            room = size + sum(before_after(attributes["pad"], axis)) + slack - 1
        most = min(kernel, room // dilation + 1)
        kernels.append(most - 1 if most > 1 and most % 2 == 0 and kernel % 2 else most)
        closer.append(min(dilation, room // (kernel - 1)) if kernel > 1 else dilation)
    if min(kernels) >= 1:
        yield (("kernel", format_numbers(kernels)),)
    if min(closer) >= 1 and tuple(closer) != dilations(attributes):
        yield (("dilation", format_numbers(closer)),)


def format_numbers(numbers: Sequence[int]) -> str:
    """Return one number per axis as a file writes it: a single one where all are the same."""
    return str(numbers[0]) if len(set(numbers)) == 1 else format_value(tuple(numbers))


def _least_padding(attributes: Attributes, sizes: Sequence[Dim], *, ceil: bool) -> list[int]:
    """Return the padding with all axes widened, as little as possible, to where the window fits."""
    pads = list(attributes["pad"])
    for axis, (size, span) in enumerate(zip(sizes, extents(attributes), strict=True)):
        slack = attributes["stride"][axis] - 1 if ceil else 0
        if isinstance(size, int) and size + pads[2 * axis] + pads[2 * axis + 1] + slack < span:
            pads[2 * axis : 2 * axis + 2] = [-(-(span - size - slack) // 2)] * 2
    return pads


def format_padding(pads: Sequence[int]) -> str:
    """Return settled padding in its shortest written form: a number, one per axis, or two per axis."""
    befores, afters = pads[::2], pads[1::2]
    return format_numbers(befores) if tuple(befores) == tuple(afters) else format_value(tuple(pads))


def receptive_window(attributes: Attributes, inputs: tuple[TensorType, ...]) -> Window:
    """Return the window of a convolution or pooling layer with settled attributes.

    Where `same` waits for the input size, its padding is that of an input whose size the stride divides.
    """
    spans, strides, padding = extents(attributes), attributes["stride"], attributes["pad"]
    if padding == "same":
        before = tuple(max(span - stride, 0) // 2 for span, stride in zip(spans, strides, strict=True))
    else:
        before = tuple(padding[::2])
    apart = dilations(attributes)
    return Window(spans, strides, before, tuple(apart) if max(apart) > 1 else ())


def kept_windows(attributes: Attributes, inputs: tuple[TensorType, ...], *, copies: Callable[[Pads], bool]) -> Kept:
    """Return what backward keeps of a layer of sliding windows: its input, or the padded copy that is made of it.

    Args:
        attributes: settled ones.
        inputs: the layer's inputs.
        copies: whether torch cannot pad so by itself, and the rows are added in a copy.
    """
    channels, *sizes = inputs[0].shape
    pads = attributes["pad"]
    if pads == "same":
        spans, strides = extents(attributes), attributes["stride"]
        totals = [same_total(size, span, stride) for size, span, stride in zip(sizes, spans, strides, strict=True)]
        known = [total for total in totals if isinstance(total, int)]
        if len(known) < len(totals):
            return Kept((0,))  # of an open size it is not known whether the padding is the same on both sides
        pads = split_same(known)
    if not copies(pads):
        return Kept((0,))
    return Kept(numbers=product((channels, *(size + sum(before_after(pads, axis)) for axis, size in enumerate(sizes)))))
