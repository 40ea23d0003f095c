"""Constants worked out while a file is read: the sizes that exporters compute, and weights that they turn around.

Entries may be sizes with symbols, in arrays of objects. What an operator makes is bounded before it is made, so that a
file of some bytes cannot ask for gigabytes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from striate.dims import Expr
from striate.importing.findings import UnsupportedError
from striate.importing.node import NodeView

Array = np.ndarray[Any, np.dtype[Any]]
Rule = Callable[[NodeView, Sequence["Array | None"]], "Array | list[Array]"]

MOST_ENTRIES = 2**27
"""Entries of a constant that is worked out."""


def dtype_of(kind: int) -> np.dtype[Any]:
    """Return numpy's type for one of ONNX's; raises `UnsupportedError` where there is none."""
    try:
        return np.dtype(helper.tensor_dtype_to_np_dtype(kind))
    except (KeyError, ValueError, TypeError):
        raise UnsupportedError("its type of numbers is not read") from None


def fold(node: NodeView, known: Sequence[Array | None]) -> list[Array] | None:
    """Return what a node makes of constants; None where its operator is not worked out.

    Args:
        node: the node.
        known: its inputs; None for one that is left out.

    Raises:
        UnsupportedError: it cannot be worked out for these.
    """
    rule = RULES.get(node.operator)
    if rule is None:
        return None
    try:
        made = rule(node, known)
    except (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise UnsupportedError(f"its constants do not fit together ({type(error).__name__})") from None
    return [np.asarray(each) for each in (made if isinstance(made, list) else [made])]


def bounded(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return sizes of a constant that may be made; raises `UnsupportedError` otherwise."""
    whole = tuple(int(size) for size in sizes)
    if any(size < 0 for size in whole) or prod(whole) > MOST_ENTRIES:
        raise UnsupportedError(f"a constant of more than {MOST_ENTRIES:,} numbers")
    return whole


def is_open(array: Array) -> bool:
    """Whether an array of sizes holds one that is not known."""
    return array.dtype == object and any(isinstance(item, Expr) for item in array.flat)


def whole_numbers(array: Array) -> list[int]:
    """Return the entries of a list of whole numbers; raises `UnsupportedError` where one is an open size."""
    if is_open(array):
        raise UnsupportedError("it depends on the size of the input in a way that is not followed")
    return [int(item) for item in array.reshape(-1)]


def tidy(array: Array) -> Array:
    """Return an array of objects as whole numbers where none of its entries is open.

    Numpy gives the entry itself where one of no axes is picked from an array of objects.
    """
    array = np.asarray(array)
    return array if array.dtype != object or is_open(array) else array.astype(np.int64)


def _given(known: Sequence[Array | None], place: int) -> Array:
    array = known[place] if place < len(known) else None
    if array is None:
        raise UnsupportedError(f"input {place + 1} is missing")
    return array


def _elementwise(function: Callable[[Any, Any], Any]) -> Rule:
    def rule(node: NodeView, known: Sequence[Array | None]) -> Array:
        arrays = [_given(known, place) for place in range(len(known))]
        bounded(np.broadcast_shapes(*(array.shape for array in arrays)))
        with np.errstate(all="ignore"):
            return tidy(np.asarray(reduce(function, arrays)))

    return rule


def _divide(left: Any, right: Any) -> Any:
    """Divide as ONNX does: whole numbers towards zero. Sizes are never below 0."""
    if object in (left.dtype, right.dtype):
        return np.frompyfunc(_divide_sizes, 2, 1)(left, right)
    if np.issubdtype(left.dtype, np.integer):
        if (right == 0).any():
            raise ZeroDivisionError
        quotient = np.abs(left) // np.abs(right)
        return (quotient * np.sign(left) * np.sign(right)).astype(left.dtype)
    return left / right


def _divide_sizes(left: Any, right: Any) -> Any:
    if not isinstance(right, (int, np.integer)) or right <= 0:
        raise UnsupportedError("a size is divided by another one")
    return left // int(right)


def _remainder(left: Any, right: Any) -> Any:
    if object in (left.dtype, right.dtype):
        return np.frompyfunc(lambda a, b: a - (a // int(b)) * int(b), 2, 1)(left, right)
    return np.mod(left, right)


def _unary(function: Callable[[Array], Any]) -> Rule:
    def rule(node: NodeView, known: Sequence[Array | None]) -> Array:
        array = _given(known, 0)
        with np.errstate(all="ignore"):
            made = np.asarray(function(array))
        return made if array.dtype == object or made.dtype == bool else made.astype(array.dtype)

    return rule


def _compare(function: Callable[[Any, Any], Any]) -> Rule:
    def rule(node: NodeView, known: Sequence[Array | None]) -> Array:
        left, right = _given(known, 0), _given(known, 1)
        bounded(np.broadcast_shapes(left.shape, right.shape))
        if is_open(left) or is_open(right):
            return _compare_open(node, left, right)
        return np.asarray(function(left, right))

    return rule


def _compare_open(node: NodeView, left: Array, right: Array) -> Array:
    """Compare open sizes: equal expressions are equal, and no size is 0 or below."""

    def rule(first: Any, second: Any) -> bool:
        if first == second:
            return True
        other = second if isinstance(first, Expr) else first
        if isinstance(other, (int, np.integer)) and other <= 0:
            return False
        raise UnsupportedError("it asks whether an open size is equal to another one")

    if node.operator != "Equal":
        raise UnsupportedError("it compares an open size")
    same: Array = np.frompyfunc(rule, 2, 1)(left, right).astype(bool)
    return same


def _constant(node: NodeView, known: Sequence[Array | None]) -> Array:
    for name in ("value_int", "value_float"):
        if (number := node.attribute(name)) is not None:
            return np.asarray(number, dtype=np.int64 if name == "value_int" else np.float32)
    for name in ("value_ints", "value_floats"):
        if (numbers := node.attribute(name)) is not None:
            return np.asarray(numbers, dtype=np.int64 if name == "value_ints" else np.float32)
    if (tensor := node.attribute("value")) is not None:
        return node.array(tensor)
    raise UnsupportedError("it holds a text or a sparse tensor")


def _constant_of_shape(node: NodeView, known: Sequence[Array | None]) -> Array:
    sizes = bounded(whole_numbers(_given(known, 0)))
    tensor = node.attribute("value")
    fill = np.zeros(1, np.float32) if tensor is None else node.array(tensor)
    return np.full(sizes, fill.reshape(-1)[0], dtype=fill.dtype)


def _cast(node: NodeView, known: Sequence[Array | None]) -> Array:
    array, wanted = _given(known, 0), dtype_of(node.attribute("to", TensorProto.FLOAT))
    if array.dtype == object:
        if not np.issubdtype(wanted, np.integer):
            if is_open(array):
                return array  # sizes as floats; only sizes come of them again, or the node that uses them is refused
            return array.astype(wanted)
        return array
    with np.errstate(all="ignore"):
        return array.astype(wanted)


def _gather(node: NodeView, known: Sequence[Array | None]) -> Array:
    data, places = _given(known, 0), np.asarray(whole_numbers(_given(known, 1)), dtype=np.int64)
    axis = node.axis(data.ndim, node.attribute("axis", 0))
    bounded((*data.shape[:axis], places.size, *data.shape[axis + 1 :]))
    size = data.shape[axis]
    if places.size and (places.min() < -size or places.max() >= size):
        raise UnsupportedError(f"it takes a place that does not exist, of {size}")
    return tidy(np.take(data, places.reshape(_given(known, 1).shape), axis=axis))


def _concat(node: NodeView, known: Sequence[Array | None]) -> Array:
    arrays = [_given(known, place) for place in range(len(known))]
    bounded([sum(array.size for array in arrays)])
    return tidy(np.concatenate(arrays, axis=node.axis(arrays[0].ndim, node.attribute("axis", 1))))


def _slice(node: NodeView, known: Sequence[Array | None]) -> Array:
    data = _given(known, 0)
    starts, ends = node.numbers("starts", 1), node.numbers("ends", 2)
    if starts is None or ends is None:
        raise UnsupportedError("its range is missing")
    axes = node.numbers("axes", 3) or list(range(len(starts)))
    steps = node.numbers("steps", 4) or [1] * len(starts)
    index: list[Any] = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        lowest = step < 0 and end < -data.shape[axis]
        index[node.axis(data.ndim, axis)] = slice(start, None if lowest else end, step)
    return tidy(data[tuple(index)])


def _unsqueeze(node: NodeView, known: Sequence[Array | None]) -> Array:
    data = _given(known, 0)
    axes = node.numbers("axes", 1) or []
    return np.expand_dims(data, tuple(node.axis(data.ndim + len(axes), axis) for axis in axes))


def _squeeze(node: NodeView, known: Sequence[Array | None]) -> Array:
    data = _given(known, 0)
    axes = node.numbers("axes", 1)
    return np.squeeze(data, None if axes is None else tuple(node.axis(data.ndim, axis) for axis in axes))


def _reshape(node: NodeView, known: Sequence[Array | None]) -> Array:
    data, sizes = _given(known, 0), node.numbers("shape", 1) or []
    if not node.attribute("allowzero", 0):
        sizes = [data.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return data.reshape(sizes)


def _transpose(node: NodeView, known: Sequence[Array | None]) -> Array:
    turned: Array = np.transpose(_given(known, 0), node.attribute("perm"))
    return turned


def _expand(node: NodeView, known: Sequence[Array | None]) -> Array:
    data = _given(known, 0)
    sizes = bounded(np.broadcast_shapes(data.shape, tuple(whole_numbers(_given(known, 1)))))
    return np.broadcast_to(data, sizes).copy()


def _tile(node: NodeView, known: Sequence[Array | None]) -> Array:
    data, times = _given(known, 0), whole_numbers(_given(known, 1))
    bounded([size * time for size, time in zip(data.shape, times, strict=True)])
    return np.tile(data, times)


def _range(node: NodeView, known: Sequence[Array | None]) -> Array:
    start, limit, step = (_given(known, place).reshape(()) for place in range(3))
    if any(is_open(item) for item in (start, limit, step)):
        raise UnsupportedError("it counts up to a size that is open")
    count = max(0, int(np.ceil((limit - start) / step)))
    bounded([count])
    return (start + np.arange(count) * step).astype(start.dtype)


def _where(node: NodeView, known: Sequence[Array | None]) -> Array:
    choice, left, right = (_given(known, place) for place in range(3))
    bounded(np.broadcast_shapes(choice.shape, left.shape, right.shape))
    return tidy(np.where(choice.astype(bool), left, right))


def _reduce_prod(node: NodeView, known: Sequence[Array | None]) -> Array:
    data, axes = _given(known, 0), node.numbers("axes", 1)
    along = None if axes is None else tuple(node.axis(data.ndim, axis) for axis in axes)
    return tidy(np.asarray(np.prod(data, axis=along, keepdims=bool(node.attribute("keepdims", 1)))))


def _split(node: NodeView, known: Sequence[Array | None]) -> list[Array]:
    data = _given(known, 0)
    axis = node.axis(data.ndim, node.attribute("axis", 0))
    sizes = node.numbers("split", 1)
    if sizes is None:
        each = -(-data.shape[axis] // len(node.outputs))
        sizes = [min(each, data.shape[axis] - each * place) for place in range(len(node.outputs))]
    return list(np.split(data, np.cumsum(sizes)[:-1], axis=axis))


def _round_up(array: Array) -> Any:
    return array if array.dtype == object else np.ceil(array)


def _round_down(array: Array) -> Any:
    return array if array.dtype == object else np.floor(array)


RULES: Mapping[str, Rule] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Cast": _cast,
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
    "Where": _where,
    "ReduceProd": _reduce_prod,
    "Split": _split,
    "Identity": _unary(lambda array: array),
    "Add": _elementwise(operator.add),
    "Sub": _elementwise(operator.sub),
    "Mul": _elementwise(operator.mul),
    "Div": _elementwise(_divide),
    "Mod": _elementwise(_remainder),
    "Max": _elementwise(np.maximum),
    "Min": _elementwise(np.minimum),
    "Pow": _elementwise(lambda left, right: np.power(left, right).astype(left.dtype)),
    "And": _elementwise(np.logical_and),
    "Or": _elementwise(np.logical_or),
    "Equal": _compare(operator.eq),
    "Less": _compare(operator.lt),
    "Greater": _compare(operator.gt),
    "LessOrEqual": _compare(operator.le),
    "GreaterOrEqual": _compare(operator.ge),
    "Not": _unary(np.logical_not),
    "Neg": _unary(operator.neg),
    "Sqrt": _unary(np.sqrt),
    "Exp": _unary(np.exp),
    "Log": _unary(np.log),
    "Reciprocal": _unary(np.reciprocal),
    "Abs": _unary(np.abs),
    "Ceil": _unary(_round_up),
    "Floor": _unary(_round_down),
    "Sin": _unary(np.sin),
    "Cos": _unary(np.cos),
}
"""What is worked out of constants, by operator."""

__all__ = ["RULES", "bounded", "dtype_of", "fold", "is_open", "tidy", "whole_numbers"]
