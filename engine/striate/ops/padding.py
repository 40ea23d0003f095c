"""Settled padding as torch and ONNX want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.ops.arguments import Argument, Choice
from striate.ops.decomposition import Decomposition
from striate.ops.fills import Fill, check_fill, onnx_padded, torch_padded
from striate.ops.geometry import (
    Pads,
    axis_names,
    dilations,
    extents,
    kept_windows,
    same_total,
    split_same,
    widest_sides,
)
from striate.ops.problems import Check
from striate.ops.record import Attributes, TorchCall, Types
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept

if TYPE_CHECKING:
    from torch import Tensor


FILL = Argument(
    "fill",
    Fill(),
    "What the rows of the padding hold: zeros, the image mirrored at its outermost pixels (reflect), those pixels "
    "repeated (replicate), the image's other side (circular), or a number. torch calls it padding_mode.",
    Choice("zeros"),
)
"""The argument of layers whose padding may hold something else than zeros."""


def check_filled(attributes: Attributes, sizes: Sequence[Dim], check: Check) -> None:
    """Demand that an image has the rows that the padding of a window takes from it."""
    axes = list(zip(axis_names(len(sizes)), sizes, widest_sides(attributes, sizes), strict=True))
    check_fill(attributes["fill"], ("fill", "pad"), axes, check)


def kept_filled(attributes: Attributes, inputs: Types) -> Kept:
    """Return what backward keeps of the input of a convolution with a `fill`: the input, or its padded copy."""
    fill = attributes["fill"]
    kept = kept_windows(
        attributes, inputs, copies=lambda pads: any(pads) if fill != "zeros" else not is_symmetric(pads)
    )
    # The rows that are mirrored or repeated are found again in the input itself.
    return replace(kept, inputs=(0,)) if fill in ("reflect", "replicate") else kept


def actual_pads(call: TorchCall, values: Tensor) -> Pads:
    """Return the padding before and after per axis for the tensor at hand; `same` is worked out from its size."""
    padding: Pads | str = call.attributes["pad"]
    if not isinstance(padding, str):
        return padding
    spans, strides = extents(call.attributes), call.attributes["stride"]
    totals = [
        # With a stride of 1 nothing is asked about the size, so that torch's tools can leave it open.
        same_total(size if stride == 1 else int(size), span, stride)
        for size, span, stride in zip(values.shape[2:], spans, strides, strict=True)
    ]
    return split_same([total for total in totals if isinstance(total, int)])


def is_symmetric(pads: Pads) -> bool:
    """Whether as much is added before as after, on every axis: what torch's layers do by themselves."""
    return pads[::2] == pads[1::2]


def padded(call: TorchCall, values: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the tensor and the symmetric zeros that torch shall add; asymmetric ones, and other fills, are added."""
    pads, fill = actual_pads(call, values), call.attributes["fill"]
    if fill == "zeros" and is_symmetric(pads):
        return values, pads[::2]
    added = torch_padded(call, values, pads, fill) if any(pads) else values
    return added, (0,) * (len(pads) // 2)


def explicitly_padded(call: TorchCall, values: Tensor, pads: Pads, fill: float = 0.0) -> Tensor:
    """Return the tensor with the padding as rows and columns of its own."""
    return torch_padded(call, values, pads, fill)


def onnx_pads(pads: Pads) -> tuple[int, ...]:
    """Return settled padding in ONNX's order: the begins of all axes, then their ends."""
    return (*pads[::2], *pads[1::2])


def onnx_padding(call: OnnxCall, sink: OnnxSink, fill: float = 0.0) -> tuple[str, dict[str, Any]]:
    """Return the value to slide over and the padding attributes for a window with the call's settled padding.

    An open `same` becomes SAME_UPPER. ONNX Runtime does not work that out for dilated kernels (it refuses a
    convolution and gives a pooling layer a wrong size), so for them the padding is computed in the model.
    """
    padding: Pads | str = call.attributes["pad"]
    if not isinstance(padding, str):
        return call.inputs[0], {"pads": onnx_pads(padding)}
    if set(dilations(call.attributes)) == {1}:
        return call.inputs[0], {"auto_pad": "SAME_UPPER"}
    return _same_by_size(call, sink, fill), {}


def onnx_filled_padding(call: OnnxCall, sink: OnnxSink, write: Decomposition) -> tuple[str, dict[str, Any]]:
    """Return the value to slide over and the padding attributes, for a layer with a `fill`.

    Zeros are an attribute of the window; what else is added is a Pad of its own before it, written by the layer's own
    `write`, so that no two of its values have one name.
    """
    padding, fill = call.attributes["pad"], call.attributes["fill"]
    if fill == "zeros":
        return onnx_padding(call, sink)
    if padding != "same":
        return (onnx_padded(write, call, call.inputs[0], padding, fill) if any(padding) else call.inputs[0]), {}
    return onnx_padded(write, call, call.inputs[0], _same_widths(call, sink), fill), {}


def onnx_explicit_padding(call: OnnxCall, sink: OnnxSink, pads: Pads, fill: float) -> str:
    """Write padding as a node of its own and return the padded value; its rows count as pixels from there on."""
    widths = sink.constant(f"{call.name}/widths", [0, 0, *pads[::2], 0, 0, *pads[1::2]], "int64")
    return _pad(call, sink, widths, fill)


def _same_by_size(call: OnnxCall, sink: OnnxSink, fill: float) -> str:
    """Write the padding of an open `same` as nodes and pad by it."""
    before, after = _same_widths(call, sink)
    batch, widths = sink.constant(f"{call.name}/none", [0, 0], "int64"), f"{call.name}/widths"
    sink.node("Concat", [batch, before, batch, after], [widths], axis=0)
    return _pad(call, sink, widths, fill)


def _same_widths(call: OnnxCall, sink: OnnxSink) -> tuple[str, str]:
    """Write `max(extent - stride + (-size) mod stride, 0)`, half of it before, the rest after; return both lists.

    That is `same_total` for a size that is known when the model runs only: `ceil(n / s) * s - n = (-n) mod s`.
    """
    spans, strides = extents(call.attributes), call.attributes["stride"]

    def step(op_type: str, name: str, *inputs: str, **attributes: Any) -> str:
        made = f"{call.name}/pad_{name}"  # the layer's own steps are called by their operators, as `shape`
        sink.node(op_type, inputs, [made], **attributes)
        return made

    def constant(name: str, values: list[int]) -> str:
        return sink.constant(f"{call.name}/pad_{name}", values, "int64")

    # Shape takes a start from opset 15 on only.
    beside = constant("beside", list(range(2, 2 + len(spans))))
    size = step("Gather", "size", step("Shape", "shape", call.inputs[0]), beside, axis=0)
    missing = step("Mod", "missing", step("Neg", "negative", size), constant("stride", list(strides)))
    least = constant("least", [span - stride for span, stride in zip(spans, strides, strict=True)])
    total = step("Max", "total", step("Add", "sum", missing, least), constant("zero", [0] * len(spans)))
    sink.node("Div", [total, constant("two", [2] * len(spans))], [same_before(call)])
    return same_before(call), step("Sub", "after", total, same_before(call))


def same_before(call: OnnxCall) -> str:
    """Return the name of the list of rows that an open `same` adds before each axis, where it is written as nodes."""
    return f"{call.name}/pad_before"


def _pad(call: OnnxCall, sink: OnnxSink, widths: str, fill: float) -> str:
    name = f"{call.name}/padded"
    sink.node("Pad", [call.inputs[0], widths, sink.constant(f"{call.name}/fill", fill, "float32")], [name])
    return name
