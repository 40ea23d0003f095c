"""Products with matrices: dense layers, and products of two values."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from striate.dims import Dim
from striate.importing.call import Call
from striate.importing.converters.shaping import permuted, reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.folding import is_open
from striate.importing.network import Array, Stored, Value
from striate.ops.sizes import product


def _gemm(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    node = call.node
    node.attribute("broadcast")  # before opset 7; the sizes say as much
    if call.merged == 0 and isinstance(call.given[0], Value) and not node.attribute("transA", 0):
        return _of_rows(call, value)
    if not value.is_plain:
        raise UnsupportedError("it multiplies along the batch axis, across the images")
    if not call.batched and call.rank(value) == 2:
        return _general(call)
    if not isinstance(call.given[0], Value) or call.rank(value) != 2 or not call.batched or node.attribute("transA", 0):
        raise UnsupportedError("its first matrix is not a batch of flat values")
    matrix = call.weight(1)
    turned = matrix.array if node.attribute("transB", 0) else matrix.array.T
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    weights = {"weight": Stored(matrix.names, np.ascontiguousarray(turned) * np.float32(alpha))}
    if len(call.given) > 2 and isinstance(call.given[2], Value):
        made = call.layer("dense", value, weights, features=turned.shape[0], bias=False)
        return _plus(call, made, call.value(2), beta)
    bias = call.stored(2)
    if bias is not None:
        weights["bias"] = _row(call.weight(2), turned.shape[0], beta)
    return call.layer("dense", value, weights, features=turned.shape[0], bias=bias is not None)


def _of_rows(call: Call, value: Value) -> Value:
    """Return the product of rows, those of one image being several, with one stored matrix, plus a stored row."""
    matrix, node = call.weight(1), call.node
    turned = matrix.array.T if node.attribute("transB", 0) else matrix.array
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    made = _by_matrix(call, value, Stored(matrix.names, np.ascontiguousarray(turned) * np.float32(alpha)))
    if call.stored(2) is None:
        return made
    row = _row(call.weight(2), turned.shape[1], beta)
    whole = call.parameter(Stored(row.names, row.array[None]))
    return call.layer("add", [made, call.layer("broadcast", [whole, made], like=1)])


def _general(call: Call) -> Value:
    """Return alpha * A * B + beta * C of one image, whatever of them is stored."""
    node = call.node
    left, right = (
        permuted(call, value, [1, 0]) if node.attribute(turned, 0) else value
        for value, turned in zip((_operand(call, 0), _operand(call, 1)), ("transA", "transB"), strict=True)
    )
    made = call.layer("matmul", [left, right])
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    if alpha != 1:
        made = call.layer("scale", made, factor=alpha)
    if len(call.given) < 3 or call.given[2] is None:
        return made
    if isinstance(call.given[2], Value):
        return _plus(call, made, call.value(2), beta)
    amount = call.weight(2)
    whole = np.broadcast_to(amount.array * np.float32(beta), tuple(map(int, made.sizes))).copy()  # type: ignore[arg-type]  # stored
    return call.layer("add", [made, call.parameter(Stored(amount.names, whole))])


def _operand(call: Call, place: int) -> Value:
    return call.value(place) if isinstance(call.given[place], Value) else call.parameter(call.weight(place))


def _plus(call: Call, made: Value, other: Value, factor: float) -> Value:
    """Return a product plus so many times another value of its size."""
    if other.flat or len(other.sizes) != len(made.sizes):
        raise UnsupportedError("what it adds has another number of axes")
    if factor != 1:
        other = call.layer("scale", other, factor=factor)
    if other.sizes != made.sizes:
        other = call.layer("broadcast", [other, made], like=1)
    return call.layer("add", [made, other])


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
    if len(call.given) != 2:
        raise UnsupportedError("it has not two inputs")
    vectors = [_axes(call, place) == 1 for place in (0, 1)]
    if not any(vectors):
        return _of_matrices(call, _as_matrix(call, 0), _as_matrix(call, 1))
    if any(
        is_vector and call.batched and isinstance(call.given[place], Value) for place, is_vector in enumerate(vectors)
    ):
        raise UnsupportedError("it multiplies the images of a batch with each other")
    pair = [_as_matrix(call, place, is_vector=vectors[place]) for place in (0, 1)]
    made = _of_matrices(call, *pair)
    sizes = list(made.sizes)
    if vectors[0]:
        del sizes[-2]
    if vectors[1]:
        del sizes[-1]
    return reshaped(call, made, sizes)


def _axes(call: Call, place: int) -> int:
    item = call.given[place]
    if isinstance(item, Value):
        return call.rank(item)
    return -1 if item is None else item.array.ndim


def _as_matrix(call: Call, place: int, *, is_vector: bool = False) -> Value | Stored:
    """Return a vector as a matrix of one row where it is the first of a product, of one column as the second."""
    item = call.given[place]
    if item is None:
        raise UnsupportedError(f"input {place + 1} is missing")
    if not is_vector:
        return item
    if isinstance(item, Stored):
        return Stored(item.names, item.array[None, :] if place == 0 else item.array[:, None])
    return reshaped(call, item, [1, *item.sizes] if place == 0 else [*item.sizes, 1])


def _of_matrices(call: Call, left: Value | Stored, right: Value | Stored) -> Value:
    if isinstance(left, Value) and isinstance(right, Value):
        return _product(call, left, right)
    if isinstance(left, Value):
        assert isinstance(right, Stored), "it is no value"
        matrix = _floats(right)
        if matrix.array.ndim >= 2 and prod(matrix.array.shape[:-2]) == 1 and not left.flat:
            return _by_matrix(call, left, Stored(matrix.names, matrix.array.reshape(matrix.array.shape[-2:])))
        return _product(call, left, _matrix(call, matrix, left))
    assert isinstance(right, Value), "two constants are folded"
    return _product(call, _matrix(call, _floats(left), right), right)


def _by_matrix(call: Call, value: Value, matrix: Stored) -> Value:
    """Return the products of all rows of a value, wherever they are, with one stored matrix.

    Where sizes are open, rows are pixels and the product a convolution with a kernel of 1.
    """
    if value.batch == call.rank(value) - 1 and (call.batched or call.merged is not None):
        raise UnsupportedError("it multiplies along the batch axis, across the images")
    *rows, _ = value.sizes
    turned, made = np.ascontiguousarray(matrix.array.T), matrix.array.shape[1]
    if not rows:
        if not call.batched:
            raise UnsupportedError("it multiplies a vector")
        return call.layer("dense", value, {"weight": Stored(matrix.names, turned)}, features=made, bias=False)
    if len(rows) == 1:
        return call.layer("matmul", [value, call.parameter(matrix)])
    if all(isinstance(size, int) for size in rows):
        flat = reshaped(call, value, [product(rows), value.sizes[-1]])
        return reshaped(call, call.layer("matmul", [flat, call.parameter(matrix)]), [*rows, made])
    places = list(range(len(rows)))
    image = permuted(call, value, [len(rows), *places])
    kernel = Stored(matrix.names, turned.reshape(*turned.shape, *[1] * len(rows)))
    found = call.layer("conv", image, {"weight": kernel}, channels=made, kernel=1, bias=False)
    return permuted(call, found, [*(place + 1 for place in places), 0])


def _floats(stored: Stored) -> Stored:
    if is_open(stored.array):
        raise UnsupportedError("it multiplies with a size of the input")
    return Stored(stored.names, stored.array.astype(np.float32))


def _matrix(call: Call, stored: Stored, other: Value) -> Value:
    """Return a stored matrix as a value with as many axes as another."""
    array, rank = stored.array, len(other.sizes) + call.lead
    if array.ndim < 2 or array.ndim > rank or other.flat:
        raise UnsupportedError("it multiplies a vector, or the images of a batch with different matrices")
    whole = call.batch_first(array.reshape((1,) * (rank - array.ndim) + array.shape))
    if call.batched and whole.shape[0] != 1:
        raise UnsupportedError("it multiplies the images of a batch with different matrices")
    return call.parameter(Stored(stored.names, whole.reshape(whole.shape[call.lead :])))


def _product(call: Call, left: Value, right: Value) -> Value:
    """Return the product of matrices; what numbers them is repeated where it is 1."""
    if left.flat or right.flat or min(len(left.sizes), len(right.sizes)) < 2:
        raise UnsupportedError("it multiplies a vector")
    if (call.batched or call.merged is not None) and max(call.rank(left), call.rank(right)) - 2 <= left.batch:
        raise UnsupportedError("it multiplies along the batch axis, across the images")
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
    if layer is None or layer.outputs != (value.number,) or not call.single(place) or not value.is_plain:
        return None
    offset = _per_channel(call, value, amount)
    if offset is None:
        return None
    if layer.record.name == "groupnorm" and layer.attributes["affine"] and not layer.weights["bias"].array.any():
        call.network.scale_channels(layer, layer.weights["weight"], offset)
        return value
    if layer.record.name not in ("conv", "deconv", "dense") or layer.attributes["bias"]:
        return None
    call.network.add_bias(layer, offset)
    return value


def with_scale(call: Call, place: int, amount: Stored) -> Value | None:
    """Return the value of a norm without weights whose scale is what a node multiplies by; None where it is none.

    See `with_bias` for the arguments.
    """
    value = call.value(place)
    layer = call.network.layers[-1] if call.network.layers else None
    if layer is None or layer.outputs != (value.number,) or not call.single(place) or not value.is_plain:
        return None
    scale = _per_channel(call, value, amount)
    if scale is None or layer.record.name != "groupnorm" or layer.attributes["affine"]:
        return None
    nothing = Stored((f"{call.node.outputs[0]}/bias",), np.zeros_like(scale.array))
    call.network.scale_channels(layer, scale, nothing)
    return value


def _per_channel(call: Call, value: Value, amount: Stored) -> Stored | None:
    """Return a stored tensor as one number per channel; None where it is not that."""
    array, rank = amount.array, call.rank(value)
    full = (1,) * (rank - array.ndim) + array.shape
    if array.ndim > rank or full != (1, value.sizes[0], *[1] * (rank - 2)):
        return None
    return Stored(amount.names, array.reshape(-1).astype(np.float32))


CONVERTERS = {"Gemm": _gemm, "MatMul": _matmul}
