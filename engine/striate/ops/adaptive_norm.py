"""Normalisation of one value by the statistics of another: adaptive instance norm."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.decomposition import Decomposition
from striate.ops.moments import EPS, centred
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    if len(inputs) != 2:
        raise LayerError(
            Problem(
                f"takes two values, content and style, but gets {len(inputs)}",
                code="E0212",
                help="let the content flow in and name the style: content -> adain(style)",
            )
        )
    content, style = inputs
    with_space(inputs)
    if content.rank != style.rank:
        raise LayerError(
            Problem(
                f"content and style differ in their number of axes: {format_shape(content)} and {format_shape(style)}",
                code="E0203",
                position=1,
            )
        )
    check.equal(content.channels, style.channels, partial(_channels_differ, inputs))
    return same_type(inputs)


def _channels_differ(inputs: Types) -> Problem:
    content, style = inputs
    return Problem(
        f"content and style differ in channels: {format_dim(content.channels)} and {format_dim(style.channels)}",
        code="E0203",
        position=1,
        notes=(f"the values are {format_shape(content)} and {format_shape(style)}",),
        help="each channel of the content takes mean and deviation of one channel of the style",
    )


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return "all"


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # Mean and variance of both (sum; less the mean, square, sum), then less the mean, times, plus.
    return entries(inputs[0]) * 7 + entries(inputs[1]) * 4


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0, 1), numbers=entries(inputs[0]) + inputs[0].channels * 3)


def _torch(call: TorchCall) -> Tensor:
    content, style = call.inputs
    space, eps = tuple(range(2, content.dim())), call.attributes["eps"]
    variances = [value.var(space, correction=0, keepdim=True) + eps for value in (content, style)]
    scale = (variances[1] / variances[0]).sqrt()
    result: Tensor = (content - content.mean(space, keepdim=True)) * scale + style.mean(space, keepdim=True)
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, (content, style) = Decomposition(call, sink), call.inputs
    space, eps = range(2, call.input_types[0].rank + 1), call.attributes["eps"]
    apart, deviation = centred(write, content, space, eps)
    _, wanted = centred(write, style, space, eps)
    scaled = write("Mul", write("Div", apart, deviation), wanted)
    write.result("Add", scaled, write.reduced("ReduceMean", style, space))


ADAIN = OpRecord(
    name="adain",
    work=Work(_operations, _keeps),
    summary="Adaptive instance normalisation: the content's channels get mean and standard deviation of the style's, "
    "out = (content - mean(content)) / deviation(content) * deviation(style) + mean(style) with deviation = "
    "sqrt(variance + eps) over all pixels.",
    role="normalisation",
    merge=True,
    arguments=(EPS,),
    shape=_shape,
    window=_window,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({}, ((6, 5, 7), (6, 5, 7))),
        Sample({"eps": 0.1}, ((4, 3, 2), (4, 6, 5))),
        Sample({}, ((4, 9), (4, 3))),
        Sample({}, ((3, 4, 2, 5), (3, 2, 2, 2))),
        Sample({}, ((6, 5, 7),), fails="takes two values, content and style, but gets 1"),
        Sample({}, ((6, 5, 7), (5, 5, 7)), fails="content and style differ in channels: 6 and 5"),
        Sample({}, ((6, 5, 7), (6,)), fails="content and style differ in their number of axes: 6 x 5 x 7 and 6"),
        Sample({}, ((6,), (6,)), fails="needs pixels beside the channels, but gets 6"),
    ),
    reference="Huang and Belongie, Arbitrary style transfer in real-time with adaptive instance normalization, 2017, "
    "equations 5 to 8",
)

RECORDS = (ADAIN,)
