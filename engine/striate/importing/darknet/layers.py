"""Sections that compute: convolutions, pools, connected layers, and what keeps the size of its input.

What a section means is what Darknet's own code (pjreddie/darknet, and AlexeyAB/darknet where only that has it) does in
evaluation: sizes, order of the weights, constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from striate.importing.building import Weights
from striate.importing.darknet.activations import activated
from striate.importing.darknet.sections import Section
from striate.importing.darknet.state import SAME, State, channels_of, padding, size_of
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Value
from striate.ops.arguments import Choice

EPSILON = 1e-5
"""What batch norm adds to the variance: 1e-5 in AlexeyAB/darknet and in Darknet's GPU code, with which weights are
trained; pjreddie's CPU code divides by the deviation plus 1e-6 instead."""


def convolutional(state: State, section: Section) -> Value:
    """Read [convolutional]: floor((in + 2 * padding - size) / stride) + 1 per axis."""
    value = state.image()
    channels, *_ = size_of(value)
    _demand_plain(state, section)
    filters, size = section.whole("filters", 1, 1), section.whole("size", 1, 1)
    stride = section.whole("stride", 1, 1)
    steps = section.whole("stride_y", stride, 1), section.whole("stride_x", stride, 1)
    groups = max(section.whole("groups", 1, 0), 1)
    normalised = section.flag("batch_normalize") or section.flag("cbn")
    if channels % groups or filters % groups:
        raise UnsupportedError(f"{channels} channels and {filters} filters cannot be split into {groups} groups")
    arguments = {
        "channels": filters,
        "kernel": size,
        "stride": steps[0] if steps[0] == steps[1] else steps,
        "pad": _pad(section, size),
        "groups": groups,
        "dilation": 1 if size == 1 else section.whole("dilation", 1, 1),
        "bias": not normalised,
    }
    _demand_dilation(arguments)
    shape = (filters, channels // groups, size, size)
    weights, norm = _read_convolution(state, section, shape, normalised)
    value = state.build("conv", value, weights, **_written(arguments))
    if normalised:
        value = state.build("bn", value, norm, **_bn())
    return activated(state.build, value, section.word("activation", "logistic"), anywhere=True)


def _bn() -> dict[str, Any]:
    return {} if EPSILON == 1e-5 else {"eps": EPSILON}


def _written(arguments: Mapping[str, Any]) -> dict[str, Any]:
    usual = {"stride": 1, "pad": 0, "groups": 1, "dilation": 1, "bias": True}
    return {name: value for name, value in arguments.items() if name not in usual or usual[name] != value}


def _pad(section: Section, size: int) -> int:
    written = section.whole("padding", 0, 0)
    return size // 2 if section.flag("pad") else written


def _demand_dilation(arguments: Mapping[str, Any]) -> None:
    """Refuse dilation whose padding is not half of the kernel: Darknet computes two different sizes then."""
    size, dilation = arguments["kernel"], arguments["dilation"]
    if dilation > 1 and 2 * arguments["pad"] != size - 1:
        raise UnsupportedError("with dilation, Darknet's sizes agree with each other only for pad = 1 and an odd size")
    if dilation > 1:
        arguments["pad"] *= dilation  # type: ignore[index]


def _demand_plain(state: State, section: Section) -> None:
    for key in ("binary", "xnor", "antialiasing", "sway", "rotate", "stretch", "stretch_sway"):
        state.demand(section, key)
    if section.word("share_index"):
        raise UnsupportedError("share_index: kernels that two sections share are not read")
    if state.weights.path is not None:
        state.demand(section, "dontload")
        state.demand(section, "dontloadscales")


def _read_convolution(
    state: State, section: Section, shape: tuple[int, ...], normalised: bool
) -> tuple[Weights | None, Weights | None]:
    """Return the arrays of a convolution and of its batch norm; None where the file does not have them.

    Their order is bias, then scales, means and variances of a batch norm, then the kernels.
    """
    filters, stream = shape[0], state.weights
    if not stream.begin(section, prod(shape) + filters * (4 if normalised else 1)):
        return None, None
    bias = stream.take(filters)
    norm = _rest_of_norm(stream, bias, filters) if normalised else None
    flipped = section.flag("flipped")
    kernel = stream.take(prod(shape[1:]), filters).T.reshape(shape) if flipped else stream.take(*shape)
    return ({"weight": kernel} if normalised else {"weight": kernel, "bias": bias}), norm


def _rest_of_norm(stream: Any, bias: Array, channels: int) -> Weights:
    weight, mean = stream.take(channels), stream.take(channels)
    return {"weight": weight, "bias": bias, "running_mean": mean, "running_var": stream.variance(channels)}


def batchnorm(state: State, section: Section) -> Value:
    """Read [batchnorm], a batch norm of its own: bias, scales, means and variances in the weights."""
    value = state.flow()
    channels = channels_of(value)
    norm = None
    if state.weights.begin(section, 4 * channels):
        norm = _rest_of_norm(state.weights, state.weights.take(channels), channels)
    return state.build("bn", value, norm, **_bn())


def connected(state: State, section: Section) -> Value:
    """Read [connected]: bias, weights (inputs x outputs in old files), then scales, means, variances."""
    value = state.build.flat(state.flow())
    inputs, outputs = channels_of(value), section.whole("output", 1, 1)
    normalised = section.flag("batch_normalize")
    weights: Weights | None = None
    norm: Weights | None = None
    stream = state.weights
    if stream.begin(section, outputs * (inputs + (4 if normalised else 1))):
        bias = stream.take(outputs)
        transposed = stream.header is not None and stream.header.transposed
        weight = stream.take(inputs, outputs).T if transposed else stream.take(outputs, inputs)
        weights = {"weight": weight} if normalised else {"weight": weight, "bias": bias}
        norm = _rest_of_norm(stream, bias, outputs) if normalised else None
    value = state.build("dense", value, weights, features=outputs, **({"bias": False} if normalised else {}))
    if normalised:
        value = state.build("bn", value, norm, **_bn())
    return activated(state.build, value, section.word("activation", "logistic"))


def local(state: State, section: Section) -> Value:
    """Read [local], a kernel for every place: floor((in - size) / stride) + 1, padded floor((in - 1) / stride) + 1."""
    value = state.image()
    channels, height, width = size_of(value)
    filters, size = section.whole("filters", 1, 1), section.whole("size", 1, 1)
    stride, pad = section.whole("stride", 1, 1), section.whole("pad", 0, 0)
    sizes = [((extent - 1 if pad else extent - size) // stride + 1) for extent in (height, width)]
    if pad and sizes != [(extent + 2 * pad - size) // stride + 1 for extent in (height, width)]:
        raise UnsupportedError("Darknet's sizes agree with each other only where pad keeps height and width")
    weights = None
    if state.weights.begin(section, prod(sizes) * filters * (channels * size * size + 1)):
        bias = state.weights.take(filters, *sizes)
        weights = {"weight": state.weights.take(prod(sizes), filters, channels, size, size), "bias": bias}
    arguments = _written({"channels": filters, "kernel": size, "stride": stride, "pad": pad})
    return activated(
        state.build, state.build("local_conv", value, weights, **arguments), section.word("activation", "logistic")
    )


def maxpool(state: State, section: Section) -> Value:
    """Read [maxpool]: size - 1 rows of padding in all, the smaller half of them above: floor((in - 1) / stride) + 1."""
    for key in ("maxpool_depth", "antialiasing"):
        state.demand(section, key)
    return state.build("maxpool", state.image(), **_window(section))


def local_avgpool(state: State, section: Section) -> Value:
    """Read [local_avgpool], padded like [maxpool]; pixels of the padding are not counted."""
    return state.build("avgpool", state.image(), **_window(section))


def _window(section: Section) -> dict[str, Any]:
    stride = section.whole("stride", 1, 1)
    steps = section.whole("stride_y", stride, 1), section.whole("stride_x", stride, 1)
    size = section.whole("size", stride, 1)
    total = section.whole("padding", size - 1, 0)
    before, after = total // 2, total - total // 2
    pad: Any = padding(before, after)
    if total == size - 1 and size % 2 == 0 and (steps == (1, 1) or (size == 2 and steps == (2, 2))):
        pad = SAME
    found: dict[str, Any] = {"kernel": size}
    if steps != (size, size):
        found["stride"] = steps[0] if steps[0] == steps[1] else steps
    if pad:
        found["pad"] = pad
    return found


def avgpool(state: State, section: Section) -> Value:
    """Read [avgpool], the mean over the whole image."""
    return state.build("global_avgpool", state.image())


def softmax(state: State, section: Section) -> Value:
    """Read [softmax]: over everything, over equal parts of it (groups), or over the channels of a pixel (spatial)."""
    value, groups = state.flow(), section.whole("groups", 1, 1)
    if section.word("tree"):
        raise UnsupportedError("a tree of classes lies in another file")
    temperature = section.number("temperature", 1)
    if temperature == 0:
        raise UnsupportedError("it divides by a temperature of 0")
    if temperature != 1:
        value = state.build("scale", value, factor=1 / temperature)
    if section.flag("spatial") and len(value.sizes) == 3:
        return state.build("softmax", value)
    value = state.build.flat(value)
    entries = channels_of(value)
    if entries % groups:
        raise UnsupportedError(f"{entries} values cannot be split into {groups} groups")
    if groups == 1:
        return state.build("softmax", value)
    parts = state.build("unflatten", value, sizes=[groups, entries // groups])
    return state.build("flatten", state.build("softmax", parts, axis=Choice("last")))


def activation(state: State, section: Section) -> Value:
    """Read [activation]."""
    return activated(state.build, state.flow(), section.word("activation", "linear"))


def logistic(state: State, section: Section) -> Value:
    """Read [logistic]: a sigmoid, and the loss behind it."""
    return state.build("sigmoid", state.flow())


def l2norm(state: State, section: Section) -> Value:
    """Read [l2norm]: the channels of a pixel, divided by their length."""
    return state.build("l2norm", state.flow())


def dropout(state: State, section: Section) -> Value:
    """Read [dropout]; what dropblock leaves out in training is no counterpart, and evaluation knows neither."""
    if section.flag("dropblock"):
        state.notes.append(f"{section}: dropblock became dropout; evaluation passes both through")
    rate = section.number("probability", 0.2)
    if not 0 <= rate < 1:
        raise UnsupportedError(f"probability {rate:g} is not from 0 below 1")
    return state.build("dropout", state.flow(), rate=rate)


def crop(state: State, section: Section) -> Value:
    """Read [crop]: the middle of the image, and its values from 0 to 1 brought to -1 to 1 (unless noadjust)."""
    value = state.image()
    _, height, width = size_of(value)
    size = section.whole("crop_height", 1, 1), section.whole("crop_width", 1, 1)
    if size[0] > height or size[1] > width:
        raise UnsupportedError(f"{size[0]} x {size[1]} pixels cannot be cut out of {height} x {width}")
    if size != (height, width):
        value = state.build("crop", value, size=size[0] if size[0] == size[1] else size)
    if section.flag("noadjust"):
        return value
    return state.build("offset", state.build("scale", value, factor=2), amount=-1)


def upsample(state: State, section: Section) -> Value:
    """Read [upsample]: every pixel stride times in each direction, multiplied by scale."""
    value, stride = state.image(), section.whole("stride", 2)
    if stride < 1:
        raise UnsupportedError("a stride below 1 adds up pixels instead")
    factor = section.number("scale", 1)
    if stride > 1:
        value = state.build("upsample", value, scale=stride)
    return value if factor == 1 else state.build("scale", value, factor=factor)


def reorg(state: State, section: Section) -> Value:
    """Read [reorg], which takes the entries in another order than [reorg3d].

    Darknet applies the rule for C x H x W to the same memory read as C/s^2 x s*H x s*W: the result is
    space_to_depth of the image reshaped to that size, reshaped to s^2*C x H/s x W/s.
    """
    value, stride = _reorganised(state, section)
    channels, height, width = size_of(value)
    if section.flag("reverse"):
        _demand_blocks(channels, stride)
        return state.build("depth_to_space", value, block=stride)
    _demand_pixels(height, width, stride)
    if channels % stride**2:
        raise UnsupportedError(f"of {channels} channels, no multiple of {stride**2}, Darknet reads past the end")
    seen = state.build("reshape", value, sizes=[channels // stride**2, height * stride, width * stride])
    parted = state.build("space_to_depth", seen, block=stride)
    return state.build("reshape", parted, sizes=[channels * stride**2, height // stride, width // stride])


def reorg3d(state: State, section: Section) -> Value:
    """Read [reorg3d]: space_to_depth; in reverse the counterpart of what is said of [reorg]."""
    value, stride = _reorganised(state, section)
    channels, height, width = size_of(value)
    if not section.flag("reverse"):
        _demand_pixels(height, width, stride)
        return state.build("space_to_depth", value, block=stride)
    _demand_blocks(channels, stride**2)
    sizes = [channels // stride**2, height * stride, width * stride]
    return state.build(
        "reshape", state.build("depth_to_space", state.build("reshape", value, sizes=sizes), block=stride), sizes=sizes
    )


def _reorganised(state: State, section: Section) -> tuple[Value, int]:
    for key in ("flatten", "extra"):
        state.demand(section, key)
    stride = section.whole("stride", 1, 1)
    if stride == 1:
        raise UnsupportedError("a stride of 1 moves nothing: leave the section out")
    return state.image(), stride


def _demand_pixels(height: int, width: int, stride: int) -> None:
    if height % stride or width % stride:
        raise UnsupportedError(f"{height} x {width} pixels are no blocks of {stride} x {stride}")


def _demand_blocks(channels: int, stride: int) -> None:
    if channels % stride**2:
        raise UnsupportedError(f"{channels} channels are no multiple of {stride**2}")


def empty(state: State, section: Section) -> Value:
    """Read [empty]: what flows in."""
    return state.flow()
