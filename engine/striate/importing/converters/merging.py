"""Several values to one: sums, products, extremes, joining; and values combined with stored numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from onnx import TensorProto

from striate.dims import Dim
from striate.importing.call import Call, as_number
from striate.importing.converters.entrywise import power
from striate.importing.converters.products import with_bias, with_scale
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value, text_of

Rule = Callable[[Call], Value]

_REPEATING = frozenset(
    {"mul", "div", "where", "pow", "fmod", "mod", "greater", "greater_equal", "less", "less_equal", "equal"}
    | {"logical_and", "logical_or", "logical_xor"}
)
"""Layers that repeat sizes of 1 by themselves."""


def aligned(call: Call, name: str, inputs: Sequence[Value | Stored | None]) -> list[Value]:
    """Return inputs as values that a layer can combine: of one number of axes, and of one size where it needs that.

    Stored tensors become parameters.

    Raises:
        UnsupportedError: their axes do not lie on each other.
    """
    values = [item for item in inputs if isinstance(item, Value)]
    if len(values) < len(inputs) and None in inputs:
        raise UnsupportedError("an input is missing")
    rank = max(call.rank(value) for value in values)
    made = [_ranked(call, item, rank) if isinstance(item, Value) else _parameter(call, item, rank) for item in inputs]
    target = _common(made)
    if name in _REPEATING or all(value.sizes == target for value in made):
        return made
    return [value if value.sizes == target else _repeated(call, value, target, made) for value in made]


def _ranked(call: Call, value: Value, rank: int) -> Value:
    """Return a value with axes of size 1 in front, up to a number of axes as ONNX counts them."""
    missing = rank - call.rank(value)
    if missing == 0 and not value.flat:
        return value
    if missing and (call.batched or call.merged is not None):
        raise UnsupportedError("its inputs have different numbers of axes, so that the batch meets another axis")
    sizes = () if value.flat else value.sizes
    return reshaped(call, value, [1] * (max(rank, 1) - call.lead - len(sizes)) + list(sizes) or [1])


def _parameter(call: Call, stored: Stored | None, rank: int) -> Value:
    """Return a stored tensor as a value with so many axes."""
    assert stored is not None, "asked before"
    array = stored.array
    whole = call.batch_first(array.reshape((1,) * (rank - array.ndim) + array.shape))
    if call.batched and len(whole) == call.images and (whole == whole[:1]).all():
        whole = whole[:1]
    full = whole.shape
    if array.ndim > rank or (call.batched and full[0] != 1):
        raise UnsupportedError("it combines the images of a batch with stored numbers that differ between them")
    sizes = full[call.lead :] or (1,)
    return call.parameter(Stored(stored.names, whole.reshape(sizes)))


def _common(values: Sequence[Value]) -> tuple[Dim, ...]:
    """Return the sizes that values have together, sizes of 1 being repeated."""
    common = []
    for sizes in zip(*(value.sizes for value in values), strict=True):
        others = [size for size in sizes if size != 1]
        common.append(next((size for size in others if isinstance(size, int)), others[0] if others else 1))
    return tuple(common)


def _repeated(call: Call, value: Value, target: tuple[Dim, ...], values: Sequence[Value]) -> Value:
    whole = [size for size in target if isinstance(size, int)]
    if len(whole) == len(target):
        return call.layer("broadcast", value, sizes=whole)
    like = next((other for other in values if other.sizes == target), None)
    if like is None:
        raise UnsupportedError(f"it repeats sizes of 1 to open ones: {_told(values)}")
    return call.layer("broadcast", [value, like], like=1)


def _told(values: Sequence[Value]) -> str:
    return " and ".join(text_of(value.sizes) for value in values)


def _binary(
    name: str,
    with_number: Callable[[Call, Value, float, bool], Value] | None = None,
    *,
    kind: int | None = None,
    truths: bool = False,
) -> Rule:
    """Return a rule for a node of two values, or of a value and a stored number."""

    def rule(call: Call) -> Value:
        if not truths:
            call.demand_float()
        if len(call.values) == 2:
            _demand_aligned(call)
            return call.layer(name, aligned(call, name, call.given), kind=kind)
        _demand_aligned(call)
        place = 0 if isinstance(call.given[0], Value) else 1
        amount, value = call.stored(1 - place), call.value(place)
        if amount is None:
            raise UnsupportedError(f"input {2 - place} is missing")
        if amount.array.size == 1 and amount.array.ndim <= call.rank(value) and with_number is not None:
            return with_number(call, value, as_number(amount.array), place == 0)
        fitting = {"add": with_bias, "mul": with_scale}.get(name)
        if fitting is not None and (made := fitting(call, place, amount)) is not None:
            return made
        return call.layer(name, aligned(call, name, call.given), kind=kind)

    return rule


def _demand_aligned(call: Call) -> None:
    """Refuse tensors that before opset 7 lie on each other from another axis on than the last."""
    call.node.attribute("broadcast")
    axis = call.node.attribute("axis")
    if axis is None:
        return
    ranks = [call.rank(item) if isinstance(item, Value) else item.array.ndim for item in call.given if item is not None]
    axis += ranks[0] if axis < 0 else 0
    if axis != ranks[0] - ranks[-1] and ranks[0] != ranks[-1]:
        raise UnsupportedError(f"its second input lies on the first from axis {axis} on, not on its last axes")


def _plus(call: Call, value: Value, number: float, first: bool) -> Value:
    return call.layer("offset", value, amount=number)


def _minus(call: Call, value: Value, number: float, first: bool) -> Value:
    if first:
        return call.layer("offset", value, amount=-number)
    return call.layer("linear", value, scale=-1.0, shift=number)


def _times(call: Call, value: Value, number: float, first: bool) -> Value:
    return call.layer("scale", value, factor=number)


def _over(call: Call, value: Value, number: float, first: bool) -> Value:
    if not first:
        made = call.layer("reciprocal", value)
        return made if number == 1 else call.layer("scale", made, factor=number)
    if number == 0:
        raise UnsupportedError("it divides by 0")
    return call.layer("scale", value, factor=1 / number)


def _several(name: str) -> Rule:
    """Return a rule for a node of any number of values."""

    def rule(call: Call) -> Value:
        call.demand_float()
        if len(call.values) < len(call.given) and (made := _with_bound(call, name)) is not None:
            return made
        if len(call.given) == 1:
            return call.value()
        return call.layer(name, aligned(call, name, call.given))

    return rule


_LARGEST = float(np.finfo(np.float32).max)


def _with_bound(call: Call, name: str) -> Value | None:
    """Return the larger or smaller of a value and a stored number; None where that is not what is asked for."""
    stored = [item for item in call.given if isinstance(item, Stored)]
    if name not in ("maximum", "minimum") or len(call.values) != 1 or any(item.array.size != 1 for item in stored):
        return None
    numbers = [as_number(item.array) for item in stored]
    if name == "maximum":
        bound = reduce(max, numbers)
        return (
            call.layer("relu", call.values[0])
            if bound == 0
            else call.layer("clip", call.values[0], low=bound, high=_LARGEST)
        )
    return call.layer("clip", call.values[0], low=-_LARGEST, high=reduce(min, numbers))


def _concat(call: Call) -> Value:
    first, place = call.values[0], call.node.attribute("axis", 1)
    if len(call.given) == 1:
        return first
    if any(value.flat for value in call.values):
        raise UnsupportedError("it joins the images of batches")
    axis = call.axis_name(first, place)
    rank = call.rank(first)
    parts = [item if isinstance(item, Value) else _parameter(call, item, rank) for item in call.given]
    return call.layer("concat", parts, axis=axis)


def _pow(call: Call) -> Value:
    exponent = call.given[1]
    if isinstance(exponent, Stored) and exponent.array.size == 1 and exponent.array.ndim <= call.rank(call.value()):
        return power(call)
    call.demand_float()
    return call.layer("pow", aligned(call, "pow", call.given))


def _remainder(call: Call) -> Value:
    call.demand_float()
    name = "fmod" if call.node.attribute("fmod", 0) else "mod"
    return call.layer(name, aligned(call, name, call.given))


def _where(call: Call) -> Value:
    kind = next((item.kind for item in call.given[1:] if isinstance(item, Value)), TensorProto.FLOAT)
    chosen = [item for item in call.given[1:] if isinstance(item, Value)]
    if chosen:
        call.demand_float(*chosen)
    return call.layer("where", aligned(call, "where", call.given), kind=kind)


CONVERTERS: dict[str, Rule] = {
    "Add": _binary("add", _plus),
    "Sub": _binary("sub", _minus),
    "Mul": _binary("mul", _times),
    "Div": _binary("div", _over),
    "Sum": _several("add"),
    "Max": _several("maximum"),
    "Min": _several("minimum"),
    "Mean": _several("average"),
    "Concat": _concat,
    "Pow": _pow,
    "Where": _where,
    "Mod": _remainder,
    "Greater": _binary("greater", kind=TensorProto.BOOL),
    "GreaterOrEqual": _binary("greater_equal", kind=TensorProto.BOOL),
    "Less": _binary("less", kind=TensorProto.BOOL),
    "LessOrEqual": _binary("less_equal", kind=TensorProto.BOOL),
    "Equal": _binary("equal", kind=TensorProto.BOOL),
    "And": _binary("logical_and", kind=TensorProto.BOOL, truths=True),
    "Or": _binary("logical_or", kind=TensorProto.BOOL, truths=True),
    "Xor": _binary("logical_xor", kind=TensorProto.BOOL, truths=True),
}
