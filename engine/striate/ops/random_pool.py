"""Pooling with chance in training: stochastic pooling draws the pixel, fractional pooling the places of its windows.

Chance comes from torch's generator, so that a seeded run can be repeated. Evaluation draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim, format_dim
from striate.ops.arguments import Argument, Optional, Padding, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import axis_names, axis_numbers, grid_size, receptive_window, window_formula
from striate.ops.moves import Move, moved
from striate.ops.padding import actual_pads, explicitly_padded, onnx_padding, onnx_pads
from striate.ops.pool import CEIL, KERNEL, STRIDE, pool_shape, reach, reached_entries, settle_pool
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.resampling import as_fraction
from striate.ops.shape_arguments import Factors, per_axis
from striate.ops.sizes import entries, product, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import one_of_arguments
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_TINIEST = 2.0**-126
"""The smallest normal number of float32: what a sum is divided by at least."""


def _stochastic_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count what relu and the square do to each pixel, two sums for each window, and their quotient."""
    return entries(inputs[0]) * 2 + entries(outputs[0]) * (2 * prod(attributes["kernel"]) + 1)


def _stochastic_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep the pixels of all windows side by side; those of a sequence are read where they lie."""
    out = entries(outputs[0])
    windows = reached_entries(attributes, inputs) if inputs[0].rank == 2 else out * prod(attributes["kernel"])
    return Kept(numbers=windows, indices=out, marks=out)


def _stochastic_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The padded image, its pixels above 0 and their squares; the places above are drawn in training only.
    return reached_entries(attributes, inputs) * 3 - entries(outputs[0]) * 2


def _stochastic_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    padded = explicitly_padded(call, value, reach(call.attributes, actual_pads(call, value)))
    if call.training:
        return _drawn(call, padded)
    kernel, stride = call.attributes["kernel"], call.attributes["stride"]
    average = getattr(call.torch.nn.functional, f"avg_pool{len(kernel)}d")
    # In float32 at least: the square of 256 is infinite in half precision.
    chances = call.torch.relu(padded.to(call.torch.promote_types(value.dtype, call.torch.float32)))
    # Averages stand for sums: the size of the window falls out.
    squares, total = average(chances.square(), kernel, stride), average(chances, kernel, stride)
    result: Tensor = (squares / total.clamp(min=call.torch.finfo(total.dtype).tiny)).to(value.dtype)
    return result


def _drawn(call: TorchCall, padded: Tensor) -> Tensor:
    """Return one pixel of each window, drawn in proportion to what relu leaves of it; 0 where that is nothing."""
    torch, kernel = call.torch, call.attributes["kernel"]
    windows = padded
    for axis, (extent, step) in enumerate(zip(kernel, call.attributes["stride"], strict=True), start=2):
        windows = windows.unfold(axis, extent, step)
    windows = windows.flatten(-len(kernel))
    chances = torch.relu(windows.detach())
    chances = chances.to(torch.promote_types(chances.dtype, torch.float32)).cumsum(-1)
    total = chances[..., -1:]
    # Kept below the sum, which rounding could make of it, so that a pixel without a chance is never drawn.
    mark = torch.minimum(torch.rand_like(total) * total, torch.nextafter(total, torch.zeros_like(total)))
    place = (chances <= mark).sum(-1, keepdim=True).clamp(max=prod(kernel) - 1)
    result: Tensor = (windows.gather(-1, place) * (total > 0)).squeeze(-1)
    return result


def _stochastic_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    padding = attributes["pad"]
    if padding == "same":
        _, written = onnx_padding(call, sink)
    else:
        written = {"pads": onnx_pads(reach(attributes, padding))}
    how = {"kernel_shape": attributes["kernel"], "strides": attributes["stride"], "count_include_pad": 1, **written}
    chances = write("Relu", call.inputs[0])
    squares = write("AveragePool", write("Mul", chances, chances), **how)
    total = write("Max", write("AveragePool", chances, **how), write.number(_TINIEST))
    write.result("Div", squares, total)


STOCHASTIC_POOL = OpRecord(
    name="stochastic_pool",
    work=Work(_stochastic_operations, _stochastic_keeps, _stochastic_scratch),
    summary="One pixel of each window, drawn in training with the chance max(in, 0) / (sum of max(in, 0)); evaluation "
    "gives the mean under these chances, (sum of max(in, 0)^2) / (sum of max(in, 0)). Out is 0 where no pixel is above "
    "0: put it behind relu. It regularises like dropout, and keeps more of a window than its maximum.",
    arguments=(
        KERNEL,
        STRIDE,
        Argument("pad", Padding(), "Rows and columns around the image that are never drawn.", 0),
        CEIL,
    ),
    settle=settle_pool,
    shape=pool_shape,
    window=receptive_window,
    formula=window_formula,
    torch=_stochastic_torch,
    onnx=_stochastic_onnx,
    samples=(
        Sample({"kernel": 2}, ((6, 8, 10),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "ceil": True}, ((4, 14, 11),)),
        Sample({"kernel": 3, "stride": 2, "pad": "same"}, ((5, 7, 8),)),
        Sample({"kernel": 3, "stride": 2, "pad": (1, 2)}, ((3, 14),)),
        Sample({"kernel": (1, 2, 3), "pad": (0, 1, 1)}, ((3, 4, 5, 7),)),
        Sample({"kernel": (3, 8)}, ((8, 9, 7),), fails="kernel 8 is larger than the width 7"),
        Sample({"kernel": 2, "pad": 2}, ((8, 9, 9),), fails="not smaller than the window's height 2"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Zeiler and Fergus, Stochastic pooling for regularization of deep convolutional neural networks, 2013, "
    "section 3",
)


def _settle_fractional(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    attributes = axis_numbers(attributes, ("kernel", "size"), inputs)
    if one_of_arguments(attributes, ("size", "ratio")) == "size":
        return attributes
    return {**attributes, "ratio": per_axis(attributes["ratio"], inputs[0].rank - 1, "ratio")}


def _made(attributes: Attributes, sizes: Sequence[Dim]) -> list[Dim]:
    """Return the output size along each axis: as given, or the share of the input, rounded down."""
    if attributes["size"] is not None:
        return list(attributes["size"])
    shares = [as_fraction(ratio) for ratio in attributes["ratio"]]
    return [size * share.numerator // share.denominator for size, share in zip(sizes, shares, strict=True)]


def _fractional_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    made, kernel = _made(attributes, sizes), attributes["kernel"]
    for name, size, out, extent in zip(axis_names(len(sizes)), sizes, made, kernel, strict=True):

        def problem(name: str = name, size: Dim = size, out: Dim = out, extent: int = extent) -> Problem:
            known = isinstance(size, int) and size >= extent
            return Problem(
                f"{format_dim(out)} windows of {extent} cannot begin at different places of a {name} of "
                f"{format_dim(size)}",
                code="E0202",
                argument="kernel",
                notes=(f"out + kernel - 1 = {format_dim(out + extent - 1)} must be {format_dim(size)} at most",),
                help=f"{size - extent + 1} windows of {extent} are the most" if known else "use a smaller kernel",
            )

        check.at_least(size - out - extent + 1, 0, problem)
        check.at_least(out, 1, lambda name=name, size=size: _nothing_left(name, size))  # type: ignore[misc]
    return typed(inputs[0].channels, *made)


def _nothing_left(name: str, size: Dim) -> Problem:
    return Problem(
        f"the ratio leaves nothing of the {name} {format_dim(size)}",
        code="E0202",
        argument="ratio",
        help="use a larger ratio, or size",
    )


def _fractional_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """Return the windows that hold all those that can be drawn: they lie up to one pixel behind `o * step`."""
    moves: dict[int, Move | None] = {}
    made = _made(attributes, inputs[0].shape[1:])
    for axis, (given, out, extent) in enumerate(zip(inputs[0].shape[1:], made, attributes["kernel"], strict=True), 2):
        if not isinstance(given, int) or not isinstance(out, int):
            moves[axis] = None
        elif out == 1:
            moves[axis] = Move(given - extent, given - 1)
        else:
            step = Fraction(given - extent, out - 1)
            parts = step.denominator
            moves[axis] = Move(Fraction(1 - parts, parts), extent - (1 if parts == 1 else 0), step)
    return moved(inputs[0], moves)


def _window_starts(given: int, made: int, extent: int) -> list[int]:
    """Return where windows begin in evaluation: `floor((o + 1/2) step) - floor(step / 2)`, the last one at the end."""
    room, twice = given - extent, 2 * (made - 1)
    return [(2 * out + 1) * room // twice - room // twice for out in range(made - 1)] + [room]


def _axis_by_axis(attributes: Attributes, inputs: Types) -> list[tuple[Dim, Dim]]:
    """Return, for each axis, the entries of all windows side by side, and those of their maxima."""
    sizes = list(inputs[0].shape[1:])
    steps = []
    for axis, (made, extent) in enumerate(zip(_made(attributes, sizes), attributes["kernel"], strict=True)):
        sizes[axis] = made
        pooled = product((inputs[0].channels, *sizes))
        steps.append((pooled * extent, pooled))
    return steps


def _fractional_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    total: Dim = 0
    for taken, pooled in _axis_by_axis(attributes, inputs):
        total = total + taken - pooled
    return total


def _fractional_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    if inputs[0].rank < 4:
        return Kept((0,), indices=entries(outputs[0]))
    numbers: Dim = -entries(outputs[0])  # the last maxima are the output
    for taken, pooled in _axis_by_axis(attributes, inputs):
        numbers = numbers + taken + pooled
    places = sum(
        made * extent
        for made, extent in zip(outputs[0].shape[1:], attributes["kernel"], strict=True)
        if isinstance(made, int)
    )
    return Kept((0,), output=True, numbers=numbers, indices=inputs[0].channels * places)


def _fractional_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the windows side by side, the maxima before and behind an axis; what training draws is not made."""
    before: Dim = 0
    steps = []
    for taken, pooled in _axis_by_axis(attributes, inputs):
        steps.append(before + taken + pooled)
        before = pooled
    known = [step for step in steps if isinstance(step, int)]
    most: Dim = max(known) if len(known) == len(steps) else steps[0]
    return most - entries(outputs[0]) - _fractional_keeps(attributes, inputs, outputs).indices * 2


def _fractional_torch(call: TorchCall) -> Tensor:
    value, kernel = call.inputs[0], call.attributes["kernel"]
    sizes = [int(size) for size in value.shape[2:]]
    made = [size for size in _made(call.attributes, sizes) if isinstance(size, int)]
    if call.training:
        return _fractional_drawn(call, value, made)
    for axis, (given, out, extent) in enumerate(zip(sizes, made, kernel, strict=True), start=2):
        places = [start + step for start in _window_starts(given, out, extent) for step in range(extent)]
        # In one line, so that the windows of one axis are gone before those of the next are made.
        shape = (*value.shape[:axis], out, extent, *value.shape[axis + 1 :])
        value = value.index_select(axis, call.torch.tensor(places, device=value.device)).reshape(shape).amax(axis + 1)
    return value


def _fractional_drawn(call: TorchCall, value: Tensor, made: Sequence[int]) -> Tensor:
    """Return the pooled value with places drawn for each image and channel, as torch's layers draw them."""
    kernel = tuple(call.attributes["kernel"])
    if value.dim() == 5:
        return _drawn_volume(call, value, made)
    is_sequence = value.dim() == 3
    if is_sequence:  # an image of one row
        value, kernel, made = value.unsqueeze(2), (1, *kernel), (1, *made)
    offsets = call.torch.rand((*value.shape[:2], 2), dtype=value.dtype, device=value.device)
    result: Tensor = call.torch.nn.functional.fractional_max_pool2d(
        value, kernel, output_size=tuple(made), _random_samples=offsets
    )
    return result.squeeze(2) if is_sequence else result


def _drawn_volume(call: TorchCall, value: Tensor, made: Sequence[int]) -> Tensor:
    """Return the same axis by axis: torch's own for volumes refuses windows that begin at every place of an axis."""
    torch, kernel = call.torch, call.attributes["kernel"]
    offsets = torch.rand((*value.shape[:2], 3), dtype=value.dtype, device=value.device)
    for axis, (out, extent) in enumerate(zip(made, kernel, strict=True), start=2):
        room, offset = value.shape[axis] - extent, offsets[:, :, axis - 2, None]
        step, count = room / max(out - 1, 1), torch.arange(out, device=value.device)
        starts = torch.floor((count + offset) * step).long() - torch.floor(offset * step).long()
        starts = torch.where(count == out - 1, room, starts)
        places = (starts[..., None] + torch.arange(extent, device=value.device)).flatten(2)
        rest = [1 if position != axis else -1 for position in range(2, 5)]
        wide = [size if position != axis else out * extent for position, size in enumerate(value.shape)]
        taken = value.gather(axis, places.reshape(*places.shape[:2], *rest).expand(wide))
        value = taken.reshape(*value.shape[:axis], out, extent, *value.shape[axis + 1 :]).amax(axis + 1)
    return value


def _fractional_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write, for each axis, the pixels of all windows side by side (Gather) and their maximum."""
    write, value = Decomposition(call, sink), call.inputs[0]
    sizes = zip(call.input_types[0].shape[1:], call.output_types[0].shape[1:], call.attributes["kernel"], strict=True)
    for axis, (given, made, extent) in enumerate(sizes, start=2):
        if isinstance(given, int) and isinstance(made, int):
            known = [start + step for start in _window_starts(given, made, extent) for step in range(extent)]
            places = write("Reshape", write.sizes(known), write.sizes([made, extent]))
        else:
            column = write("Unsqueeze", _open_starts(write, call, axis, made, extent), write.sizes([1]))
            places = write("Add", column, write.sizes(range(extent)))
        value = write.reduced("ReduceMax", write("Gather", value, places, axis=axis), [axis + 1], keep=False)
    write.result("Identity", value)


def _open_starts(write: Decomposition, call: OnnxCall, axis: int, made: Dim, extent: int) -> str:
    """Write `_window_starts` for a size that is known when the model runs."""
    one, two = write.sizes([1]), write.sizes([2])
    size = write.size_of(call.inputs[0], axis)
    if isinstance(made, int):
        out = write.sizes([made])
    else:
        share = as_fraction(call.attributes["ratio"][axis - 2])
        out = write("Div", write("Mul", size, write.sizes([share.numerator])), write.sizes([share.denominator]))
    room = write("Sub", size, write.sizes([extent]))
    less = write("Sub", out, one)
    twice = write("Max", write("Mul", less, two), one)  # of a single window the last place counts, not the quotient
    count = write("Range", write.whole(0), write("Squeeze", out), write.whole(1))
    reached = write("Div", write("Mul", write("Add", write("Mul", count, two), one), room), twice)
    return write("Where", write("Equal", count, less), room, write("Sub", reached, write("Div", room, twice)))


FRACTIONAL_MAXPOOL = OpRecord(
    name="fractional_maxpool",
    work=Work(_fractional_operations, _fractional_keeps, _fractional_scratch),
    summary="Maximum of windows that lie a fraction of a pixel apart on average, so that a network can pool by 1.4 "
    "instead of 2, and more often: with step = (in - kernel) / (out - 1), window o begins at floor((o + u) step) - "
    "floor(u step), the last one at the end. Training draws u for each image and channel; evaluation takes u = 1/2 "
    "(torch's layer goes on drawing).",
    arguments=(
        Argument(
            "kernel",
            PerAxis(),
            "Size of the window: one number, or one per axis. Windows overlap where it is larger than in / out.",
        ),
        Argument("size", Optional(PerAxis()), "Size of the output, one number per axis.", None),
        Argument(
            "ratio",
            Optional(Factors()),
            "Instead of size: out / in, rounded down to whole pixels, e.g. 0.7071 for a pooling by the root of 2.",
            None,
        ),
    ),
    settle=_settle_fractional,
    shape=_fractional_shape,
    window=_fractional_window,
    torch=_fractional_torch,
    onnx=_fractional_onnx,
    samples=(
        Sample({"kernel": 2, "size": (6, 7)}, ((3, 9, 11),)),
        Sample({"kernel": 2, "ratio": 0.7071}, ((3, 12, 10),)),
        Sample({"kernel": (3, 2), "ratio": (0.5, 0.75)}, ((3, 10, 9),)),
        Sample({"kernel": 2, "size": 1}, ((2, 3, 4),)),
        Sample({"kernel": 2, "size": 5}, ((3, 9),)),
        Sample({"kernel": 2, "size": (2, 3, 3)}, ((2, 4, 5, 6),)),
        Sample(
            {"kernel": 3, "size": 4}, ((3, 9, 5),), fails="4 windows of 3 cannot begin at different places of a width"
        ),
        Sample({"kernel": 1, "ratio": 0.1}, ((3, 9, 20),), fails="the ratio leaves nothing of the height 9"),
        Sample({"kernel": 2}, ((3, 9, 5),), fails="takes one of size, ratio"),
        Sample({"kernel": 2, "size": 3, "ratio": 0.5}, ((3, 9, 5),), fails="takes only one of size, ratio"),
        Sample({"kernel": 2, "size": 3}, ((16,),), fails="needs an image"),
    ),
    reference="Graham, Fractional max-pooling, 2015, section 3",
)

RECORDS = (STOCHASTIC_POOL, FRACTIONAL_MAXPOOL)
