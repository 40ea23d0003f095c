"""Trained tensors that are no part of another layer (parameter), and sizes of 1 repeated along any axis (broadcast)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Optional
from striate.ops.decomposition import Decomposition
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import POINTWISE, Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec, Window
from striate.ops.shape_arguments import AUTO, NamedValue, Sizes
from striate.ops.sizes import typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import one_of_arguments
from striate.ops.work import KEEPS_NOTHING, MOVING, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _settle_parameter(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    if AUTO in attributes["sizes"]:
        raise LayerError(
            Problem(
                "has no sizes that auto could be worked out from", code="E0216", argument="sizes", help="write a number"
            )
        )
    return attributes


def _parameter_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(*attributes["sizes"])


def _parameter_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return (WeightSpec("weight", tuple(attributes["sizes"]), Initializer("zeros")),)


def _parameter_torch(call: TorchCall) -> Tensor:
    weight = call.weights["weight"]
    # A copy for each image: what follows may be a view, and views of a weight are no memory of their own.
    return weight.unsqueeze(0).expand(call.inputs[0].shape[0], *weight.shape).clone()


def _parameter_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    sizes = write("Concat", write.size_of(call.inputs[0], 0), write.sizes(call.attributes["sizes"]), axis=0)
    write.result("Expand", call.weights["weight"], sizes)


PARAMETER = OpRecord(
    name="parameter",
    work=MOVING,
    summary="A trained tensor that does not depend on the input, the same for every image: a positional embedding, a "
    "class token, scales of channels. Of what flows in, only the number of images counts.",
    arguments=(Argument("sizes", Sizes(), "Its sizes."),),
    settle=_settle_parameter,
    shape=_parameter_shape,
    weights=_parameter_weights,
    window=sees_everything,
    torch=_parameter_torch,
    onnx=_parameter_onnx,
    samples=(
        Sample({"sizes": [4, 1, 1]}, ((4, 9, 7),)),
        Sample({"sizes": [16, 5]}, ((4, 9, 7),)),
        Sample({"sizes": [10]}, ((10,),)),
        Sample({"sizes": [2, 3, 4, 5]}, ((3, 8),)),
        Sample({"sizes": [3, "auto"]}, ((10,),), fails="has no sizes that auto could be worked out from"),
        Sample({"sizes": [0]}, ((10,),), fails="sizes must be a list of at most 8 sizes"),
    ),
    reference="Dosovitskiy et al., An image is worth 16 x 16 words, 2021, section 3.1 (position and class embeddings)",
)


def _wanted(attributes: Attributes, inputs: Types) -> tuple[Dim, ...]:
    """Return the sizes asked for: those of the named value, or the numbers, `auto` for a size that stays."""
    given = inputs[0]
    if attributes["like"] is not None:
        other = inputs[attributes["like"]]
        if other.rank != given.rank:
            raise _other_rank(given, format_shape(other), "like")
        return other.shape
    sizes = attributes["sizes"]
    if len(sizes) != given.rank:
        raise _other_rank(given, " x ".join(map(str, sizes)), "sizes")
    return tuple(own if size == AUTO else size for size, own in zip(sizes, given.shape, strict=True))


def _other_rank(given: TensorType, wanted: str, argument: str) -> LayerError:
    return LayerError(
        Problem(
            f"the values differ in their number of axes: {format_shape(given)} and {wanted}",
            code="E0203",
            argument=argument,
            help="reshape first, so that there are as many axes",
        )
    )


def _settle_broadcast(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    one_of_arguments(attributes, ("sizes", "like"))
    return attributes


def _broadcast_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    wanted = _wanted(attributes, inputs)
    for size, target in zip(inputs[0].shape, wanted, strict=True):
        if size != 1:
            check.equal(size, target, partial(_not_one, inputs[0], wanted, size, target))
    return typed(*wanted)


def _not_one(value: TensorType, wanted: tuple[Dim, ...], size: Dim, target: Dim) -> Problem:
    return Problem(
        f"{format_shape(value)} cannot be repeated to {' x '.join(map(format_dim, wanted))}",
        code="E0216",
        notes=(f"only a size of 1 can be repeated, and {format_dim(size)} is to become {format_dim(target)}",),
        help="use tile to repeat a whole value, or resize for an image",
    )


def _broadcast_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return POINTWISE if inputs[0].shape[1:] == _wanted(attributes, inputs)[1:] and inputs[0].rank > 1 else "all"


def _broadcast_torch(call: TorchCall) -> Tensor:
    value, like = call.inputs[0], call.attributes["like"]
    if like is not None:
        return value.expand(-1, *call.inputs[like].shape[1:])
    return value.expand(-1, *(-1 if size == AUTO else size for size in call.attributes["sizes"]))


def _broadcast_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, like = Decomposition(call, sink), call.attributes["like"]
    if like is None:
        sizes = write.sizes([1, *(1 if size == AUTO else size for size in call.attributes["sizes"])])
    else:
        sizes = write("Shape", call.inputs[like])
    write.result("Expand", call.inputs[0], sizes)


BROADCAST = OpRecord(
    name="broadcast",
    work=Work(no_operations, KEEPS_NOTHING, view=True, size_only="like"),
    summary="Sizes of 1 repeated along any axes, to sizes given or to those of a named value: C x 1 x 1, 1 x H x W and "
    "1 x 1 x 1 all give C x H x W.",
    arguments=(
        Argument("sizes", Optional(Sizes()), "The sizes, one per axis; auto for one that stays.", None),
        Argument("like", Optional(NamedValue()), "Instead of sizes: a named value that has them.", None),
    ),
    settle=_settle_broadcast,
    shape=_broadcast_shape,
    window=_broadcast_window,
    torch=_broadcast_torch,
    onnx=_broadcast_onnx,
    samples=(
        Sample({"sizes": [4, 9, 7]}, ((1, 9, 1),)),
        Sample({"sizes": [4, "auto", 7]}, ((4, 9, 1),)),
        Sample({"sizes": [6]}, ((1,),)),
        Sample({"like": 1}, ((1, 1, 7), (4, 9, 7))),
        Sample({"like": 1}, ((3, 1), (3, 8))),
        Sample({"like": 1}, ((2, 1, 4, 1), (2, 3, 4, 5))),
        Sample({"sizes": [4, 9]}, ((2, 9),), fails="2 x 9 cannot be repeated to 4 x 9"),
        Sample({"sizes": [4, 9]}, ((4, 9, 7),), fails="differ in their number of axes: 4 x 9 x 7 and 4 x 9"),
        Sample({"like": 1}, ((4, 1, 1), (4, 9)), fails="differ in their number of axes: 4 x 1 x 1 and 4 x 9"),
        Sample({}, ((4, 1, 1),), fails="takes one of sizes, like"),
    ),
    reference="numpy.broadcast_to, torch.Tensor.expand, ONNX's Expand",
)

RECORDS = (PARAMETER, BROADCAST)
