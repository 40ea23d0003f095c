"""One value to several along an axis: split into given or equal parts, chunk with a last part that may be smaller.

The value that flows on is the first part; `split(2) as (left, right)` names all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim, ceil_div, format_dim
from striate.ops.arguments import Argument, Choice, Integer, OneOf
from striate.ops.axes import ONE_AXIS, axis_of
from striate.ops.decomposition import Decomposition
from striate.ops.moves import moved
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.shape_arguments import AUTO, Sizes
from striate.ops.sizes import with_size
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import VIEWING

if TYPE_CHECKING:
    from torch import Tensor


def _split_sizes(attributes: Attributes, size: Dim, check: Check) -> list[Dim]:
    parts = attributes["parts"]

    def problem() -> Problem:
        into = f"{parts} equal parts" if isinstance(parts, int) else f"parts of {', '.join(map(str, parts))}"
        return Problem(
            f"{attributes['axis']} of {format_dim(size)} cannot be split into {into}",
            code="E0216",
            argument="parts",
            help="use chunk, whose last part may be smaller" if isinstance(parts, int) else "write auto for one part",
        )

    if isinstance(parts, int):
        check.divisible(size, parts, problem)
        return [size // parts] * parts
    taken = sum(part for part in parts if part != AUTO)
    if AUTO in parts:
        check.at_least(size, taken + 1, problem)
    else:
        check.equal(size, taken, problem)
    return [size - taken if part == AUTO else part for part in parts]


def _split_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    position = axis_of(attributes["axis"], inputs[0].rank)
    sizes = _split_sizes(attributes, inputs[0].shape[position - 1], check)
    return tuple(with_size(inputs[0], position, size) for size in sizes)


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """Along an axis of the image each part begins elsewhere; a window has no words for that."""
    return moved(inputs[0], {axis_of(attributes["axis"], inputs[0].rank): None})


def _split_torch(call: TorchCall) -> tuple[Tensor, ...]:
    value, parts = call.inputs[0], call.attributes["parts"]
    axis = axis_of(call.attributes["axis"], value.dim() - 1)
    sizes: int | list[int]
    if isinstance(parts, int):
        sizes = value.shape[axis] // parts
    else:
        rest = value.shape[axis] - sum(part for part in parts if part != AUTO)
        sizes = [rest if part == AUTO else part for part in parts]
    return tuple(call.torch.split(value, sizes, axis))


def _split_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
    sizes = [kind.shape[axis - 1] for kind in call.output_types]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) == len(sizes):
        sink.node("Split", [value, write.sizes(known)], call.outputs, axis=axis)
    elif isinstance(call.attributes["parts"], int):
        number = {"num_outputs": len(sizes)} if call.opset >= 18 else {}
        sink.node("Split", [value], call.outputs, axis=axis, **number)
    else:
        rest = write("Sub", write.size_of(value, axis), write.sizes([sum(known)]))
        parts = [write.sizes([size]) if isinstance(size, int) else rest for size in sizes]
        sink.node("Split", [value, write("Concat", *parts, axis=0)], call.outputs, axis=axis)


_AXIS = Argument("axis", OneOf(ONE_AXIS), "The axis that is split.", Choice("channels"))

SPLIT = OpRecord(
    name="split",
    work=VIEWING,
    summary="Parts of a value along an axis, equal in size or of the sizes given; each part is a value of its own.",
    arguments=(
        Argument("parts", Sizes(count=True), "The number of equal parts, or a list of sizes; one of them may be auto."),
        _AXIS,
    ),
    shape=_split_shape,
    window=_window,
    torch=_split_torch,
    onnx=_split_onnx,
    samples=(
        Sample({"parts": 2}, ((6, 5, 7),)),
        Sample({"parts": [1, "auto", 2]}, ((6, 5, 7),)),
        Sample({"parts": [2, 3], "axis": "height"}, ((2, 5, 7),)),
        Sample({"parts": 3, "axis": "length"}, ((2, 9),)),
        Sample({"parts": [4, 6]}, ((10,),)),
        Sample({"parts": 2, "axis": "depth"}, ((2, 4, 3, 5),)),
        Sample({"parts": ["auto"], "axis": "last"}, ((2, 9),)),
        Sample({"parts": 4}, ((6, 5, 7),), fails="channels of 6 cannot be split into 4 equal parts"),
        Sample({"parts": [2, 3]}, ((6, 5, 7),), fails="channels of 6 cannot be split into parts of 2, 3"),
        Sample({"parts": ["auto", 6]}, ((6, 5, 7),), fails="channels of 6 cannot be split into parts of auto, 6"),
        Sample({"parts": 2, "axis": "depth"}, ((6, 4, 2),), fails="its input has no depth"),
        Sample({"parts": 1}, ((6, 5, 7),), fails="parts must be a whole number of at least 2"),
    ),
    reference="Ma et al., ShuffleNet V2, 2018, section 3.2 (channel split)",
)


def _chunk_sizes(attributes: Attributes, size: Dim, check: Check) -> list[Dim]:
    parts = attributes["parts"]
    each = ceil_div(size, parts)
    last = size - each * (parts - 1)

    def problem() -> Problem:
        return Problem(
            f"{attributes['axis']} of {format_dim(size)} cannot be cut into {parts} parts that hold something",
            code="E0216",
            argument="parts",
            notes=(f"all but the last take ceil({format_dim(size)}/{parts}) = {format_dim(each)}",),
            help="use fewer parts, or split with the sizes written out",
        )

    check.at_least(last, 1, problem)
    return [*[each] * (parts - 1), last]


def _chunk_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    position = axis_of(attributes["axis"], inputs[0].rank)
    sizes = _chunk_sizes(attributes, inputs[0].shape[position - 1], check)
    return tuple(with_size(inputs[0], position, size) for size in sizes)


def _chunk_torch(call: TorchCall) -> tuple[Tensor, ...]:
    value = call.inputs[0]
    return tuple(value.chunk(call.attributes["parts"], axis_of(call.attributes["axis"], value.dim() - 1)))


def _chunk_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    axis, parts = axis_of(call.attributes["axis"], call.input_types[0].rank), call.attributes["parts"]
    sizes = [kind.shape[axis - 1] for kind in call.output_types]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) == len(sizes):
        written = write.sizes(known)
    else:
        size = write.size_of(value, axis)
        each = write("Div", write("Add", size, write.sizes([parts - 1])), write.sizes([parts]))
        last = write("Sub", size, write("Mul", each, write.sizes([parts - 1])))
        written = write("Concat", *[each] * (parts - 1), last, axis=0)
    sink.node("Split", [value, written], call.outputs, axis=axis)


CHUNK = OpRecord(
    name="chunk",
    work=VIEWING,
    summary="Parts of ceil(size / parts) along an axis, the last one smaller where the size is no multiple; each part "
    "is a value of its own.",
    arguments=(Argument("parts", Integer(2), "The number of parts."), _AXIS),
    shape=_chunk_shape,
    window=_window,
    torch=_chunk_torch,
    onnx=_chunk_onnx,
    samples=(
        Sample({"parts": 2}, ((5, 4, 7),)),
        Sample({"parts": 3, "axis": "width"}, ((2, 4, 7),)),
        Sample({"parts": 2, "axis": "length"}, ((2, 8),)),
        Sample({"parts": 4}, ((11,),)),
        Sample({"parts": 2, "axis": "depth"}, ((2, 3, 4, 5),)),
        Sample({"parts": 4}, ((5, 4, 7),), fails="channels of 5 cannot be cut into 4 parts"),
        Sample({"parts": 2, "axis": "depth"}, ((2, 4, 7),), fails="its input has no depth"),
        Sample({"parts": 1}, ((5, 4, 7),), fails="parts must be a whole number of at least 2"),
    ),
    reference="torch.chunk, without its silent giving of fewer parts",
)

RECORDS = (SPLIT, CHUNK)
