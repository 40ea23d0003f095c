"""Activations that bend: exponential below 0 (ELU and its kin), or gated by themselves (SiLU, GELU, Mish)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, Flag, OneOf, Real
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import onnx_nodes, onnx_operator, samples, torch_function, unchanged
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Work, keeping, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_SELU_ALPHA, _SELU_GAMMA = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., equation 14

ELU = OpRecord(
    name="elu",
    work=Work(per_entry(4)),
    summary="Exponential linear unit: out = in where it is positive, alpha * (e^in - 1) elsewhere.",
    role="activation",
    arguments=(Argument("alpha", Real(), "Values below 0 come near -alpha.", 1.0),),
    shape=unchanged,
    torch=torch_function("elu", alpha="alpha"),
    onnx=onnx_operator("Elu", alpha="alpha"),
    samples=(
        *samples(),
        Sample({"alpha": 0.5}, ((6, 5, 7),)),
        Sample({"alpha": "one"}, ((6, 5, 7),), fails="alpha must be a number"),
    ),
    reference="Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by ELUs, 2016, equation 15",
)

SELU = OpRecord(
    name="selu",
    work=Work(per_entry(4)),
    summary="Self-normalising unit: out = 1.0507 * elu(in, alpha = 1.6733), which draws mean and variance to 0 and 1.",
    role="activation",
    shape=unchanged,
    torch=torch_function("selu"),
    onnx=lambda call, sink: sink.node("Selu", call.inputs, call.outputs, alpha=_SELU_ALPHA, gamma=_SELU_GAMMA),
    samples=samples(),
    reference="Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, 2017, equation 2",
)

CELU = OpRecord(
    name="celu",
    work=Work(per_entry(4)),
    summary="Continuously differentiable ELU: out = max(in, 0) + min(alpha * (e^(in / alpha) - 1), 0).",
    role="activation",
    arguments=(Argument("alpha", Real(1e-6), "Values below 0 come near -alpha.", 1.0),),
    shape=unchanged,
    torch=torch_function("celu", alpha="alpha"),
    onnx=onnx_operator("Celu", alpha="alpha"),
    samples=(
        *samples(),
        Sample({"alpha": 0.5}, ((6, 5, 7),)),
        Sample({"alpha": 0}, ((6, 5, 7),), fails="alpha must be a number of at least 1e-06"),
    ),
    reference="Barron, Continuously differentiable exponential linear units, 2017, equation 2",
)


def _silu_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Mul", value, write("Sigmoid", value))


SILU = OpRecord(
    name="silu",
    work=Work(per_entry(5)),
    summary="Sigmoid-weighted linear unit, Swish with beta = 1: out = in / (1 + e^-in).",
    role="activation",
    shape=unchanged,
    torch=torch_function("silu"),
    onnx=onnx_nodes(_silu_onnx),
    samples=samples(),
    reference="Elfwing, Uchibe and Doya, Sigmoid-weighted linear units, 2018, equation 6",
)


def _swish_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    start = Initializer("constant", {"value": attributes["beta"]})
    return (WeightSpec("beta", (1,), start),) if attributes["trainable"] else ()


def _swish_torch(call: TorchCall) -> Tensor:
    beta = call.weights.get("beta", call.attributes["beta"])
    value = call.inputs[0]
    return value * (beta * value).sigmoid()


def _swish_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    beta = call.weights["beta"] if call.attributes["trainable"] else write.number(call.attributes["beta"])
    write.result("Mul", call.inputs[0], write("Sigmoid", write("Mul", call.inputs[0], beta)))


SWISH = OpRecord(
    name="swish",
    work=Work(per_entry(6), keeping(0, per_output=1)),
    summary="Swish: out = in / (1 + e^(-beta * in)); beta may be trained.",
    role="activation",
    arguments=(
        Argument("beta", Real(), "How sharply the gate opens: 0 halves everything, large values come near ReLU.", 1.0),
        Argument("trainable", Flag(), "Whether beta is a weight that training changes, one for the layer.", False),
    ),
    shape=unchanged,
    weights=_swish_weights,
    torch=_swish_torch,
    onnx=_swish_onnx,
    samples=(
        *samples({"beta": 1.5}),
        Sample({"trainable": True}, ((6, 5, 7),)),
        Sample({"trainable": 1}, ((10,),), fails="trainable must be true or false"),
    ),
    reference="Ramachandran, Zoph and Le, Searching for activation functions, 2017, section 4",
)


def _mish_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    if call.opset < 18:
        write.result("Mul", value, write("Tanh", write("Softplus", value)))
    else:
        write.result("Mish", value)


MISH = OpRecord(
    name="mish",
    work=Work(per_entry(5)),
    summary="Mish: out = in * tanh(log(1 + e^in)).",
    role="activation",
    shape=unchanged,
    torch=torch_function("mish"),
    onnx=_mish_onnx,
    samples=samples(),
    reference="Misra, Mish: a self regularized non-monotonic activation function, 2020, equation 1",
)


def _gelu_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * (5 if attributes["form"] == "exact" else 8)


def _gelu_torch(call: TorchCall) -> Tensor:
    approximate = {"exact": "none", "tanh": "tanh"}[call.attributes["form"]]
    result: Tensor = call.torch.nn.functional.gelu(call.inputs[0], approximate=approximate)
    return result


def _gelu_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, exact = Decomposition(call, sink), call.inputs[0], call.attributes["form"] == "exact"
    if call.opset >= 20:
        write.result("Gelu", value, approximate="none" if exact else "tanh")
        return
    inner = write("Mul", value, write.number(0.5**0.5)) if exact else _tanh_argument(write, value)
    bent = write("Add", write("Erf" if exact else "Tanh", inner), write.number(1))
    write.result("Mul", write("Mul", value, write.number(0.5)), bent)


def _tanh_argument(write: Decomposition, value: str) -> str:
    """Write `sqrt(2 / pi) * (in + 0.044715 * in^3)`."""
    cube = write("Mul", write("Mul", value, value), value)
    bent = write("Add", value, write("Mul", cube, write.number(0.044715)))
    return write("Mul", bent, write.number(0.7978845608028654))


GELU = OpRecord(
    name="gelu",
    work=Work(_gelu_operations),
    summary="Gaussian error linear unit: out = in * P(a standard normal number is below in).",
    role="activation",
    arguments=(
        Argument(
            "form",
            OneOf(("exact", "tanh")),
            "By the error function, or by the paper's approximation with tanh, which differs by up to 0.0005.",
            Choice("exact"),
        ),
    ),
    shape=unchanged,
    torch=_gelu_torch,
    onnx=_gelu_onnx,
    samples=(
        *samples(),
        Sample({"form": "tanh"}, ((6, 5, 7),)),
        Sample({"form": "sigmoid"}, ((10,),), fails="form must be one of exact, tanh"),
    ),
    reference="Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2",
)

RECORDS = (ELU, SELU, CELU, SILU, SWISH, MISH, GELU)
