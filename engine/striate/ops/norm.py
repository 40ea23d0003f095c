"""Normalisation: of a batch, across neighbouring channels, and to unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.graph import Initializer
from striate.ops.arguments import Argument, Integer, Real
from striate.ops.geometry import image_size
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, across_channels
from striate.ops.sizes import known_channels, same_type
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def _bn_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    known_channels(inputs)
    return same_type(inputs)


def _bn_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    shape = (known_channels(inputs),)
    zeros, ones = Initializer("zeros"), Initializer("ones")
    return (
        WeightSpec("weight", shape, ones),
        WeightSpec("bias", shape, zeros),
        WeightSpec("running_mean", shape, zeros, trainable=False),
        WeightSpec("running_var", shape, ones, trainable=False),
    )


def _bn_torch(call: TorchCall) -> Tensor:
    weights = call.weights
    result: Tensor = call.torch.nn.functional.batch_norm(
        call.inputs[0],
        weights["running_mean"],
        weights["running_var"],
        weights["weight"],
        weights["bias"],
        call.training,
        call.attributes["momentum"],
        call.attributes["eps"],
    )
    return result


def _bn_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    roles = ("weight", "bias", "running_mean", "running_var")
    sink.node(
        "BatchNormalization",
        [call.inputs[0], *(call.weights[role] for role in roles)],
        call.outputs,
        epsilon=call.attributes["eps"],
        momentum=1 - call.attributes["momentum"],  # ONNX's is the share that the old statistics keep
    )


BN = OpRecord(
    name="bn",
    summary="Batch normalisation per channel: out = (in - mean) / sqrt(variance + eps) * weight + bias, with the "
    "batch's statistics in training and the running ones in evaluation.",
    arguments=(
        Argument("eps", Real(0), "Added to the variance, so that nothing is divided by zero.", 1e-5),
        Argument(
            "momentum",
            Real(0, 1),
            "Weight of the new batch in the running statistics: running = (1 - momentum) * running + momentum * batch "
            "(as in torch; Keras and ONNX call 1 - momentum by that name). The batch's variance is divided by n - 1 "
            "there.",
            0.1,
        ),
    ),
    shape=_bn_shape,
    weights=_bn_weights,
    torch=_bn_torch,
    onnx=_bn_onnx,
    samples=(
        Sample({}, ((6, 5, 7),)),
        Sample({"eps": 1e-3, "momentum": 0.01}, ((4, 3, 2),)),
        Sample({}, ((10,),)),
        Sample({"momentum": 1.5}, ((4, 3, 2),), fails="momentum must be a number from 0 to 1"),
        Sample({"eps": -1e-5}, ((4, 3, 2),), fails="eps must be a number of at least 0"),
    ),
    reference="Ioffe and Szegedy, Batch normalization, 2015, algorithms 1 and 2",
)


def _lrn_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    image_size(inputs)
    return same_type(inputs)


def _lrn_torch(call: TorchCall) -> Tensor:
    attributes = call.attributes
    result: Tensor = call.torch.nn.functional.local_response_norm(
        call.inputs[0], attributes["size"], attributes["alpha"], attributes["beta"], attributes["k"]
    )
    return result


def _lrn_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    if attributes["size"] % 2:
        names = {"size": attributes["size"], "alpha": attributes["alpha"], "beta": attributes["beta"]}
        sink.node("LRN", call.inputs, call.outputs, bias=attributes["k"], **names)
    else:
        _even_lrn_onnx(call, sink)


def _even_lrn_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the formula: ONNX's LRN puts the odd channel of an even size on the other side, ONNX Runtime refuses it."""
    values, name, attributes = call.inputs[0], call.name, call.attributes
    size = attributes["size"]
    axis = sink.constant(f"{name}/axis", [1], "int64")
    sink.node("Mul", [values, values], [f"{name}/square"])
    sink.node("Unsqueeze", [f"{name}/square", axis], [f"{name}/deep"])
    sink.node(
        "AveragePool",
        [f"{name}/deep"],
        [f"{name}/mean"],
        kernel_shape=(size, 1, 1),
        pads=(size // 2, 0, 0, (size - 1) // 2, 0, 0),
        count_include_pad=1,
    )
    sink.node("Squeeze", [f"{name}/mean", axis], [f"{name}/flat"])
    sink.node("Mul", [f"{name}/flat", sink.constant(f"{name}/alpha", attributes["alpha"], "float32")], [f"{name}/part"])
    sink.node("Add", [f"{name}/part", sink.constant(f"{name}/k", attributes["k"], "float32")], [f"{name}/sum"])
    sink.node("Pow", [f"{name}/sum", sink.constant(f"{name}/beta", attributes["beta"], "float32")], [f"{name}/divisor"])
    sink.node("Div", [values, f"{name}/divisor"], call.outputs)


LRN = OpRecord(
    name="lrn",
    summary="Local response normalisation across channels: out = in / (k + alpha / size * sum(in^2)) ^ beta, the sum "
    "over size channels around each (an even size takes the extra one before it).",
    arguments=(
        Argument("size", Integer(), "Number of channels in the sum."),
        Argument(
            "alpha",
            Real(0),
            "Weight of the mean of squares: it is divided by size, as in torch, Caffe and ONNX (AlexNet's paper does "
            "not divide; its 1e-4 over 5 channels is alpha = 5e-4 here).",
            1e-4,
        ),
        Argument("beta", Real(0), "Exponent of the divisor.", 0.75),
        Argument("k", Real(0), "Added to the weighted squares (AlexNet takes 2).", 1.0),
    ),
    shape=_lrn_shape,
    torch=_lrn_torch,
    onnx=_lrn_onnx,
    samples=(
        Sample({"size": 5}, ((8, 6, 7),)),
        Sample({"size": 3, "alpha": 0.5, "beta": 0.5, "k": 2}, ((7, 4, 3),)),
        Sample({"size": 4, "alpha": 0.5}, ((7, 4, 3),)),
        Sample({"size": 7, "alpha": 0.5}, ((2, 4, 3),)),
        Sample({"size": 1, "alpha": 0.5}, ((3, 4, 3),)),
        Sample({"size": 5}, ((64,),), fails="needs an image"),
        Sample({"size": 0}, ((8, 6, 7),), fails="size must be a whole number of at least 1"),
    ),
    reference="Krizhevsky, Sutskever and Hinton, ImageNet classification with deep CNNs, 2012, section 3.3",
)


def _l2norm_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return same_type(inputs)


def _l2norm_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.normalize(call.inputs[0], dim=1, eps=call.attributes["eps"])
    return result


def _l2norm_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    norm, floor = f"{call.name}/norm", f"{call.name}/floor"
    if call.opset < 18:
        sink.node("ReduceL2", call.inputs, [norm], axes=[1], keepdims=1)
    else:  # the axes became an input
        sink.node("ReduceL2", [call.inputs[0], sink.constant(f"{call.name}/axes", [1], "int64")], [norm], keepdims=1)
    sink.node("Max", [norm, sink.constant(f"{call.name}/eps", call.attributes["eps"], "float32")], [floor])
    sink.node("Div", [call.inputs[0], floor], call.outputs)


L2NORM = OpRecord(
    name="l2norm",
    summary="Scales to length 1 over the channels: out = in / max(sqrt(sum(in^2)), eps), per pixel or per flat value.",
    arguments=(Argument("eps", Real(0), "Least length that is divided by, for values that are zero.", 1e-12),),
    shape=_l2norm_shape,
    window=across_channels,
    torch=_l2norm_torch,
    onnx=_l2norm_onnx,
    samples=(
        Sample({}, ((128,),)),
        Sample({"eps": 2.0}, ((5, 4, 3),)),
        Sample({"eps": -1}, ((5, 4, 3),), fails="eps must be a number of at least 0"),
    ),
    reference="Liu, Rabinovich and Berg, ParseNet, 2015, section 3.3, with eps as in torch's normalize",
)

RECORDS = (BN, LRN, L2NORM)
