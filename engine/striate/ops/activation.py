"""Activations that level off: sigmoid and tanh, their piecewise linear and rational stand-ins, softplus, the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Choice, OneOf, Real
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import onnx_nodes, onnx_operator, samples, torch_function, unchanged
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_OUTPUT, Kept, Work, keeping, per_entry

if TYPE_CHECKING:
    from torch import Tensor

TANH = OpRecord(
    name="tanh",
    work=Work(per_entry(1), KEEPS_OUTPUT),
    summary="Hyperbolic tangent: out = (e^in - e^-in) / (e^in + e^-in), between -1 and 1.",
    role="activation",
    shape=unchanged,
    torch=torch_function("tanh"),
    onnx=onnx_operator("Tanh"),
    samples=samples(),
    reference="LeCun, Bottou, Orr and Müller, Efficient backprop, 1998, section 4.4",
)

SIGMOID = OpRecord(
    name="sigmoid",
    work=Work(per_entry(4), KEEPS_OUTPUT),
    summary="Logistic function: out = 1 / (1 + e^-in), between 0 and 1.",
    role="probabilities",
    shape=unchanged,
    torch=torch_function("sigmoid"),
    onnx=onnx_operator("Sigmoid"),
    samples=samples(),
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 3.10",
)


def _log_sigmoid_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Neg", write("Softplus", write("Neg", value)))


LOG_SIGMOID = OpRecord(
    name="log_sigmoid",
    work=Work(per_entry(4), keeping(0, per_output=1)),
    summary="Logarithm of the logistic function: out = -log(1 + e^-in), without loss of digits.",
    role="probabilities",
    shape=unchanged,
    torch=torch_function("logsigmoid"),
    onnx=onnx_nodes(_log_sigmoid_onnx),
    samples=samples(),
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 3.10",
)

_SLOPES = {"torch": 1 / 6, "onnx": 0.2}


def _hardsigmoid_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,)) if attributes["form"] == "torch" else Kept(numbers=entries(outputs[0]))


def _hardsigmoid_torch(call: TorchCall) -> Tensor:
    if call.attributes["form"] == "torch":
        result: Tensor = call.torch.nn.functional.hardsigmoid(call.inputs[0])
        return result
    return (call.inputs[0] * _SLOPES["onnx"] + 0.5).clamp(0, 1)


def _hardsigmoid_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    slope = _SLOPES[call.attributes["form"]]
    sink.node("HardSigmoid", call.inputs, call.outputs, alpha=slope, beta=0.5)


HARDSIGMOID = OpRecord(
    name="hardsigmoid",
    work=Work(per_entry(4), _hardsigmoid_keeps),
    summary="Sigmoid of straight pieces: out = min(max(alpha * in + 1/2, 0), 1).",
    role="probabilities",
    arguments=(
        Argument(
            "form",
            OneOf(("torch", "onnx")),
            "Whose alpha: 1/6 (torch, MobileNetV3, Keras since version 3) or 0.2 (ONNX's default, Keras before).",
            Choice("torch"),
        ),
    ),
    shape=unchanged,
    torch=_hardsigmoid_torch,
    onnx=_hardsigmoid_onnx,
    samples=(
        *samples(),
        Sample({"form": "onnx"}, ((6, 5, 7),)),
        Sample({"form": "keras"}, ((10,),), fails="form must be one of torch, onnx"),
    ),
    reference="Courbariaux, Bengio and David, BinaryConnect, 2015, equation 3, with the slopes of torch and ONNX",
)


def _hardswish_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    if call.opset < 14:
        write.result("Mul", value, write("HardSigmoid", value, alpha=_SLOPES["torch"], beta=0.5))
    else:
        write.result("HardSwish", value)


HARDSWISH = OpRecord(
    name="hardswish",
    work=Work(per_entry(5)),
    summary="Swish of straight pieces: out = in * min(max(in + 3, 0), 6) / 6.",
    role="activation",
    shape=unchanged,
    torch=torch_function("hardswish"),
    onnx=_hardswish_onnx,
    samples=samples(),
    reference="Howard et al., Searching for MobileNetV3, 2019, section 5.2",
)

SOFTSIGN = OpRecord(
    name="softsign",
    work=Work(per_entry(3), keeping(0, per_output=1)),
    summary="Levels off slowly: out = in / (1 + |in|), between -1 and 1.",
    role="activation",
    shape=unchanged,
    torch=torch_function("softsign"),
    onnx=onnx_operator("Softsign"),
    samples=samples(),
    reference="Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010",
)

_PLAIN_THRESHOLD = 17
"""From here on, log(1 + e^x) is x in 32 bits: what it adds, e^-17 / 17, is below half a unit in the last place."""


def _softplus_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    beta = attributes["beta"]
    inner = value if beta == 1 else write("Mul", value, write.number(beta))
    straight = attributes["threshold"] < _PLAIN_THRESHOLD
    if beta == 1 and not straight:
        write.result("Softplus", inner)
        return
    bent = write("Softplus", inner)
    if not straight:
        write.result("Div", bent, write.number(beta))
        return
    bent = bent if beta == 1 else write("Div", bent, write.number(beta))
    write.result("Where", write("Greater", inner, write.number(attributes["threshold"])), value, bent)


SOFTPLUS = OpRecord(
    name="softplus",
    work=Work(per_entry(5)),
    summary="Smooth rectifier: out = log(1 + e^(beta * in)) / beta, and in itself where beta * in is above threshold.",
    role="activation",
    arguments=(
        Argument("beta", Real(1e-6), "How sharp the bend is.", 1.0),
        Argument("threshold", Real(), "Where the straight line begins, so that nothing overflows.", 20.0),
    ),
    shape=unchanged,
    torch=torch_function("softplus", beta="beta", threshold="threshold"),
    onnx=onnx_nodes(_softplus_onnx),
    samples=(
        *samples(),
        Sample({"beta": 2}, ((6, 5, 7),)),
        Sample({"beta": 1.5, "threshold": 0.5}, ((6, 5, 7),)),
        Sample({"threshold": 0.2}, ((10,),)),
        Sample({"beta": 0}, ((10,),), fails="beta must be a number of at least 1e-06"),
    ),
    reference="Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating second-order functional knowledge, 2001",
)


def _step_torch(call: TorchCall) -> Tensor:
    # By way of the sign, whose gradient torch knows (0), so that a network with a step in it can still be trained
    # around it.
    result: Tensor = 1 - (call.attributes["at"] - call.inputs[0]).sign().clamp(min=0)
    return result


def _step_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    below = write("Less", value, write.number(attributes["at"]))
    write.result("Where", below, write.number(0), write.number(1))


STEP = OpRecord(
    name="step",
    work=Work(per_entry(1), keeping(per_output=1)),
    summary="Heaviside's step: out = 1 where in >= at, 0 elsewhere; no gradient comes back through it.",
    role="activation",
    arguments=(Argument("at", Real(), "Where the step is.", 0.0),),
    shape=unchanged,
    torch=_step_torch,
    onnx=onnx_nodes(_step_onnx),
    samples=(
        *samples(),
        Sample({"at": 0.3}, ((6, 5, 7),)),
        Sample({"at": "zero"}, ((10,),), fails="at must be a number"),
    ),
    reference="Rosenblatt, The perceptron: a probabilistic model for information storage in the brain, 1958",
)

RECORDS = (TANH, SIGMOID, LOG_SIGMOID, HARDSIGMOID, HARDSWISH, SOFTSIGN, SOFTPLUS, STEP)
