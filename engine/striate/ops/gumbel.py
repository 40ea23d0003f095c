"""Choices drawn at random in training, with a gradient: Gumbel softmax, and its form for yes and no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Choice, Flag, OneOf, Real
from striate.ops.axes import NAMED_AXES, axes_of, remaining, sizes_along, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import samples, unchanged
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, product, same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import onnx_places
from striate.ops.work import Kept, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
_TEMPERATURE = Argument(
    "temperature", Real(0.001), "How soft a draw is before it is rounded; its gradient is that of the soft one.", 1.0
)
_HARD = Argument(
    "hard",
    Flag(),
    "Whether what is given on is 0 or 1, with the gradient of the soft values (straight through), or the soft values.",
    True,
)


def _axes(attributes: Attributes, rank: int) -> tuple[int, ...]:
    return axes_of(attributes["axis"], rank)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    _axes(attributes, inputs[0].rank)
    return same_type(inputs)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_along(_axes(attributes, inputs[0].rank), inputs[0])


def _softmax_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    if not attributes["hard"]:
        return entries(inputs[0]) * 6  # the division, and a softmax
    return entries(inputs[0]) - remaining(inputs[0], _axes(attributes, inputs[0].rank))


def _softmax_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    if not attributes["hard"]:
        return Kept(output=True)
    choices = remaining(inputs[0], _axes(attributes, inputs[0].rank))
    return Kept(numbers=entries(inputs[0]), indices=choices)


def _softmax_torch(call: TorchCall) -> Tensor:
    value, attributes, functional = call.inputs[0], call.attributes, call.torch.nn.functional
    axes = _axes(attributes, value.dim() - 1)
    flat = value if len(axes) == 1 else value.flatten(axes[0])
    if call.training:
        drawn: Tensor = functional.gumbel_softmax(flat, attributes["temperature"], attributes["hard"], dim=axes[0])
        return drawn.reshape(value.shape)
    if not attributes["hard"]:
        soft: Tensor = functional.softmax(flat / attributes["temperature"], dim=axes[0])
        return soft.reshape(value.shape)
    chosen: Tensor = call.torch.zeros_like(flat).scatter(axes[0], flat.argmax(axes[0], keepdim=True), 1.0)
    return chosen.reshape(value.shape)


def _softmax_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value, kind = Decomposition(call, sink), call.inputs[0], call.input_types[0]
    axes = _axes(call.attributes, kind.rank)
    several = len(axes) > 1
    given = write("Reshape", value, write.sizes([0] * axes[0] + [-1])) if several else value
    if call.attributes["hard"]:
        behind = 1 if several else kind.rank + 1 - axes[0]
        made = _onnx_chosen(write, given, axes[0], product(sizes_along(kind, axes)), behind)
    else:
        cooled = write("Div", given, write.number(call.attributes["temperature"]))
        made = write("Softmax", cooled, axis=axes[0])
    if several:
        write.result("Reshape", made, write.sizes_of(kind, value))
    else:
        write.result("Identity", made)


def _onnx_chosen(write: Decomposition, value: str, axis: int, count: Dim, behind: int) -> str:
    """Write 1 at the largest entry along an axis and 0 elsewhere; `behind` axes come with it, itself counted."""
    places = onnx_places(write, value, count, axis)
    if behind > 1:
        places = write("Unsqueeze", places, write.sizes(range(1, behind)))
    largest = write("ArgMax", value, axis=axis, keepdims=1)
    return write("Cast", write("Equal", largest, places), to=_FLOAT)


GUMBEL_SOFTMAX = OpRecord(
    name="gumbel_softmax",
    work=Work(_softmax_operations, _softmax_keeps, scratch=per_entry(1)),
    summary="One choice along an axis: in training drawn with the chances of softmax, as a softmax of (in + Gumbel "
    "noise) / temperature that is then rounded; in evaluation the largest entry, 1 where it is and 0 elsewhere.",
    role="probabilities",
    arguments=(
        Argument(
            "axis",
            OneOf(NAMED_AXES),
            "Among what is chosen: the channels of each pixel, the pixels of each channel (space), everything (all), "
            "or the entries along one axis.",
            Choice("channels"),
        ),
        _TEMPERATURE,
        _HARD,
    ),
    shape=_shape,
    window=_window,
    torch=_softmax_torch,
    onnx=_softmax_onnx,
    samples=(
        *samples(),
        Sample({"axis": "space"}, ((6, 5, 7),)),
        Sample({"axis": "height", "temperature": 0.5}, ((6, 5, 7),)),
        Sample({"hard": False}, ((6, 5, 7),)),
        Sample({"axis": "all", "hard": False, "temperature": 2}, ((3, 4, 5),)),
        Sample({"axis": "height"}, ((4, 9),), fails="its input has no height"),
        Sample({"temperature": 0}, ((6, 5, 7),), fails="temperature must be a number of at least 0.001"),
    ),
    reference="Jang, Gu and Poole, Categorical reparameterization with Gumbel-softmax, 2017; Maddison, Mnih and Teh, "
    "The concrete distribution, 2017",
)


def _sigmoid_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(inputs[0]) * (1 if attributes["hard"] else 5)


def _sigmoid_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(numbers=entries(inputs[0])) if attributes["hard"] else Kept(output=True)


def _sigmoid_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return 0 if attributes["hard"] else entries(inputs[0])


def _sigmoid_torch(call: TorchCall) -> Tensor:
    value, attributes = call.inputs[0], call.attributes
    if not call.training:
        if attributes["hard"]:
            return (value > 0).to(value.dtype)
        chances: Tensor = (value / attributes["temperature"]).sigmoid()
        return chances
    # The difference of two Gumbel draws is logistic. Kept away from 0 and 1, where the logarithms have no value.
    chance = call.torch.rand_like(value).clamp(1e-7, 1 - 1e-7)
    soft: Tensor = ((value + chance.logit()) / attributes["temperature"]).sigmoid()
    return (soft > 0.5).to(value.dtype) - soft.detach() + soft if attributes["hard"] else soft


def _sigmoid_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    if call.attributes["hard"]:
        write.result("Cast", write("Greater", value, write.number(0)), to=_FLOAT)
    else:
        write.result("Sigmoid", write("Div", value, write.number(call.attributes["temperature"])))


GUMBEL_SIGMOID = OpRecord(
    name="gumbel_sigmoid",
    work=Work(_sigmoid_operations, _sigmoid_keeps, scratch=_sigmoid_scratch),
    summary="A yes or no for every entry: in training drawn with the chance sigmoid(in), as sigmoid((in + logistic "
    "noise) / temperature) that is then rounded; in evaluation 1 where in is above 0 and 0 elsewhere.",
    role="probabilities",
    arguments=(_TEMPERATURE, _HARD),
    shape=unchanged,
    torch=_sigmoid_torch,
    onnx=_sigmoid_onnx,
    samples=(
        *samples(),
        Sample({"hard": False}, ((6, 5, 7),)),
        Sample({"temperature": 0.5, "hard": False}, ((6, 5, 7),)),
        Sample({"hard": 1}, ((6, 5, 7),), fails="hard must be true or false"),
    ),
    reference="Maddison, Mnih and Teh, The concrete distribution, 2017, section 3.3; rounded with the gradient passed "
    "straight through, Bengio, Léonard and Courville, 2013",
)

RECORDS = (GUMBEL_SOFTMAX, GUMBEL_SIGMOID)
