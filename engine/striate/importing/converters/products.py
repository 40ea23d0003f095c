"""Products with matrices: dense layers, and products of two values."""

from __future__ import annotations

import numpy as np

from striate.importing.call import Call
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Stored, Value


def _gemm(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    node = call.node
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
        left, right = call.value(0), call.value(1)
        if left.flat or right.flat or len(left.sizes) != len(right.sizes) or len(left.sizes) < 2:
            raise UnsupportedError("its matrices have different numbers of axes")
        return call.layer("matmul", (left, right))
    value, matrix = call.value(0), call.weight(1)
    if call.batched and not value.flat and len(value.sizes) == 1 and matrix.array.ndim == 2:
        turned = Stored(matrix.names, np.ascontiguousarray(matrix.array.T))
        return call.layer("dense", value, {"weight": turned}, features=turned.array.shape[0], bias=False)
    raise UnsupportedError(f"it multiplies a value of {call.rank(value)} axes with a stored matrix")


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
