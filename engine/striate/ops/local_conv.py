"""Locally connected layer: a convolution that shares no weights, with a kernel of its own at every place."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import Initializer, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Padding, PerAxis
from striate.ops.axes import known_sizes
from striate.ops.decomposition import Decomposition
from striate.ops.fills import onnx_padded, torch_padded
from striate.ops.geometry import (
    axis_names,
    before_after,
    extents,
    grid_size,
    kept_windows,
    receptive_window,
    settle_windows,
    window_formula,
    window_output,
)
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import FILL, actual_pads, check_filled
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries, known_channels, pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    known_channels(inputs)
    if not all(isinstance(size, int) for size in sizes):
        raise LayerError(_open(inputs))
    made = window_output(attributes, sizes, check)
    check_filled(attributes, sizes, check)
    return typed(attributes["channels"], *made)


def _open(inputs: Types) -> Problem:
    names = " and ".join(axis_names(inputs[0].rank - 1))
    return Problem(
        f"has a kernel for each place, so it needs a fixed {names}, but gets {format_shape(inputs[0])}",
        code="E0207",
        help=f"fix the {names} in the input line, bring them to a fixed size with resize or adaptive_avgpool, or take "
        "conv, which shares one kernel between all places",
    )


def _places(attributes: Attributes, inputs: Types) -> tuple[int, ...]:
    """Return the number of windows along each axis; none where the shape rule refuses the kernel as too large."""
    sizes = known_sizes(inputs[0], range(2, 1 + inputs[0].rank))
    steps = enumerate(zip(sizes, extents(attributes), attributes["stride"], strict=True))
    rooms = ((size + sum(before_after(attributes["pad"], axis)) - span, stride) for axis, (size, span, stride) in steps)
    return tuple(max(room // stride + 1, 0) for room, stride in rooms)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    kernel, made, channels = attributes["kernel"], attributes["channels"], known_channels(inputs)
    places, taps = _places(attributes, inputs), prod(kernel)
    start = Initializer(attributes["init"], {"fan_in": channels * taps, "fan_out": made * taps})
    weight = WeightSpec("weight", (prod(places), made, channels, *kernel), start)
    bias = WeightSpec("bias", (made, *places), Initializer("zeros"))
    return (weight, bias) if attributes["bias"] else (weight,)


def _windows(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Return the entries of all windows side by side."""
    return pixels(outputs[0]) * (known_channels(inputs) * prod(attributes["kernel"]))


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _windows(attributes, inputs, outputs) * int(attributes["channels"])


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) if attributes["bias"] else 0


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    # The rows that are mirrored or repeated are found again in the input itself.
    padded = attributes["fill"] in ("reflect", "replicate") and kept_windows(attributes, inputs, copies=any).numbers
    return Kept((0,) if padded else (), numbers=_windows(attributes, inputs, outputs))


def _scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    padded = kept_windows(attributes, inputs, copies=any)
    windows = _windows(attributes, inputs, outputs)
    # The padded copy is gone when the output is made.
    return windows if padded.inputs else windows + padded.numbers - entries(outputs[0])


def _torch(call: TorchCall) -> Tensor:
    attributes, values = call.attributes, call.inputs[0]
    pads, axes = actual_pads(call, values), len(attributes["kernel"])
    if any(pads):
        values = torch_padded(call, values, pads, attributes["fill"])
    for axis, (side, stride, step) in enumerate(
        zip(attributes["kernel"], attributes["stride"], attributes["dilation"], strict=True)
    ):
        values = values.unfold(2 + axis, step * (side - 1) + 1, stride)[..., ::step]
    places = values.shape[2 : 2 + axes]
    # From N x C x places x kernel to places x N x (C * kernel): one product of matrices for each place.
    order = [*range(2, 2 + axes), 0, 1, *range(2 + axes, 2 + 2 * axes)]
    values = values.permute(order).reshape(prod(places), len(values), -1)
    weight = call.weights["weight"].flatten(2).transpose(1, 2)
    if attributes["bias"]:
        bias = call.weights["bias"].flatten(1).t()[:, None]
        result = call.torch.baddbmm(bias, values, weight)
    else:
        result = call.torch.bmm(values, weight)
    made: Tensor = result.permute(1, 2, 0).reshape(-1, attributes["channels"], *places)
    return made


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    pads, axes, channels = attributes["pad"], len(attributes["kernel"]), known_channels(tuple(call.input_types))
    places = _places(attributes, tuple(call.input_types))
    value = onnx_padded(write, call, call.inputs[0], pads, attributes["fill"]) if any(pads) else call.inputs[0]
    for axis, count in enumerate(places):
        # Each axis becomes two: the places, and the entries of the kernel at each of them.
        value = write("Gather", value, _starts(call, sink, axis, count), axis=2 + 2 * axis)
    order = [0, *range(2, 2 + 2 * axes, 2), 1, *range(3, 3 + 2 * axes, 2)]
    width = channels * prod(attributes["kernel"])
    windows = write("Reshape", write("Transpose", value, perm=order), write.sizes([0, prod(places), 1, width]))
    flat = write("Reshape", call.weights["weight"], write.sizes([0, 0, width]))
    product = write("MatMul", windows, write("Transpose", flat, perm=[0, 2, 1]))
    turned = write("Transpose", write("Squeeze", product, write.sizes([2])), perm=[0, 2, 1])
    sizes = write.sizes([0, attributes["channels"], *places])
    if attributes["bias"]:
        write.result("Add", write("Reshape", turned, sizes), call.weights["bias"])
    else:
        write.result("Reshape", turned, sizes)


def _starts(call: OnnxCall, sink: OnnxSink, axis: int, count: int) -> str:
    """Write which pixels the windows see along an axis: a row for each place."""
    side, stride, step = (call.attributes[name][axis] for name in ("kernel", "stride", "dilation"))
    rows: Sequence[list[int]] = [[place * stride + entry * step for entry in range(side)] for place in range(count)]
    return sink.constant(f"{call.name}/places{axis + 1}", rows, "int64")


LOCAL_CONV = OpRecord(
    name="local_conv",
    work=Work(_operations, _keeps, scratch=_scratch),
    role="weights",
    summary="Locally connected layer: a convolution with a kernel, and a bias, of its own at every place of the "
    "output, so that what is looked for depends on where. Parameters: places * channels * (in * kernel + 1).",
    arguments=(
        Argument("channels", Integer(), "Number of output channels (filters)."),
        Argument("kernel", PerAxis(), "Size of the kernels: one number, or one per axis, e.g. (height, width)."),
        Argument("stride", PerAxis(), "Step between two windows.", 1),
        Argument("pad", Padding(), "Rows and columns added around the image; fill says what they hold.", 0),
        Argument("dilation", PerAxis(), "Distance between two kernel entries.", 1),
        Argument("bias", Flag(), "Whether a bias is added to every entry of the output.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernels start.", Choice("he_normal")),
        FILL,
    ),
    settle=settle_windows,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=receptive_window,
    formula=window_formula,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"channels": 4, "kernel": 3}, ((3, 6, 5),)),
        Sample({"channels": 2, "kernel": (3, 2), "stride": 2, "pad": 1}, ((3, 7, 8),)),
        Sample({"channels": 2, "kernel": 2, "dilation": 2, "bias": False}, ((2, 5, 4),)),
        Sample({"channels": 2, "kernel": 3, "pad": "same", "stride": 2, "init": "xavier_normal"}, ((2, 6, 5),)),
        Sample({"channels": 3, "kernel": 3, "pad": (1, 0)}, ((2, 9),)),
        Sample({"channels": 2, "kernel": 2}, ((2, 3, 4, 3),)),
        Sample({"channels": 2, "kernel": 3, "pad": 1, "fill": "reflect"}, ((2, 4, 5),)),
        Sample({"channels": 2, "kernel": 3, "pad": "half", "fill": "circular", "stride": 2}, ((2, 5, 4),)),
        Sample({"channels": 2, "kernel": 3, "pad": (2, 1), "fill": "replicate"}, ((2, 6),)),
        Sample({"channels": 1, "kernel": 2, "pad": 1, "fill": -0.5}, ((2, 3, 4, 2),)),
        Sample(
            {"channels": 2, "kernel": 3, "pad": 4, "fill": "reflect"}, ((2, 4, 5),), fails="too wide for the height 4"
        ),
        Sample({"channels": 4, "kernel": 7}, ((3, 6, 9),), fails="larger than the height 6"),
        Sample({"channels": 4, "kernel": (3, 3, 3)}, ((3, 6, 5),), fails="kernel (3, 3, 3) has 3 numbers"),
        Sample({"channels": 4, "kernel": 3}, ((10,),), fails="needs an image"),
    ),
    reference="Gregor and LeCun, Emergence of complex-like cells in a temporal product network with local receptive "
    "fields, 2010; Taigman et al., DeepFace, 2014, section 3.2",
)

RECORDS = (LOCAL_CONV,)
