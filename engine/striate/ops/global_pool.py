"""Pooling over a whole image: one number per channel, for every height and width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Real
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import grid_size
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, keeping, per_input_entry, reducing

if TYPE_CHECKING:
    from torch import Tensor


def _global_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(inputs[0].channels, *(1 for _ in grid_size(inputs)))


def _whole_image(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return "all"


def _global_avgpool_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0].mean(tuple(range(2, call.inputs[0].dim())), keepdim=True)
    return result


def _global_maxpool_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0].amax(tuple(range(2, call.inputs[0].dim())), keepdim=True)
    return result


def _global_avgpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("GlobalAveragePool", call.inputs, call.outputs)


def _global_maxpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("GlobalMaxPool", call.inputs, call.outputs)


_GLOBAL_SAMPLES = (
    Sample({}, ((16, 7, 9),)),
    Sample({}, ((3, 1, 1),)),
    Sample({}, ((4, 9),)),
    Sample({}, ((4, 3, 2, 5),)),
    Sample({}, ((16,),), fails="needs an image"),
)

GLOBAL_AVGPOOL = OpRecord(
    name="global_avgpool",
    work=Work(per_input_entry(1), KEEPS_NOTHING),
    summary="Average of each channel over the whole image (sequence, volume): C x H x W to C x 1 x 1, for every H, W.",
    shape=_global_shape,
    window=_whole_image,
    torch=_global_avgpool_torch,
    onnx=_global_avgpool_onnx,
    samples=_GLOBAL_SAMPLES,
    reference="Lin, Chen and Yan, Network in network, 2014, section 3.2",
)

GLOBAL_MAXPOOL = OpRecord(
    name="global_maxpool",
    work=Work(reducing, keeping(0, output=True)),
    summary="Maximum of each channel over the whole image (sequence, volume): C x H x W to C x 1 x 1, for every H, W.",
    shape=_global_shape,
    window=_whole_image,
    torch=_global_maxpool_torch,
    onnx=_global_maxpool_onnx,
    samples=_GLOBAL_SAMPLES,
    reference="Oquab, Bottou, Laptev and Sivic, Is object localization for free?, 2015, section 3",
)


def _space(value: Tensor) -> tuple[int, ...]:
    return tuple(range(2, value.dim()))


def _global_minpool_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0].amin(_space(call.inputs[0]), keepdim=True)
    return result


def _global_minpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    Decomposition(call, sink).reduced_result("ReduceMin", call.inputs[0], range(2, call.input_types[0].rank + 1))


GLOBAL_MINPOOL = OpRecord(
    name="global_minpool",
    work=Work(reducing, keeping(0, output=True)),
    summary="Minimum of each channel over the whole image (sequence, volume): C x H x W to C x 1 x 1, for every H, W.",
    shape=_global_shape,
    window=_whole_image,
    torch=_global_minpool_torch,
    onnx=_global_minpool_onnx,
    samples=_GLOBAL_SAMPLES,
    reference="Serra, Image analysis and mathematical morphology, 1982, chapter 2 (erosion, by a set as large as the "
    "image)",
)

NORM = Argument(
    "p",
    Real(1),
    "The exponent: 1 adds the absolute values up, 2 gives the Euclidean length, and the larger p, the nearer the "
    "largest absolute value.",
    2.0,
)


def powers(call: TorchCall, value: Tensor) -> Tensor:
    """Return `|in|^p`, in float32 at least: the square of 256 is infinite in half precision."""
    result: Tensor = value.to(call.torch.promote_types(value.dtype, call.torch.float32)).abs().pow(call.attributes["p"])
    return result


def root(call: TorchCall, total: Tensor) -> Tensor:
    """Return the p-th root of sums of powers, with the gradient 0 where a sum is 0: its root has none there."""
    above = total > 0
    result = call.torch.where(above, total, 1.0).pow(1 / call.attributes["p"]) * above
    return result.to(call.inputs[0].dtype)  # type: ignore[no-any-return]


def whole_exponent(attributes: Attributes) -> int | None:
    """Return the exponent as the whole number that ONNX's operators take, or None where it is none."""
    return int(attributes["p"]) if attributes["p"] == int(attributes["p"]) else None


def _global_lppool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(inputs[0]) * 3 + entries(outputs[0])


def _global_lppool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    out = entries(outputs[0])
    return Kept((0,), numbers=entries(inputs[0]) + out, marks=out)


def _global_lppool_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(inputs[0]) * 2 - entries(outputs[0])  # absolute values and powers, before there is an output


def _global_lppool_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return root(call, powers(call, value).sum(_space(value), keepdim=True))


def _global_lppool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the norm as a reduction: few runtimes have ONNX's GlobalLpPool."""
    write, axes = Decomposition(call, sink), range(2, call.input_types[0].rank + 1)
    known = {1: "ReduceL1", 2: "ReduceL2"}.get(whole_exponent(call.attributes) or 0)
    if known:
        write.reduced_result(known, call.inputs[0], axes)
        return
    raised = write("Pow", write("Abs", call.inputs[0]), write.number(call.attributes["p"]))
    write.result("Pow", write.reduced("ReduceSum", raised, axes), write.number(1 / call.attributes["p"]))


GLOBAL_LPPOOL = OpRecord(
    name="global_lppool",
    work=Work(_global_lppool_operations, _global_lppool_keeps, _global_lppool_scratch),
    summary="The p-norm of each channel over the whole image, (sum of |in|^p)^(1/p): C x H x W to C x 1 x 1.",
    arguments=(NORM,),
    shape=_global_shape,
    window=_whole_image,
    torch=_global_lppool_torch,
    onnx=_global_lppool_onnx,
    samples=(
        Sample({}, ((16, 7, 9),)),
        Sample({"p": 1}, ((3, 4, 2),)),
        Sample({"p": 3.5}, ((4, 9),)),
        Sample({"p": 5}, ((4, 3, 2, 5),)),
        Sample({"p": 0.5}, ((4, 3, 5),), fails="p must be a number of at least 1"),
        Sample({}, ((16,),), fails="needs an image"),
    ),
    reference="Sermanet, Chintala and LeCun, Convolutional neural networks applied to house numbers digit "
    "classification, 2012, section 2.2",
)

RECORDS = (GLOBAL_AVGPOOL, GLOBAL_MAXPOOL, GLOBAL_MINPOOL, GLOBAL_LPPOOL)
