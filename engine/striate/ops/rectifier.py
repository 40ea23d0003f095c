"""Rectifiers: functions that keep what is above a threshold and bend or cut what is below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, OneOf, Real
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import onnx_nodes, onnx_operator, ordered, samples, torch_function, unchanged
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import known_channels, same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_OUTPUT, Work, keeping, per_entry

if TYPE_CHECKING:
    from torch import Tensor

RELU = OpRecord(
    name="relu",
    work=Work(per_entry(1), KEEPS_OUTPUT),
    summary="Rectified linear unit: out = max(in, 0).",
    role="activation",
    shape=unchanged,
    torch=torch_function("relu"),
    onnx=onnx_operator("Relu"),
    samples=samples(),
    reference="Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010",
)


def _relu6_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Clip", value, write.number(0), write.number(6))


RELU6 = OpRecord(
    name="relu6",
    work=Work(per_entry(2)),
    summary="Rectified linear unit with a ceiling: out = min(max(in, 0), 6).",
    role="activation",
    shape=unchanged,
    torch=torch_function("relu6"),
    onnx=onnx_nodes(_relu6_onnx),
    samples=samples(),
    reference="Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010",
)

LEAKY_RELU = OpRecord(
    name="leaky_relu",
    work=Work(per_entry(2)),
    summary="Leaky rectified linear unit: out = in where it is positive, slope * in elsewhere.",
    role="activation",
    arguments=(Argument("slope", Real(), "Slope below 0 (Keras takes 0.3, darknet 0.1).", 0.01),),
    shape=unchanged,
    torch=torch_function("leaky_relu", negative_slope="slope"),
    onnx=onnx_operator("LeakyRelu", alpha="slope"),
    samples=(
        *samples(),
        Sample({"slope": 0.2}, ((6, 5, 7),)),
        Sample({"slope": "steep"}, ((6, 5, 7),), fails="slope must be a number"),
    ),
    reference="Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, 2013",
)


def _prelu_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    if attributes["slopes"] == "channels":
        known_channels(inputs)
    return same_type(inputs)


def _prelu_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    size = known_channels(inputs) if attributes["slopes"] == "channels" else 1
    return (WeightSpec("weight", (size,), Initializer("constant", {"value": attributes["start"]})),)


def _prelu_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.prelu(call.inputs[0], call.weights["weight"])
    return result


def _prelu_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, slope = Decomposition(call, sink), call.weights["weight"]
    space = range(1, call.input_types[0].rank)
    # ONNX lines axes up from the right, so the slopes get axes for the space.
    spread = write("Unsqueeze", slope, write.sizes(space)) if space else slope
    write.result("PRelu", call.inputs[0], spread)


PRELU = OpRecord(
    name="prelu",
    work=Work(per_entry(2)),
    summary="Rectified linear unit with trained slopes: out = in where it is positive, weight * in elsewhere.",
    role="activation",
    arguments=(
        Argument(
            "slopes",
            OneOf(("channels", "shared")),
            "One slope per channel (as in the paper), or one that all entries share (torch's default).",
            Choice("channels"),
        ),
        Argument("start", Real(), "What the slopes are before training (as in the paper; Keras takes 0).", 0.25),
    ),
    shape=_prelu_shape,
    weights=_prelu_weights,
    torch=_prelu_torch,
    onnx=_prelu_onnx,
    samples=(
        *samples(),
        Sample({"slopes": "shared"}, ((6, 5, 7),)),
        Sample({"start": 0.1}, ((6, 5, 7),)),
        Sample({"slopes": "rows"}, ((6, 5, 7),), fails="slopes must be one of channels, shared"),
    ),
    reference="He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015, section 2.1",
)


def _rrelu_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    ordered(attributes, "lower", "upper")
    return same_type(inputs)


def _rrelu_torch(call: TorchCall) -> Tensor:
    lower, upper = call.attributes["lower"], call.attributes["upper"]
    result: Tensor = call.torch.nn.functional.rrelu(call.inputs[0], lower, upper, call.training)
    return result


def _rrelu_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    mean = (call.attributes["lower"] + call.attributes["upper"]) / 2
    sink.node("LeakyRelu", call.inputs, call.outputs, alpha=mean)


RRELU = OpRecord(
    name="rrelu",
    work=Work(per_entry(2), keeping(0, per_output=1)),
    summary="Randomised leaky rectified linear unit: below 0 each entry gets a slope between lower and upper at random "
    "in training, and their mean in evaluation.",
    role="activation",
    arguments=(
        Argument("lower", Real(), "Smallest slope below 0.", 0.125),
        Argument("upper", Real(), "Largest slope below 0.", 0.3333333333333333),
    ),
    shape=_rrelu_shape,
    torch=_rrelu_torch,
    onnx=_rrelu_onnx,
    samples=(
        *samples(),
        Sample({"lower": 0.1, "upper": 0.5}, ((6, 5, 7),)),
        Sample({"lower": 0.5, "upper": 0.1}, ((6, 5, 7),), fails="lower = 0.5 is above upper = 0.1"),
    ),
    reference="Xu, Wang, Chen and Li, Empirical evaluation of rectified activations in convolutional network, 2015",
)


def _threshold_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    above = write("Greater", value, write.number(attributes["at"]))
    write.result("Where", above, value, write.number(attributes["below"]))


THRESHOLD = OpRecord(
    name="threshold",
    work=Work(per_entry(1)),
    summary="Keeps what is large: out = in where in > at, below elsewhere.",
    role="activation",
    arguments=(
        Argument("at", Real(), "Entries above this number are kept.", 0.0),
        Argument("below", Real(), "What all other entries become.", 0.0),
    ),
    shape=unchanged,
    torch=torch_function("threshold", threshold="at", value="below"),
    onnx=onnx_nodes(_threshold_onnx),
    samples=(
        *samples({"at": 0.3, "below": -0.5}),
        Sample({}, ((6, 5, 7),)),
        Sample({"at": True}, ((10,),), fails="at must be a number"),
    ),
    reference="Konda, Memisevic and Krueger, Zero-bias autoencoders and the benefits of co-adapting features, 2015",
)


def _clip_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    ordered(attributes, "low", "high")
    return same_type(inputs)


def _clip_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Clip", value, write.number(attributes["low"]), write.number(attributes["high"]))


CLIP = OpRecord(
    name="clip",
    work=Work(per_entry(2)),
    summary="Cuts off at two numbers: out = min(max(in, low), high); as it stands it is the hard tanh.",
    role="activation",
    arguments=(
        Argument("low", Real(), "Smallest value.", -1.0),
        Argument("high", Real(), "Largest value.", 1.0),
    ),
    shape=_clip_shape,
    torch=torch_function("hardtanh", min_val="low", max_val="high"),
    onnx=onnx_nodes(_clip_onnx),
    samples=(
        *samples(),
        Sample({"low": 0, "high": 0.5}, ((6, 5, 7),)),
        Sample({"low": 2}, ((6, 5, 7),), fails="low = 2 is above high = 1"),
    ),
    reference="Collobert, Large scale machine learning, 2004, section 5.4.4 (hard tanh)",
)

RECORDS = (RELU, RELU6, LEAKY_RELU, PRELU, RRELU, THRESHOLD, CLIP)
