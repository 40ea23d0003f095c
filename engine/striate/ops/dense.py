"""The dense (fully connected) layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, format_dim
from striate.graph import Initializer, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.initializers import INITIALIZERS
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.reparametrised import WEIGHT, check_entries, kernel_specs, onnx_kernel, torch_kernel
from striate.ops.sizes import entries, known_channels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Work

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    if inputs[0].rank != 1:
        raise LayerError(
            Problem(
                f"needs a flat value, but gets {format_shape(inputs[0])}; "
                f"flatten gives {format_dim(entries(inputs[0]))}",
                code="E0204",
                help=f"write flatten -> dense({attributes['features']})",
                before="flatten",
            )
        )
    check_entries(attributes, known_channels(inputs), check)
    return typed(attributes["features"])


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    features, given = attributes["features"], known_channels(inputs)
    start = Initializer(attributes["init"], {"fan_in": given, "fan_out": features})
    matrix = WeightSpec("weight", (features, given), start)
    bias = (WeightSpec("bias", (features,), Initializer("zeros")),) if attributes["bias"] else ()
    return (*kernel_specs(attributes, matrix), *bias)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return known_channels(inputs) * int(attributes["features"])


def _bias_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return int(attributes["features"]) if attributes["bias"] else 0


def _everything(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return "all"


def _torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.nn.functional.linear(call.inputs[0], torch_kernel(call), call.weights.get("bias"))
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    shape = (call.attributes["features"], known_channels(call.input_types))
    kernel = onnx_kernel(Decomposition(call, sink), call, shape)
    bias = [call.weights["bias"]] if call.attributes["bias"] else []
    sink.node("Gemm", [call.inputs[0], kernel, *bias], call.outputs, transB=1)


DENSE = OpRecord(
    name="dense",
    work=Work(_bias_operations),
    role="weights",
    summary="Fully connected layer on a flat value: out = weight * in + bias, with a weight of features x in.",
    arguments=(
        Argument("features", Integer(), "Number of outputs."),
        Argument("bias", Flag(), "Whether a bias is added to each output.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the weight starts.", Choice("he_normal")),
        WEIGHT,
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=_everything,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"features": 10}, ((2048,),)),
        Sample({"features": 3, "bias": False, "init": "lecun_normal"}, ((7,),)),
        Sample({"features": 3, "weight": "standardised"}, ((7,),)),
        Sample({"features": 4, "weight": "spectral"}, ((7,),)),
        Sample(
            {"features": 3, "weight": "standardised"},
            ((1,),),
            fails="has 1 weight for each output channel, of which nothing is left",
        ),
        Sample({"features": 10}, ((32, 8, 8),), fails="needs a flat value, but gets 32 x 8 x 8; flatten gives 2048"),
        Sample({"features": 0}, ((7,),), fails="features must be a whole number of at least 1"),
        Sample({"features": 3, "init": "he"}, ((7,),), fails="init must be one of he_normal"),
    ),
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.1",
)

RECORDS = (DENSE,)
