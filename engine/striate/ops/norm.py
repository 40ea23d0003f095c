"""Normalisation per channel: over the batch and the pixels (batch norm), or over the pixels of each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Flag
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import EVERY_RANK
from striate.ops.moments import (
    EPS,
    MOMENTUM,
    RUNNING,
    affine,
    centred,
    check_several,
    normalising,
    running_statistics,
    scale_and_shift,
)
from striate.ops.problems import Check
from striate.ops.record import POINTWISE, Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.sizes import entries, known_channels, pixels, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor


def _bn_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    known_channels(inputs)
    return same_type(inputs)


def _bn_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    channels = known_channels(inputs)
    return (*scale_and_shift((channels,)), *running_statistics(channels))


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
    _write_bn(call, Decomposition(call, sink), call.weights["weight"], call.weights["bias"])


def _write_bn(call: OnnxCall, write: Decomposition, weight: str, bias: str) -> None:
    write.result(
        "BatchNormalization",
        call.inputs[0],
        weight,
        bias,
        *(call.weights[role] for role in RUNNING),
        epsilon=call.attributes["eps"],
        momentum=1 - call.attributes["momentum"],  # ONNX's is the share that the old statistics keep
    )


BN = OpRecord(
    name="bn",
    work=Work(per_entry(2)),
    summary="Batch normalisation per channel: out = (in - mean) / sqrt(variance + eps) * weight + bias, with the "
    "batch's statistics in training and the running ones in evaluation.",
    role="normalisation",
    removes_offset=True,
    arguments=(EPS, MOMENTUM),
    shape=_bn_shape,
    weights=_bn_weights,
    torch=_bn_torch,
    onnx=_bn_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"eps": 1e-3, "momentum": 0.01}, ((4, 3, 2),)),
        Sample({"momentum": 1.5}, ((4, 3, 2),), fails="momentum must be a number from 0 to 1"),
        Sample({"eps": -1e-5}, ((4, 3, 2),), fails="eps must be a number of at least 0"),
    ),
    reference="Ioffe and Szegedy, Batch normalization, 2015, algorithms 1 and 2",
)


def _instance_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    with_space(inputs)
    if attributes["affine"] or attributes["running"]:
        known_channels(inputs)
    check_several(pixels(inputs[0]), "pixels of each channel", inputs, check)
    return same_type(inputs)


def _instance_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    specs: tuple[WeightSpec, ...] = ()
    if attributes["affine"]:
        specs += scale_and_shift((known_channels(inputs),))
    if attributes["running"]:
        specs += running_statistics(known_channels(inputs))
    return specs


def _instance_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return POINTWISE if attributes["running"] else "all"


def _instance_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    if attributes["running"]:
        return entries(outputs[0]) * 2
    return normalising(outputs[0], affine=attributes["affine"])


def _instance_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    # Mean and deviation of each channel of each image; torch repeats weights and statistics for every image.
    repeated = 2 + int(attributes["affine"]) + 2 * int(attributes["running"])
    return Kept((0,), numbers=inputs[0].channels * repeated)


def _instance_torch(call: TorchCall) -> Tensor:
    weights, attributes = call.weights, call.attributes
    result: Tensor = call.torch.nn.functional.instance_norm(
        call.inputs[0],
        weights.get("running_mean"),
        weights.get("running_var"),
        weights.get("weight"),
        weights.get("bias"),
        call.training or not attributes["running"],
        attributes["momentum"],
        attributes["eps"],
    )
    return result


def _instance_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, channels = Decomposition(call, sink), call.input_types[0].channels
    if not call.attributes["affine"] and not isinstance(channels, int):
        axes = range(2, call.input_types[0].rank + 1)
        write.result("Div", *centred(write, call.inputs[0], axes, call.attributes["eps"]))
        return
    count = channels if isinstance(channels, int) else 0
    weight = call.weights.get("weight") or write.filled(1, count)
    bias = call.weights.get("bias") or write.filled(0, count)
    if call.attributes["running"]:
        _write_bn(call, write, weight, bias)
    else:
        write.result("InstanceNormalization", call.inputs[0], weight, bias, epsilon=call.attributes["eps"])


INSTANCENORM = OpRecord(
    name="instancenorm",
    work=Work(_instance_operations, _instance_keeps),
    summary="Instance normalisation: out = (in - mean) / sqrt(variance + eps), with the statistics of each channel of "
    "each image; with running, evaluation takes those that training has kept.",
    role="normalisation",
    removes_offset=True,
    arguments=(
        EPS,
        affine("Whether each channel is then scaled and shifted by trained weights.", False),
        Argument("running", Flag(), "Whether training keeps running statistics, and evaluation uses them.", False),
        MOMENTUM,
    ),
    shape=_instance_shape,
    weights=_instance_weights,
    window=_instance_window,
    torch=_instance_torch,
    onnx=_instance_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK if len(shape) > 1),
        Sample({"affine": True}, ((6, 5, 7),)),
        Sample({"running": True}, ((6, 5, 7),)),
        Sample({"affine": True, "running": True, "momentum": 0.3}, ((4, 3, 2),)),
        Sample({"eps": 0.1}, ((4, 3, 2),)),
        Sample({}, ((10,),), fails="needs pixels beside the channels, but gets 10"),
        Sample({}, ((10, 1, 1),), fails="has one entry for each mean (pixels of each channel: 1)"),
        Sample({"affine": 1}, ((4, 3, 2),), fails="affine must be true or false"),
    ),
    reference="Ulyanov, Vedaldi and Lempitsky, Instance normalization, 2016, equation 1",
)

RECORDS = (BN, INSTANCENORM)
