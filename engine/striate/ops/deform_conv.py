"""Deformable convolution, version 2: each entry of the kernel reads where a convolution of the input moves it to.

Offsets and modulation are laid out as ONNX's DeformConv and torchvision have them: for each group and each entry of the
kernel first the rows, then the columns. Where the operator set has no DeformConv, GridSample reads the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Optional, Padding, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import image_size, kept_windows, settle_windows, window_formula, window_output
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import explicitly_padded, is_symmetric, onnx_pads
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.shape_arguments import NamedValue
from striate.ops.sizes import known_channels, pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import onnx_places
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""

_FIRST_DEFORM = 19
"""The operator set that brought DeformConv."""


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    image_size(inputs)
    settled = settle_windows(attributes, inputs)
    if settled["pad"] == "same":
        raise LayerError(
            Problem(
                "needs a fixed height and width for pad = same with a stride",
                code="E0207",
                argument="pad",
                help="pad = half pads all sizes alike",
                repair=(("pad", "half"),),
            )
        )
    if attributes["modulation"] is not None and attributes["offsets"] is None:
        raise LayerError(
            Problem(
                "takes modulation together with offsets only",
                code="E0211",
                argument="modulation",
                help="name a value for the offsets as well, or leave both to the layer",
            )
        )
    return settled


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes, channels = image_size(inputs)[1:], known_channels(inputs)
    for name, counts in (("groups", (channels, attributes["channels"])), ("offset_groups", (channels,))):
        for count in counts:
            if count % attributes[name]:
                raise LayerError(_not_split(name, attributes[name], count))
    made = window_output(attributes, sizes, check)
    for name, count in (("offsets", 2), ("modulation", 1)):
        if attributes[name] is not None:
            _check_given(attributes, inputs[attributes[name]], name, (count * _moved(attributes), *made), check)
    return typed(attributes["channels"], *made)


def _check_given(attributes: Attributes, given: TensorType, name: str, wanted: tuple[Dim, ...], check: Check) -> None:
    """Demand that offsets or modulation are there for every entry of the kernel at every place of the output."""

    def problem() -> Problem:
        return Problem(
            f"needs {name} {format_shape(TensorType(wanted))}, but {format_shape(given)} is given",
            code="E0203",
            argument=name,
            notes=(
                f"{attributes['offset_groups']} groups x {_taps(attributes)} entries of the kernel"
                + (" x (row, column)" if name == "offsets" else ""),
            ),
            help=f"a convolution with {wanted[0]} channels and otherwise the arguments of this one gives them",
        )

    if given.rank != len(wanted):
        raise LayerError(problem())
    for own, size in zip(given.shape, wanted, strict=True):
        check.equal(own, size, problem)


def _not_split(name: str, groups: int, count: int) -> Problem:
    legal = next(each for each in range(min(groups, count), 0, -1) if count % each == 0)
    return Problem(
        f"{count} channels cannot be split into {groups} {name.replace('_', ' ')}",
        code="E0205",
        argument=name,
        help=f"{name} = {legal} is the nearest below that divides them",
        repair=((name, str(legal)),),
    )


def _taps(attributes: Attributes) -> int:
    return prod(attributes["kernel"])


def _moved(attributes: Attributes) -> int:
    """Return how many places of the image each place of the output reads."""
    return int(attributes["offset_groups"]) * _taps(attributes)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    kernel, taps, made = attributes["kernel"], _taps(attributes), attributes["channels"]
    channels = known_channels(inputs)
    each = channels // attributes["groups"]
    fans = {"fan_in": each * taps, "fan_out": made // attributes["groups"] * taps}
    zeros, moves = Initializer("zeros"), 3 * _moved(attributes)
    specs = [WeightSpec("weight", (made, each, *kernel), Initializer(attributes["init"], fans))]
    specs += [WeightSpec("bias", (made,), zeros)] if attributes["bias"] else []
    if attributes["offsets"] is not None:
        return tuple(specs)
    specs += [WeightSpec("offset_weight", (moves, channels, *kernel), zeros)]
    return (*specs, WeightSpec("offset_bias", (moves,), zeros))


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    channels: int = known_channels(inputs)
    for_offsets = 3 * _moved(attributes) * channels * _taps(attributes) if attributes["offsets"] is None else 0
    product = int(attributes["channels"]) * (channels // int(attributes["groups"])) * _taps(attributes)
    return pixels(outputs[0]) * (for_offsets + product)


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # For each place that is read: its bias, sum with where it was, and the weights of four pixels, and the sigmoid; for
    # each value read there four products and three sums, and the modulation.
    read = known_channels(inputs) * _taps(attributes)
    bias = int(attributes["channels"]) if attributes["bias"] else 0
    own = 3 + 4 if attributes["offsets"] is None else 0
    each = 8 if attributes["offsets"] is None or attributes["modulation"] is not None else 7
    return pixels(outputs[0]) * (_moved(attributes) * (own + 2 + 14) + read * each + bias)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """Offsets have no bound."""
    return "all"


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    padded = kept_windows(attributes, inputs, copies=lambda pads: not is_symmetric(pads))
    # What is read, before and after its modulation; the modulation, and the two coordinates of each place.
    read = _read(attributes, inputs, outputs)
    # The kernels of groups are repeated for each image.
    kernel = prod(_weights(attributes, inputs)[0].shape) if attributes["groups"] > 1 else 0
    if attributes["offsets"] is None:
        return Kept((0,), numbers=padded.numbers + read + kernel)
    given = () if attributes["modulation"] is None else (attributes["modulation"],)
    return Kept((0, *given), numbers=read + kernel)


def _read(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count coordinates, what is read, and where it is weighed what comes of that, with the layer's own weights."""
    is_own, is_weighed = attributes["offsets"] is None, attributes["modulation"] is not None
    copies = 2 if is_own or is_weighed else 1
    return pixels(outputs[0]) * (
        (3 if is_own else 2) * _moved(attributes) + copies * known_channels(inputs) * _taps(attributes)
    )


def _scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _read(attributes, inputs, outputs)


def _torch(call: TorchCall) -> Tensor:
    attributes, values = call.attributes, call.inputs[0]
    groups, count, taps = attributes["groups"], attributes["offset_groups"], _taps(attributes)
    offsets, modulation = _moves(call)
    rows, columns = offsets.shape[2:]
    grid = _grid(call, offsets)
    del offsets
    parts = values.reshape(-1, values.shape[1] // count, *values.shape[2:])
    read = call.torch.nn.functional.grid_sample(parts, grid, align_corners=False)
    if modulation is not None:
        read = read * modulation.reshape(-1, 1, taps, rows * columns)
    made = call.weights["weight"].reshape(groups, attributes["channels"] // groups, -1)
    product = made @ read.reshape(len(values), groups, -1, rows * columns)
    result: Tensor = product.reshape(-1, attributes["channels"], rows, columns)
    return result.add_(call.weights["bias"][:, None, None]) if attributes["bias"] else result


def _grid(call: TorchCall, offsets: Tensor) -> Tensor:
    """Return the places to read from -1 to 1, `(N * groups) x taps x pixels x 2`."""
    count, taps = call.attributes["offset_groups"], _taps(call.attributes)
    rows, columns = offsets.shape[2:]
    offsets = offsets.reshape(-1, count, taps, 2, rows, columns)

    def along(axis: int) -> Tensor:
        # The middle of the first pixel lies at -1 + 1 / size.
        places: Tensor = offsets[:, :, :, axis] + _start(call, axis, (rows, columns)[axis])
        return (2 * places + 1) / call.inputs[0].shape[2 + axis] - 1

    grid: Tensor = call.torch.stack([along(1), along(0)], -1).reshape(-1, taps, rows * columns, 2)
    return grid


def _moves(call: TorchCall) -> tuple[Tensor, Tensor | None]:
    """Return offsets and modulation: those that are given, or what the layer's own convolution makes."""
    attributes = call.attributes
    if attributes["offsets"] is not None:
        weighed = attributes["modulation"]
        return call.inputs[attributes["offsets"]], None if weighed is None else call.inputs[weighed]
    made, count = _own_moves(call), 2 * _moved(attributes)
    return made[:, :count], made[:, count:].sigmoid()


def _own_moves(call: TorchCall) -> Tensor:
    """Return offsets and, before the sigmoid, modulation."""
    attributes, values, pads = call.attributes, call.inputs[0], call.attributes["pad"]
    padding = pads[::2] if is_symmetric(pads) else (0, 0)
    padded = values if is_symmetric(pads) else explicitly_padded(call, values, pads)
    weights = (call.weights["offset_weight"], call.weights["offset_bias"])
    result: Tensor = call.torch.nn.functional.conv2d(
        padded, *weights, attributes["stride"], padding, attributes["dilation"]
    )
    return result


def _start(call: TorchCall, axis: int, count: int) -> Tensor:
    """Return where the kernel reads along an axis without offsets, `taps x rows x 1` (or `taps x 1 x columns`)."""
    value, attributes = call.inputs[0], call.attributes
    given = {"dtype": value.dtype, "device": value.device}
    entry = call.torch.arange(attributes["kernel"][axis], **given) * attributes["dilation"][axis]
    height, width = attributes["kernel"]
    entry = entry.repeat_interleave(width) if axis == 0 else entry.repeat(height)
    place = call.torch.arange(count, **given) * attributes["stride"][axis] - attributes["pad"][2 * axis]
    shape = (1, -1, 1) if axis == 0 else (1, 1, -1)
    result: Tensor = entry[:, None, None] + place.reshape(shape)
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    settings = {
        "kernel_shape": attributes["kernel"],
        "strides": attributes["stride"],
        "dilations": attributes["dilation"],
        "pads": onnx_pads(attributes["pad"]),
    }
    offsets, modulation = _onnx_moves(write, call, settings)
    if call.opset >= _FIRST_DEFORM:
        given = [call.inputs[0], call.weights["weight"], offsets, call.weights.get("bias", ""), modulation]
        if not modulation:
            del given[4 if attributes["bias"] else 3 :]
        groups = {"group": attributes["groups"], "offset_group": attributes["offset_groups"]}
        write.result("DeformConv", *given, **settings, **groups)
    else:
        _onnx_read(write, call, offsets, modulation)


def _onnx_moves(write: Decomposition, call: OnnxCall, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Write offsets and modulation, or name those that are given; no modulation is empty."""
    attributes, weights, count = call.attributes, call.weights, _moved(call.attributes)
    if attributes["offsets"] is not None:
        weighed = attributes["modulation"]
        return call.inputs[attributes["offsets"]], "" if weighed is None else call.inputs[weighed]
    moves = write("Conv", call.inputs[0], weights["offset_weight"], weights["offset_bias"], **settings)
    offsets, modulation = write.parts("Split", 2, moves, write.sizes([2 * count, count]), axis=1)
    return offsets, write("Sigmoid", modulation)


def _onnx_read(write: Decomposition, call: OnnxCall, offsets: str, modulation: str) -> None:
    """Write the layer with GridSample, one for each group of offsets."""
    attributes, count, taps = call.attributes, call.attributes["offset_groups"], _taps(call.attributes)
    channels, groups = known_channels(tuple(call.input_types)), attributes["groups"]
    starts = [_onnx_start(write, call, offsets, axis) for axis in (0, 1)]
    pieces = [
        [_channels_from(write, value, part * size, (part + 1) * size) for part in range(count)]
        for value, size in ((call.inputs[0], channels // count), (offsets, 2 * taps), (modulation, taps))
        if value
    ]
    read = []
    for image, moved, *weights in zip(*pieces, strict=True):
        places = [_onnx_places(write, call, moved, starts[axis], axis) for axis in (1, 0)]
        grid = write("Reshape", write("Concat", *places, axis=4), write.sizes([0, taps, -1, 2]))
        found = write("GridSample", image, grid, align_corners=0)
        for weight in weights:
            found = write("Mul", found, write("Reshape", weight, write.sizes([0, 1, taps, -1])))
        read.append(found)
    whole = write("Concat", *read, axis=1) if count > 1 else read[0]
    windows = write("Reshape", whole, write.sizes([0, groups, channels // groups * taps, -1]))
    made = attributes["channels"]
    kernel = write("Reshape", call.weights["weight"], write.sizes([groups, made // groups, channels // groups * taps]))
    product = write("MatMul", kernel, windows)
    height, width = call.output_types[0].shape[1:]
    if isinstance(height, int) or isinstance(width, int):
        sizes = write.sizes_of(call.output_types[0], offsets)
    else:
        sizes = write("Concat", write.sizes([0, made]), write.space_of(offsets, 3), axis=0)
    if attributes["bias"]:
        bias = write("Unsqueeze", call.weights["bias"], write.sizes([1, 2]))
        write.result("Add", write("Reshape", product, sizes), bias)
    else:
        write.result("Reshape", product, sizes)


def _channels_from(write: Decomposition, value: str, first: int, end: int) -> str:
    return write("Slice", value, *(write.sizes([number]) for number in (first, end, 1)))


def _onnx_start(write: Decomposition, call: OnnxCall, offsets: str, axis: int) -> str:
    """Write where the kernel reads along an axis without offsets, `taps x rows x 1` (or `taps x 1 x columns`)."""
    attributes, size = call.attributes, call.output_types[0].shape[1 + axis]
    height, width = attributes["kernel"]
    places_ = [row if axis == 0 else column for row in range(height) for column in range(width)]
    step, before = attributes["dilation"][axis], attributes["pad"][2 * axis]
    entry = write("Unsqueeze", write.numbers([each * step - before for each in places_]), write.sizes([1, 2]))
    place = write("Cast", onnx_places(write, offsets, size, 2 + axis), to=_FLOAT)
    place = write("Mul", place, write.number(attributes["stride"][axis]))
    return write("Add", entry, write("Unsqueeze", place, write.sizes([1])) if axis == 0 else place)


def _onnx_places(write: Decomposition, call: OnnxCall, moved: str, start: str, axis: int) -> str:
    """Write the places along an axis from -1 to 1, `N x taps x rows x columns x 1`."""
    every_other = [write.sizes([place]) for place in (axis, 2**63 - 1, 1, 2)]
    places = write("Add", write("Slice", moved, *every_other), start)
    size = call.input_types[0].shape[1 + axis]
    if isinstance(size, int):
        length = write.number(size)
    else:
        length = write("Cast", write.size_of(call.inputs[0], 2 + axis), to=_FLOAT)
    middle = write("Add", write("Mul", places, write.number(2)), write.number(1))
    return write("Unsqueeze", write("Sub", write("Div", middle, length), write.number(1)), write.sizes([4]))


DEFORM_CONV = OpRecord(
    name="deform_conv",
    work=Work(_operations, _keeps, scratch=_scratch),
    role="weights",
    summary="Deformable convolution (version 2): out(p) = bias + sum over the kernel's entries k of weight_k * "
    "modulation_k(p) * in(p + k + offset_k(p)), read bilinearly, zeros beyond the border. A convolution of the input "
    "with the same kernel, stride, padding and dilation gives offsets and, through a sigmoid, modulation; it starts at "
    "zero, that is with offsets of 0 and a modulation of 0.5. The paper trains it with a tenth of the learning rate. "
    "Offsets and modulation can be values of the network instead, with layers of their own behind them.",
    arguments=(
        Argument("channels", Integer(), "Number of output channels (filters)."),
        Argument("kernel", PerAxis(), "Size of the kernel: one number, or (height, width)."),
        Argument("stride", PerAxis(), "Step between two windows.", 1),
        Argument("pad", Padding(), "Zeros added around the image.", 0),
        Argument("groups", Integer(), "Channels are split into this many independent groups.", 1),
        Argument("dilation", PerAxis(), "Distance between two kernel entries without offsets.", 1),
        Argument("offset_groups", Integer(), "Input channels are split into this many groups that move together.", 1),
        Argument("bias", Flag(), "Whether a bias is added per output channel.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernel starts.", Choice("he_normal")),
        Argument(
            "offsets",
            Optional(NamedValue()),
            "Offsets in pixels, a named value with 2 channels for each group and each entry of the kernel, row by row: "
            "down, then right; none is the layer's own convolution.",
            None,
        ),
        Argument(
            "modulation",
            Optional(NamedValue()),
            "With offsets: what is read is multiplied by it, a channel for each group and each entry of the kernel; "
            "none multiplies by nothing (version 1).",
            None,
        ),
    ),
    settle=_settle,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=_window,
    formula=window_formula,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"channels": 4, "kernel": 3, "pad": 1}, ((2, 6, 5),)),
        Sample({"channels": 4, "kernel": (3, 2), "stride": 2, "dilation": (1, 2), "bias": False}, ((2, 7, 8),)),
        Sample({"channels": 4, "kernel": 3, "pad": "half", "groups": 2, "offset_groups": 2}, ((4, 5, 4),)),
        Sample({"channels": 2, "kernel": 2, "pad": "same", "init": "xavier_normal"}, ((2, 5, 4),)),
        Sample({"channels": 4, "kernel": 2, "offsets": 1, "stride": 2}, ((2, 6, 5), (8, 3, 2))),
        Sample(
            {"channels": 4, "kernel": (1, 2), "offsets": 1, "modulation": 2, "offset_groups": 2, "groups": 2},
            ((4, 5, 4), (8, 5, 3), (4, 5, 3)),
        ),
        Sample(
            {"channels": 4, "kernel": 2, "offsets": 1},
            ((2, 6, 5), (8, 6, 5)),
            fails="needs offsets 8 x 5 x 4, but 8 x 6 x 5 is given",
        ),
        Sample({"channels": 4, "kernel": 1, "offsets": 1}, ((2, 6, 5), (2, 6)), fails="needs offsets 2 x 6 x 5"),
        Sample(
            {"channels": 4, "kernel": 1, "modulation": 1},
            ((2, 6, 5), (1, 6, 5)),
            fails="takes modulation together with offsets",
        ),
        Sample({"channels": 4, "kernel": 3, "groups": 3}, ((3, 6, 5),), fails="4 channels cannot be split into 3"),
        Sample({"channels": 4, "kernel": 3, "offset_groups": 2}, ((3, 6, 5),), fails="into 2 offset groups"),
        Sample({"channels": 4, "kernel": 7}, ((3, 6, 9),), fails="larger than the height 6"),
        Sample({"channels": 4, "kernel": 3}, ((3, 6),), fails="needs an image C x H x W, but gets 3 x 6"),
    ),
    reference="Dai et al., Deformable convolutional networks, 2017; "
    "Zhu et al., Deformable ConvNets v2, 2019, section 3.2",
)

RECORDS = (DEFORM_CONV,)
