"""Images of another size: upsample by a factor, resize to a size or to that of a named value.

Works on the axes beside the channels of sequences, images and volumes; `interpolation.py` has the coordinates,
`resampling.py` what torch and ONNX compute.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, OneOf, Optional, PerAxis
from striate.ops.axes import named_axes
from striate.ops.interpolation import COORDINATES, LEGAL, RANKS, default_coordinates, kind_of, known_move, scaled_move
from striate.ops.moves import Move, moved
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, Types, Window
from striate.ops.resampling import as_fraction, resize_onnx, resize_torch, upsample_onnx, upsample_torch
from striate.ops.shape_arguments import Factors, NamedValue, per_axis
from striate.ops.sizes import entries, typed, with_space
from striate.ops.wanted import one_of_arguments, wanted_space
from striate.ops.work import Kept, Work


def _settle_mode(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    """Fill in the coordinates; demands that mode, coordinates and number of axes go together."""
    with_space(inputs)
    mode, coordinates = attributes["mode"], attributes["coordinates"]
    if inputs[0].rank != RANKS.get(mode, inputs[0].rank):
        raise LayerError(
            Problem(
                f"mode = {mode} is for {'images' if RANKS[mode] == 3 else 'volumes'}, "
                f"but gets {format_shape(inputs[0])}",
                code="E0217",
                argument="mode",
                help="use mode = linear, which works along every axis",
                repair=(("mode", "linear"),),
            )
        )
    kind = kind_of(mode)
    if coordinates is None:
        return {**attributes, "coordinates": default_coordinates(kind)}
    if coordinates not in LEGAL[kind]:
        known = " or ".join(LEGAL[kind])
        raise LayerError(
            Problem(
                f"mode = {mode} has no coordinates {coordinates}",
                code="E0217",
                argument="coordinates",
                notes=(f"{mode} works with {known}" if known else f"{mode} takes the mean of the pixels covered",),
                help=f"write coordinates = {LEGAL[kind][0]}" if known else "leave coordinates out",
                repair=(("coordinates", LEGAL[kind][0] if known else "none"),),
            )
        )
    return attributes


def _settle_upsample(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    settled = _settle_mode(attributes, inputs)
    return {**settled, "scale": per_axis(settled["scale"], inputs[0].rank - 1, "scale")}


def _settle_resize(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    settled = _settle_mode(attributes, inputs)
    if one_of_arguments(settled, ("size", "like")) == "like":
        return settled
    return {**settled, "size": per_axis(settled["size"], inputs[0].rank - 1, "size")}


def _upsample_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    made: list[Dim] = []
    names = named_axes(inputs[0].rank)[1:]
    for name, size, written in zip(names, inputs[0].shape[1:], attributes["scale"], strict=True):
        scale = as_fraction(written)

        def problem(name: str = name, size: Dim = size, scale: Fraction = scale) -> Problem:
            return Problem(
                f"nothing is left of the {name} {format_dim(size)} times {scale}",
                code="E0216",
                argument="scale",
                notes=(f"{name}: floor({format_dim(size)} * {scale}) = 0",),
            )

        whole = size * scale.numerator
        check.at_least(whole, scale.denominator, problem)
        made.append(whole // scale.denominator)
    return typed(inputs[0].channels, *made)


def _upsample_formula(attributes: Attributes, inputs: Types, axis: int) -> str:
    scale, size = as_fraction(attributes["scale"][axis]), format_dim(inputs[0].shape[1 + axis])
    return f"{size} * {scale}" if scale.denominator == 1 else f"floor({size} * {scale})"


def _resize_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(inputs[0].channels, *wanted_space(attributes, inputs))


def _moves(attributes: Attributes, inputs: Types, made: tuple[Dim, ...]) -> Window | Literal["all"]:
    kind, coordinates = kind_of(attributes["mode"]), attributes["coordinates"]
    moves: dict[int, Move | None] = {}
    for axis, (given, target) in enumerate(zip(inputs[0].shape[1:], made, strict=True)):
        if isinstance(given, int) and isinstance(target, int):
            moves[axis + 2] = known_move(kind, coordinates, given, target)
        elif "scale" in attributes:
            moves[axis + 2] = scaled_move(kind, coordinates, as_fraction(attributes["scale"][axis]))
        else:
            moves[axis + 2] = None
    return moved(inputs[0], moves)


def _upsample_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return _moves(attributes, inputs, _upsample_shape(attributes, inputs, Check())[0].shape[1:])


def _resize_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return _moves(attributes, inputs, wanted_space(attributes, inputs))


_WEIGHING = {"nearest": (0, 0, 0), "linear": (3, 7, 15), "bicubic": (31, 31, 31)}
"""Operations for an entry of a sequence, an image, a volume: a product for each pixel that is weighed, and their sum.

What the weights take is left out: they are the same for all channels and images.
"""


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    kind = kind_of(attributes["mode"])
    if kind == "area":
        return entries(inputs[0]) + entries(outputs[0])
    return entries(outputs[0]) * _WEIGHING[kind][inputs[0].rank - 2]


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,)) if kind_of(attributes["mode"]) == "area" else Kept()


_MODES = OneOf(("nearest", "linear", "bilinear", "trilinear", "bicubic", "area"))
_MODE_SUMMARY = (
    "How values in between are made: the nearest pixel, on a straight line along each axis (linear; bilinear and "
    "trilinear say the same of an image and a volume), on a cubic through four pixels (bicubic, a = -0.75), or the "
    "mean of the pixels covered (area). No mode smooths before it makes an image smaller."
)
_COORDINATES = Argument(
    "coordinates",
    Optional(OneOf(COORDINATES)),
    "Where output pixels lie in the input: pixels as areas (half_pixel), the centres of the corner pixels on each "
    "other (align_corners), or their upper left corners (asymmetric). none is asymmetric for nearest and half_pixel "
    "otherwise, as in torch; nearest with half_pixel is torch's nearest-exact.",
    None,
)
_RESIZE_REFUSED = (
    Sample({"mode": "nearest", "coordinates": "align_corners", "size": 4}, ((3, 4, 5),), fails="has no coordinates"),
    Sample({"mode": "area", "coordinates": "half_pixel", "size": 4}, ((3, 4, 5),), fails="area has no coordinates"),
    Sample({"mode": "bilinear", "size": 4}, ((3, 4),), fails="mode = bilinear is for images, but gets 3 x 4"),
    Sample({"size": 4}, ((10,),), fails="needs pixels beside the channels"),
)

UPSAMPLE = OpRecord(
    name="upsample",
    work=Work(_operations, _keeps),
    summary="Enlarges an image by a factor: out = floor(in * scale) per axis; a factor below 1 makes it smaller.",
    arguments=(
        Argument("scale", Factors(), "The factor, or one per axis (height, width); taken as a fraction."),
        Argument("mode", _MODES, _MODE_SUMMARY, Choice("nearest")),
        _COORDINATES,
    ),
    settle=_settle_upsample,
    shape=_upsample_shape,
    window=_upsample_window,
    formula=_upsample_formula,
    torch=upsample_torch,
    onnx=upsample_onnx,
    samples=(
        Sample({"scale": 2}, ((3, 4, 5),)),
        Sample({"scale": 2, "mode": "bilinear"}, ((3, 4, 5),)),
        Sample({"scale": 2, "mode": "bilinear", "coordinates": "align_corners"}, ((3, 4, 5),)),
        Sample({"scale": (3, 2), "mode": "linear", "coordinates": "asymmetric"}, ((2, 4, 3),)),
        Sample({"scale": 1.5}, ((2, 5, 7),)),
        Sample({"scale": (0.5, 0.4), "coordinates": "half_pixel"}, ((2, 9, 12),)),
        Sample({"scale": 2, "mode": "bicubic"}, ((2, 5, 4),)),
        Sample({"scale": 0.4, "mode": "area"}, ((2, 9, 12),)),
        Sample({"scale": 2.5, "mode": "linear"}, ((2, 7),)),
        Sample({"scale": 2}, ((2, 7),)),
        Sample({"scale": (2, 1.5, 1), "mode": "trilinear"}, ((2, 3, 4, 5),)),
        Sample({"scale": 0.2}, ((3, 9, 4),), fails="nothing is left of the width 4 times 1/5"),
        Sample({"scale": (2, 2, 2)}, ((3, 9, 4),), fails="scale has 3 numbers, its input has 2 axes"),
        Sample({"scale": 0}, ((3, 9, 4),), fails="scale must be a number above 0"),
        Sample({"scale": 2, "mode": "trilinear"}, ((3, 9, 4),), fails="mode = trilinear is for volumes"),
        Sample({"scale": 2, "mode": "bicubic", "coordinates": "asymmetric"}, ((3, 4, 5),), fails="has no coordinates"),
        Sample({"scale": 2}, ((10,),), fails="needs pixels beside the channels"),
    ),
    reference="Keys, Cubic convolution interpolation for digital image processing, 1981; ONNX's Resize",
)

RESIZE = OpRecord(
    name="resize",
    work=Work(_operations, _keeps, size_only="like"),
    summary="Brings an image to a size, or to the height and width of a named value: resize(like = skip).",
    arguments=(
        Argument("size", Optional(PerAxis(1)), "The size, one number per axis (height, width).", None),
        Argument("like", Optional(NamedValue()), "Instead of size: a named value of that height and width.", None),
        Argument("mode", _MODES, _MODE_SUMMARY, Choice("linear")),
        _COORDINATES,
    ),
    settle=_settle_resize,
    shape=_resize_shape,
    window=_resize_window,
    torch=resize_torch,
    onnx=resize_onnx,
    samples=(
        Sample({"size": (8, 10)}, ((3, 4, 5),)),
        Sample({"size": (7, 3), "mode": "nearest"}, ((3, 4, 5),)),
        Sample({"size": (7, 3), "mode": "nearest", "coordinates": "half_pixel"}, ((3, 4, 5),)),
        Sample({"size": (7, 3), "mode": "bilinear", "coordinates": "align_corners"}, ((3, 4, 5),)),
        Sample({"size": (1, 9), "coordinates": "align_corners"}, ((3, 4, 5),)),
        Sample({"size": (3, 4), "mode": "area"}, ((3, 7, 9),)),
        Sample({"size": (9, 11), "mode": "bicubic", "coordinates": "align_corners"}, ((3, 4, 5),)),
        Sample({"like": 1}, ((3, 4, 5), (8, 6, 9))),
        Sample({"like": 1, "mode": "nearest"}, ((3, 4), (8, 6))),
        Sample({"like": 1, "mode": "area"}, ((2, 6, 5, 4), (1, 3, 2, 3))),
        Sample({"size": (2, 9, 4), "coordinates": "asymmetric"}, ((2, 3, 4, 5),)),
        Sample({"like": 1}, ((3, 4, 5), (8, 6)), fails="differ in their number of axes"),
        Sample({}, ((3, 4, 5),), fails="takes one of size, like"),
        Sample({"size": 4, "like": 1}, ((3, 4, 5), (8, 6, 9)), fails="takes only one of size, like"),
        Sample({"size": (4, 4, 4)}, ((3, 4, 5),), fails="size has 3 numbers"),
        *_RESIZE_REFUSED,
    ),
    reference="Keys, Cubic convolution interpolation for digital image processing, 1981; ONNX's Resize",
)

RECORDS = (UPSAMPLE, RESIZE)
