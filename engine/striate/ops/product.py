"""Products and distances of two values: matmul, and dot, cosine_similarity and l2_distance along the channels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Real
from striate.ops.combine import REFUSED, TOO_MANY, exactly_two
from striate.ops.decomposition import Decomposition
from striate.ops.merge import common_sizes
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, across_channels
from striate.ops.sizes import entries, product, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, keeping, keeping_all, no_operations, per_input_entry

if TYPE_CHECKING:
    from torch import Tensor


def _matmul_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    exactly_two(inputs)
    left, right = inputs
    if left.rank == 1:
        raise LayerError(
            Problem(
                f"needs matrices, but gets {format_shape(left)} and {format_shape(right)}",
                code="E0204",
                help="use dot for the product of two flat values",
            )
        )
    for axis in range(left.rank - 2):
        check.equal(left.shape[axis], right.shape[axis], partial(_unlike, left, right, axis))
    check.equal(left.shape[-1], right.shape[-2], partial(_not_chained, left, right))
    return typed(*left.shape[:-1], right.shape[-1])


def _unlike(left: TensorType, right: TensorType, axis: int) -> Problem:
    return Problem(
        f"the matrices of {format_shape(left)} and {format_shape(right)} are not equal in number",
        code="E0203",
        position=1,
        axis=axis,
        notes=("all axes but the last two number the matrices and must be the same",),
    )


def _not_chained(left: TensorType, right: TensorType) -> Problem:
    columns, rows = format_dim(left.shape[-1]), format_dim(right.shape[-2])
    return Problem(
        f"a matrix of {columns} columns cannot be multiplied by one of {rows} rows",
        code="E0203",
        position=1,
        notes=(f"the values are {format_shape(left)} and {format_shape(right)}",),
        help="transpose one of them, if that is what is meant",
    )


def _matmul_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return product((*inputs[0].shape, outputs[0].shape[-1]))


def _matmul_torch(call: TorchCall) -> Tensor:
    return call.inputs[0] @ call.inputs[1]


def _matmul_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("MatMul", call.inputs, call.outputs)


MATMUL = OpRecord(
    name="matmul",
    work=Work(no_operations, keeping_all),
    summary="Matrix product of two values over their last two axes: … x R x K and … x K x M give … x R x M; the axes "
    "before number the matrices.",
    merge=True,
    shape=_matmul_shape,
    macs=_matmul_macs,
    window=sees_everything,
    torch=_matmul_torch,
    onnx=_matmul_onnx,
    samples=(
        Sample({}, ((4, 6), (6, 5))),
        Sample({}, ((3, 4, 6), (3, 6, 5))),
        Sample({}, ((2, 3, 4, 6), (2, 3, 6, 5))),
        Sample({}, ((4, 6), (5, 6)), fails="a matrix of 6 columns cannot be multiplied by one of 5 rows"),
        Sample({}, ((2, 4, 6), (3, 6, 5)), fails="are not equal in number"),
        Sample({}, ((6,), (6,)), fails="needs matrices, but gets 6 and 6"),
        Sample({}, ((4, 4), (4, 4), (4, 4)), fails="takes two values, but gets 3"),
        *REFUSED[1:],
    ),
    reference="Vaswani et al., Attention is all you need, 2017, equation 1; Wang et al., Non-local networks, 2018",
)


def _along_channels(attributes: Attributes, inputs: Types, check: Check) -> Types:
    exactly_two(inputs)
    _, *space = common_sizes(inputs, check, "entries are compared channel by channel, so the sizes must be the same")
    return typed(1, *space)


def _dot_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(inputs[0]) * 2 - entries(outputs[0])


def _cosine_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0, 1), numbers=entries(inputs[0]) * 2 + entries(outputs[0]) * 4)


def _dot_torch(call: TorchCall) -> Tensor:
    return (call.inputs[0] * call.inputs[1]).sum(1, keepdim=True)


def _dot_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    write.result("ReduceSum", write("Mul", *call.inputs), write.sizes([1]), keepdims=1)


_SAMPLES = (
    Sample({}, ((6, 5, 7), (6, 5, 7))),
    Sample({}, ((10,), (10,))),
    Sample({}, ((4, 9), (4, 9))),
    Sample({}, ((3, 4, 2, 5), (3, 4, 2, 5))),
)
_NOT_REPEATED = Sample({}, ((4, 5, 3), (4, 1, 1)), fails="branch sizes differ in height: 5 and 1")

DOT = OpRecord(
    name="dot",
    work=Work(_dot_operations, keeping_all, scratch=per_input_entry(1)),
    summary="Sum of products along the channels: out = sum over c of a[c] * b[c], one number per pixel or flat value.",
    merge=True,
    shape=_along_channels,
    window=across_channels,
    torch=_dot_torch,
    onnx=_dot_onnx,
    samples=(*_SAMPLES, _NOT_REPEATED, TOO_MANY, *REFUSED),
    reference="Zbontar and LeCun, Stereo matching by training a CNN, 2016, section 3.2 (fast architecture)",
)


def _cosine_torch(call: TorchCall) -> Tensor:
    eps, functional = call.attributes["eps"], call.torch.nn.functional
    left, right = (functional.normalize(value, dim=1, eps=eps) for value in call.inputs)
    result: Tensor = (left * right).sum(1, keepdim=True)
    return result


def _cosine_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    least = write.number(call.attributes["eps"])
    units = []
    for value in call.inputs:
        units.append(write("Div", value, write("Max", write.reduced("ReduceL2", value, [1]), least)))
    write.result("ReduceSum", write("Mul", *units), write.sizes([1]), keepdims=1)


COSINE_SIMILARITY = OpRecord(
    name="cosine_similarity",
    work=Work(per_input_entry(8), _cosine_keeps, scratch=per_input_entry(3)),
    summary="Cosine of the angle between two values along the channels: out = a . b / (max(|a|, eps) * max(|b|, eps)).",
    arguments=(Argument("eps", Real(0), "Least length that is divided by, for values that are zero.", 1e-8),),
    merge=True,
    shape=_along_channels,
    window=across_channels,
    torch=_cosine_torch,
    onnx=_cosine_onnx,
    samples=(
        *_SAMPLES,
        Sample({"eps": 3.0}, ((6, 5, 7), (6, 5, 7))),
        Sample({"eps": -1}, ((10,), (10,)), fails="eps must be a number of at least 0"),
        _NOT_REPEATED,
        TOO_MANY,
        *REFUSED,
    ),
    reference="Bromley et al., Signature verification using a Siamese time delay neural network, 1993, section 3",
)


def _distance_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.linalg.vector_norm(call.inputs[0] - call.inputs[1], dim=1, keepdim=True)
    return result


def _distance_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    write.reduced_result("ReduceL2", write("Sub", *call.inputs), [1])


L2_DISTANCE = OpRecord(
    name="l2_distance",
    work=Work(per_input_entry(3), keeping(output=True, per_input=1)),
    summary="Euclidean distance of two values along the channels: out = sqrt(sum over c of (a[c] - b[c])^2).",
    merge=True,
    shape=_along_channels,
    window=across_channels,
    torch=_distance_torch,
    onnx=_distance_onnx,
    samples=(*_SAMPLES, _NOT_REPEATED, TOO_MANY, *REFUSED),
    reference="Hadsell, Chopra and LeCun, Dimensionality reduction by learning an invariant mapping, 2006, equation 1",
)

RECORDS = (MATMUL, DOT, COSINE_SIMILARITY, L2_DISTANCE)
