"""Rows and columns added around an image and taken away from it: pad, crop; and what fills an image: expand.

All of it works on the axes beside the channels, for sequences, images and volumes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Choice, OneOf, Optional, PerAxis, Real
from striate.ops.axes import named_axes
from striate.ops.decomposition import Decomposition
from striate.ops.fills import check_fill, onnx_padded, torch_padded
from striate.ops.moves import Move, moved
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import POINTWISE, Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.shape_arguments import NamedValue, Sides, per_axis, per_side
from striate.ops.sizes import typed, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import one_of_arguments, onnx_wanted, torch_wanted, wanted_space
from striate.ops.work import VIEWING, Kept, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor

_END = 2**63 - 1


def _settle_sides(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    with_space(inputs)
    return {**attributes, "sides": per_side(attributes["sides"], inputs[0].rank - 1, "sides")}


def _pad_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, sides, mode = inputs[0], attributes["sides"], attributes["mode"]
    if attributes["value"] and mode != "constant":
        raise LayerError(
            Problem(
                f"mode = {mode} takes its rows from the image, so that value has no effect",
                code="E0211",
                argument="value",
                help="leave value out, or write mode = constant",
                repair=(("mode", "constant"),),
            )
        )
    widest = [max(sides[2 * axis : 2 * axis + 2]) for axis in range(value.rank - 1)]
    axes = list(zip(named_axes(value.rank)[1:], value.shape[1:], widest, strict=True))
    check_fill(mode, ("mode", "sides"), axes, check)
    return typed(
        value.channels, *(size + sum(sides[2 * axis : 2 * axis + 2]) for axis, size in enumerate(value.shape[1:]))
    )


def _pad_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return moved(inputs[0], {axis + 2: Move(-before, -before) for axis, before in enumerate(attributes["sides"][::2])})


def _pad_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,)) if attributes["mode"] in ("reflect", "replicate") else Kept()


def _fill(attributes: Attributes) -> str | float:
    fill: str | float = attributes["value"] if attributes["mode"] == "constant" else attributes["mode"]
    return fill


def _pad_torch(call: TorchCall) -> Tensor:
    return torch_padded(call, call.inputs[0], call.attributes["sides"], _fill(call.attributes))


def _pad_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    onnx_padded(
        Decomposition(call, sink), call, call.inputs[0], call.attributes["sides"], _fill(call.attributes), last=True
    )


PAD = OpRecord(
    name="pad",
    work=Work(no_operations, _pad_keeps),
    summary="Rows and columns added around the image: out = before + in + after per axis.",
    arguments=(
        Argument(
            "sides",
            Sides(),
            "How many on each side: a number, one per axis (height, width), or before and after each axis "
            "(top, bottom, left, right).",
        ),
        Argument(
            "mode",
            OneOf(("constant", "reflect", "replicate", "circular")),
            "What they hold: a number, the image mirrored at its outermost pixels, those pixels repeated, or the "
            "image's other side.",
            Choice("constant"),
        ),
        Argument("value", Real(), "The number of mode = constant.", 0.0),
    ),
    settle=_settle_sides,
    shape=_pad_shape,
    window=_pad_window,
    torch=_pad_torch,
    onnx=_pad_onnx,
    samples=(
        Sample({"sides": 2}, ((3, 6, 5),)),
        Sample({"sides": (1, 2), "mode": "reflect"}, ((3, 6, 5),)),
        Sample({"sides": (1, 0, 3, 2), "mode": "replicate"}, ((3, 6, 5),)),
        Sample({"sides": (1, 2, 0, 5), "mode": "circular"}, ((3, 6, 5),)),
        Sample({"sides": (0, 1), "value": -1.5}, ((3, 6, 5),)),
        Sample({"sides": (2, 1), "mode": "reflect"}, ((4, 7),)),
        Sample({"sides": 3, "mode": "circular"}, ((4, 7),)),
        Sample({"sides": (1, 2, 0)}, ((2, 3, 4, 5),)),
        Sample({"sides": (1, 2, 0, 1, 2, 0), "mode": "replicate"}, ((2, 3, 4, 5),)),
        Sample({"sides": 1, "mode": "reflect"}, ((2, 3, 4, 5),)),
        Sample({"sides": 5, "mode": "reflect"}, ((3, 6, 5),), fails="padding 5 is too wide for the width 5"),
        Sample({"sides": 7, "mode": "circular"}, ((3, 6, 5),), fails="padding 7 is too wide for the height 6"),
        Sample({"sides": 1, "mode": "reflect", "value": 1}, ((3, 6, 5),), fails="value has no effect"),
        Sample({"sides": (1, 2, 3)}, ((3, 6, 5),), fails="sides has 3 numbers, its input has 2 axes"),
        Sample({"sides": -1}, ((3, 6, 5),), fails="sides must be a whole number of at least 0"),
        Sample({"sides": 1}, ((10,),), fails="needs pixels beside the channels"),
    ),
    reference="numpy.pad: constant, reflect, edge and wrap",
)


def _settle_crop(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    with_space(inputs)
    chosen = one_of_arguments(attributes, ("sides", "size", "like"))
    if chosen == "like":
        return attributes
    complete = per_side if chosen == "sides" else per_axis
    return {**attributes, chosen: complete(attributes[chosen], inputs[0].rank - 1, chosen)}


def _crop_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, sides = inputs[0], attributes["sides"]
    names = named_axes(value.rank)[1:]
    if sides is None:
        wanted = wanted_space(attributes, inputs)
        for name, size, target in zip(names, value.shape[1:], wanted, strict=True):
            check.at_least(size - target, 0, _too_small(name, size, target))
        return typed(value.channels, *wanted)
    cut = [sum(sides[2 * axis : 2 * axis + 2]) for axis in range(value.rank - 1)]
    for name, size, taken in zip(names, value.shape[1:], cut, strict=True):
        check.at_least(size, taken + 1, _nothing_left(name, size, taken))
    return typed(value.channels, *(size - taken for size, taken in zip(value.shape[1:], cut, strict=True)))


def _too_small(name: str, size: Dim, wanted: Dim) -> Any:
    return lambda: Problem(
        f"the {name} {format_dim(size)} is smaller than the {format_dim(wanted)} that are to be left",
        code="E0216",
        help="crop takes away only; pad or resize the value first",
    )


def _nothing_left(name: str, size: Dim, taken: int) -> Any:
    return lambda: Problem(
        f"takes {taken} away from the {name} {format_dim(size)}, so that nothing is left",
        code="E0216",
        argument="sides",
        help=f"take away {size - 1} at most" if isinstance(size, int) and size > 1 else None,
    )


def _crop_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    sides = attributes["sides"]
    if sides is not None:
        return moved(inputs[0], {axis + 2: Move(before, before) for axis, before in enumerate(sides[::2])})
    starts = [
        (size - wanted) // 2 for size, wanted in zip(inputs[0].shape[1:], wanted_space(attributes, inputs), strict=True)
    ]
    return moved(
        inputs[0],
        {axis + 2: Move(at, at) if isinstance(at, int) else None for axis, at in enumerate(starts)},
    )


def _crop_torch(call: TorchCall) -> Tensor:
    value, sides = call.inputs[0], call.attributes["sides"]
    given = value.shape[2:]
    if sides is None:
        wanted = torch_wanted(call)
        starts = [(size - target) // 2 for size, target in zip(given, wanted, strict=True)]
    else:
        starts = list(sides[::2])
        wanted = [size - before - after for size, before, after in zip(given, sides[::2], sides[1::2], strict=True)]
    for axis, (start, length) in enumerate(zip(starts, wanted, strict=True), start=2):
        value = value.narrow(axis, start, length)
    return value


def _crop_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, sides = Decomposition(call, sink), call.inputs[0], call.attributes["sides"]
    axes = write.sizes(range(2, call.input_types[0].rank + 1))
    if sides is not None:
        ends = [-after if after else _END for after in sides[1::2]]
        write.result("Slice", value, write.sizes(sides[::2]), write.sizes(ends), axes)
        return
    given, wanted = call.input_types[0].shape[1:], call.output_types[0].shape[1:]
    known = [(size - target) // 2 for size, target in zip(given, wanted, strict=True)]
    starts = [start for start in known if isinstance(start, int)]
    lengths = [target for target in wanted if isinstance(target, int)]
    if len(starts) == len(lengths) == len(wanted):
        ends = [start + length for start, length in zip(starts, lengths, strict=True)]
        write.result("Slice", value, write.sizes(starts), write.sizes(ends), axes)
        return
    target = onnx_wanted(write, call)
    room = write("Sub", write.space_of(value, call.input_types[0].rank), target)
    start = write("Div", room, write.sizes([2]))
    write.result("Slice", value, start, write("Add", start, target), axes)


CROP = OpRecord(
    name="crop",
    work=replace(VIEWING, size_only="like"),
    summary="Rows and columns taken away: from each side, or around the middle until a size is left.",
    arguments=(
        Argument(
            "sides",
            Optional(Sides()),
            "How many on each side: a number, one per axis (height, width), or before and after each axis "
            "(top, bottom, left, right).",
            None,
        ),
        Argument(
            "size", Optional(PerAxis(1)), "Instead of sides: what is left in the middle, one number per axis.", None
        ),
        Argument(
            "like",
            Optional(NamedValue()),
            "Instead of sides: a named value whose height and width are left in the middle, as in U-Net. Of an odd "
            "number of rows one more is taken away below and to the right.",
            None,
        ),
    ),
    settle=_settle_crop,
    shape=_crop_shape,
    window=_crop_window,
    torch=_crop_torch,
    onnx=_crop_onnx,
    samples=(
        Sample({"sides": 1}, ((3, 6, 5),)),
        Sample({"sides": (1, 0, 2, 1)}, ((3, 6, 5),)),
        Sample({"size": (3, 4)}, ((3, 6, 5),)),
        Sample({"size": 4}, ((3, 9),)),
        Sample({"like": 1}, ((3, 9, 12), (8, 6, 7))),
        Sample({"like": 1}, ((2, 4, 5, 6), (1, 3, 5, 2))),
        Sample({"sides": (1, 0, 2)}, ((2, 4, 5, 6),)),
        Sample({"sides": 3}, ((3, 6, 9),), fails="takes 6 away from the height 6"),
        Sample({"size": (7, 5)}, ((3, 6, 5),), fails="the height 6 is smaller than the 7"),
        Sample({"like": 1}, ((3, 6, 5), (3, 6, 8)), fails="the width 5 is smaller than the 8"),
        Sample({"like": 1}, ((3, 6, 5), (3, 6)), fails="differ in their number of axes"),
        Sample({}, ((3, 6, 5),), fails="takes one of sides, size, like"),
        Sample({"sides": 1, "size": 3}, ((3, 6, 5),), fails="takes only one of sides, size, like"),
        Sample({"sides": 1}, ((10,),), fails="needs pixels beside the channels"),
        Sample({"size": 0}, ((3, 6, 5),), fails="size must be a whole number of at least 1"),
    ),
    reference="Ronneberger, Fischer and Brox, U-Net, 2015, section 2 (the crop of the skip connections)",
)


def _settle_expand(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    with_space(inputs)
    if one_of_arguments(attributes, ("size", "like")) == "like":
        return attributes
    return {**attributes, "size": per_axis(attributes["size"], inputs[0].rank - 1, "size")}


def _expand_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, wanted = inputs[0], wanted_space(attributes, inputs)
    for name, size, target in zip(named_axes(value.rank)[1:], value.shape[1:], wanted, strict=True):
        if size != 1:
            check.equal(size, target, _not_one(name, value, target))
    return typed(value.channels, *wanted)


def _not_one(name: str, value: TensorType, target: Dim) -> Any:
    return lambda: Problem(
        f"only a size of 1 can be repeated to the {name} {format_dim(target)}, but the value is {format_shape(value)}",
        code="E0216",
        help="use resize to enlarge an image, or tile to repeat it",
    )


def _expand_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return POINTWISE if inputs[0].shape[1:] == wanted_space(attributes, inputs) else "all"


def _expand_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.expand(*value.shape[:2], *torch_wanted(call))


def _expand_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, wanted = Decomposition(call, sink), call.output_types[0].shape[1:]
    known = [size for size in wanted if isinstance(size, int)]
    if len(known) == len(wanted):
        sizes = write.sizes([1, 1, *known])
    else:
        sizes = write("Concat", write.sizes([1, 1]), onnx_wanted(write, call), axis=0)
    write.result("Expand", call.inputs[0], sizes)


EXPAND = OpRecord(
    name="expand",
    work=replace(VIEWING, size_only="like"),
    summary="One pixel repeated over an image: C x 1 x 1 to C x H x W, for H and W given or those of a named value.",
    arguments=(
        Argument("size", Optional(PerAxis(1)), "Size of the image, one number per axis.", None),
        Argument("like", Optional(NamedValue()), "Instead of size: a named value of that height and width.", None),
    ),
    settle=_settle_expand,
    shape=_expand_shape,
    window=_expand_window,
    torch=_expand_torch,
    onnx=_expand_onnx,
    samples=(
        Sample({"size": (4, 5)}, ((3, 1, 1),)),
        Sample({"like": 1}, ((3, 1, 1), (8, 6, 7))),
        Sample({"size": (4, 5)}, ((3, 1, 5),)),
        Sample({"size": 4}, ((3, 1),)),
        Sample({"like": 1}, ((3, 1, 1, 1), (2, 4, 5, 6))),
        Sample({"size": 4}, ((3, 2, 1),), fails="only a size of 1 can be repeated to the height 4"),
        Sample({}, ((3, 1, 1),), fails="takes one of size, like"),
        Sample({"size": 4}, ((3,),), fails="needs pixels beside the channels"),
    ),
    reference="Chen et al., Rethinking atrous convolution, 2017, section 3.3 (image-level features)",
)

RECORDS = (PAD, CROP, EXPAND)
