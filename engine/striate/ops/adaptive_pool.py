"""Pooling to a size that is asked for, whatever the size that comes in: adaptive pools and the spatial pyramid.

Of `given` places along an axis, part `o` of `made` covers those from `floor(o * given / made)` up to, not including,
`ceil((o + 1) * given / made)`. Parts overlap by one place where `made` does not divide `given`; none is ever empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim
from striate.graph import TensorType
from striate.ops.arguments import Argument, Choice, OneOf, PerAxis
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import axis_numbers, grid_size
from striate.ops.interpolation import known_move
from striate.ops.moves import moved, sees_everything
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.resampling import area_means
from striate.ops.shape_arguments import Counts
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_SIZE = Argument("size", PerAxis(), "Size of the output: one number, or one per axis, e.g. (height, width).")


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    return axis_numbers(attributes, ("size",), inputs)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    grid_size(inputs)
    return typed(inputs[0].channels, *attributes["size"])


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    wanted = attributes["size"]
    if set(wanted) == {1}:
        return "all"
    sizes = enumerate(zip(inputs[0].shape[1:], wanted, strict=True), start=2)
    return moved(
        inputs[0],
        {axis: known_move("area", None, size, made) if isinstance(size, int) else None for axis, (size, made) in sizes},
    )


def _covered(attributes: Attributes, inputs: Types) -> Dim:
    """Return how many pixels all parts read together; of an open size, where it is not known, each pixel once."""
    total: Dim = inputs[0].channels
    for given, made in zip(inputs[0].shape[1:], attributes["size"], strict=True):
        if isinstance(given, int):
            total = total * sum(-(-(part + 1) * given // made) - part * given // made for part in range(made))
        else:
            total = total * given
    return total


def _avgpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _covered(attributes, inputs)


def _maxpool_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return _covered(attributes, inputs) - entries(outputs[0])


def _avgpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept() if set(attributes["size"]) == {1} and inputs[0].rank > 2 else Kept((0,))


def _maxpool_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), indices=entries(outputs[0]))


def _torch_pool(call: TorchCall, kind: str, size: Sequence[int]) -> Tensor:
    pool = getattr(call.torch.nn.functional, f"adaptive_{kind}_pool{len(size)}d")
    result: Tensor = pool(call.inputs[0], tuple(size))
    return result


def _avgpool_torch(call: TorchCall) -> Tensor:
    return _torch_pool(call, "avg", call.attributes["size"])


def _maxpool_torch(call: TorchCall) -> Tensor:
    return _torch_pool(call, "max", call.attributes["size"])


def _avgpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    if not _even_parts(call, sink, "Average"):
        write = Decomposition(call, sink)
        area_means(write, call, lambda: write.sizes(call.attributes["size"]))


def _maxpool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    if _even_parts(call, sink, "Max"):
        return
    write, value = Decomposition(call, sink), call.inputs[0]
    sizes = zip(call.input_types[0].shape[1:], call.attributes["size"], strict=True)
    for axis, (given, made) in enumerate(sizes, start=2):
        places = _known_places(write, given, made) if isinstance(given, int) else _open_places(write, call, axis, made)
        value = write.reduced("ReduceMax", write("Gather", value, places, axis=axis), [axis + 1], keep=False)
    write.result("Identity", value)


def _even_parts(call: OnnxCall, sink: OnnxSink, kind: str) -> bool:
    """Write global or plain pooling, which every runtime knows, where the parts are all of one size."""
    given, made = call.input_types[0].shape[1:], call.attributes["size"]
    if set(made) == {1}:
        sink.node(f"Global{kind}Pool", call.inputs[:1], call.outputs)
        return True
    known = [size for size in given if isinstance(size, int)]
    if len(known) < len(given) or any(size % parts for size, parts in zip(known, made, strict=True)):
        return False
    kernel = [size // parts for size, parts in zip(known, made, strict=True)]
    sink.node(f"{kind}Pool", call.inputs[:1], call.outputs, kernel_shape=kernel, strides=kernel)
    return True


def _known_places(write: Decomposition, given: int, made: int) -> str:
    """Write the places of each part as a row, the last one repeated where a part has fewer than the others."""
    spans = [(part * given // made, -(-(part + 1) * given // made)) for part in range(made)]
    longest = max(end - start for start, end in spans)
    places = [min(start + step, end - 1) for start, end in spans for step in range(longest)]
    return write("Reshape", write.sizes(places), write.sizes([made, longest]))


def _open_places(write: Decomposition, call: OnnxCall, axis: int, made: int) -> str:
    """Write the same for a size that is known when the model runs."""
    size, parts, one = write.size_of(call.inputs[0], axis), write.sizes([made]), write.sizes([1])
    first = write("Div", write("Mul", write.sizes(range(made)), size), parts)
    reached = write("Add", write("Mul", write.sizes(range(1, made + 1)), size), write.sizes([made - 1]))
    last = write("Sub", write("Div", reached, parts), one)
    longest = write.reduced("ReduceMax", write("Add", write("Sub", last, first), one), [0], keep=False)
    steps = write("Range", write.whole(0), longest, write.whole(1))
    places = write("Add", write("Unsqueeze", first, one), steps)
    return write("Min", places, write("Unsqueeze", last, one))


_SAMPLES = (
    Sample({"size": 3}, ((6, 9, 12),)),
    Sample({"size": (3, 4)}, ((5, 7, 10),)),
    Sample({"size": 1}, ((16, 7, 9),)),
    Sample({"size": (6, 5)}, ((2, 4, 5),)),
    Sample({"size": 4}, ((3, 11),)),
    Sample({"size": (2, 3, 2)}, ((2, 5, 4, 3),)),
    Sample({"size": (2, 2, 2)}, ((2, 5, 4),), fails="size (2, 2, 2) has 3 numbers"),
    Sample({"size": 0}, ((2, 5, 4),), fails="size must be a whole number of at least 1"),
    Sample({"size": 2}, ((16,),), fails="needs an image"),
)

ADAPTIVE_AVGPOOL = OpRecord(
    name="adaptive_avgpool",
    work=Work(_avgpool_operations, _avgpool_keeps),
    summary="Average of parts that divide the image to the size given: part o of n along an axis of length L covers "
    "floor(o L / n) to ceil((o + 1) L / n) - 1. Behind it the size is fixed, so that dense layers take images of any "
    "size; size = 1 is global_avgpool.",
    arguments=(_SIZE,),
    settle=_settle,
    shape=_shape,
    window=_window,
    torch=_avgpool_torch,
    onnx=_avgpool_onnx,
    samples=_SAMPLES,
    reference="He, Zhang, Ren and Sun, Spatial pyramid pooling, 2014, section 2.2 and appendix A (the bins); "
    "torch.nn.AdaptiveAvgPool2d",
)

ADAPTIVE_MAXPOOL = OpRecord(
    name="adaptive_maxpool",
    work=Work(_maxpool_operations, _maxpool_keeps),
    summary="Maximum of parts that divide the image to the size given: part o of n along an axis of length L covers "
    "floor(o L / n) to ceil((o + 1) L / n) - 1; size = 1 is global_maxpool.",
    arguments=(_SIZE,),
    settle=_settle,
    shape=_shape,
    window=_window,
    torch=_maxpool_torch,
    onnx=_maxpool_onnx,
    samples=_SAMPLES,
    reference="He, Zhang, Ren and Sun, Spatial pyramid pooling, 2014, section 2.2 and appendix A (the bins); "
    "torch.nn.AdaptiveMaxPool2d",
)


def _settle_spp(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    grid_size(inputs)
    return attributes


def _spp_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axes = len(grid_size(inputs))
    features: Dim = inputs[0].channels * sum(parts**axes for parts in attributes["bins"])
    return typed(features)


def _spp_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    axes = inputs[0].rank - 1
    covered = [_covered({"size": (parts,) * axes}, inputs) for parts in attributes["bins"]]
    total: Dim = -entries(outputs[0]) if attributes["mode"] == "maximum" else 0
    for each in covered:
        total = total + each
    return total


def _spp_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), indices=entries(outputs[0]) if attributes["mode"] == "maximum" else 0)


def _spp_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the levels, which are there before the output is; the places of one level at a time are whole numbers."""
    levels = [parts ** (inputs[0].rank - 1) for parts in attributes["bins"]]
    places = 2 if attributes["mode"] == "maximum" else 0
    most = max(sum(levels[: number + 1]) + places * size for number, size in enumerate(levels))
    scratch: Dim = inputs[0].channels * (max(most, 2 * sum(levels)) - (1 + places) * sum(levels))
    return scratch


def _spp_torch(call: TorchCall) -> Tensor:
    axes, kind = call.inputs[0].dim() - 2, "max" if call.attributes["mode"] == "maximum" else "avg"
    levels = [_torch_pool(call, kind, [parts] * axes).flatten(1) for parts in call.attributes["bins"]]
    result: Tensor = call.torch.cat(levels, 1)
    return result


def _spp_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, kind = Decomposition(call, sink), call.input_types[0]
    rule = _maxpool_onnx if call.attributes["mode"] == "maximum" else _avgpool_onnx
    levels = []
    for number, parts in enumerate(call.attributes["bins"]):
        size, level = (parts,) * (kind.rank - 1), f"{call.name}/level{number}"
        made = TensorType((kind.channels, *size))
        rule(replace(call, name=level, outputs=[level], attributes={"size": size}, output_types=[made]), sink)
        levels.append(write("Flatten", level, axis=1))
    write.result("Concat", *levels, axis=1)


SPP = OpRecord(
    name="spp",
    work=Work(_spp_operations, _spp_keeps, _spp_scratch),
    summary="Spatial pyramid pooling: for each n of bins the image is pooled to n x n parts, and all of them follow "
    "one another as one flat value of channels * (sum of n^2) features, whatever the size of the image. Dense layers "
    "then take images of any size, and the coarse levels see objects of any scale.",
    arguments=(
        Argument(
            "bins",
            Counts(),
            "The parts per axis of each level; the paper's detection networks use [6, 3, 2, 1]. A sequence has n "
            "parts, a volume n^3.",
            [4, 2, 1],
        ),
        Argument("mode", OneOf(("maximum", "average")), "What is taken of each part.", Choice("maximum")),
    ),
    settle=_settle_spp,
    shape=_spp_shape,
    window=sees_everything,
    torch=_spp_torch,
    onnx=_spp_onnx,
    samples=(
        Sample({}, ((6, 13, 10),)),
        Sample({"bins": [3, 2, 1], "mode": "average"}, ((4, 6, 9),)),
        Sample({"bins": [3]}, ((2, 2, 5),)),
        Sample({"bins": [5, 1]}, ((3, 11),)),
        Sample({"bins": [2, 1]}, ((2, 3, 4, 5),)),
        Sample({"bins": []}, ((2, 3, 4),), fails="bins must be a list"),
        Sample({"bins": [2, 0]}, ((2, 3, 4),), fails="bins must be a list"),
        Sample({}, ((16,),), fails="needs an image"),
    ),
    reference="He, Zhang, Ren and Sun, Spatial pyramid pooling in deep convolutional networks for visual recognition, "
    "2014, section 2.2",
)

RECORDS = (ADAPTIVE_AVGPOOL, ADAPTIVE_MAXPOOL, SPP)
