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
from striate.ops.work import KEEPS_NOTHING, Kept, Work, per_entry

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


def _product_torch(call: TorchCall) -> Tensor:
    attributes, value = call.attributes, call.inputs[0]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    given = value.flip(axis) if attributes["reverse"] else value
    if attributes["exclusive"]:
        first = call.torch.ones_like(given.narrow(axis, 0, 1))
        given = call.torch.cat((first, given.narrow(axis, 0, given.shape[axis] - 1)), axis)
    total: Tensor = call.torch.cumprod(given, axis)
    return total.flip(axis) if attributes["reverse"] else total


def _product_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write CumProd, or before it came products over 2, 4, 8, … entries, each made of two of the one before."""
    axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
    if call.opset >= _FIRST_PRODUCT:
        _onnx("CumProd")(call, sink)
        return
    write, value = Decomposition(call, sink), call.inputs[0]
    size = call.input_types[0].shape[axis - 1]
    if call.attributes["exclusive"]:
        value = _moved(write, call, value, axis, 1)
    reach = 1
    while reach < (size if isinstance(size, int) else _LONGEST):
        value, reach = write("Mul", value, _moved(write, call, value, axis, reach)), 2 * reach
    write.result("Identity", value)


_FIRST_PRODUCT = 26
"""The operator set that brought CumProd."""

_LONGEST = 2**16
"""Entries along an axis of an open size, as far as products are written for it."""


def _moved(write: Decomposition, call: OnnxCall, value: str, axis: int, steps: int) -> str:
    """Write a value moved along an axis, with 1 where nothing comes from."""
    rank, back = call.input_types[0].rank + 1, bool(call.attributes["reverse"])
    pads = [0] * 2 * rank
    pads[axis + (rank if back else 0)] = steps
    padded = write("Pad", value, write.sizes(pads), write.number(1))
    bounds = (steps, 2**63 - 1) if back else (0, -steps)
    return write("Slice", padded, *(write.sizes([number]) for number in (*bounds, axis)))


def _product_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep what is multiplied, turned or moved where that is asked for, and the products."""
    copied = attributes["reverse"] or attributes["exclusive"]
    return Kept(() if copied else (0,), numbers=entries(outputs[0]) * (2 if copied else 0), output=not copied)


CUMPROD = OpRecord(
    name="cumprod",
    work=Work(per_entry(1), _product_keeps, scratch=_copies),
    summary="Product of the entries up to each place along an axis: out[i] = in[0] * … * in[i]. With exclusive it is "
    "the light that comes through to a sample of a ray, of what each sample before lets through.",
    arguments=(
        Argument("axis", OneOf(ONE_AXIS), "The axis.", Choice("last")),
        Argument("exclusive", Flag(), "Whether the entry itself is left out, so that the first product is 1.", False),
        Argument("reverse", Flag(), "Whether the products begin at the other end.", False),
    ),
    shape=_shape,
    window=_window,
    torch=_product_torch,
    onnx=_product_onnx,
    samples=CUMSUM.samples,
    reference="Mildenhall et al., NeRF: representing scenes as neural radiance fields, 2020, equation 3",
)

RECORDS = (CUMSUM, CUMPROD)
