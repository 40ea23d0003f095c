"""Shares along an axis: softmax, its logarithm, and softmin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import NAMED_AXES, axes_of, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import samples
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_OUTPUT, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_AXIS = Argument(
    "axis",
    OneOf(NAMED_AXES),
    "What adds up to 1: the channels of each pixel, the pixels of each channel (space), everything (all), or the "
    "entries along one axis.",
    Choice("channels"),
)
_SAMPLES = (
    *samples(),
    Sample({"axis": "space"}, ((6, 5, 7),)),
    Sample({"axis": "all"}, ((3, 4, 2, 5),)),
    Sample({"axis": "width"}, ((6, 5, 7),)),
    Sample({"axis": "depth"}, ((3, 4, 2, 5),)),
    Sample({"axis": "last"}, ((4, 9),)),
    Sample({"axis": "space"}, ((10,),), fails="its input has no other axis than channels"),
    Sample({"axis": "height"}, ((4, 9),), fails="its input has no height"),
    Sample({"axis": "rows"}, ((6, 5, 7),), fails="axis must be one of channels, space, all"),
)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axes_of(attributes["axis"], inputs[0].rank)
    return same_type(inputs)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_along(axes_of(attributes["axis"], inputs[0].rank), inputs[0])


def _torch(function: str) -> Callable[[TorchCall], Tensor]:
    """Return a rule that applies a function of one axis; several axes are laid into one for it."""

    def rule(call: TorchCall) -> Tensor:
        value = call.inputs[0]
        axes = axes_of(call.attributes["axis"], value.dim() - 1)
        apply = getattr(call.torch.nn.functional, function)
        result: Tensor
        if len(axes) == 1:
            result = apply(value, dim=axes[0])
        else:  # these end with the last axis
            result = apply(value.flatten(axes[0]), dim=axes[0]).reshape(value.shape)
        return result

    return rule


def _onnx(op_type: str, *, negated: bool = False) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write, value = Decomposition(call, sink), call.inputs[0]
        axes = axes_of(call.attributes["axis"], call.input_types[0].rank)
        given = write("Neg", value) if negated else value
        if len(axes) == 1:
            write.result(op_type, given, axis=axes[0])
            return
        flat = write("Reshape", given, write.sizes([0] * axes[0] + [-1]))
        write.result("Reshape", write(op_type, flat, axis=axes[0]), write.sizes_of(call.input_types[0], value))

    return rule


SOFTMAX = OpRecord(
    name="softmax",
    work=Work(per_entry(5), KEEPS_OUTPUT),
    summary="Shares that add up to 1 along an axis: out = e^in / sum(e^in).",
    role="probabilities",
    arguments=(_AXIS,),
    shape=_shape,
    window=_window,
    torch=_torch("softmax"),
    onnx=_onnx("Softmax"),
    samples=_SAMPLES,
    reference="Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990",
)

LOG_SOFTMAX = OpRecord(
    name="log_softmax",
    work=Work(per_entry(5), KEEPS_OUTPUT),
    summary="Logarithms of softmax's shares, without loss of digits: out = in - log(sum(e^in)).",
    role="probabilities",
    arguments=(_AXIS,),
    shape=_shape,
    window=_window,
    torch=_torch("log_softmax"),
    onnx=_onnx("LogSoftmax"),
    samples=_SAMPLES,
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.2.2.3",
)

SOFTMIN = OpRecord(
    name="softmin",
    work=Work(per_entry(6), KEEPS_OUTPUT, scratch=per_entry(1)),
    summary="Shares that add up to 1 along an axis, the largest for the smallest entry: out = e^-in / sum(e^-in).",
    role="probabilities",
    arguments=(_AXIS,),
    shape=_shape,
    window=_window,
    torch=_torch("softmin"),
    onnx=_onnx("Softmax", negated=True),
    samples=_SAMPLES,
    reference="Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990 (of -in)",
)

RECORDS = (SOFTMAX, LOG_SOFTMAX, SOFTMIN)
