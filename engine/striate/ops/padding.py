"""Settled padding as torch and ONNX want it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.ops.geometry import Pads, extents, same_total, split_same
from striate.ops.record import TorchCall
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor


def actual_pads(call: TorchCall, values: Tensor) -> Pads:
    """Return `(top, bottom, left, right)` for the tensor at hand; `same` is worked out from its height and width."""
    padding: Pads | str = call.attributes["pad"]
    if not isinstance(padding, str):
        return padding
    spans, strides = extents(call.attributes), call.attributes["stride"]
    totals = [same_total(int(values.shape[2 + axis]), spans[axis], strides[axis]) for axis in (0, 1)]
    return split_same(*totals)  # type: ignore[arg-type]  # sizes of a tensor are known


def padded(call: TorchCall, values: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return the tensor and the symmetric zeros that torch shall add; asymmetric ones are already added."""
    pads = actual_pads(call, values)
    top, bottom, left, right = pads
    if top == bottom and left == right:
        return values, (top, left)
    return explicitly_padded(call, values, pads), (0, 0)


def explicitly_padded(call: TorchCall, values: Tensor, pads: Pads, fill: float = 0.0) -> Tensor:
    """Return the tensor with the padding as rows and columns of its own."""
    top, bottom, left, right = pads
    result: Tensor = call.torch.nn.functional.pad(values, (left, right, top, bottom), value=fill)
    return result


def onnx_pads(pads: Pads) -> tuple[int, int, int, int]:
    """Return settled padding in ONNX's order: the begins of both axes, then their ends."""
    top, bottom, left, right = pads
    return top, left, bottom, right


def onnx_padding(call: OnnxCall, sink: OnnxSink, fill: float = 0.0) -> tuple[str, dict[str, Any]]:
    """Return the value to slide over and the padding attributes for a window with the call's settled padding.

    An open `same` becomes SAME_UPPER. ONNX Runtime does not work that out for dilated kernels (it refuses a
    convolution and gives a pooling layer a wrong size), so for them the padding is computed in the model.
    """
    padding: Pads | str = call.attributes["pad"]
    if not isinstance(padding, str):
        return call.inputs[0], {"pads": onnx_pads(padding)}
    if tuple(call.attributes.get("dilation", (1, 1))) == (1, 1):
        return call.inputs[0], {"auto_pad": "SAME_UPPER"}
    return _same_by_size(call, sink, fill), {}


def onnx_explicit_padding(call: OnnxCall, sink: OnnxSink, pads: Pads, fill: float) -> str:
    """Write padding as a node of its own and return the padded value; its rows count as pixels from there on."""
    top, left, bottom, right = onnx_pads(pads)
    widths = sink.constant(f"{call.name}/widths", [0, 0, top, left, 0, 0, bottom, right], "int64")
    return _pad(call, sink, widths, fill)


def _same_by_size(call: OnnxCall, sink: OnnxSink, fill: float) -> str:
    """Write `max(extent - stride + (-size) mod stride, 0)`, half of it before, the rest after, and pad by it.

    That is `same_total` for a size that is known when the model runs only: `ceil(n / s) * s - n = (-n) mod s`.
    """
    spans, strides = extents(call.attributes), call.attributes["stride"]

    def step(op_type: str, name: str, *inputs: str, **attributes: Any) -> str:
        sink.node(op_type, inputs, [f"{call.name}/{name}"], **attributes)
        return f"{call.name}/{name}"

    def constant(name: str, values: list[int]) -> str:
        return sink.constant(f"{call.name}/{name}", values, "int64")

    size = step("Shape", "size", call.inputs[0], start=2, end=4)
    missing = step("Mod", "missing", step("Neg", "negative", size), constant("stride", list(strides)))
    least = constant("least", [span - stride for span, stride in zip(spans, strides, strict=True)])
    total = step("Max", "total", step("Add", "sum", missing, least), constant("zero", [0, 0]))
    before = step("Div", "before", total, constant("two", [2, 2]))
    after = step("Sub", "after", total, before)
    batch = constant("none", [0, 0])
    return _pad(call, sink, step("Concat", "widths", batch, before, batch, after, axis=0), fill)


def _pad(call: OnnxCall, sink: OnnxSink, widths: str, fill: float) -> str:
    name = f"{call.name}/padded"
    sink.node("Pad", [call.inputs[0], widths, sink.constant(f"{call.name}/fill", fill, "float32")], [name])
    return name
