"""The same entries with other axes: reshape, unflatten, permute, transpose. `flatten` has a file of its own.

Entries are in row-major order, the last axis running fastest; the batch is untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from striate.dims import Dim, Expr, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.axes import ONE_AXIS, SINGLE_AXES, axis_of, named_axes
from striate.ops.decomposition import Decomposition
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.shape_arguments import AUTO, AxisNames, Sizes
from striate.ops.sizes import product, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, TURNING, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _settle_reshape(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    """Put names of axes for open sizes: what the layer computes must not depend on the name of a symbol."""
    value = inputs[0]
    names = named_axes(value.rank)
    sizes = [_axis_of_size(size, value, names) if isinstance(size, Expr) else size for size in attributes["sizes"]]
    left = [size for size in sizes if isinstance(size, Expr)]
    if len(left) == 1 and AUTO not in sizes:
        place = sizes.index(left[0])
        sizes[place] = AUTO
        if _worked_out(sizes, value, Check())[place] == left[0]:
            left = []
    if left:
        raise LayerError(
            Problem(
                f"cannot work out {format_dim(left[0])} from the sizes of its input, {format_shape(value)}",
                code="E0216",
                argument="sizes",
                help="write auto for it, or the name of the axis whose size it is",
            )
        )
    return {**attributes, "sizes": tuple(sizes)}


def _axis_of_size(size: Expr, value: TensorType, names: Sequence[str]) -> Expr | str:
    return next((name for name, extent in zip(names, value.shape, strict=False) if extent == size), size)


def _worked_out(sizes: Sequence[Any], value: TensorType, check: Check) -> tuple[Dim, ...]:
    """Return the sizes that a list with names and `auto` stands for; demands that the number of entries is kept."""
    kept = [axis_of(size, value.rank, "sizes") for size in sizes if isinstance(size, str) and size != AUTO]
    if len(set(kept)) < len(kept):
        raise LayerError(
            Problem("names an axis twice", code="E0216", argument="sizes", help="every axis can be kept once")
        )
    free = product(size for place, size in enumerate(value.shape, start=1) if place not in kept)
    known = product(size for size in sizes if isinstance(size, int))
    assert isinstance(known, int), "a product of numbers"

    def problem() -> Problem:
        wanted = " x ".join(str(size) for size in sizes)
        return Problem(
            f"{format_shape(value)} cannot become {wanted}",
            code="E0216",
            argument="sizes",
            notes=(f"{format_dim(free)} entries are to be arranged in {'rows of ' if AUTO in sizes else ''}{known}",),
            help=None if AUTO in sizes else "write auto for one size to have it worked out",
        )

    if AUTO in sizes:
        check.divisible(free, known, problem)
    else:
        check.equal(free, known, problem)
    here = {AUTO: free // known}
    return tuple(
        size if isinstance(size, int) else here[size] if size in here else value.shape[axis_of(size, value.rank) - 1]
        for size in sizes
    )


def _reshape_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(*_worked_out(attributes["sizes"], inputs[0], check))


def _reshape_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    rank = value.dim() - 1
    sizes = [
        size if isinstance(size, int) else -1 if size == AUTO else value.shape[axis_of(size, rank)]
        for size in call.attributes["sizes"]
    ]
    return value.reshape(value.shape[0], *sizes)


def reshaped(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the node that gives the input the sizes of the output.

    An open size is one of the input's axes, or the one size that follows from the others.
    """
    write, value = Decomposition(call, sink), call.inputs[0]
    given = call.input_types[0].shape
    entries = [0, *(_entry(size, place, given) for place, size in enumerate(call.output_types[0].shape))]
    numbers = [entry for entry in entries if entry is not None]
    if len(numbers) == len(entries):
        write.result("Reshape", value, write.sizes(numbers))
        return
    parts = [write.sizes([0])]
    for entry, size in zip(entries[1:], call.output_types[0].shape, strict=True):
        parts.append(write.size_of(value, given.index(size) + 1) if entry is None else write.sizes([entry]))
    write.result("Reshape", value, write("Concat", *parts, axis=0))


def _entry(size: Dim, place: int, given: Sequence[Dim]) -> int | None:
    """Return what ONNX's Reshape calls a size: 0 for that of the same axis, -1 for what is left, None for neither."""
    if isinstance(size, int):
        return size
    if place < len(given) and given[place] == size:
        return 0
    return None if size in given else -1


_OUTPUT_SIZES = Argument(
    "sizes",
    Sizes(axes=SINGLE_AXES),
    "Sizes of the output without the batch: numbers, names of axes of the input whose size stays, and at most one "
    "auto, which is worked out.",
)

RESHAPE = OpRecord(
    name="reshape",
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    keeps_order=True,
    summary="The same entries in the same order with other sizes; their number must stay.",
    arguments=(_OUTPUT_SIZES,),
    settle=_settle_reshape,
    shape=_reshape_shape,
    window=sees_everything,
    torch=_reshape_torch,
    onnx=reshaped,
    samples=(
        Sample({"sizes": [8, "auto"]}, ((16, 6, 5),)),
        Sample({"sizes": [3, 4, 5]}, ((60,),)),
        Sample({"sizes": ["height", 12, "auto"]}, ((4, 7, 6),)),
        Sample({"sizes": [2, "auto", "depth", 3]}, ((4, 3, 6, 5),)),
        Sample({"sizes": ["auto"]}, ((4, 9),)),
        Sample({"sizes": ["channels", 3, "length", "auto"]}, ((4, 9),), fails="4 x 9 cannot become channels x 3 x"),
        Sample({"sizes": [7, "auto"]}, ((16, 6, 5),), fails="16 x 6 x 5 cannot become 7 x auto"),
        Sample({"sizes": [4, 4]}, ((20,),), fails="20 cannot become 4 x 4"),
        Sample({"sizes": ["height", "height", "auto"]}, ((2, 4, 4),), fails="names an axis twice"),
        Sample({"sizes": ["length", "auto"]}, ((2, 4, 4),), fails="its input has no length"),
        Sample({"sizes": [0, "auto"]}, ((20,),), fails="sizes must be a list of at most 8 sizes"),
        Sample({"sizes": ["auto", "auto"]}, ((20,),), fails="one of which may be auto"),
    ),
    reference="row-major order, as in numpy.reshape, torch.reshape and ONNX's Reshape",
)


def _unflatten_sizes(attributes: Attributes, value: TensorType, check: Check) -> tuple[int, tuple[Dim, ...]]:
    position = axis_of(attributes["axis"], value.rank)
    whole, sizes = value.shape[position - 1], attributes["sizes"]
    known = product(size for size in sizes if size != AUTO)
    assert isinstance(known, int), "a product of numbers"

    def problem() -> Problem:
        return Problem(
            f"{attributes['axis']} of {format_dim(whole)} cannot become {' x '.join(map(str, sizes))}",
            code="E0216",
            argument="sizes",
            help=None if AUTO in sizes else "write auto for one size to have it worked out",
        )

    if AUTO in sizes:
        check.divisible(whole, known, problem)
    else:
        check.equal(whole, known, problem)
    return position, tuple(whole // known if size == AUTO else size for size in sizes)


def _unflatten_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    position, sizes = _unflatten_sizes(attributes, inputs[0], check)
    return typed(*inputs[0].shape[: position - 1], *sizes, *inputs[0].shape[position:])


def _unflatten_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    sizes = [-1 if size == AUTO else size for size in call.attributes["sizes"]]
    result: Tensor = call.torch.unflatten(value, axis_of(call.attributes["axis"], value.dim() - 1), sizes)
    return result


UNFLATTEN = OpRecord(
    name="unflatten",
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    keeps_order=True,
    summary="Splits one axis into several: F features become sizes[0] x sizes[1] x …, in row-major order.",
    arguments=(
        Argument("sizes", Sizes(), "Sizes that the axis is split into; one may be auto."),
        Argument("axis", OneOf(ONE_AXIS), "The axis that is split.", Choice("channels")),
    ),
    shape=_unflatten_shape,
    window=sees_everything,
    torch=_unflatten_torch,
    onnx=reshaped,
    samples=(
        Sample({"sizes": [4, "auto", 5]}, ((60,),)),
        Sample({"sizes": [2, 8]}, ((16, 6, 5),)),
        Sample({"sizes": ["auto", 3], "axis": "height"}, ((2, 6, 5),)),
        Sample({"sizes": ["auto", 2], "axis": "last"}, ((4, 6),)),
        Sample({"sizes": [3, "auto"]}, ((16, 6, 5),), fails="channels of 16 cannot become 3 x auto"),
        Sample({"sizes": [3, 5], "axis": "width"}, ((4, 6, 16),), fails="width of 16 cannot become 3 x 5"),
        Sample({"sizes": [2, "auto"], "axis": "depth"}, ((4, 6, 16),), fails="its input has no depth"),
    ),
    reference="torch.nn.Unflatten; the inverse of flatten",
)


def _order(attributes: Attributes, rank: int) -> tuple[int, ...]:
    """Return the positions of the input's axes in the order of the output's, the batch left out."""
    order = tuple(axis_of(name, rank, "order") for name in attributes["order"])
    if len(set(order)) == len(order) == rank:
        return order
    names = ", ".join(named_axes(rank))
    raise LayerError(
        Problem(
            f"order names {len(order)} of {rank} axes" if len(order) != rank else "order names an axis twice",
            code="E0216",
            argument="order",
            notes=(f"the axes of the input are {names}",),
            help="write every axis once",
        )
    )


def _permute_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return typed(*(inputs[0].shape[position - 1] for position in _order(attributes, inputs[0].rank)))


def _permute_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.permute(0, *_order(call.attributes, value.dim() - 1))


def _permute_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Transpose", call.inputs, call.outputs, perm=[0, *_order(call.attributes, call.input_types[0].rank)])


PERMUTE = OpRecord(
    name="permute",
    work=TURNING,
    summary="The axes of a value in another order; what each of them is called afterwards follows from its new place.",
    arguments=(Argument("order", AxisNames(SINGLE_AXES), "Every axis of the input once, in the order of the output."),),
    shape=_permute_shape,
    window=sees_everything,
    torch=_permute_torch,
    onnx=_permute_onnx,
    samples=(
        Sample({"order": ["height", "channels", "width"]}, ((3, 4, 5),)),
        Sample({"order": ["length", "channels"]}, ((3, 7),)),
        Sample({"order": ["depth", "channels", "width", "height"]}, ((3, 4, 5, 2),)),
        Sample({"order": ["height", "channels"]}, ((3, 4, 5),), fails="order names 2 of 3 axes"),
        Sample({"order": ["height", "depth", "width"]}, ((3, 4, 5),), fails="its input has no depth"),
        Sample({"order": ["height", "height", "width"]}, ((3, 4, 5),), fails="order must be one of"),
    ),
    reference="numpy.transpose, torch.permute, ONNX's Transpose",
)


def _exchanged(attributes: Attributes, rank: int) -> tuple[int, int]:
    first, second = (axis_of(attributes[argument], rank, argument) for argument in ("first", "second"))
    if first == second:
        raise LayerError(
            Problem("exchanges an axis with itself", code="E0216", argument="second", help="name two different axes")
        )
    return first, second


def _transposed_order(attributes: Attributes, rank: int) -> list[int]:
    first, second = _exchanged(attributes, rank)
    order = list(range(rank + 1))
    order[first], order[second] = second, first
    return order


def _transpose_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    order = _transposed_order(attributes, inputs[0].rank)
    return typed(*(inputs[0].shape[position - 1] for position in order[1:]))


def _transpose_torch(call: TorchCall) -> Tensor:
    value = call.inputs[0]
    return value.transpose(*_exchanged(call.attributes, value.dim() - 1))


def _transpose_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    order = _transposed_order(call.attributes, call.input_types[0].rank)
    sink.node("Transpose", call.inputs, call.outputs, perm=order)


TRANSPOSE = OpRecord(
    name="transpose",
    work=TURNING,
    summary="Exchanges two axes, height and width unless others are named: out[c, x, y] = in[c, y, x].",
    arguments=(
        Argument("first", OneOf(ONE_AXIS), "One of the axes.", Choice("height")),
        Argument("second", OneOf(ONE_AXIS), "The other one.", Choice("width")),
    ),
    shape=_transpose_shape,
    window=sees_everything,
    torch=_transpose_torch,
    onnx=_transpose_onnx,
    samples=(
        Sample({}, ((3, 4, 5),)),
        Sample({"first": "channels", "second": "last"}, ((3, 4, 5),)),
        Sample({"first": "channels", "second": "length"}, ((3, 7),)),
        Sample({"first": "depth"}, ((3, 4, 5, 2),)),
        Sample({}, ((3, 7),), fails="its input has no height"),
        Sample({"first": "width", "second": "last"}, ((3, 4, 5),), fails="exchanges an axis with itself"),
    ),
    reference="numpy.swapaxes, torch.transpose, ONNX's Transpose",
)

RECORDS = (RESHAPE, UNFLATTEN, PERMUTE, TRANSPOSE)
