"""Several values to one: sums, products, extremes, joining; and values combined with stored numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from striate.importing.call import Call, as_number
from striate.importing.converters.products import with_bias
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value, text_of

Rule = Callable[[Call], Value]

_REPEATING = frozenset({"mul", "div"})
"""Layers that repeat sizes of 1 by themselves."""


def _aligned(call: Call, name: str, values: Sequence[Value]) -> list[Value]:
    """Return values that a layer can combine.

    Raises:
        UnsupportedError: their sizes differ in a way that the layer does not take.
    """
    ranks = {len(value.sizes) for value in values}
    if len(ranks) > 1 or any(value.flat for value in values):
        raise UnsupportedError(f"its inputs have different numbers of axes: {_told(values)}")
    if name not in _REPEATING and len({value.sizes for value in values}) > 1 and _repeats(values):
        raise UnsupportedError(f"it repeats sizes of 1: {_told(values)}")
    return list(values)


def _repeats(values: Sequence[Value]) -> bool:
    return any(1 in sizes and set(sizes) != {1} for sizes in zip(*(value.sizes for value in values), strict=True))


def _told(values: Sequence[Value]) -> str:
    return " and ".join(text_of(value.sizes) for value in values)


def _binary(name: str, with_number: Callable[[Call, Value, float, bool], Value] | None = None) -> Rule:
    """Return a rule for a node of two values, or of a value and a stored number."""

    def rule(call: Call) -> Value:
        call.demand_float()
        if len(call.values) == 2:
            return call.layer(name, _aligned(call, name, call.values))
        place = 0 if isinstance(call.given[0], Value) else 1
        amount, value = call.stored(1 - place), call.value(place)
        if amount is None:
            raise UnsupportedError(f"input {2 - place} is missing")
        if amount.array.size == 1 and amount.array.ndim <= call.rank(value) and with_number is not None:
            return with_number(call, value, as_number(amount.array), place == 0)
        if name == "add" and (made := with_bias(call, place, amount)) is not None:
            return made
        raise UnsupportedError(f"it combines a value with a stored tensor of the size {text_of(amount.array.shape)}")

    return rule


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
        if len(call.values) < len(call.given):
            return _with_bound(call, name)
        if len(call.values) == 1:
            return call.value()
        return call.layer(name, _aligned(call, name, call.values))

    return rule


_LARGEST = float(np.finfo(np.float32).max)


def _with_bound(call: Call, name: str) -> Value:
    """Return the larger or smaller of a value and a stored number."""
    stored = [item for item in call.given if isinstance(item, Stored)]
    if name not in ("maximum", "minimum") or len(call.values) != 1 or any(item.array.size != 1 for item in stored):
        raise UnsupportedError("it merges values with stored tensors")
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
    if len(call.values) < len(call.given):
        raise UnsupportedError("it joins values with stored tensors")
    if len(call.values) == 1:
        return call.value()
    first = call.value()
    if any(value.flat for value in call.values):
        raise UnsupportedError("it joins the images of batches")
    return call.layer("concat", call.values, axis=call.axis_name(first, call.node.attribute("axis", 1)))


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
}
