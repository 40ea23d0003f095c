"""Channels into pixels and back, and channels among each other: pixel_shuffle and its kin, channel_shuffle.

Two orders of the channels are in use. `CRD` (pixel shuffle, torch): channel `c * b * b + row * b + column` holds the
pixel at (row, column) of the block for output channel c. `DCR` (TensorFlow, Darknet's reorg, ONNX's default): channel
`(row * b + column) * C + c` does, C being the channels of the larger image.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, Integer, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import AXES, image_size
from striate.ops.moves import Move, moved
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window, across_channels
from striate.ops.sizes import known_channels, same_type, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import MOVING

if TYPE_CHECKING:
    from torch import Tensor


def _order(attributes: Attributes) -> str:
    order: str = attributes.get("order", "CRD")
    return order


def _to_space_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, height, width = image_size(inputs)
    block = attributes["block"]

    def problem() -> Problem:
        return Problem(
            f"{format_dim(channels)} channels are no blocks of {block} x {block} pixels",
            code="E0205",
            argument="block",
            notes=(f"the value that flows in is {format_shape(inputs[0])}",),
            help=f"give the layer before it a multiple of {block * block} channels",
        )

    check.divisible(channels, block * block, problem)
    return typed(channels // (block * block), height * block, width * block)


def _to_space_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    block = attributes["block"]
    move = Move(Fraction(1 - block, block), 0, Fraction(1, block))
    return moved(inputs[0], {2: move, 3: move})


def _to_space_torch(call: TorchCall) -> Tensor:
    value, block = call.inputs[0], call.attributes["block"]
    if _order(call.attributes) == "CRD":
        result: Tensor = call.torch.nn.functional.pixel_shuffle(value, block)
        return result
    batch, channels, height, width = value.shape
    parts = value.reshape(batch, block, block, channels // block**2, height, width)
    return parts.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * block, width * block)


def _to_space_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node(
        "DepthToSpace",
        call.inputs,
        call.outputs,
        blocksize=call.attributes["block"],
        mode=_order(call.attributes),
    )


def _to_depth_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, height, width = image_size(inputs)
    block = attributes["block"]
    if _order(attributes) == "CRD":
        known_channels(inputs)  # ONNX picks them one by one

    def problem(axis: int, size: Dim) -> Callable[[], Problem]:
        return lambda: Problem(
            f"the {AXES[axis]} {format_dim(size)} is no multiple of {block}",
            code="E0216",
            argument="block",
            help="pad or crop the image to a multiple first",
        )

    for axis, size in enumerate((height, width)):
        check.divisible(size, block, problem(axis, size))
    return typed(channels * block * block, height // block, width // block)


def _to_depth_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    block = attributes["block"]
    return moved(inputs[0], {2: Move(0, block - 1, block), 3: Move(0, block - 1, block)})


def _to_depth_torch(call: TorchCall) -> Tensor:
    value, block = call.inputs[0], call.attributes["block"]
    if _order(call.attributes) == "CRD":
        result: Tensor = call.torch.nn.functional.pixel_unshuffle(value, block)
        return result
    batch, channels, height, width = value.shape
    parts = value.reshape(batch, channels, height // block, block, width // block, block)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height // block, width // block)


def _to_depth_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """ONNX's SpaceToDepth has the order DCR only; the other one is picked from its channels."""
    write, block = Decomposition(call, sink), call.attributes["block"]
    if _order(call.attributes) == "DCR":
        write.result("SpaceToDepth", call.inputs[0], blocksize=block)
        return
    channels = known_channels(call.input_types)
    places = [pixel * channels + channel for channel in range(channels) for pixel in range(block * block)]
    deep = write("SpaceToDepth", call.inputs[0], blocksize=block)
    write.result("Gather", deep, write.sizes(places), axis=1)


def _block(summary: str) -> Argument:
    return Argument("block", Integer(2), summary)


_ORDER = Argument(
    "order",
    OneOf(("DCR", "CRD")),
    "How the channels are ordered: pixels of the block first, as in TensorFlow and Darknet (DCR), or output channels "
    "first, as in pixel_shuffle (CRD).",
    Choice("DCR"),
)
_TO_SPACE_REFUSED = (
    Sample({"block": 2}, ((6, 3, 4),), fails="6 channels are no blocks of 2 x 2 pixels"),
    Sample({"block": 2}, ((8, 6),), fails="needs an image"),
    Sample({"block": 1}, ((8, 6, 5),), fails="block must be a whole number of at least 2"),
)
_TO_DEPTH_REFUSED = (
    Sample({"block": 2}, ((3, 5, 4),), fails="the height 5 is no multiple of 2"),
    Sample({"block": 3}, ((3, 6, 4),), fails="the width 4 is no multiple of 3"),
    Sample({"block": 2}, ((8, 6),), fails="needs an image"),
    Sample({"block": 1}, ((8, 6, 5),), fails="block must be a whole number of at least 2"),
)
_SHI = "Shi et al., Real-time single image super-resolution (ESPCN), 2016, equation 4"

PIXEL_SHUFFLE = OpRecord(
    name="pixel_shuffle",
    work=MOVING,
    summary="Channels become pixels: C * b * b x H x W to C x b * H x b * W.",
    arguments=(_block("Height and width of the block of pixels that the channels of one pixel become."),),
    shape=_to_space_shape,
    window=_to_space_window,
    torch=_to_space_torch,
    onnx=_to_space_onnx,
    samples=(Sample({"block": 2}, ((12, 3, 4),)), Sample({"block": 3}, ((9, 4, 2),)), *_TO_SPACE_REFUSED),
    reference=_SHI,
)

PIXEL_UNSHUFFLE = OpRecord(
    name="pixel_unshuffle",
    work=MOVING,
    summary="Pixels become channels, the inverse of pixel_shuffle: C x b * H x b * W to C * b * b x H x W.",
    arguments=(_block("Height and width of the block of pixels that become channels of one pixel."),),
    shape=_to_depth_shape,
    window=_to_depth_window,
    torch=_to_depth_torch,
    onnx=_to_depth_onnx,
    samples=(Sample({"block": 2}, ((3, 6, 4),)), Sample({"block": 3}, ((2, 6, 9),)), *_TO_DEPTH_REFUSED),
    reference=_SHI,
)

DEPTH_TO_SPACE = OpRecord(
    name="depth_to_space",
    work=MOVING,
    summary="Channels become pixels, with the order of the channels named: C * b * b x H x W to C x b * H x b * W.",
    arguments=(_block("Height and width of the block of pixels that the channels of one pixel become."), _ORDER),
    shape=_to_space_shape,
    window=_to_space_window,
    torch=_to_space_torch,
    onnx=_to_space_onnx,
    samples=(
        Sample({"block": 2}, ((12, 3, 4),)),
        Sample({"block": 2, "order": "CRD"}, ((12, 3, 4),)),
        Sample({"block": 2, "order": "RDC"}, ((12, 3, 4),), fails="order must be one of DCR, CRD"),
        *_TO_SPACE_REFUSED,
    ),
    reference="ONNX's DepthToSpace; tf.nn.depth_to_space",
)

SPACE_TO_DEPTH = OpRecord(
    name="space_to_depth",
    work=MOVING,
    summary="Pixels become channels, with the order of the channels named: C x b * H x b * W to C * b * b x H x W.",
    arguments=(_block("Height and width of the block of pixels that become channels of one pixel."), _ORDER),
    shape=_to_depth_shape,
    window=_to_depth_window,
    torch=_to_depth_torch,
    onnx=_to_depth_onnx,
    samples=(
        Sample({"block": 2}, ((3, 6, 4),)),
        Sample({"block": 2, "order": "CRD"}, ((3, 6, 4),)),
        Sample({"block": 2, "order": "RDC"}, ((3, 6, 4),), fails="order must be one of DCR, CRD"),
        *_TO_DEPTH_REFUSED,
    ),
    reference="ONNX's SpaceToDepth; tf.nn.space_to_depth",
)


def _channel_shuffle_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, groups = known_channels(inputs), attributes["groups"]

    def problem() -> Problem:
        return Problem(
            f"{channels} channels cannot be split into {groups} groups",
            code="E0205",
            argument="groups",
            help=f"use groups that divide {channels}, or a multiple of {groups} channels",
        )

    check.divisible(channels, groups, problem)
    return same_type(inputs)


def _channel_shuffle_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    parts: Tensor = call.torch.unflatten(value, 1, (call.attributes["groups"], -1))
    return parts.transpose(1, 2).flatten(1, 2)


def _channel_shuffle_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    # Two axes change places. As a Gather, OpenVINO 2026.4 gives wrong numbers for it between two convolutions.
    write, groups, value = Decomposition(call, sink), call.attributes["groups"], call.inputs[0]
    space = [-1] if call.input_types[0].rank > 1 else []
    parted = write("Reshape", value, write.sizes([0, groups, known_channels(call.input_types) // groups, *space]))
    turned = write("Transpose", parted, perm=[0, 2, 1, *([3] if space else [])])
    write.result("Reshape", turned, write.sizes_of(call.input_types[0], value))


CHANNEL_SHUFFLE = OpRecord(
    name="channel_shuffle",
    work=MOVING,
    summary="Takes channels from each group in turn: out[i * groups + g] = in[g * C / groups + i].",
    arguments=(Argument("groups", Integer(), "Number of groups; it divides the channels."),),
    shape=_channel_shuffle_shape,
    window=across_channels,
    torch=_channel_shuffle_torch,
    onnx=_channel_shuffle_onnx,
    samples=(
        Sample({"groups": 2}, ((6, 4, 5),)),
        Sample({"groups": 3}, ((12,),)),
        Sample({"groups": 4}, ((8, 5),)),
        Sample({"groups": 2}, ((4, 2, 3, 4),)),
        Sample({"groups": 4}, ((6, 4, 5),), fails="6 channels cannot be split into 4 groups"),
        Sample({"groups": 0}, ((6, 4, 5),), fails="groups must be a whole number of at least 1"),
    ),
    reference="Zhang et al., ShuffleNet, 2018, section 3.1",
)

RECORDS = (PIXEL_SHUFFLE, PIXEL_UNSHUFFLE, DEPTH_TO_SPACE, SPACE_TO_DEPTH, CHANNEL_SHUFFLE)
