"""Normalisation of each image for itself along named axes: layer norm, and RMS norm, which leaves the mean alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import NAMED_AXES, axes_of, known_sizes, remaining, sizes_along, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import EVERY_RANK
from striate.ops.moments import EPS, affine, centred, normalising, scale_and_shift
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.sizes import entries, same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_AXIS = Argument(
    "axis",
    OneOf(NAMED_AXES),
    "What is normalised together, and has a weight for each entry: the channels of each pixel (as in ConvNeXt), the "
    "pixels of each channel (space), everything (all, as in the paper), or the entries along one axis.",
    Choice("channels"),
)
_AFFINE = affine("Whether the result is scaled and shifted by trained weights, which needs fixed sizes.", True)


def _axes(attributes: Attributes, inputs: Types) -> tuple[int, ...]:
    return axes_of(attributes["axis"], inputs[0].rank)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axes = _axes(attributes, inputs)
    if attributes["affine"]:
        known_sizes(inputs[0], axes)
    return same_type(inputs)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_along(_axes(attributes, inputs), inputs[0])


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    if not attributes["affine"]:
        return ()
    return scale_and_shift(known_sizes(inputs[0], _axes(attributes, inputs)))


def _layer_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return normalising(outputs[0], affine=attributes["affine"])


def _layer_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=remaining(inputs[0], axes_of(attributes["axis"], inputs[0].rank)) * 2)


def _layernorm_torch(call: TorchCall) -> Tensor:
    value, weights = call.inputs[0], call.weights
    axes = axes_of(call.attributes["axis"], value.dim() - 1)
    # torch normalises the last axes: one axis in the middle is moved there, several always end with the last one.
    middle = len(axes) == 1
    moved = value.movedim(axes[0], -1) if middle else value
    result: Tensor = call.torch.nn.functional.layer_norm(
        moved, moved.shape[-len(axes) :], weights.get("weight"), weights.get("bias"), call.attributes["eps"]
    )
    return result.movedim(-1, axes[0]) if middle else result


def _layernorm_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, kind = Decomposition(call, sink), call.input_types[0]
    axes = axes_of(call.attributes["axis"], kind.rank)
    sizes = [size for size in sizes_along(kind, axes) if isinstance(size, int)]
    if call.opset < 17 or (not call.attributes["affine"] and (len(sizes) < len(axes) or len(axes) > 1)):
        divided = centred(write, call.inputs[0], axes, call.attributes["eps"])
        if call.attributes["affine"]:
            scaled = write("Mul", write("Div", *divided), _aligned(write, call.weights["weight"], axes, kind.rank))
            write.result("Add", scaled, _aligned(write, call.weights["bias"], axes, kind.rank))
        else:
            write.result("Div", *divided)
        return
    weight = call.weights.get("weight") or write.filled(1, sizes[0])
    bias = call.weights.get("bias") or write.filled(0, sizes[0])
    settings = {"epsilon": call.attributes["eps"]}
    if axes[-1] == kind.rank:
        write.result("LayerNormalization", call.inputs[0], weight, bias, axis=axes[0], **settings)
        return
    there = [*(position for position in range(kind.rank + 1) if position != axes[0]), axes[0]]
    back = [there.index(position) for position in range(kind.rank + 1)]
    moved = write("Transpose", call.inputs[0], perm=there)
    write.result("Transpose", write("LayerNormalization", moved, weight, bias, axis=-1, **settings), perm=back)


def _aligned(write: Decomposition, weight: str, axes: Sequence[int], rank: int) -> str:
    """Write a weight whose axes are these with axes of size 1 behind them, up to the last of the value."""
    behind = rank - axes[-1]
    return write("Unsqueeze", weight, write.sizes(range(len(axes), len(axes) + behind))) if behind else weight


_REFUSED = (
    Sample({"axis": "space"}, ((10,),), fails="its input has no other axis than channels"),
    Sample({"axis": "length"}, ((6, 5, 7),), fails="its input has no length"),
    Sample({"affine": "yes"}, ((10,),), fails="affine must be true or false"),
)

LAYERNORM = OpRecord(
    name="layernorm",
    work=Work(_layer_operations, _layer_keeps),
    summary="Layer normalisation along named axes: out = (in - mean) / sqrt(variance + eps) * weight + bias.",
    role="normalisation",
    arguments=(_AXIS, EPS, _AFFINE),
    shape=_shape,
    weights=_weights,
    window=_window,
    torch=_layernorm_torch,
    onnx=_layernorm_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"axis": "all"}, ((6, 5, 7),)),
        Sample({"axis": "all"}, ((3, 4, 2, 5),)),
        Sample({"axis": "space"}, ((6, 5, 7),)),
        Sample({"axis": "last"}, ((6, 5, 7),)),
        Sample({"axis": "height", "eps": 1e-3}, ((6, 5, 7),)),
        Sample({"axis": "length"}, ((4, 9),)),
        Sample({"affine": False}, ((6, 5, 7),)),
        Sample({"axis": "all", "affine": False}, ((6, 5, 7),)),
        *_REFUSED,
    ),
    reference="Ba, Kiros and Hinton, Layer normalization, 2016, equation 3; over the channels as in Liu et al., A "
    "ConvNet for the 2020s, 2022",
)


def _rms_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    if not attributes["affine"]:
        return ()
    return (WeightSpec("weight", known_sizes(inputs[0], _axes(attributes, inputs)), Initializer("ones")),)


def _rms_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The square, the sum, times the reciprocal root; times the weight.
    return entries(outputs[0]) * (4 if attributes["affine"] else 3)


def _rms_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    lengths = remaining(inputs[0], axes_of(attributes["axis"], inputs[0].rank))
    return entries(outputs[0]) if attributes["affine"] else lengths


def _rms_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    lengths = remaining(inputs[0], axes_of(attributes["axis"], inputs[0].rank))
    return Kept((0,), numbers=lengths + (entries(outputs[0]) if attributes["affine"] else 0))


def _rms_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    axes = axes_of(call.attributes["axis"], value.dim() - 1)
    result: Tensor = value * (value.square().mean(axes, keepdim=True) + call.attributes["eps"]).rsqrt()
    if not call.attributes["affine"]:
        return result
    weight = call.weights["weight"]
    return result * weight.reshape(*weight.shape, *[1] * (value.dim() - 1 - axes[-1]))


def _rms_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, rank = Decomposition(call, sink), call.inputs[0], call.input_types[0].rank
    axes = axes_of(call.attributes["axis"], rank)
    mean = write.reduced("ReduceMean", write("Mul", value, value), axes)
    length = write("Sqrt", write("Add", mean, write.number(call.attributes["eps"])))
    if call.attributes["affine"]:
        write.result("Mul", write("Div", value, length), _aligned(write, call.weights["weight"], axes, rank))
    else:
        write.result("Div", value, length)


RMSNORM = OpRecord(
    name="rmsnorm",
    work=Work(_rms_operations, _rms_keeps, scratch=_rms_scratch),
    summary="RMS normalisation along named axes: out = in / sqrt(mean(in^2) + eps) * weight; nothing is subtracted.",
    role="normalisation",
    arguments=(
        _AXIS,
        EPS,
        affine("Whether the result is scaled by trained weights, which needs fixed sizes.", True),
    ),
    shape=_shape,
    weights=_rms_weights,
    window=_window,
    torch=_rms_torch,
    onnx=_rms_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"axis": "all"}, ((6, 5, 7),)),
        Sample({"axis": "space", "eps": 0.1}, ((6, 5, 7),)),
        Sample({"axis": "height"}, ((6, 5, 7),)),
        Sample({"affine": False}, ((6, 5, 7),)),
        *_REFUSED,
    ),
    reference="Zhang and Sennrich, Root mean square layer normalization, 2019, equation 4",
)

RECORDS = (LAYERNORM, RMSNORM)
