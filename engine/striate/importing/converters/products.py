"""Products with matrices: dense layers, and products of two values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.dims import Dim
from striate.importing.call import Call
from striate.importing.converters.shaping import permuted, reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Stored, Value


def _gemm(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    node = call.node
    node.attribute("broadcast")  # before opset 7; the sizes say as much
    if not call.batched and len(call.values) == 1 and call.rank(value) == 2:
        return _general(call, value)
    if call.rank(value) != 2 or not call.batched or node.attribute("transA", 0):
        raise UnsupportedError("its first matrix is not a batch of flat values")
    matrix = call.weight(1)
    turned = matrix.array if node.attribute("transB", 0) else matrix.array.T
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    weights = {"weight": Stored(matrix.names, np.ascontiguousarray(turned) * np.float32(alpha))}
    bias = call.stored(2)
    if bias is not None:
        weights["bias"] = _row(call.weight(2), turned.shape[0], beta)
    return call.layer("dense", value, weights, features=turned.shape[0], bias=bias is not None)


def _general(call: Call, value: Value) -> Value:
    """Return alpha * A * B + beta * C of one image, A being a value and the others stored."""
    node, matrix = call.node, call.weight(1)
    if node.attribute("transA", 0):
        value = permuted(call, value, [1, 0])
    turned = matrix.array.T if node.attribute("transB", 0) else matrix.array
    scaled = Stored(matrix.names, np.ascontiguousarray(turned) * np.float32(node.attribute("alpha", 1.0)))
    made = call.layer("matmul", [value, call.parameter(scaled)])
    beta = np.float32(node.attribute("beta", 1.0))
    if call.stored(2) is None:
        return made
    amount = call.weight(2)
    whole = np.broadcast_to(amount.array * beta, tuple(map(int, made.sizes))).copy()  # type: ignore[arg-type]  # stored
    return call.layer("add", [made, call.parameter(Stored(amount.names, whole))])


def _row(stored: Stored, features: int, factor: float = 1.0) -> Stored:
    """Return what is added to each image's features as one row."""
    array: Array = stored.array * np.float32(factor)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.shape not in ((features,), (1,), ()):
        raise UnsupportedError("what it adds is not the same for every image")
    return Stored(stored.names, np.broadcast_to(array, (features,)).copy())


def _matmul(call: Call) -> Value:
    call.demand_float()
    if len(call.values) == 2:
        return _product(call, call.value(0), call.value(1))
    if isinstance(call.given[0], Value):
        value, matrix = call.value(0), call.weight(1)
        if call.batched and not value.flat and len(value.sizes) == 1 and matrix.array.ndim == 2:
            turned = Stored(matrix.names, np.ascontiguousarray(matrix.array.T))
            return call.layer("dense", value, {"weight": turned}, features=turned.array.shape[0], bias=False)
        return _product(call, value, _matrix(call, matrix, value))
    return _product(call, _matrix(call, call.weight(0), call.value(1)), call.value(1))


def _matrix(call: Call, stored: Stored, other: Value) -> Value:
    """Return a stored matrix as a value with as many axes as another."""
    array, rank = stored.array, len(other.sizes) + call.lead
    if (
        array.ndim < 2
        or array.ndim > rank
        or other.flat
        or (call.batched and array.ndim == rank and array.shape[0] != 1)
    ):
        raise UnsupportedError("it multiplies a vector, or the images of a batch with different matrices")
    sizes = (1,) * (rank - array.ndim) + array.shape
    return call.parameter(Stored(stored.names, array.reshape(sizes[call.lead :])))


def _product(call: Call, left: Value, right: Value) -> Value:
    """Return the product of matrices; what numbers them is repeated where it is 1."""
    if left.flat or right.flat or min(len(left.sizes), len(right.sizes)) < 2:
        raise UnsupportedError("it multiplies a vector")
    if call.batched and len(left.sizes) != len(right.sizes):
        raise UnsupportedError("its matrices have different numbers of axes, so that the batch meets another axis")
    rank = max(len(left.sizes), len(right.sizes))
    left, right = (
        value if len(value.sizes) == rank else reshaped(call, value, [*[1] * (rank - len(value.sizes)), *value.sizes])
        for value in (left, right)
    )
    common = [theirs if own == 1 else own for own, theirs in zip(left.sizes[:-2], right.sizes[:-2], strict=True)]
    return call.layer("matmul", [_numbered(call, value, common) for value in (left, right)])


def _numbered(call: Call, value: Value, common: Sequence[Dim]) -> Value:
    if list(value.sizes[:-2]) == list(common):
        return value
    sizes = [*common, *value.sizes[-2:]]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) < len(sizes):
        raise UnsupportedError("it repeats matrices as often as an open size says")
    return call.layer("broadcast", value, sizes=known)


def with_bias(call: Call, place: int, amount: Stored) -> Value | None:
    """Return the value of a convolution or dense layer whose missing bias is what a node adds; None where it is none.

    Args:
        call: the node that adds.
        place: which of its inputs the layer makes.
        amount: what it adds.
    """
    value = call.value(place)
    layer = call.network.layers[-1] if call.network.layers else None
    if layer is None or layer.outputs != (value.number,) or not call.single(place):
        return None
    if layer.record.name not in ("conv", "deconv", "dense") or layer.attributes["bias"]:
        return None
    channels, rank = value.sizes[0], call.rank(value)
    array = amount.array
    full = (1,) * (rank - array.ndim) + array.shape
    if array.ndim > rank or full != (1, channels, *[1] * (rank - 2)):
        return None
    call.network.add_bias(layer, Stored(amount.names, array.reshape(-1).astype(np.float32)))
    return value


CONVERTERS = {"Gemm": _gemm, "MatMul": _matmul}
