"""What recurrent layers, attention and graph layers compute, step by step in float64; written without looking at torch.

Like all references these take settled attributes and inputs with the batch in front.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Attributes = Mapping[str, Any]
Weights = Mapping[str, Array]
Reference = Callable[[Attributes, Sequence[Array], Weights], Array]
Step = Callable[[Array, tuple[Array, Array], Weights, str], tuple[Array, Array]]


def tokens(value: Array, axis: str) -> Array:
    """Return the tokens of each image, row by row."""
    moved = np.moveaxis(value, 1, -1) if axis == "channels" else value
    return np.stack([np.stack([image[place] for place in np.ndindex(*image.shape[:-1])]) for image in moved])


def laid_out(rows: Array, like: Array, axis: str) -> Array:
    """Return tokens in the order of a value."""
    space = like.shape[2:] if axis == "channels" else like.shape[1:-1]
    out = np.zeros((len(rows), *space, rows.shape[2]))
    for number, place in enumerate(np.ndindex(*space)):
        out[(slice(None), *place)] = rows[:, number]
    return np.moveaxis(out, -1, 1) if axis == "channels" else out


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def part(values: Array, number: int, size: int) -> Array:
    return values[number * size : (number + 1) * size]


def gate(weights: Weights, kind: str, ending: str, number: int, size: int, given: Array) -> Array:
    """Return what one gate makes of one vector: its rows of a matrix, and its part of a bias."""
    product = part(weights[f"weight_{kind}_{ending}"], number, size) @ given
    bias = weights.get(f"bias_{kind}_{ending}")
    return product if bias is None else product + part(bias, number, size)


def lstm_step(given: Array, state: tuple[Array, Array], weights: Weights, ending: str) -> tuple[Array, Array]:
    hidden, cell = state
    size = len(hidden)

    def total(number: int) -> Array:
        read = gate(weights, "ih", ending, number, size, given)
        return read + gate(weights, "hh", ending, number, size, hidden)

    kept = sigmoid(total(1)) * cell + sigmoid(total(0)) * np.tanh(total(2))
    return sigmoid(total(3)) * np.tanh(kept), kept


def gru_step(given: Array, state: tuple[Array, Array], weights: Weights, ending: str) -> tuple[Array, Array]:
    hidden, _ = state
    size = len(hidden)
    read = [gate(weights, "ih", ending, number, size, given) for number in range(3)]
    held = [gate(weights, "hh", ending, number, size, hidden) for number in range(3)]
    reset, update = sigmoid(read[0] + held[0]), sigmoid(read[1] + held[1])
    new = np.tanh(read[2] + reset * held[2])
    return (1 - update) * new + update * hidden, hidden


def recurrent(step: Step) -> Reference:
    def walked(rows: Array, size: int, weights: Weights, ending: str) -> Array:
        state, out = (np.zeros(size), np.zeros(size)), []
        for row in rows:
            state = step(row, state, weights, ending)
            out.append(state[0])
        return np.stack(out)

    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        size, results = attributes["hidden"], []
        for rows in tokens(inputs[0], attributes["axis"]):
            below, last = rows, np.zeros(0)
            for layer in range(attributes["layers"]):
                there = walked(below, size, weights, f"l{layer}")
                last, parts = there[-1], [there]
                if attributes["bidirectional"]:
                    back = walked(below[::-1], size, weights, f"l{layer}_reverse")
                    last, parts = np.concatenate([last, back[-1]]), [there, back[::-1]]
                below = np.concatenate(parts, axis=1)
            results.append(last if attributes["output"] == "last" else below)
        made = np.stack(results)
        return made if attributes["output"] == "last" else laid_out(made, inputs[0], attributes["axis"])

    return rule


def shares(scores: Array) -> Array:
    """Softmax of one list of numbers."""
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


def attended(queries: Array, keys: Array, values: Array, scores: Callable[[int, int, float], float]) -> Array:
    """Return the mean of the values for each query, weighted by scaled products with the keys as `scores` has them."""
    out = np.zeros((len(queries), values.shape[1]))
    for row, query in enumerate(queries):
        products = [
            scores(row, place, float(sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(len(query))))
            for place, key in enumerate(keys)
        ]
        out[row] = sum(share * value for share, value in zip(shares(np.array(products)), values, strict=True))
    return out


def dealt_out(rows: Array, heads: int) -> list[Array]:
    size = rows.shape[1] // heads
    return [rows[:, head * size : (head + 1) * size] for head in range(heads)]


def plain(row: int, place: int, score: float) -> float:
    return score


def forward_only(row: int, place: int, score: float) -> float:
    return score if place <= row else -math.inf


def attention(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    axis, keys = attributes["axis"], attributes["keys"] or 0
    sources = [tokens(inputs[place], axis) for place in (0, keys, attributes["values"] or keys)]
    width = sources[0].shape[2]
    if "in_proj_weight" in weights:
        matrices = [part(weights["in_proj_weight"], number, width) for number in range(3)]
    else:
        matrices = [weights[f"{letter}_proj_weight"] for letter in "qkv"]
    made = []
    for image in range(len(inputs[0])):
        projected = []
        for number, matrix in enumerate(matrices):
            rows = np.stack([matrix @ row for row in sources[number][image]])
            projected.append(rows + part(weights["in_proj_bias"], number, width) if attributes["bias"] else rows)
        heads = zip(*(dealt_out(rows, attributes["heads"]) for rows in projected), strict=True)
        rule = forward_only if attributes["causal"] else plain
        joined = np.concatenate([attended(q, k, v, rule) for q, k, v in heads], axis=1)
        out = np.stack([weights["out_proj_weight"] @ row for row in joined])
        made.append(out + weights["out_proj_bias"] if attributes["bias"] else out)
    return laid_out(np.stack(made), inputs[0], axis)


TOKENS: Mapping[str, Reference] = {
    "lstm": recurrent(lstm_step),
    "gru": recurrent(gru_step),
    "attention": attention,
}
