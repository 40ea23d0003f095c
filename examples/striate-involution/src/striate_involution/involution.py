"""Involution: every pixel has a kernel of its own, made from the pixel, and shared by all channels of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.plugin import (
    Argument,
    Check,
    Dim,
    Flag,
    Initializer,
    Integer,
    LayerError,
    OnnxCall,
    OnnxSink,
    OpRecord,
    Problem,
    Sample,
    TensorType,
    TorchCall,
    WeightSpec,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    Attributes = Mapping[str, Any]
    Types = tuple[TensorType, ...]


def _channels(attributes: Attributes, inputs: Types) -> int:
    """Return the channels, which must be known and be a multiple of the groups."""
    if inputs[0].rank != 3:
        raise LayerError(Problem("needs an image C x H x W", code="E0204", notes=(f"it gets {inputs[0].rank} axes",)))
    channels = inputs[0].shape[0]
    if not isinstance(channels, int):
        raise LayerError(Problem("needs a number of channels that does not depend on the input's size", code="E0213"))
    return channels


def _reduced(attributes: Attributes, channels: int) -> int:
    return max(channels // attributes["reduction"], 1)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    """Return `C x H/s x W/s`: kernels are made from means over s x s pixels, so s must divide height and width."""
    channels, groups, stride = _channels(attributes, inputs), attributes["groups"], attributes["stride"]
    if attributes["kernel"] % 2 == 0:
        problem = Problem(f"kernel {attributes['kernel']} has no pixel in its middle", argument="kernel")
        raise LayerError(problem)
    if channels % groups:
        message = f"{channels} channels cannot be dealt out to {groups} groups"
        raise LayerError(Problem(message, code="E0205", argument="groups", help="choose a divisor of the channels"))
    space: list[Dim] = []
    for name, size in zip(("height", "width"), inputs[0].shape[1:], strict=True):

        def problem_of(name: str = name, size: Dim = size) -> Problem:
            message = f"stride {stride} does not divide the {name} {size}"
            return Problem(message, argument="stride", help="pad the image to a multiple, or pool before")

        check.divisible(size, stride, problem_of)
        space.append(size // stride)
    return (TensorType((channels, *space)),)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    """Return the two products that make the kernels of a pixel from its channels."""
    channels = _channels(attributes, inputs)
    reduced, entries = _reduced(attributes, channels), attributes["kernel"] ** 2 * attributes["groups"]
    made = [
        WeightSpec("reduce", (reduced, channels, 1, 1), Initializer("he_normal", {"fan_in": channels})),
        WeightSpec("reduce_bias", (reduced,), Initializer("zeros")),
        WeightSpec("span", (entries, reduced, 1, 1), Initializer("he_normal", {"fan_in": reduced})),
    ]
    return (*made, WeightSpec("span_bias", (entries,), Initializer("zeros"))) if attributes["bias"] else tuple(made)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Return reduce, span, and the weighted sums: C*R + R*K*K*G + K*K*C per output pixel."""
    _, rows, columns = outputs[0].shape
    count = _channels(attributes, inputs)
    reduced, window = _reduced(attributes, count), attributes["kernel"] ** 2
    per_pixel = count * reduced + reduced * window * attributes["groups"] + window * count
    return rows * columns * per_pixel


def _window(attributes: Attributes, inputs: Types) -> Window:
    extent, stride = float(attributes["kernel"]), float(attributes["stride"])
    return Window((extent, extent), (stride, stride), ((extent - 1) / 2,) * 2)


def _kernels(call: TorchCall) -> Tensor:
    """Return the kernels of all output pixels, `N x (G*K*K) x H/s x W/s`."""
    function, stride = call.torch.nn.functional, call.attributes["stride"]
    value = call.inputs[0]
    value = function.avg_pool2d(value, stride, stride) if stride > 1 else value
    hidden = function.conv2d(value, call.weights["reduce"], call.weights["reduce_bias"]).relu()
    made: Tensor = function.conv2d(hidden, call.weights["span"], call.weights.get("span_bias"))
    return made


def _torch(call: TorchCall) -> Tensor:
    """Compute `N x C x H x W` by Triton on a GPU, and by torch elsewhere."""
    from striate_involution.kernel import involve

    attributes = call.attributes
    return involve(call.inputs[0], _kernels(call), attributes["kernel"], attributes["stride"], attributes["groups"])


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the kernels as convolutions; the windows are gathered by a convolution with one entry of 1 per place."""
    kernel, stride, groups = (call.attributes[name] for name in ("kernel", "stride", "groups"))
    name, value, weights = call.name, call.inputs[0], call.weights
    channels, window = _channels(call.attributes, tuple(call.input_types)), kernel**2
    source = value
    if stride > 1:
        source = f"{name}/mean"
        sink.node("AveragePool", [value], [source], kernel_shape=[stride, stride], strides=[stride, stride])
    sink.node("Conv", [source, weights["reduce"], weights["reduce_bias"]], [f"{name}/reduced"])
    sink.node("Relu", [f"{name}/reduced"], [f"{name}/hidden"])
    bias = [weights["span_bias"]] if "span_bias" in weights else []
    sink.node("Conv", [f"{name}/hidden", weights["span"], *bias], [f"{name}/kernels"])

    places = [
        [[float(row * kernel + column == place) for column in range(kernel)] for row in range(kernel)]
        for place in range(window)
    ]
    taps = sink.constant(f"{name}/taps", [[rows] for _ in range(channels) for rows in places], "float32")
    pad = (kernel - 1) // 2
    sink.node("Conv", [value, taps], [f"{name}/windows"], group=channels, pads=[pad] * 4, strides=[stride, stride])

    # N x C x H x W, seen as N x G x C/G x K*K x pixels: -1 stands for the pixels, 0 for the batch as it is.
    shape = sink.constant(f"{name}/window_sizes", [0, groups, channels // groups, window, -1], "int64")
    sink.node("Reshape", [f"{name}/windows", shape], [f"{name}/split_windows"])
    shape = sink.constant(f"{name}/kernel_sizes", [0, groups, 1, window, -1], "int64")
    sink.node("Reshape", [f"{name}/kernels", shape], [f"{name}/split_kernels"])
    sink.node("Mul", [f"{name}/split_windows", f"{name}/split_kernels"], [f"{name}/products"])
    axis = sink.constant(f"{name}/axis", [3], "int64")
    sink.node("ReduceSum", [f"{name}/products", axis], [f"{name}/sums"], keepdims=0)
    _restored(call, sink, f"{name}/sums", f"{name}/kernels", channels)


def _restored(call: OnnxCall, sink: OnnxSink, sums: str, like: str, channels: int) -> None:
    """Write the sums as `N x C x H x W`, where height and width are read off the kernels: they may be open."""
    name = call.name
    sink.node("Shape", [like], [f"{name}/sizes"])
    for part, (start, end) in {"batch": (0, 1), "space": (2, 4)}.items():
        edges = [sink.constant(f"{name}/{part}_{word}", [at], "int64") for word, at in (("from", start), ("to", end))]
        sink.node("Slice", [f"{name}/sizes", *edges], [f"{name}/{part}"])
    count = sink.constant(f"{name}/channels", [channels], "int64")
    sink.node("Concat", [f"{name}/batch", count, f"{name}/space"], [f"{name}/result_sizes"], axis=0)
    sink.node("Reshape", [sums, f"{name}/result_sizes"], call.outputs)


INVOLUTION = OpRecord(
    name="involution",
    summary="A weighted sum of a window, whose weights are made from the pixel in its middle, per group of channels.",
    arguments=(
        Argument("kernel", Integer(), "Height and width of the window, an odd number.", 7),
        Argument("stride", Integer(), "Pixels from one window to the next; it divides height and width.", 1),
        Argument("groups", Integer(), "Channels of a group share their kernels.", 1),
        Argument("reduction", Integer(), "How many times fewer channels the kernels are made from.", 4),
        Argument("bias", Flag(), "Whether a trained number is added to each entry of the kernels.", True),
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=_window,
    torch=_torch,
    onnx=_onnx,
    role="weights",
    samples=(
        Sample({"kernel": 3}, ((8, 6, 9),), parameters=2 * 8 + 2 + 9 * 2 + 9, macs=54 * (16 + 18 + 72)),
        Sample({"kernel": 5, "stride": 2, "groups": 2}, ((8, 4, 6),), parameters=2 * 8 + 2 + 50 * 2 + 50),
        Sample({"kernel": 3, "reduction": 2, "bias": False}, ((4, 5, 7),), parameters=2 * 4 + 2 + 9 * 2),
        Sample({"kernel": 4}, ((8, 6, 9),), fails="no pixel in its middle"),
        Sample({"kernel": 3, "groups": 3}, ((8, 6, 9),), fails="8 channels cannot be dealt out to 3 groups"),
        Sample({"kernel": 3, "stride": 2}, ((8, 6, 9),), fails="stride 2 does not divide the width 9"),
        Sample({}, ((8,),), fails="needs an image"),
    ),
    reference="Li et al., Involution: inverting the inherence of convolution for visual recognition, 2021, equation 4",
)
