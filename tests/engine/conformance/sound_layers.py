"""Two layers that keep every rule of plugins, with public names only: what the wrong ones are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.plugin import (
    Argument,
    Check,
    Flag,
    Initializer,
    Integer,
    LayerError,
    OnnxCall,
    OnnxSink,
    OpRecord,
    Problem,
    Real,
    Sample,
    TensorType,
    TorchCall,
    WeightSpec,
    Window,
)

Attributes = Mapping[str, Any]
Types = tuple[TensorType, ...]


def channels(inputs: Types) -> int:
    size = inputs[0].shape[0]
    if not isinstance(size, int):
        raise LayerError(Problem("needs a number of channels that is known", code="E0213"))
    return size


def demand_image(inputs: Types) -> None:
    if inputs[0].rank != 3:
        raise LayerError(Problem("needs an image, channels and two axes", code="E0204"))


# ----------------------------------------------------------------------------------------------- a convolution


def shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    demand_image(inputs)
    kernel, stride = attributes["kernel"], attributes["stride"]
    for size in inputs[0].shape[1:]:
        check.at_least(size, kernel, lambda: Problem("the kernel is larger than the image", argument="kernel"))
    rows, columns = ((size - kernel) // stride + 1 for size in inputs[0].shape[1:])
    return (TensorType((channels(inputs), rows, columns)),)


def weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    count, kernel = channels(inputs), attributes["kernel"]
    weight = WeightSpec("weight", (count, 1, kernel, kernel), Initializer("he_normal", {"fan_in": kernel**2}))
    return (weight, WeightSpec("bias", (count,), Initializer("zeros"))) if attributes["bias"] else (weight,)


def macs(attributes: Attributes, inputs: Types, outputs: Types) -> Any:
    count, rows, columns = outputs[0].shape
    return attributes["kernel"] ** 2 * count * rows * columns


def torch_rule(call: TorchCall) -> Any:
    weight, bias = call.weights["weight"], call.weights.get("bias")
    made = call.torch.nn.functional.conv2d(
        call.inputs[0], weight, bias, call.attributes["stride"], groups=weight.shape[0]
    )
    return made * call.attributes["scale"]


def onnx_rule(call: OnnxCall, sink: OnnxSink) -> None:
    stride, count = call.attributes["stride"], channels(tuple(call.input_types))
    sink.node(
        "Conv",
        [call.inputs[0], *call.weights.values()],
        [f"{call.name}/sum"],
        strides=[stride, stride],
        group=count,
    )
    scale = sink.constant(f"{call.name}/scale", call.attributes["scale"], "float32")
    sink.node("Mul", [f"{call.name}/sum", scale], call.outputs)


def window(attributes: Attributes, inputs: Types) -> Window:
    extent, stride = float(attributes["kernel"]), float(attributes["stride"])
    return Window((extent,) * 2, (stride,) * 2, (0.0, 0.0))


CONVOLUTION = OpRecord(
    name="each_conv",
    summary="A convolution of each channel by a kernel of its own, times a number.",
    arguments=(
        Argument("kernel", Integer(), "Height and width of the kernel."),
        Argument("stride", Integer(), "Pixels from one window to the next.", 1),
        Argument("bias", Flag(), "Whether a trained number is added.", True),
        Argument("scale", Real(-4, 4), "What everything is multiplied by.", 1.0),
    ),
    shape=shape,
    weights=weights,
    macs=macs,
    window=window,
    torch=torch_rule,
    onnx=onnx_rule,
    role="weights",
    samples=(
        Sample({"kernel": 3}, ((2, 5, 7),), parameters=2 * 9 + 2, macs=9 * 2 * 3 * 5),
        Sample({"kernel": 2, "stride": 2, "bias": False}, ((3, 6, 4),), parameters=3 * 4, macs=4 * 3 * 3 * 2),
        Sample({"kernel": 1, "scale": 0.5}, ((2, 3, 4),)),
        Sample({"kernel": 9}, ((2, 5, 7),), fails="larger than the image"),
    ),
    reference="Howard et al., MobileNets, 2017, section 3.1 (depthwise convolution)",
)


# ----------------------------------------------------------------------------------------------- with statistics


def tracked_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels(inputs)
    return (inputs[0],)


def tracked_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return (
        WeightSpec("gain", (channels(inputs),), Initializer("ones")),
        WeightSpec("running_peak", (), Initializer("ones"), trainable=False),
    )


def tracked_torch(call: TorchCall) -> Any:
    """Divide by the mean of the largest entries that training has seen, and leave entries out in training."""
    value, gain, peak = call.inputs[0], call.weights["gain"], call.weights["running_peak"]
    if call.training:
        with call.torch.no_grad():
            peak.mul_(0.9).add_(0.1 * value.abs().amax())
        value = value * (call.torch.rand_like(value) > call.attributes["rate"])
    return value * gain.reshape(-1, *[1] * (value.dim() - 2)) / (peak.abs() + 0.5)


def tracked_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    name, space = call.name, call.input_types[0].rank - 1
    gain = call.weights["gain"]
    if space:
        axes = sink.constant(f"{name}/axes", list(range(1, 1 + space)), "int64")
        sink.node("Unsqueeze", [gain, axes], [f"{name}/spread"])
        gain = f"{name}/spread"
    half = sink.constant(f"{name}/half", 0.5, "float32")
    sink.node("Abs", [call.weights["running_peak"]], [f"{name}/size"])
    sink.node("Add", [f"{name}/size", half], [f"{name}/divisor"])
    sink.node("Mul", [call.inputs[0], gain], [f"{name}/product"])
    sink.node("Div", [f"{name}/product", f"{name}/divisor"], call.outputs)


TRACKED = OpRecord(
    name="peak_norm",
    summary="Each channel times a trained number, over the largest entry seen in training; training drops entries.",
    arguments=(Argument("rate", Real(0, 1, open_maximum=True), "Share of entries left out in training.", 0.25),),
    shape=tracked_shape,
    weights=tracked_weights,
    torch=tracked_torch,
    onnx=tracked_onnx,
    role="normalisation",
    samples=(
        Sample({}, ((4, 5, 7),), parameters=4),
        Sample({"rate": 0.5}, ((6,),)),
        Sample({"rate": 2}, ((6,),), fails="rate must be"),
    ),
    reference="made for these tests",
)
