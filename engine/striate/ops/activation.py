"""Activations: functions of one entry, and softmax over the channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, across_channels
from striate.ops.sizes import same_type
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor

_SAMPLES = (Sample({}, ((6, 5, 7),)), Sample({}, ((10,),)))


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return same_type(inputs)


def _torch_function(name: str) -> Callable[[TorchCall], Tensor]:
    """Return a rule that applies the function of that name in `torch.nn.functional`."""

    def rule(call: TorchCall) -> Tensor:
        result: Tensor = getattr(call.torch.nn.functional, name)(call.inputs[0])
        return result

    return rule


def _onnx_operator(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
    """Return a rule that writes one node without attributes."""

    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        sink.node(op_type, call.inputs, call.outputs)

    return rule


def _relu6_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    bounds = [sink.constant(f"{call.name}/{name}", value, "float32") for name, value in (("min", 0.0), ("max", 6.0))]
    sink.node("Clip", [call.inputs[0], *bounds], call.outputs)


def _softmax_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.softmax(call.inputs[0], dim=1)
    return result


def _softmax_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Softmax", call.inputs, call.outputs, axis=1)


RELU = OpRecord(
    name="relu",
    summary="Rectified linear unit: out = max(in, 0).",
    shape=_shape,
    torch=_torch_function("relu"),
    onnx=_onnx_operator("Relu"),
    samples=_SAMPLES,
    reference="Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010",
)

RELU6 = OpRecord(
    name="relu6",
    summary="Rectified linear unit with a ceiling: out = min(max(in, 0), 6).",
    shape=_shape,
    torch=_torch_function("relu6"),
    onnx=_relu6_onnx,
    samples=_SAMPLES,
    reference="Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010",
)

TANH = OpRecord(
    name="tanh",
    summary="Hyperbolic tangent: out = (e^in - e^-in) / (e^in + e^-in), between -1 and 1.",
    shape=_shape,
    torch=_torch_function("tanh"),
    onnx=_onnx_operator("Tanh"),
    samples=_SAMPLES,
    reference="LeCun, Bottou, Orr and Müller, Efficient backprop, 1998, section 4.4",
)

SIGMOID = OpRecord(
    name="sigmoid",
    summary="Logistic function: out = 1 / (1 + e^-in), between 0 and 1.",
    shape=_shape,
    torch=_torch_function("sigmoid"),
    onnx=_onnx_operator("Sigmoid"),
    samples=_SAMPLES,
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 3.10",
)

SOFTMAX = OpRecord(
    name="softmax",
    summary="Shares that add up to 1 over the channels: out = e^in / sum(e^in), per pixel or per flat value.",
    shape=_shape,
    window=across_channels,
    torch=_softmax_torch,
    onnx=_softmax_onnx,
    samples=_SAMPLES,
    reference="Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990",
)

RECORDS = (RELU, RELU6, TANH, SIGMOID, SOFTMAX)
