"""Running totals along an axis: sums and products of the entries up to each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Choice, Flag, OneOf
from striate.ops.axes import ONE_AXIS, axis_of, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, same_type
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axis_of(attributes["axis"], inputs[0].rank)
    return same_type(inputs)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_along([axis_of(attributes["axis"], inputs[0].rank)], inputs[0])


def _torch(call: TorchCall) -> Tensor:
    attributes, value = call.attributes, call.inputs[0]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    given = value.flip(axis) if attributes["reverse"] else value
    total: Tensor = call.torch.cumsum(given, axis)
    if attributes["exclusive"]:
        first = call.torch.zeros_like(total.narrow(axis, 0, 1))
        total = call.torch.cat((first, total.narrow(axis, 0, total.shape[axis] - 1)), axis)
    return total.flip(axis) if attributes["reverse"] else total


def _onnx(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write, attributes = Decomposition(call, sink), call.attributes
        axis = write.whole(axis_of(attributes["axis"], call.input_types[0].rank))
        flags = {name: int(attributes[name]) for name in ("exclusive", "reverse")}
        write.result(op_type, call.inputs[0], axis, **flags)

    return rule


def _copies(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the copies that torch makes: turned before and back, or without the last sum."""
    return entries(outputs[0]) * (2 if attributes["reverse"] else int(attributes["exclusive"]))


CUMSUM = OpRecord(
    name="cumsum",
    work=Work(per_entry(1), KEEPS_NOTHING, scratch=_copies),
    summary="Sum of the entries up to each place along an axis: out[i] = in[0] + … + in[i].",
    arguments=(
        Argument("axis", OneOf(ONE_AXIS), "The axis.", Choice("last")),
        Argument("exclusive", Flag(), "Whether the entry itself is left out, so that the first sum is 0.", False),
        Argument("reverse", Flag(), "Whether the sums begin at the other end.", False),
    ),
    shape=_shape,
    window=_window,
    torch=_torch,
    onnx=_onnx("CumSum"),
    samples=(
        Sample({}, ((6, 5, 7),)),
        Sample({"axis": "channels"}, ((6, 5, 7),)),
        Sample({"axis": "height", "exclusive": True}, ((6, 5, 7),)),
        Sample({"reverse": True}, ((10,),)),
        Sample({"exclusive": True, "reverse": True}, ((4, 9),)),
        Sample({"axis": "depth"}, ((3, 4, 2, 5),)),
        Sample({"axis": "depth"}, ((6, 5, 7),), fails="its input has no depth"),
        Sample({"reverse": 1}, ((10,),), fails="reverse must be true or false"),
    ),
    reference="Viola and Jones, Rapid object detection, 2001, section 2.1 (integral images are two of them)",
)

RECORDS = (CUMSUM,)
