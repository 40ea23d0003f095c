"""Activations that take several channels each: the largest of some, or one half gated by the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, Integer, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import EVERY_RANK
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, across_channels
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, keeping, reducing

if TYPE_CHECKING:
    from torch import Tensor

_EVEN = tuple((2 * shape[0], *shape[1:]) for shape in EVERY_RANK)


def _parted(inputs: Types, parts: int, check: Check, argument: str | None) -> Types:
    """Return the input's size with the channels divided by a number that must divide them."""
    channels, *space = inputs[0].shape

    def problem() -> Problem:
        return Problem(
            f"{format_dim(channels)} channels cannot be split into parts of equal size, {parts} in number",
            code="E0205",
            argument=argument,
            notes=(f"the value that flows in is {format_shape(inputs[0])}",),
            help=f"give the layer before it a multiple of {parts} channels",
        )

    check.divisible(channels, parts, problem)
    return typed(channels // parts, *space)


def _maxout_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return _parted(inputs, attributes["pieces"], check, "pieces")


def _maxout_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.unflatten(call.inputs[0], 1, (-1, call.attributes["pieces"])).amax(2)
    return result


def _maxout_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, pieces = Decomposition(call, sink), call.attributes["pieces"]
    axis, step, end = write.sizes([1]), write.sizes([pieces]), write.sizes([2**31 - 1])
    parts = [write("Slice", call.inputs[0], write.sizes([first]), end, axis, step) for first in range(pieces)]
    write.result("Max", *parts)


MAXOUT = OpRecord(
    name="maxout",
    work=Work(reducing, keeping(0, output=True)),
    summary="Largest of each group of neighbouring channels: out of channel c = max over j of in of channel "
    "pieces * c + j.",
    arguments=(Argument("pieces", Integer(), "Channels that make one; the number of channels is divided by it."),),
    shape=_maxout_shape,
    window=across_channels,
    torch=_maxout_torch,
    onnx=_maxout_onnx,
    samples=(
        *(Sample({"pieces": 2}, (shape,)) for shape in _EVEN),
        Sample({"pieces": 3}, ((6, 5, 7),)),
        Sample({"pieces": 1}, ((6, 5, 7),)),
        Sample({"pieces": 4}, ((6, 5, 7),), fails="6 channels cannot be split into parts of equal size, 4 in number"),
        Sample({"pieces": 0}, ((6, 5, 7),), fails="pieces must be a whole number of at least 1"),
    ),
    reference="Goodfellow, Warde-Farley, Mirza, Courville and Bengio, Maxout networks, 2013, section 3",
)

_GATES = ("sigmoid", "silu", "gelu", "relu", "linear")


def _glu_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return _parted(inputs, 2, check, None)


_GATE_OPERATIONS = {"sigmoid": 4, "silu": 5, "gelu": 5, "relu": 1, "linear": 0}


def _glu_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * (_GATE_OPERATIONS[attributes["gate"]] + 1)


def _glu_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=0 if attributes["gate"] == "linear" else entries(outputs[0]))


def _glu_torch(call: TorchCall) -> Tensor:
    value, gate = call.inputs[0].chunk(2, 1)
    function = call.attributes["gate"]
    return value * (gate if function == "linear" else getattr(call.torch.nn.functional, function)(gate))


def _glu_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    count = {} if call.opset < 18 else {"num_outputs": 2}
    value, gate = write.parts("Split", 2, call.inputs[0], axis=1, **count)
    write.result("Mul", value, _onnx_gate(write, gate, call.attributes["gate"]))


def _onnx_gate(write: Decomposition, gate: str, function: str) -> str:
    if function == "linear":
        return gate
    if function == "silu":
        return write("Mul", gate, write("Sigmoid", gate))
    if function == "gelu":
        bent = write("Erf", write("Mul", gate, write.number(0.5**0.5)))
        return write("Mul", write("Mul", gate, write.number(0.5)), write("Add", bent, write.number(1)))
    return write(function.capitalize(), gate)


GLU = OpRecord(
    name="glu",
    work=Work(_glu_operations, _glu_keeps),
    summary="Gated linear unit: out = a * gate(b), where a is the first half of the channels and b the second.",
    arguments=(
        Argument(
            "gate",
            OneOf(_GATES),
            "The function of the second half: sigmoid as in the paper, silu (SwiGLU), gelu (GEGLU), relu (ReGLU), or "
            "none of them (linear, NAFNet's simple gate).",
            Choice("sigmoid"),
        ),
    ),
    shape=_glu_shape,
    window=across_channels,
    torch=_glu_torch,
    onnx=_glu_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in _EVEN),
        *(Sample({"gate": gate}, ((6, 5, 7),)) for gate in _GATES),
        Sample({}, ((5, 6, 7),), fails="5 channels cannot be split into parts of equal size, 2 in number"),
        Sample({"gate": "tanh"}, ((6, 5, 7),), fails="gate must be one of sigmoid, silu, gelu, relu, linear"),
    ),
    reference="Dauphin, Fan, Auli and Grangier, Language modeling with gated convolutional networks, 2017, section 2; "
    "Shazeer, GLU variants improve transformer, 2020",
)

RECORDS = (MAXOUT, GLU)
