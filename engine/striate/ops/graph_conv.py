"""Graph convolution: the features of each node mixed with those of its neighbours, by a matrix that is given."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.domains import ABOVE_ZERO
from striate.ops.initializers import INITIALIZERS
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.shape_arguments import NamedValue
from striate.ops.sizes import entries, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import (
    AXIS,
    features_of,
    from_tokens,
    onnx_from_tokens,
    onnx_places,
    onnx_tokens,
    to_tokens,
    tokens_of,
    with_features,
)
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, axis = inputs[0], attributes["axis"]
    with_space(inputs)
    matrix, count = inputs[attributes["adjacency"]], tokens_of(value, axis)
    problem = partial(_no_adjacency, value, matrix, count)
    if matrix.rank != 2:
        raise LayerError(problem())
    for size in matrix.shape:
        check.equal(size, count, problem)
    features_of(value, axis)
    return (with_features(value, axis, attributes["channels"]),)


def _no_adjacency(value: TensorType, matrix: TensorType, count: Dim) -> Problem:
    number = format_dim(count)
    return Problem(
        f"needs an adjacency matrix {number} x {number}, but {format_shape(matrix)} is given",
        code="E0204",
        argument="adjacency",
        notes=(f"the value that flows in is {format_shape(value)}: each position or pixel is a node",),
        help=f"declare it as an input {number} x {number}: the weight of the edge from column to row, 0 without one",
    )


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    out, given = attributes["channels"], features_of(inputs[0], attributes["axis"])
    matrix = WeightSpec("weight", (out, given), Initializer(attributes["init"], {"fan_in": given, "fan_out": out}))
    return (matrix, WeightSpec("bias", (out,), Initializer("zeros"))) if attributes["bias"] else (matrix,)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    count, given = tokens_of(inputs[0], attributes["axis"]), features_of(inputs[0], attributes["axis"])
    out: int = attributes["channels"]
    return count * out * given + count * count * out


_SCALINGS = {"symmetric": 2, "rows": 2, "none": 0}
"""Operations for each entry of the matrix, its sum left out."""


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    scaling = _SCALINGS[attributes["normalise"]]
    each = int(attributes["self_loops"]) + scaling + (1 if scaling else 0)
    return entries(inputs[attributes["adjacency"]]) * each + (entries(outputs[0]) if attributes["bias"] else 0)


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """The nodes, what is projected of them, the matrix at every stage of its scaling, and the degrees it takes."""
    place, count = int(attributes["adjacency"]), tokens_of(inputs[0], attributes["axis"])
    stages = {"symmetric": 3, "rows": 2, "none": 1}[attributes["normalise"]]
    kept = () if attributes["self_loops"] else (place,)
    numbers = entries(outputs[0]) + entries(inputs[place]) * (stages - len(kept)) + count * (stages - 1)
    marks = count if stages > 1 else 0
    if attributes["axis"] == "last":
        return Kept((0, *kept), numbers=numbers, marks=marks)
    return Kept(kept, numbers=numbers + entries(inputs[0]), marks=marks)


def _torch(call: TorchCall) -> Tensor:
    attributes, torch = call.attributes, call.torch
    rows, matrix = to_tokens(call.inputs[0], attributes["axis"]), call.inputs[attributes["adjacency"]]
    if attributes["self_loops"]:
        matrix = matrix + torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    if attributes["normalise"] != "none":
        degree = matrix.sum(2, keepdim=True)
        connected = degree > 0
        # A node without edges gets nothing, and no division by zero in the gradient either.
        degree = torch.where(connected, degree, 1)
        if attributes["normalise"] == "rows":
            matrix = matrix / degree * connected
        else:
            scale = degree.rsqrt() * connected
            matrix = scale * matrix * scale.transpose(1, 2)
    mixed = matrix @ torch.nn.functional.linear(rows, call.weights["weight"])
    mixed = mixed + call.weights["bias"] if attributes["bias"] else mixed
    return from_tokens(mixed, call.inputs[0].shape, attributes["axis"])


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes, axis = Decomposition(call, sink), call.attributes, call.attributes["axis"]
    rows = onnx_tokens(write, call.inputs[0], call.input_types[0], axis)
    matrix = _onnx_matrix(write, call, rows)
    projected = write("MatMul", rows, write("Transpose", call.weights["weight"], perm=[1, 0]))
    mixed = write("MatMul", matrix, projected)
    mixed = write("Add", mixed, call.weights["bias"]) if attributes["bias"] else mixed
    onnx_from_tokens(write, mixed, call.inputs[0], call.output_types[0], axis)


def _onnx_matrix(write: Decomposition, call: OnnxCall, rows: str) -> str:
    attributes = call.attributes
    matrix: str = call.inputs[attributes["adjacency"]]
    if attributes["self_loops"]:
        places = onnx_places(write, rows, tokens_of(call.input_types[0], attributes["axis"]), 1)
        same = write("Equal", write("Unsqueeze", places, write.sizes([1])), places)
        matrix = write("Add", matrix, write("Cast", same, to=_FLOAT))
    if attributes["normalise"] == "none":
        return matrix
    degree, zero, one = write.reduced("ReduceSum", matrix, [2]), write.number(0), write.number(1)
    connected = write("Greater", degree, zero)
    degree = write("Where", connected, degree, one)
    if attributes["normalise"] == "rows":
        return write("Where", connected, write("Div", matrix, degree), zero)
    scale = write("Where", connected, write("Div", one, write("Sqrt", degree)), zero)
    return write("Mul", write("Mul", scale, matrix), write("Transpose", scale, perm=[0, 2, 1]))


GRAPHCONV = OpRecord(
    name="graphconv",
    work=Work(_operations, _keeps),
    role="weights",
    summary="Graph convolution: out = D^-1/2 (A + I) D^-1/2 in W + b for an adjacency matrix A that is given, with the "
    "sums of its rows (and 1) on the diagonal of D; nodes are positions or pixels.",
    arguments=(
        Argument("channels", Integer(), "Number of features that each node gets."),
        Argument("adjacency", NamedValue(), "The matrix A: the weight of each edge, 0 where there is none."),
        Argument(
            "normalise",
            OneOf(("symmetric", "rows", "none")),
            "What the matrix is divided by: the roots of both nodes' degrees, the degree of the node that receives (a "
            "mean over its neighbours), or nothing. A node of degree 0 receives nothing.",
            Choice("symmetric"),
        ),
        Argument("self_loops", Flag(), "Whether every node is its own neighbour too.", True),
        Argument("bias", Flag(), "Whether a bias is added per feature.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the weight starts.", Choice("xavier_uniform")),
        AXIS,
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=sees_everything,
    torch=_torch,
    onnx=_onnx,
    domain=ABOVE_ZERO,
    samples=(
        Sample({"channels": 4, "adjacency": 1}, ((3, 5), (5, 5))),
        Sample({"channels": 4, "adjacency": 1, "normalise": "rows", "bias": False}, ((3, 2, 4), (8, 8))),
        Sample({"channels": 2, "adjacency": 1, "normalise": "none", "axis": "last"}, ((6, 3), (6, 6))),
        Sample({"channels": 2, "adjacency": 1, "self_loops": False, "init": "he_normal"}, ((3, 6), (6, 6))),
        Sample(
            {"channels": 4, "adjacency": 1},
            ((3, 5), (5, 4)),
            fails="needs an adjacency matrix 5 x 5, but 5 x 4 is given",
        ),
        Sample(
            {"channels": 4, "adjacency": 1},
            ((3, 2, 4), (1, 8, 8)),
            fails="needs an adjacency matrix 8 x 8, but 1 x 8 x 8 is given",
        ),
        Sample({"channels": 4, "adjacency": 1}, ((3,), (3, 3)), fails="needs pixels beside the channels, but gets 3"),
        Sample({"channels": 0, "adjacency": 1}, ((3, 5), (5, 5)), fails="channels must be a whole number of at least"),
    ),
    reference="Kipf and Welling, Semi-supervised classification with graph convolutional networks, 2017, equation 2",
)

RECORDS = (GRAPHCONV,)
