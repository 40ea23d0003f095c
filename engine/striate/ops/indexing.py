"""Entries taken from, and put to, places that the network computes.

Places are whole numbers in a value of their own, counted from 0 along the axis; no gradient flows into them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import ONE_AXIS, axis_of
from striate.ops.decomposition import Decomposition
from striate.ops.domains import AXIS_PLACES
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.shape_arguments import NamedValue
from striate.ops.sizes import entries, with_size
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE = 7
"""ONNX's number for int64."""

_AXIS = Argument("axis", OneOf(ONE_AXIS), "The axis along which places are counted.", Choice("channels"))
_INDICES = Argument(
    "indices",
    NamedValue(),
    "The places, counted from 0, e.g. the second value of topk; below 0 from the end. No gradient flows into them.",
)


def _places(call: TorchCall, axis: int) -> Tensor:
    """Return the places as whole numbers counted from the front."""
    found = call.inputs[call.attributes["indices"]].detach().round()
    return found.add_(found < 0, alpha=call.inputs[0].shape[axis]).long()


def _count_places(attributes: Attributes, inputs: Types) -> Dim:
    """Count a comparison and a sum for each place: those below 0 count from the end."""
    return entries(inputs[attributes["indices"]]) * 2


def onnx_whole(write: Decomposition, value: str) -> str:
    """Write a value of whole numbers as int64."""
    return write("Cast", write("Round", value), to=_WHOLE)


def _same_axes(inputs: Types, place: int, argument: str) -> None:
    if inputs[place].rank != inputs[0].rank:
        raise LayerError(
            Problem(
                "the values differ in their number of axes: "
                f"{format_shape(inputs[0])} and {format_shape(inputs[place])}",
                code="E0203",
                argument=argument,
                help="reshape first, so that there are as many axes",
            )
        )


def _unlike(value: TensorType, other: TensorType, what: str, argument: str) -> Problem:
    return Problem(
        f"{what} {format_shape(other)} do not fit to {format_shape(value)}",
        code="E0203",
        argument=argument,
        notes=("beside the axis along which places are counted all sizes must be the same; a size of 1 is repeated",),
    )


def _places_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the rounded places, which are gone when the output is made."""
    more = entries(inputs[attributes["indices"]]) - entries(outputs[0])
    return max(more, 0) if isinstance(more, int) else 0


def _gather_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, places = inputs[0], inputs[attributes["indices"]]
    _same_axes(inputs, attributes["indices"], "indices")
    axis = axis_of(attributes["axis"], value.rank)
    for position, (own, size) in enumerate(zip(value.shape, places.shape, strict=True), start=1):
        if position != axis and size != 1:
            check.equal(size, own, partial(_unlike, value, places, "indices", "indices"))
    return (with_size(value, axis, places.shape[axis - 1]),)


def _gather_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    axis = axis_of(call.attributes["axis"], value.dim() - 1)
    places = _places(call, axis)
    sizes = [-1 if position == axis else size for position, size in enumerate(value.shape)]
    return value.gather(axis, places.expand(sizes))


def _gather_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, place = Decomposition(call, sink), call.attributes["indices"]
    given, places = call.input_types[0], call.input_types[place]
    axis = axis_of(call.attributes["axis"], given.rank)
    found = onnx_whole(write, call.inputs[place])
    if any(
        size == 1 and own != 1
        for position, (own, size) in enumerate(zip(given.shape, places.shape, strict=True), start=1)
        if position != axis
    ):
        found = write("Expand", found, _all_but(write, call.inputs[0], given, axis))
    write.result("GatherElements", call.inputs[0], found, axis=axis)


def _all_but(write: Decomposition, value: str, kind: TensorType, axis: int) -> str:
    """Write the sizes of a value with 1 along an axis and for the batch, to which an Expand repeats the other axes."""
    whole = [1, *(1 if position == axis else size for position, size in enumerate(kind.shape, start=1))]
    known = [size for size in whole if isinstance(size, int)]
    if len(known) == len(whole):
        return write.sizes(known)
    parts = [
        write.sizes([size]) if isinstance(size, int) else write.size_of(value, place)
        for place, size in enumerate(whole)
    ]
    return write("Concat", *parts, axis=0)


def _gather_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _count_places(attributes, inputs)


def _keeps_places(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), indices=entries(inputs[attributes["indices"]]))


_NOT_GATHERED = (
    Sample({"indices": 1}, ((6, 5, 7), (3, 4, 7)), fails="indices 3 x 4 x 7 do not fit to 6 x 5 x 7"),
    Sample({"indices": 1}, ((6, 5, 7), (3,)), fails="differ in their number of axes: 6 x 5 x 7 and 3"),
    Sample({"indices": 1, "axis": "depth"}, ((6, 5, 7), (6, 5, 7)), fails="its input has no depth"),
)

GATHER = OpRecord(
    name="gather",
    work=Work(_gather_operations, _keeps_places, _places_scratch),
    summary="Entries at places along an axis that another value names: out[i] = in[indices[i]], at each place beside "
    "the axis on its own. Indices of 1 x K along the last axis of C x L take the same K positions of all channels, as "
    "the best boxes of a detector are taken after topk.",
    arguments=(_INDICES, _AXIS),
    shape=_gather_shape,
    window=sees_everything,
    torch=_gather_torch,
    onnx=_gather_onnx,
    domain=AXIS_PLACES,
    samples=(
        Sample({"indices": 1}, ((6, 5, 7), (3, 5, 7))),
        Sample({"indices": 1, "axis": "width"}, ((6, 5, 7), (6, 5, 9))),
        Sample({"indices": 1, "axis": "last"}, ((4, 9), (1, 3))),
        Sample({"indices": 1, "axis": "height"}, ((6, 5, 7), (1, 2, 7))),
        Sample({"indices": 1}, ((10,), (4,))),
        Sample({"indices": 1, "axis": "depth"}, ((3, 4, 2, 5), (1, 2, 1, 1))),
        *_NOT_GATHERED,
    ),
    reference="torch.gather, ONNX's GatherElements; sizes of 1 repeated as in numpy.take_along_axis",
)


_COMBINED = {"add": "sum", "mul": "prod", "maximum": "amax", "minimum": "amin"}
"""What torch calls each way in which entries meet."""

_ONNX_COMBINED = {"add": "add", "mul": "mul", "maximum": "max", "minimum": "min"}


def _scatter_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, places, values = inputs[0], inputs[attributes["indices"]], inputs[attributes["values"]]
    _same_axes(inputs, attributes["indices"], "indices")
    _same_axes(inputs, attributes["values"], "values")
    axis = axis_of(attributes["axis"], value.rank)
    for position, (own, size, given) in enumerate(zip(value.shape, places.shape, values.shape, strict=True), start=1):
        if position == axis or size != 1:
            check.equal(size, given, partial(_unlike, values, places, "indices", "indices"))
        if position != axis:
            check.equal(given, own, partial(_unlike, value, values, "values", "values"))
    return (value,)


def _scatter_torch(call: TorchCall) -> Tensor:
    attributes, value, values = call.attributes, call.inputs[0], call.inputs[call.attributes["values"]]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    places = _places(call, axis).expand(values.shape)
    if attributes["combine"] == "replace":
        return value.scatter(axis, places, values)
    if attributes["combine"] == "add":
        return value.scatter_add(axis, places, values)
    return value.scatter_reduce(axis, places, values, _COMBINED[attributes["combine"]])


def _scatter_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    places, values = (attributes[name] for name in ("indices", "values"))
    axis = axis_of(attributes["axis"], call.input_types[0].rank)
    found = onnx_whole(write, call.inputs[places])
    kinds = [call.input_types[each].shape for each in (places, values)]
    if any(size == 1 and given != 1 for size, given in zip(*kinds, strict=True)):
        found = write("Expand", found, write("Shape", call.inputs[values]))
    way = _ONNX_COMBINED.get(attributes["combine"])
    reduction = {} if way is None else {"reduction": way}
    write.result("ScatterElements", call.inputs[0], found, call.inputs[values], axis=axis, **reduction)


def _scatter_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    met = 0 if attributes["combine"] == "replace" else entries(inputs[attributes["values"]])
    return _count_places(attributes, inputs) + met


def _scatter_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    kept = entries(inputs[attributes["indices"]])
    if attributes["combine"] in ("replace", "add"):
        return Kept(indices=kept)
    return Kept((0, attributes["values"]), output=True, indices=kept)


SCATTER = OpRecord(
    name="scatter",
    work=Work(_scatter_operations, _scatter_keeps, _places_scratch),
    summary="Entries of another value put, added or compared at places along an axis that a third one names: "
    "out = in but out[indices[i]] = values[i], or + values[i], … It takes back what gather took.",
    arguments=(
        _INDICES,
        Argument("values", NamedValue(), "The entries, one for each index."),
        _AXIS,
        Argument(
            "combine",
            OneOf(("replace", *_COMBINED)),
            "What becomes of the entry that was there. Of several entries for one place, replace keeps any one.",
            Choice("replace"),
        ),
    ),
    shape=_scatter_shape,
    window=sees_everything,
    torch=_scatter_torch,
    onnx=_scatter_onnx,
    domain=AXIS_PLACES,
    samples=(
        Sample({"indices": 1, "values": 2}, ((6, 5, 7), (3, 5, 7), (3, 5, 7))),
        Sample({"indices": 1, "values": 2, "axis": "width", "combine": "add"}, ((2, 3, 7), (2, 3, 9), (2, 3, 9))),
        Sample({"indices": 1, "values": 2, "axis": "last", "combine": "maximum"}, ((4, 9), (1, 3), (4, 3))),
        Sample({"indices": 1, "values": 2, "combine": "minimum"}, ((10,), (4,), (4,))),
        Sample({"indices": 1, "values": 2, "axis": "height", "combine": "mul"}, ((2, 5, 3), (1, 4, 3), (2, 4, 3))),
        Sample({"indices": 1, "values": 2, "axis": "depth"}, ((3, 4, 2, 5), (1, 2, 1, 1), (3, 2, 2, 5))),
        Sample({"indices": 1, "values": 2}, ((6, 5), (3, 5), (4, 5)), fails="indices 3 x 5 do not fit to 4 x 5"),
        Sample({"indices": 1, "values": 2}, ((6, 5), (3, 4), (3, 4)), fails="values 3 x 4 do not fit to 6 x 5"),
        Sample(
            {"indices": 1, "values": 2}, ((6, 5), (3,), (3, 5)), fails="differ in their number of axes: 6 x 5 and 3"
        ),
        Sample({"indices": 1, "values": 2, "combine": "mean"}, ((6,), (3,), (3,)), fails="combine must be one of"),
    ),
    reference="torch.Tensor.scatter and scatter_reduce, ONNX's ScatterElements",
)

RECORDS = (GATHER, SCATTER)
