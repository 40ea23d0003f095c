"""Normalisation of each image for itself: by groups of channels, and by comparing what channels respond."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Integer, Real
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import EVERY_RANK
from striate.ops.moments import EPS, affine, check_several, normalising, scale_and_shift, spread, write_scaled
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.sizes import entries, known_channels, pixels, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor


def _everything(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return "all"


def _group_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    groups = attributes["groups"]
    if attributes["affine"]:
        known_channels(inputs)
    check.divisible(inputs[0].channels, groups, partial(_not_divided, inputs[0], groups))
    check_several(entries(inputs[0]) // groups, "entries of each group", inputs, check)
    return same_type(inputs)


def _not_divided(value: TensorType, groups: int) -> Problem:
    channels, near = value.channels, None
    if isinstance(channels, int):
        # A group of a single entry has no variance, so that a flat value cannot have a group for each channel.
        most = channels if pixels(value) != 1 else max(channels // 2, 1)
        legal = [count for count in range(1, most + 1) if channels % count == 0]
        near = min(legal, key=lambda count: abs(count - groups))
    return Problem(
        f"{format_dim(channels)} channels cannot be split into {groups} groups",
        code="E0205",
        argument="groups",
        notes=(f"the value that flows in is {format_shape(value)}",),
        help=f"groups = {near} is the nearest that fits" if near else None,
        repair=(("groups", str(near)),) if near else (),
    )


def _group_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return scale_and_shift((known_channels(inputs),)) if attributes["affine"] else ()


def _group_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return normalising(outputs[0], affine=attributes["affine"])


def _group_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=int(attributes["groups"]) * 2)


def _group_torch(call: TorchCall) -> Tensor:
    weights, attributes = call.weights, call.attributes
    result: Tensor = call.torch.nn.functional.group_norm(
        call.inputs[0], attributes["groups"], weights.get("weight"), weights.get("bias"), attributes["eps"]
    )
    return result


def _group_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, kind, attributes = Decomposition(call, sink), call.input_types[0], call.attributes
    # By way of instance norm, whose "channels" are then the groups: ONNX's own GroupNormalization came with opset 21,
    # and is a function through which its shape inference cannot see.
    grouped = write("Reshape", call.inputs[0], write.sizes([0, attributes["groups"], -1]))
    ones, zeros = write.filled(1, attributes["groups"]), write.filled(0, attributes["groups"])
    normalised = write("InstanceNormalization", grouped, ones, zeros, epsilon=attributes["eps"])
    sizes = write.sizes_of(kind, call.inputs[0])
    if attributes["affine"]:
        write_scaled(write, write("Reshape", normalised, sizes), call.weights, kind.rank - 1)
    else:
        write.result("Reshape", normalised, sizes)


GROUPNORM = OpRecord(
    name="groupnorm",
    work=Work(_group_operations, _group_keeps),
    summary="Group normalisation: out = (in - mean) / sqrt(variance + eps) * weight + bias, with the statistics of "
    "each group of neighbouring channels and a weight and a bias for each channel.",
    role="normalisation",
    arguments=(
        Argument("groups", Integer(), "Into how many groups the channels are split; 1 normalises everything together."),
        EPS,
        affine("Whether each channel is then scaled and shifted by trained weights.", True),
    ),
    shape=_group_shape,
    weights=_group_weights,
    window=_everything,
    torch=_group_torch,
    onnx=_group_onnx,
    samples=(
        Sample({"groups": 2}, ((6, 5, 7),)),
        Sample({"groups": 6, "eps": 0.1}, ((6, 5, 7),)),
        Sample({"groups": 1, "affine": False}, ((6, 5, 7),)),
        Sample({"groups": 5}, ((10,),)),
        Sample({"groups": 2}, ((4, 9),)),
        Sample({"groups": 3}, ((3, 4, 2, 5),)),
        Sample({"groups": 4}, ((6, 5, 7),), fails="6 channels cannot be split into 4 groups"),
        Sample({"groups": 6}, ((6, 1, 1),), fails="has one entry for each mean (entries of each group: 1)"),
        Sample({"groups": 0}, ((6, 5, 7),), fails="groups must be a whole number of at least 1"),
    ),
    reference="Wu and He, Group normalization, 2018, equation 7",
)


def _grn_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    with_space(inputs)
    known_channels(inputs)
    return same_type(inputs)


def _grn_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    shape, zeros = (known_channels(inputs),), Initializer("zeros")
    return WeightSpec("weight", shape, zeros), WeightSpec("bias", shape, zeros)


def _grn_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=entries(outputs[0]) + inputs[0].channels * 2 + 1)


def _grn_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    response = call.torch.linalg.vector_norm(value, dim=tuple(range(2, value.dim())), keepdim=True)
    share = response / (response.mean(1, keepdim=True) + call.attributes["eps"])
    weight, bias = (call.weights[role].reshape(-1, *[1] * (value.dim() - 2)) for role in ("weight", "bias"))
    result: Tensor = weight * (value * share) + bias + value
    return result


def _grn_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, rank = Decomposition(call, sink), call.inputs[0], call.input_types[0].rank
    response = write.reduced("ReduceL2", value, range(2, rank + 1))
    mean = write("Add", write.reduced("ReduceMean", response, [1]), write.number(call.attributes["eps"]))
    shared = write("Mul", value, write("Div", response, mean))
    scaled = write("Mul", shared, spread(write, call.weights["weight"], rank - 1))
    write.result("Add", write("Add", scaled, spread(write, call.weights["bias"], rank - 1)), value)


GRN = OpRecord(
    name="grn",
    work=Work(per_entry(6), _grn_keeps),
    summary="Global response normalisation: out = weight * in * share + bias + in, where share is the length of a "
    "channel over all its pixels, divided by the mean of these lengths over the channels plus eps.",
    role="normalisation",
    arguments=(Argument("eps", Real(0), "Added to the mean of the lengths, so that it is not zero.", 1e-6),),
    shape=_grn_shape,
    weights=_grn_weights,
    window=_everything,
    torch=_grn_torch,
    onnx=_grn_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK if len(shape) > 1),
        Sample({"eps": 0.5}, ((4, 3, 2),)),
        Sample({}, ((10,),), fails="needs pixels beside the channels, but gets 10"),
        Sample({"eps": -1}, ((4, 3, 2),), fails="eps must be a number of at least 0"),
    ),
    reference="Woo et al., ConvNeXt V2, 2023, algorithm 1",
)

RECORDS = (GROUPNORM, GRN)
