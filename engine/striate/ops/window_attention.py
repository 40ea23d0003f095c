"""Attention within windows of an image, plain or shifted, with a trained bias for each relative position (Swin)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Flag, Integer, PerAxis, format_value
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import AXES
from striate.ops.heads import check_heads, torch_heads, torch_heads_joined
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.shape_arguments import per_axis
from striate.ops.sizes import entries, same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import AXIS, features_of, onnx_linear, tokens_of
from striate.ops.window_nodes import merged, parted, region_numbers, relative_places, rolled
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_TABLE = "relative_position_bias_table"
_DEVIATION = 0.02


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    value, wanted = inputs[0], "C x H x W" if attributes["axis"] == "channels" else "H x W x C"
    if value.rank != 3:
        raise LayerError(
            Problem(
                f"needs an image {wanted}, but gets {format_shape(value)}",
                code="E0204",
                help="put this layer before flatten" if value.rank == 1 else None,
            )
        )
    numbers = {name: per_axis(attributes[name], 2, name) for name in ("window", "shift")}
    return {**attributes, **numbers}


def _space(value: TensorType, axis: str) -> tuple[Dim, ...]:
    return value.shape[1:] if axis == "channels" else value.shape[:2]


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, axis, window, shift = inputs[0], attributes["axis"], attributes["window"], attributes["shift"]
    for side, moved in zip(window, shift, strict=True):
        if moved >= side:
            raise LayerError(_moved_too_far(window, shift))
    check_heads(attributes["heads"], features_of(value, axis))
    for number, (size, side) in enumerate(zip(_space(value, axis), window, strict=True)):
        check.divisible(size, side, partial(_not_divided, value, attributes, number))
    return same_type(inputs)


def _moved_too_far(window: tuple[int, ...], shift: tuple[int, ...]) -> Problem:
    half = format_value(_shortest(tuple(side // 2 for side in window)))
    return Problem(
        f"the shift {format_value(_shortest(shift))} is not smaller than the window {format_value(_shortest(window))}",
        code="E0211",
        argument="shift",
        help=f"shift = {half} is half of the window, as in Swin",
        repair=(("shift", half),),
    )


def _not_divided(value: TensorType, attributes: Attributes, number: int) -> Problem:
    sizes, window = _space(value, attributes["axis"]), attributes["window"]
    size, side = sizes[number], window[number]
    advice, repair = "pad or crop the image to a multiple first", ""
    if isinstance(size, int):
        fitting = [
            _nearest(each, old, moved) for each, old, moved in zip(sizes, window, attributes["shift"], strict=True)
        ]
        more = -size % side
        advice = f"pad the {AXES[number]} by {more} to {size + more}"
        if all(each is not None for each in fitting):
            repair = format_value(_shortest(tuple(each for each in fitting if each is not None)))
            advice = f"window = {repair} is the nearest that fits, or {advice}"
    return Problem(
        f"the {AXES[number]} {format_dim(size)} is no multiple of the window {side}",
        code="E0216",
        argument="window",
        notes=(f"the value that flows in is {format_shape(value)}",),
        help=advice,
        repair=(("window", repair),) if repair else (),
    )


def _nearest(size: Dim, side: int, shift: int) -> int | None:
    """Return the divisor of a known size nearest to a side, above the shift; None where there is none nearby."""
    if not isinstance(size, int):
        return side
    span = max(side, size - side) if size < 10_000 else side
    near = (side + sign * step for step in range(span + 1) for sign in (-1, 1))
    return next((each for each in near if shift < each <= size and each > 0 and size % each == 0), None)


def _shortest(numbers: tuple[int, ...]) -> Any:
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    width = features_of(inputs[0], attributes["axis"])
    start, zeros = Initializer("normal", {"deviation": _DEVIATION}), Initializer("zeros")
    specs = [WeightSpec("qkv_weight", (3 * width, width), start)]
    specs += [WeightSpec("qkv_bias", (3 * width,), zeros)] if attributes["bias"] else []
    if attributes["position_bias"]:
        height, across = (2 * side - 1 for side in attributes["window"])
        specs.append(WeightSpec(_TABLE, (height * across, attributes["heads"]), start))
    return (*specs, WeightSpec("proj_weight", (width, width), start), WeightSpec("proj_bias", (width,), zeros))


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    width, pixels = features_of(inputs[0], attributes["axis"]), tokens_of(inputs[0], attributes["axis"])
    return pixels * width * (4 * width + 2 * math.prod(attributes["window"]))


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """From the first pixel of a window one sees up to its last one, and from there back to the first."""
    if attributes["axis"] == "last":
        return "all"
    sides = attributes["window"]
    return Window(tuple(2 * side - 1 for side in sides), (1, 1), tuple(side - 1 for side in sides))


def _scores(attributes: Attributes, inputs: Types) -> Dim:
    pixels = tokens_of(inputs[0], attributes["axis"])
    return pixels * (math.prod(attributes["window"]) * int(attributes["heads"]))


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The scale and a softmax (5) for each score, and what is added to it; a bias for every projection.
    added = int(attributes["position_bias"]) + int(any(attributes["shift"]))
    biases = entries(inputs[0]) * (4 if attributes["bias"] else 1)
    return _scores(attributes, inputs) * (6 + added) + biases


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """The input as tokens, queries, keys, values and what is mixed of them; the scores.

    The values of a single head are no copy: all that was projected is kept for them.
    """
    times = 7 if attributes["heads"] == 1 else 5
    return Kept(numbers=_scores(attributes, inputs) + entries(inputs[0]) * times)


def _torch(call: TorchCall) -> Tensor:
    attributes, weights, functional = call.attributes, call.weights, call.torch.nn.functional
    (height, width), shift = attributes["window"], attributes["shift"]
    image = call.inputs[0].movedim(1, -1) if attributes["axis"] == "channels" else call.inputs[0]
    batch, rows, columns, _ = image.shape
    moved = image.roll([-each for each in shift], (1, 2)) if any(shift) else image
    parts = moved.reshape(batch, rows // height, height, columns // width, width, -1).transpose(2, 3)
    tokens = parts.reshape(batch, -1, height * width, image.shape[3])
    projected = functional.linear(tokens, weights["qkv_weight"], weights.get("qkv_bias")).chunk(3, -1)
    mixed = functional.scaled_dot_product_attention(
        *(torch_heads(each, attributes["heads"]) for each in projected), attn_mask=_torch_mask(call, (rows, columns))
    )
    out = functional.linear(torch_heads_joined(mixed), weights["proj_weight"], weights["proj_bias"])
    whole = out.reshape(parts.shape).transpose(2, 3).reshape(image.shape)
    whole = whole.roll(tuple(shift), (1, 2)) if any(shift) else whole
    result: Tensor = whole.movedim(-1, 1) if attributes["axis"] == "channels" else whole
    return result


def _torch_mask(call: TorchCall, space: tuple[int, int]) -> Tensor | None:
    """Return what is added to the scores: the trained bias, and -inf between pixels that are no neighbours."""
    torch, attributes, value = call.torch, call.attributes, call.inputs[0]
    height, width = attributes["window"]
    mask: Tensor | None = None
    if attributes["position_bias"]:
        rows, columns = (torch.arange(side, device=value.device) for side in (height, width))
        apart = [each[:, None] - each + len(each) - 1 for each in (rows, columns)]
        place = apart[0][:, None, :, None] * (2 * width - 1) + apart[1][:, None]
        mask = call.weights[_TABLE][place.reshape(height * width, -1)].permute(2, 0, 1)
    if not any(attributes["shift"]):
        return mask
    numbers = [
        _torch_regions(torch.arange(size, device=value.device), size, side, moved)
        for size, side, moved in zip(space, attributes["window"], attributes["shift"], strict=True)
    ]
    both = 3 * numbers[0][:, None] + numbers[1]
    windows = both.reshape(space[0] // height, height, -1, width).transpose(1, 2).reshape(-1, 1, height * width)
    strange = windows[..., None] != windows[:, :, None]
    found: Tensor = value.new_zeros(()) if mask is None else mask
    return found.masked_fill(strange, -math.inf)


def _torch_regions(places: Tensor, size: int, side: int, shift: int) -> Tensor:
    if shift == 0:
        return places * 0
    return (places >= size - side).long() + (places >= size - shift).long()


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes, weights = Decomposition(call, sink), call.attributes, call.weights
    window, shift, axis = attributes["window"], attributes["shift"], attributes["axis"]
    space, features = _space(call.input_types[0], axis), features_of(call.input_types[0], axis)
    image = write("Transpose", call.inputs[0], perm=[0, 2, 3, 1]) if axis == "channels" else call.inputs[0]
    moved = rolled(write, image, [-each for each in shift])
    tokens = parted(write, moved, space, window, features)
    projected = onnx_linear(write, tokens, weights["qkv_weight"], weights.get("qkv_bias"))
    mixed = _onnx_mixed(write, call, projected, features, _onnx_regions(write, call, image, space))
    out = onnx_linear(write, mixed, weights["proj_weight"], weights["proj_bias"])
    whole = rolled(write, merged(write, out, image, space, window, features), shift)
    if axis == "channels":
        write.result("Transpose", whole, perm=[0, 3, 1, 2])
    else:
        write.result("Identity", whole)


def _onnx_mixed(write: Decomposition, call: OnnxCall, projected: str, features: int, regions: str | None) -> str:
    """Write the attention of `N x windows x T x 3C`: `N x windows x T x C`."""
    heads, count = call.attributes["heads"], math.prod(call.attributes["window"])
    parts = write.parts("Split", 3, projected, write.sizes([features] * 3), axis=3)
    dealt = [write("Reshape", part, write.sizes([0, 0, count, heads, features // heads])) for part in parts]
    turns = ([0, 1, 3, 2, 4], [0, 1, 3, 4, 2], [0, 1, 3, 2, 4])
    queries, keys, values = (write("Transpose", part, perm=turn) for part, turn in zip(dealt, turns, strict=True))
    scores = write("MatMul", write("Mul", queries, write.number((features // heads) ** -0.5)), keys)
    if call.attributes["position_bias"]:
        listed = write("Gather", call.weights[_TABLE], write.sizes(relative_places(call.attributes["window"])), axis=0)
        table = write("Transpose", write("Reshape", listed, write.sizes([count, count, heads])), perm=[2, 0, 1])
        scores = write("Add", scores, table)
    if regions is not None:
        here = write("Reshape", regions, write.sizes([-1, 1, count, 1]))
        there = write("Reshape", regions, write.sizes([-1, 1, 1, count]))
        scores = write("Where", write("Equal", here, there), scores, write.number(-math.inf))
    mixed = write("MatMul", write("Softmax", scores, axis=-1), values)
    return write("Reshape", write("Transpose", mixed, perm=[0, 1, 3, 2, 4]), write.sizes([0, 0, count, features]))


def _onnx_regions(write: Decomposition, call: OnnxCall, image: str, space: Sequence[Dim]) -> str | None:
    if not any(call.attributes["shift"]):
        return None
    return region_numbers(write, image, space, call.attributes["window"], call.attributes["shift"])


WINDOW_ATTENTION = OpRecord(
    name="window_attention",
    work=Work(_operations, _keeps),
    role="weights",
    summary="Attention of each pixel to its window: softmax(q k^T / sqrt(d) + bias) v with heads, and a trained bias "
    "for each relative position. With a shift the windows lie so many pixels further down and right; those at the end "
    "are made of what is left on both sides, between which nothing is seen.",
    arguments=(
        Argument("heads", Integer(), "Number of heads, among which the features are dealt out; it must divide them."),
        Argument("window", PerAxis(), "Height and width of a window; they must divide those of the image."),
        Argument("shift", PerAxis(0), "By how many pixels the windows are moved, less than a window.", 0),
        Argument("bias", Flag(), "Whether queries, keys and values have a bias.", True),
        Argument("position_bias", Flag(), "Whether there is a trained bias for each relative position and head.", True),
        AXIS,
    ),
    settle=_settle,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=_window,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"heads": 2, "window": 3}, ((4, 6, 9),)),
        Sample({"heads": 2, "window": (3, 4), "shift": (1, 2)}, ((6, 6, 8),)),
        Sample({"heads": 1, "window": 4, "shift": 2, "bias": False}, ((2, 4, 8),)),
        Sample({"heads": 3, "window": (2, 3), "shift": (0, 1), "position_bias": False}, ((6, 4, 6),)),
        Sample({"heads": 2, "window": 2, "shift": 1, "axis": "last"}, ((4, 6, 4),)),
        Sample({"heads": 2, "window": 2, "axis": "last", "position_bias": False}, ((4, 2, 4),)),
        Sample({"heads": 2, "window": 7}, ((4, 56, 54),), fails="the width 54 is no multiple of the window 7"),
        Sample({"heads": 5, "window": 3}, ((4, 6, 9),), fails="4 features cannot be dealt out to 5 heads"),
        Sample(
            {"heads": 2, "window": 3, "shift": 3}, ((4, 6, 9),), fails="the shift 3 is not smaller than the window 3"
        ),
        Sample({"heads": 2, "window": 3}, ((4, 9),), fails="needs an image C x H x W, but gets 4 x 9"),
        Sample({"heads": 2, "window": (3, 3, 3)}, ((4, 6, 9),), fails="window has 3 numbers"),
        Sample({"heads": 2, "window": 0}, ((4, 6, 9),), fails="window must be a whole number of at least 1"),
    ),
    reference="Liu et al., Swin transformer, 2021, section 3.2, equation 4",
)

RECORDS = (WINDOW_ATTENTION,)
