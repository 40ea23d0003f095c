"""Coordinates as channels, so that what follows knows where it is (CoordConv)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.graph import TensorType
from striate.ops.arguments import Argument, Flag
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import grid_size
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import onnx_places
from striate.ops.work import KEEPS_NOTHING, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    grid_size(inputs)
    return attributes


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes = grid_size(inputs)
    return typed(inputs[0].channels + len(sizes) + int(attributes["radius"]), *sizes)


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count three for each place along an axis; for the radius its square, and for each pixel the sums and the root."""
    sizes = inputs[0].shape[1:]
    count: Dim = 0
    for size in sizes:
        count = count + size * (4 if attributes["radius"] else 3)
    return count + pixels(inputs[0]) * (len(sizes) if attributes["radius"] else 0)


def _scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return 0


def _torch(call: TorchCall) -> Tensor:
    values, torch = call.inputs[0], call.torch
    batch, _, *sizes = values.shape
    lines = []
    for axis, size in enumerate(sizes):
        places = torch.arange(size, device=values.device, dtype=values.dtype)
        line = (places * 2 - (size - 1)) / max(size - 1, 1)
        lines.append(line.reshape(*(size if other == axis else 1 for other in range(len(sizes)))))
    lines.reverse()
    added = lines + ([sum(line.square() for line in lines).sqrt()] if call.attributes["radius"] else [])
    result: Tensor = torch.cat([values, *(each.expand(batch, 1, *sizes) for each in added)], 1)
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    kind = call.input_types[0]
    lines = [_onnx_line(write, value, kind, axis) for axis in range(len(kind.shape) - 1)]
    lines.reverse()
    if call.attributes["radius"]:
        squares = [write("Mul", line, line) for line in lines]
        total = squares[0]
        for square in squares[1:]:
            total = write("Add", total, square)
        lines.append(write("Sqrt", total))
    # The first channel has the size of what is added.
    alike = write("Shape", write("Slice", value, write.sizes([0]), write.sizes([1]), write.sizes([1])))
    write.result("Concat", value, *(write("Expand", line, alike) for line in lines), axis=1)


def _onnx_line(write: Decomposition, value: str, kind: TensorType, axis: int) -> str:
    """Write the coordinates along an axis with the axes of size 1 behind it, so that they line up with the value."""
    size, behind = kind.shape[1 + axis], kind.rank - 2 - axis
    if isinstance(size, int):
        line = write.numbers([(2 * place - (size - 1)) / max(size - 1, 1) for place in range(size)])
    else:
        places = write("Cast", onnx_places(write, value, size, 2 + axis), to=_FLOAT)
        last = write("Cast", write("Sub", write.size_of(value, 2 + axis), write.sizes([1])), to=_FLOAT)
        middle = write("Sub", write("Mul", places, write.number(2)), last)
        line = write("Div", middle, write("Max", last, write.number(1)))
    return write("Unsqueeze", line, write.sizes(range(1, 1 + behind))) if behind else line


COORDINATES = OpRecord(
    name="coordinates",
    work=Work(_operations, KEEPS_NOTHING, scratch=_scratch, passes_gradient=True),
    summary="The value with its coordinates as further channels: x, then y (then z of a volume), from -1 at the first "
    "pixel's centre to 1 at the last one's, and the distance from the middle if it is asked for. An axis of size 1 is "
    "at 0.",
    arguments=(
        Argument(
            "radius",
            Flag(),
            "Whether the distance from the middle, sqrt(x^2 + y^2), is a channel too. (The paper's program takes it "
            "from the point 0.5, 0.5 instead.)",
            False,
        ),
    ),
    settle=_settle,
    shape=_shape,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({}, ((3, 6, 5),)),
        Sample({"radius": True}, ((3, 6, 5),)),
        Sample({}, ((2, 7),)),
        Sample({"radius": True}, ((2, 7),)),
        Sample({"radius": True}, ((2, 3, 4, 5),)),
        Sample({"radius": True}, ((2, 1, 4),)),
        Sample({"radius": 1}, ((3, 6, 5),), fails="radius must be true or false"),
        Sample({}, ((10,),), fails="needs an image"),
    ),
    reference="Liu et al., An intriguing failing of convolutional neural networks and the CoordConv solution, 2018, "
    "section 3",
)

RECORDS = (COORDINATES,)
