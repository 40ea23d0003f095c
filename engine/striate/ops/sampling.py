"""Spatial transformers: a grid of places from an affine map, and an image sampled at the places of a grid.

A grid is a value 2 x H x W, x in channel 0 and y in channel 1, -1 and 1 being the two ends of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, Flag, OneOf, Optional, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import image_size
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.shape_arguments import NamedValue, per_axis
from striate.ops.sizes import entries, pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import one_of_arguments
from striate.ops.work import KEEPS_NOTHING, Work, keeping_all, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""

_ALIGN = Argument(
    "align_corners",
    Flag(),
    "Whether -1 and 1 are the centres of the outermost pixels, or their outer edges. Grid and sampling must agree.",
    False,
)


def _grid_sample_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, _, _ = image_size(inputs)
    grid = inputs[attributes["grid"]]

    def problem() -> Problem:
        return Problem(
            f"needs a grid 2 x H x W, but {format_shape(grid)} is given",
            code="E0204",
            argument="grid",
            notes=("channel 0 of a grid is x, channel 1 is y, from -1 to 1",),
            help="affine_grid makes one, or a convolution with 2 channels",
        )

    if grid.rank != 3:
        raise LayerError(problem())
    check.equal(grid.channels, 2, problem)
    return typed(channels, *grid.shape[1:])


_SAMPLE_OPERATIONS = {"nearest": 0, "bilinear": 7, "bicubic": 31}
"""For each entry: a product for every pixel that is weighed, and their sum."""

_PLACE_OPERATIONS = {"nearest": 6, "bilinear": 14, "bicubic": 40}
"""For each place: its coordinates in pixels, and the weights of the pixels around it."""


def _sample_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    mode = attributes["mode"]
    return entries(outputs[0]) * _SAMPLE_OPERATIONS[mode] + pixels(outputs[0]) * _PLACE_OPERATIONS[mode]


def _grid_sample_torch(call: TorchCall) -> Tensor:
    attributes = call.attributes
    result: Tensor = call.torch.nn.functional.grid_sample(
        call.inputs[0],
        call.inputs[attributes["grid"]].permute(0, 2, 3, 1),
        mode=attributes["mode"],
        padding_mode=attributes["outside"],
        align_corners=attributes["align_corners"],
    )
    return result


def _grid_sample_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    mode = attributes["mode"]
    if call.opset >= 20:  # the modes were renamed when volumes came in
        mode = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    places = write("Transpose", call.inputs[attributes["grid"]], perm=[0, 2, 3, 1])
    write.result(
        "GridSample",
        call.inputs[0],
        places,
        mode=mode,
        padding_mode=attributes["outside"],
        align_corners=int(attributes["align_corners"]),
    )


GRID_SAMPLE = OpRecord(
    name="grid_sample",
    work=Work(_sample_operations, keeping_all),
    summary="The image at the places of a grid: C x H x W and a grid 2 x H' x W' give C x H' x W'.",
    arguments=(
        Argument("grid", NamedValue(), "The grid: x in channel 0, y in channel 1, from -1 to 1 across the image."),
        Argument(
            "mode", OneOf(("bilinear", "nearest", "bicubic")), "How values in between are made.", Choice("bilinear")
        ),
        Argument(
            "outside",
            OneOf(("zeros", "border", "reflection")),
            "What lies outside of the image: zeros, the outermost pixels, or the image mirrored.",
            Choice("zeros"),
        ),
        _ALIGN,
    ),
    shape=_grid_sample_shape,
    window=sees_everything,
    torch=_grid_sample_torch,
    onnx=_grid_sample_onnx,
    samples=(
        Sample({"grid": 1}, ((3, 6, 5), (2, 4, 7))),
        Sample({"grid": 1, "outside": "border"}, ((3, 6, 5), (2, 4, 7))),
        Sample({"grid": 1, "outside": "reflection", "align_corners": True}, ((3, 6, 5), (2, 4, 7))),
        Sample({"grid": 1, "mode": "nearest"}, ((3, 6, 5), (2, 4, 7))),
        Sample({"grid": 1, "mode": "bicubic"}, ((3, 6, 5), (2, 4, 7))),
        Sample({"grid": 1}, ((3, 6, 5), (3, 4, 7)), fails="needs a grid 2 x H x W, but 3 x 4 x 7 is given"),
        Sample({"grid": 1}, ((3, 6, 5), (2, 4)), fails="needs a grid 2 x H x W, but 2 x 4 is given"),
        Sample({"grid": 1}, ((3, 6), (2, 4, 7)), fails="needs an image"),
        Sample({"grid": 1, "mode": "cubic"}, ((3, 6, 5), (2, 4, 7)), fails="mode must be one of bilinear"),
    ),
    reference="Jaderberg et al., Spatial transformer networks, 2015, section 3.3",
)


def _settle_grid(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    if one_of_arguments(attributes, ("size", "like")) == "like":
        return attributes
    return {**attributes, "size": per_axis(attributes["size"], 2, "size")}


def _affine_grid_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, like = inputs[0], attributes["like"]

    def problem() -> Problem:
        features = format_dim(value.channels) if value.rank == 1 else format_shape(value)
        return Problem(
            f"needs the 6 numbers of an affine map, but gets {features}",
            code="E0204",
            notes=("in rows: x = a x' + b y' + c, y = d x' + e y' + f",),
            help="put dense(6) before it",
        )

    if value.rank != 1:
        raise LayerError(problem())
    check.equal(value.channels, 6, problem)
    if like is None:
        return typed(2, *attributes["size"])
    _, height, width = image_size(inputs[like:])
    return typed(2, height, width)


def _affine_grid_torch(call: TorchCall) -> Tensor:
    attributes, theta = call.attributes, call.inputs[0]
    like = attributes["like"]
    size = attributes["size"] if like is None else call.inputs[like].shape[2:]
    # The function itself: its wrapper warns of a grid of one row, which lies in the middle here and in ONNX.
    grid: Tensor = call.torch.affine_grid_generator(
        theta.reshape(-1, 2, 3), [theta.shape[0], 1, *size], attributes["align_corners"]
    )
    return grid.permute(0, 3, 1, 2)


def _affine_grid_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write `a * x + b * y + c` for both rows of the matrix at once: ONNX's own AffineGrid came with opset 20 only."""
    write, align = Decomposition(call, sink), bool(call.attributes["align_corners"])
    height, width = (
        _ends(write, call, size, position, align=align)
        for position, size in enumerate(call.output_types[0].shape[1:], start=2)
    )
    matrix = write("Reshape", call.inputs[0], write.sizes([0, 2, 3, 1]))
    a, b, c = write.parts("Split", 3, matrix, write.sizes([1, 1, 1]), axis=2)
    rows = write("Unsqueeze", height, write.sizes([1]))
    write.result("Add", write("Add", write("Mul", a, width), write("Mul", b, rows)), c)


def _ends(write: Decomposition, call: OnnxCall, size: Dim, position: int, *, align: bool) -> str:
    """Write the places along an axis: from -1 to 1 with the ends at the centres of pixels, or at their outer edges."""
    if isinstance(size, int):
        last = max(size - 1, 1)  # a single pixel lies in the middle
        centres = [(2 * place - size + 1) / last for place in range(size)]
        return write.numbers(centres if align else [(2 * place + 1) / size - 1 for place in range(size)])
    open_size = write("Squeeze", write.size_of(call.inputs[call.attributes["like"]], position))
    places = write("Cast", write("Range", write.whole(0), open_size, write.whole(1)), to=_FLOAT)
    number, one = write("Cast", open_size, to=_FLOAT), write.number(1)
    doubled = write("Mul", places, write.number(2))
    if not align:
        return write("Sub", write("Div", write("Add", doubled, one), number), one)
    less = write("Sub", number, one)
    return write("Div", write("Sub", doubled, less), write("Max", less, one))


AFFINE_GRID = OpRecord(
    name="affine_grid",
    work=Work(per_entry(4), KEEPS_NOTHING, size_only="like"),
    summary="The grid of an affine map: the 6 features are the rows of a 2 x 3 matrix that maps each output place "
    "(x', y', 1) to the place (x, y) where it is to be sampled.",
    arguments=(
        Argument("size", Optional(PerAxis(1)), "Height and width of the grid.", None),
        Argument("like", Optional(NamedValue()), "Instead of size: a named image of that height and width.", None),
        _ALIGN,
    ),
    settle=_settle_grid,
    shape=_affine_grid_shape,
    window=sees_everything,
    torch=_affine_grid_torch,
    onnx=_affine_grid_onnx,
    samples=(
        Sample({"size": (4, 5)}, ((6,),)),
        Sample({"size": (4, 5), "align_corners": True}, ((6,),)),
        Sample({"size": (1, 3), "align_corners": True}, ((6,),)),
        Sample({"like": 1}, ((6,), (3, 4, 7))),
        Sample({"size": 4}, ((5,),), fails="needs the 6 numbers of an affine map, but gets 5"),
        Sample({"size": 4}, ((6, 1, 1),), fails="needs the 6 numbers of an affine map, but gets 6 x 1 x 1"),
        Sample({"like": 1}, ((6,), (3, 4)), fails="needs an image"),
        Sample({}, ((6,),), fails="takes one of size, like"),
        Sample({"size": (4, 4, 4)}, ((6,),), fails="size has 3 numbers"),
        Sample({"size": 4, "align_corners": 1}, ((6,),), fails="align_corners must be true or false"),
    ),
    reference="Jaderberg et al., Spatial transformer networks, 2015, section 3.2, equation 1",
)

RECORDS = (GRID_SAMPLE, AFFINE_GRID)
