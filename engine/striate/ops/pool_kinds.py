"""Pooling by other measures: the minimum of a window, its p-norm, a blend of maximum and average."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, OneOf, Padding, PerAxis, Real
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import receptive_window, window_formula
from striate.ops.global_pool import NORM, powers, root, whole_exponent
from striate.ops.padding import actual_pads, explicitly_padded, onnx_padding, onnx_pads
from striate.ops.pool import (
    CEIL,
    KERNEL,
    STRIDE,
    avgpool_onnx,
    avgpool_torch,
    maxpool_keeps,
    maxpool_onnx,
    maxpool_operations,
    maxpool_torch,
    pool_shape,
    reach,
    reached_entries,
    settle_pool,
)
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, all_results
from striate.ops.sizes import entries, known_channels
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor


def _largest(call: TorchCall, value: Tensor) -> Tensor:
    """Return the maximum of each window of a value that takes the place of the input."""
    return all_results(maxpool_torch(replace(call, inputs=[value])))[0]


def _minpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return maxpool_operations(attributes, inputs, outputs) + entries(inputs[0]) + entries(outputs[0])


def _minpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    kept = maxpool_keeps(attributes, inputs, outputs)
    return Kept(numbers=kept.numbers if kept.numbers != 0 else entries(inputs[0]), indices=kept.indices)


def _minpool_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(inputs[0]) + maxpool_keeps(attributes, inputs, outputs).numbers


def _minpool_torch(call: TorchCall) -> Tensor:
    return -_largest(call, -call.inputs[0])


def _minpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    largest = f"{call.name}/largest"
    maxpool_onnx(replace(call, inputs=[write("Neg", call.inputs[0])], outputs=[largest]), sink)
    write.result("Neg", largest)


MINPOOL = OpRecord(
    name="minpool",
    work=Work(_minpool_operations, _minpool_keeps, _minpool_scratch),
    summary="Minimum of each window, -maxpool(-in): "
    "out = floor((in + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1 per axis. It keeps dark details "
    "on bright ground, where maxpool keeps bright ones.",
    arguments=(
        KERNEL,
        STRIDE,
        Argument("pad", Padding(), "Rows and columns around the image that never are the minimum.", 0),
        Argument("dilation", PerAxis(), "Distance between two entries of the window.", 1),
        CEIL,
    ),
    settle=settle_pool,
    shape=pool_shape,
    window=receptive_window,
    formula=window_formula,
    torch=_minpool_torch,
    onnx=_minpool_onnx,
    samples=(
        Sample({"kernel": 2}, ((6, 8, 10),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "ceil": True}, ((4, 14, 11),)),
        Sample({"kernel": 2, "pad": "same"}, ((5, 7, 8),)),
        Sample({"kernel": 2, "stride": 1, "dilation": 3, "pad": (2, 3, 3, 2)}, ((2, 6, 5),)),
        Sample({"kernel": 3, "stride": 2, "pad": (0, 2)}, ((3, 15),)),
        Sample({"kernel": 2, "stride": (1, 2, 2), "ceil": True}, ((3, 4, 5, 6),)),
        Sample({"kernel": 3}, ((8, 2, 9),), fails="kernel 3 is larger than the height 2"),
        Sample({"kernel": 2, "pad": 2}, ((8, 9, 9),), fails="not smaller than the window's height 2"),
        Sample({"kernel": 2, "dilation": 4, "pad": 3}, ((8, 9, 3),), fails="dilation 4 is larger than the width 3"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Serra, Image analysis and mathematical morphology, 1982, chapter 2 (erosion by a rectangle)",
)


def _sums(call: TorchCall, value: Tensor) -> Tensor:
    """Return the sum of each window; what padding and rounding up add counts nothing."""
    kernel, stride = call.attributes["kernel"], call.attributes["stride"]
    padded = explicitly_padded(call, value, reach(call.attributes, actual_pads(call, value)))
    average = getattr(call.torch.nn.functional, f"avg_pool{len(kernel)}d")
    result: Tensor = average(padded, kernel, stride) * math.prod(kernel)
    return result


def _lppool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count absolute value and power of each pixel, the sums, and their roots."""
    return entries(inputs[0]) * 2 + entries(outputs[0]) * math.prod(attributes["kernel"])


def _lppool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    out = entries(outputs[0])
    return Kept((0,), numbers=entries(inputs[0]) + reached_entries(attributes, inputs) + out, marks=out)


def _lppool_torch(call: TorchCall) -> Tensor:
    return root(call, _sums(call, powers(call, call.inputs[0])))


def _lppool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes, exponent = call.attributes, whole_exponent(call.attributes)
    if exponent is not None:
        values, written = _padding(call, sink)
        sink.node(
            "LpPool",
            [values],
            call.outputs,
            kernel_shape=attributes["kernel"],
            strides=attributes["stride"],
            p=exponent,
            **written,
        )
        return
    write = Decomposition(call, sink)
    raised = write("Pow", write("Abs", call.inputs[0]), write.number(attributes["p"]))
    values, written = _padding(replace(call, inputs=[raised]), sink)
    mean = write(
        "AveragePool",
        values,
        kernel_shape=attributes["kernel"],
        strides=attributes["stride"],
        count_include_pad=1,
        **written,
    )
    total = write("Mul", mean, write.number(math.prod(attributes["kernel"])))
    write.result("Pow", total, write.number(1 / attributes["p"]))


def _padding(call: OnnxCall, sink: OnnxSink) -> tuple[str, dict[str, Any]]:
    """Return the value to slide over and the padding of a window whose zeros count nothing, up to its last entry."""
    padding = call.attributes["pad"]
    if padding == "same":
        return onnx_padding(call, sink)
    return call.inputs[0], {"pads": onnx_pads(reach(call.attributes, padding))}


LPPOOL = OpRecord(
    name="lppool",
    work=Work(_lppool_operations, _lppool_keeps),
    summary="The p-norm of each window, (sum of |in|^p)^(1/p): out = floor((in + before + after - kernel) / stride) "
    "+ 1 per axis. It lies between the sum of a window (p = 1) and its maximum (p large); p = 2 pools energy, as in "
    "complex cells.",
    arguments=(
        KERNEL,
        STRIDE,
        NORM,
        Argument("pad", Padding(), "Rows and columns around the image that count as zeros.", 0),
        CEIL,
    ),
    settle=settle_pool,
    shape=pool_shape,
    window=receptive_window,
    formula=window_formula,
    torch=_lppool_torch,
    onnx=_lppool_onnx,
    samples=(
        Sample({"kernel": 2}, ((6, 8, 10),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "p": 1}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "p": 3, "ceil": True}, ((4, 14, 11),)),
        Sample({"kernel": 3, "stride": 2, "p": 2.5, "pad": (0, 1, 2, 0), "ceil": True}, ((4, 8, 7),)),
        Sample({"kernel": 3, "stride": 2, "pad": "same", "p": 1.5}, ((5, 7, 8),)),
        Sample({"kernel": 3, "stride": 2, "pad": (1, 2)}, ((3, 14),)),
        Sample({"kernel": (1, 2, 3), "pad": (0, 1, 1), "p": 4}, ((3, 4, 5, 7),)),
        Sample({"kernel": 2, "p": 0.5}, ((8, 9, 9),), fails="p must be a number of at least 1"),
        Sample({"kernel": (3, 8)}, ((8, 9, 7),), fails="kernel 8 is larger than the width 7"),
        Sample({"kernel": 2, "pad": (0, 0, 0, 2)}, ((8, 9, 9),), fails="not smaller than the window's width 2"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Sermanet, Chintala and LeCun, Convolutional neural networks applied to house numbers digit "
    "classification, 2012, section 2.2",
)


def _mixed_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    if attributes["learned"] != "none" and attributes["share"] in (0, 1):
        raise LayerError(
            Problem(
                f"a learned share cannot start at {attributes['share']:g}",
                code="E0211",
                argument="share",
                notes=("what is trained is its logit, log(share / (1 - share)), which keeps it between 0 and 1",),
                help="start nearby, e.g. at 0.01 or 0.99, or leave learned out",
            )
        )
    if attributes["learned"] == "channels":
        known_channels(inputs)
    return pool_shape(attributes, inputs, check)


def _mixed_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    if attributes["learned"] == "none":
        return ()
    count = known_channels(inputs) if attributes["learned"] == "channels" else 1
    share = attributes["share"]
    return (WeightSpec("logit", (count,), Initializer("constant", {"value": math.log(share / (1 - share))})),)


def _mixed_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count comparisons, sums and averages, and the blend of the two."""
    return maxpool_operations(attributes, inputs, outputs) + entries(outputs[0]) * (math.prod(attributes["kernel"]) + 3)


def _mixed_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    kept = maxpool_keeps(attributes, inputs, outputs)
    learned = entries(outputs[0]) * 2 if attributes["learned"] != "none" else 0  # maximum and average
    return Kept(kept.inputs, numbers=kept.numbers * 2 + learned, indices=kept.indices)


def _mixed_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count maximum, average and their shares; or, where rows are added, the copy of the image for the average."""
    out, padded = entries(outputs[0]), maxpool_keeps(attributes, inputs, outputs).numbers
    return out * 2 if padded == 0 else padded


def _mixed_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    largest, average = _largest(call, value), avgpool_torch(call)
    share = call.attributes["share"]
    if "logit" in call.weights:
        share = call.weights["logit"].sigmoid().reshape(-1, *[1] * (value.dim() - 2))
    result: Tensor = share * largest + (1 - share) * average
    return result


def _mixed_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, name = Decomposition(call, sink), call.name
    largest, average = f"{name}/largest", f"{name}/average"
    maxpool_onnx(replace(call, name=largest, outputs=[largest]), sink)
    avgpool_onnx(replace(call, name=average, outputs=[average]), sink)
    if "logit" in call.weights:
        column = write.sizes([1, -1, *[1] * (call.input_types[0].rank - 1)])
        share = write("Reshape", write("Sigmoid", call.weights["logit"]), column)
    else:
        share = write.number(call.attributes["share"])
    # average + share * (maximum - average), one node fewer than the sum of the two shares.
    write.result("Add", average, write("Mul", share, write("Sub", largest, average)))


MIXED_POOL = OpRecord(
    name="mixed_pool",
    work=Work(_mixed_operations, _mixed_keeps, _mixed_scratch),
    summary="A blend of maximum and average of each window, share * max + (1 - share) * average: "
    "out = floor((in + before + after - kernel) / stride) + 1 per axis. With learned, the share is trained, for the "
    "layer or for each channel, and stays between 0 and 1.",
    arguments=(
        KERNEL,
        STRIDE,
        Argument("share", Real(0, 1), "The share of the maximum; before training where it is learned.", 0.5),
        Argument(
            "learned",
            OneOf(("none", "layer", "channels")),
            "Whether one share is trained, or one per channel.",
            Choice("none"),
        ),
        Argument(
            "pad",
            Padding(),
            "Rows and columns around the image that never are the maximum and do not count in the average.",
            0,
        ),
        CEIL,
    ),
    settle=settle_pool,
    shape=_mixed_shape,
    weights=_mixed_weights,
    window=receptive_window,
    formula=window_formula,
    torch=_mixed_torch,
    onnx=_mixed_onnx,
    samples=(
        Sample({"kernel": 2}, ((6, 8, 10),)),
        Sample({"kernel": 3, "stride": 2, "pad": 1, "share": 0.25}, ((4, 15, 12),)),
        Sample({"kernel": 3, "stride": 2, "learned": "layer", "ceil": True}, ((4, 14, 11),)),
        Sample({"kernel": 3, "stride": 2, "learned": "channels", "share": 0.9, "pad": "same"}, ((5, 7, 8),)),
        Sample({"kernel": 3, "learned": "channels", "pad": (1, 2)}, ((3, 14),)),
        Sample({"kernel": (1, 2, 3), "share": 1}, ((3, 4, 5, 7),)),
        Sample({"kernel": 2, "share": 1, "learned": "layer"}, ((3, 4, 6),), fails="a learned share cannot start at 1"),
        Sample({"kernel": 2, "share": 1.5}, ((3, 4, 6),), fails="share must be a number from 0 to 1"),
        Sample({"kernel": (3, 8)}, ((8, 9, 7),), fails="kernel 8 is larger than the width 7"),
        Sample({"kernel": 2, "pad": 2}, ((8, 9, 9),), fails="not smaller than the window's height 2"),
        Sample({"kernel": 2}, ((2048,),), fails="needs an image"),
    ),
    reference="Lee, Gallagher and Tu, Generalizing pooling functions in convolutional neural networks: mixed, gated, "
    "and tree, 2016, section 3.1",
)

RECORDS = (MINPOOL, LPPOOL, MIXED_POOL)
