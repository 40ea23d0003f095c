"""The way back from maximum pooling: every maximum at the place that it came from, zeros elsewhere."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from striate.dims import Dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Optional, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.domains import IMAGE_PLACES
from striate.ops.geometry import grid_size
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.shape_arguments import NamedValue, per_axis
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import one_of_arguments, onnx_wanted, torch_wanted, wanted_space
from striate.ops.work import Kept, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE = 7
"""ONNX's number for int64."""


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    grid_size(inputs)
    if one_of_arguments(attributes, ("size", "like")) == "like":
        return attributes
    return {**attributes, "size": per_axis(attributes["size"], inputs[0].rank - 1, "size")}


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, places = inputs[0], inputs[attributes["indices"]]

    def problem() -> Problem:
        return Problem(
            f"needs one index for each entry of {format_shape(value)}, but the indices are {format_shape(places)}",
            code="E0203",
            argument="indices",
            help="name the second value of the maxpool: maxpool(2, indices = true) as (best, places)",
        )

    if places.rank != value.rank:
        raise LayerError(problem())
    for given, wanted in zip(places.shape, value.shape, strict=True):
        check.equal(given, wanted, problem)
    return typed(value.channels, *wanted_space(attributes, inputs))


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(indices=entries(inputs[0]), marks=entries(inputs[0]))


def _scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the zeros that are filled, the whole numbers of the last entry at each place, and the entries that stay."""
    return entries(outputs[0]) * 3 + entries(inputs[0])


def _torch(call: TorchCall) -> Tensor:
    torch, wanted = call.torch, torch_wanted(call)
    values = call.inputs[0].flatten(2)
    places = call.inputs[call.attributes["indices"]].detach().flatten(2).round().long()
    room = (*values.shape[:2], prod(wanted))
    # Where windows overlap, several entries may have one place: the last of them stays, on every device.
    order = torch.arange(values.shape[2], device=values.device).expand_as(places)
    last = torch.zeros(room, dtype=torch.int64, device=values.device).scatter_reduce(2, places, order, "amax")
    kept = torch.where(last.gather(2, places) == order, values, 0)
    filled: Tensor = torch.zeros(room, dtype=values.dtype, device=values.device).scatter_add(2, places, kept)
    return filled.reshape(*values.shape[:2], *wanted)


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write ScatterElements: MaxUnpool asks for a kernel, which is not known here, and counts through the batch."""
    write, value, rank = Decomposition(call, sink), call.inputs[0], call.input_types[0].rank
    flat = write.sizes([0, 0, -1])
    values = write("Reshape", value, flat)
    places = write("Cast", write("Round", call.inputs[call.attributes["indices"]]), to=_WHOLE)
    space = onnx_wanted(write, call)
    kept = write("Gather", write("Shape", value), write.sizes([0, 1]), axis=0)
    plane = write.reduced("ReduceProd", space, [0])
    empty = write("Expand", write.number(0), write("Concat", kept, plane, axis=0))
    filled = write("ScatterElements", empty, write("Reshape", places, flat), values, axis=2)
    known = [size for size in call.output_types[0].shape[1:] if isinstance(size, int)]
    if len(known) == rank - 1:
        write.result("Reshape", filled, write.sizes([0, 0, *known]))
    else:
        write.result("Reshape", filled, write("Concat", write.sizes([0, 0]), space, axis=0))


MAX_UNPOOL = OpRecord(
    name="max_unpool",
    work=Work(no_operations, _keeps, _scratch, size_only="like"),
    summary="Undoes maxpool(…, indices = true) as far as that can be done: each entry goes to the place that its index "
    "names, everything else is 0. Decoders use it to keep edges where they were, without weights.",
    arguments=(
        Argument(
            "indices",
            NamedValue(),
            "The second value of the maxpool. Where overlapping windows chose the same pixel, the last one stays.",
        ),
        Argument("size", Optional(PerAxis(1)), "Size of the image that was pooled, one number per axis.", None),
        Argument(
            "like", Optional(NamedValue()), "Instead of size: the value that was pooled, or one of its size.", None
        ),
    ),
    settle=_settle,
    shape=_shape,
    window=sees_everything,
    torch=_torch,
    onnx=_onnx,
    domain=IMAGE_PLACES,
    samples=(
        Sample({"indices": 1, "size": (6, 8)}, ((3, 3, 4), (3, 3, 4))),
        Sample({"indices": 1, "like": 2}, ((3, 3, 4), (3, 3, 4), (5, 7, 9))),
        Sample({"indices": 1, "size": 11}, ((2, 5), (2, 5))),
        Sample({"indices": 1, "size": (3, 4, 5)}, ((2, 1, 2, 2), (2, 1, 2, 2))),
        Sample({"indices": 1, "size": (6, 8)}, ((3, 3, 4), (3, 4, 4)), fails="needs one index for each entry"),
        Sample({"indices": 1, "size": (6, 8)}, ((3, 3, 4), (3, 12)), fails="needs one index for each entry"),
        Sample({"indices": 1}, ((3, 3, 4), (3, 3, 4)), fails="takes one of size, like"),
        Sample({"indices": 1, "like": 2}, ((3, 3, 4), (3, 3, 4), (3, 9)), fails="differ in their number of axes"),
        Sample({"indices": 1, "size": 4}, ((16,), (16,)), fails="needs an image"),
    ),
    reference="Badrinarayanan, Kendall and Cipolla, SegNet, 2017, section 3.1 (figure 3)",
)

RECORDS = (MAX_UNPOOL,)
