"""What layers compute that find entries by places, one entry after the other; written without looking at torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.engine.ops.reference_activation import positions
from tests.engine.ops.reference_convs import Reference

Array = np.ndarray[Any, np.dtype[np.float64]]
Attributes = Mapping[str, Any]
Weights = Mapping[str, Array]


def repeated_entry(value: Array, place: Sequence[int]) -> float:
    """Return the entry at a place, sizes of 1 being repeated."""
    return float(value[tuple(min(at, size - 1) for at, size in zip(place, value.shape, strict=True))])


def gather(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value, places = inputs[0], inputs[attributes["indices"]]
    (axis,) = positions(attributes["axis"], value.ndim)
    out = np.zeros([*value.shape[:axis], places.shape[axis], *value.shape[axis + 1 :]])
    for place in np.ndindex(*out.shape):
        out[place] = value[(*place[:axis], round(repeated_entry(places, place)), *place[axis + 1 :])]
    return out


MEETING: Mapping[str, Callable[[float, float], float]] = {
    "replace": lambda old, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "maximum": max,
    "minimum": min,
}


def scatter(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    out, places, values = inputs[0].copy(), inputs[attributes["indices"]], inputs[attributes["values"]]
    (axis,) = positions(attributes["axis"], out.ndim)
    for place in np.ndindex(*values.shape):
        target = (*place[:axis], round(repeated_entry(places, place)), *place[axis + 1 :])
        out[target] = MEETING[attributes["combine"]](float(out[target]), float(values[place]))
    return out


def topk(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> list[Array]:
    value = inputs[0]
    (axis,) = positions(attributes["axis"], value.ndim)
    best, places = (np.zeros([*value.shape[:axis], attributes["k"], *value.shape[axis + 1 :]]) for _ in range(2))
    for line in np.ndindex(*value.shape[:axis], *value.shape[axis + 1 :]):
        left = {at: float(value[(*line[:axis], at, *line[axis:])]) for at in range(value.shape[axis])}
        for rank in range(attributes["k"]):
            wanted = max(left.values()) if attributes["largest"] else min(left.values())
            first = min(at for at, entry in left.items() if entry == wanted)
            best[(*line[:axis], rank, *line[axis:])] = left.pop(first)
            places[(*line[:axis], rank, *line[axis:])] = first
    return [best, places]


def one_hot(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    value, count = inputs[0], attributes["classes"]
    (axis,) = positions(attributes["axis"], value.ndim)
    out = np.full([*value.shape[:axis], count, *value.shape[axis + 1 :]], float(attributes["off"]))
    for place in np.ndindex(*value.shape):
        number = round(float(value[place]))
        if -count <= number < count:
            out[(*place[:axis], list(range(count))[number], *place[axis + 1 :])] = attributes["on"]
    return out


INDEXING: Mapping[str, Reference] = {"gather": gather, "scatter": scatter, "topk": topk, "one_hot": one_hot}
