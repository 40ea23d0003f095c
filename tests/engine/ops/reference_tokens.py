"""What recurrent layers, attention and graph layers compute, step by step in float64; written without looking at torch.

Like all references these take settled attributes and inputs with the batch in front.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
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


def started(attributes: Attributes, inputs: Sequence[Array], image: int, number: int) -> tuple[Array, Array]:
    """State and cell before the first step, of one layer and direction."""
    size = attributes["hidden"]
    places = (attributes["state"], attributes.get("cell"))
    flat = [np.zeros((number + 1) * size) if place is None else inputs[place][image].ravel() for place in places]
    return part(flat[0], number, size), part(flat[1], number, size)


def recurrent(step: Step) -> Reference:
    def walked(rows: Array, state: tuple[Array, Array], weights: Weights, ending: str) -> Array:
        out = []
        for row in rows:
            state = step(row, state, weights, ending)
            out.append(state[0])
        return np.stack(out)

    def rule(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
        results, directions = [], 1 + attributes["bidirectional"]
        for image, rows in enumerate(tokens(inputs[0], attributes["axis"])):
            below, last = rows, np.zeros(0)
            start = partial(started, attributes, inputs, image)
            for layer in range(attributes["layers"]):
                there = walked(below, start(layer * directions), weights, f"l{layer}")
                last, parts = there[-1], [there]
                if attributes["bidirectional"]:
                    back = walked(below[::-1], start(layer * directions + 1), weights, f"l{layer}_reverse")
                    last, parts = np.concatenate([last, back[-1]]), [there, back[::-1]]
                below = np.concatenate(parts, axis=1)
            results.append(last if attributes["output"] == "last" else below)
        made = np.stack(results)
        return made if attributes["output"] == "last" else laid_out(made, inputs[0], attributes["axis"])

    return rule


def shares(scores: Array) -> Array:
    """Softmax of one list of numbers; of nothing but -inf no share."""
    if scores.max() == -math.inf:
        return np.zeros_like(scores)
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


def masked(rule: Callable[[int, int, float], float], mask: Array, row: int, place: int, score: float) -> float:
    entry = mask[place] if mask.ndim == 1 else mask[row, place]
    return rule(row, place, score) if entry > 0 else -math.inf


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
        if attributes["mask"] is not None:
            rule = partial(masked, rule, inputs[attributes["mask"]][image])
        joined = np.concatenate([attended(q, k, v, rule) for q, k, v in heads], axis=1)
        out = np.stack([weights["out_proj_weight"] @ row for row in joined])
        made.append(out + weights["out_proj_bias"] if attributes["bias"] else out)
    return laid_out(np.stack(made), inputs[0], axis)


def region(place: int, size: int, side: int, shift: int) -> int:
    """Number what lies side by side in a line that was pushed on by `shift`: the end has two parts."""
    return 0 if not shift or place < size - side else 1 if place < size - shift else 2


def window_attention(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    channels_last = attributes["axis"] == "last"
    images = inputs[0] if channels_last else np.moveaxis(inputs[0], 1, -1)
    sides, shift, heads = attributes["window"], attributes["shift"], attributes["heads"]
    out = np.zeros_like(images)
    size, features = images.shape[1:3], images.shape[3]

    def bias(head: int, query: tuple[int, int], key: tuple[int, int]) -> float:
        if not attributes["position_bias"]:
            return 0.0
        down, right = (a - b + side - 1 for a, b, side in zip(query, key, sides, strict=True))
        return float(weights["relative_position_bias_table"][down * (2 * sides[1] - 1) + right, head])

    def parts(pixels: list[tuple[int, int]]) -> list[tuple[int, ...]]:
        line = zip(*pixels, strict=True)
        each = [
            [region(place, *numbers) for place in places]
            for places, *numbers in zip(line, size, sides, shift, strict=True)
        ]
        return list(zip(*each, strict=True))

    def within(image: Array, corner: tuple[int, int]) -> Iterator[tuple[tuple[int, ...], Array]]:
        """Yield what the pixels of one window get, with their places in the image."""
        inner = list(np.ndindex(*sides))
        pixels = [(corner[0] + y, corner[1] + x) for y, x in inner]
        held = [tuple((p + s) % n for p, s, n in zip(pixel, shift, size, strict=True)) for pixel in pixels]
        made = np.stack([weights["qkv_weight"] @ image[place] for place in held])
        made = made + weights["qkv_bias"] if attributes["bias"] else made
        queries, keys, values = (dealt_out(made[:, n * features : (n + 1) * features], heads) for n in range(3))
        regions = parts(pixels)

        def score(head: int, query: int, key: int, product: float) -> float:
            same = regions[query] == regions[key]
            return product + bias(head, inner[query], inner[key]) if same else -math.inf

        mixed = [attended(queries[n], keys[n], values[n], partial(score, n)) for n in range(heads)]
        for place, joined in zip(held, np.concatenate(mixed, axis=1), strict=True):
            yield place, weights["proj_weight"] @ joined + weights["proj_bias"]

    for image, row, column in np.ndindex(len(images), size[0] // sides[0], size[1] // sides[1]):
        for place, found in within(images[image], (row * sides[0], column * sides[1])):
            out[(image, *place)] = found
    return out if channels_last else np.moveaxis(out, -1, 1)


def nonlocal_block(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    form, results = attributes["form"], []

    def embedded(name: str, row: Array) -> Array:
        return weights[f"{name}_weight"] @ row + weights[f"{name}_bias"]

    def alike(left: Array, right: Array) -> float:
        if form == "gaussian":
            return float(left @ right)
        theta, phi = embedded("theta", left), embedded("phi", right)
        if form == "concatenation":
            return max(float(weights["pair_weight"] @ np.concatenate([theta, phi])), 0.0)
        return float(theta @ phi)

    for rows in tokens(inputs[0], "channels"):
        values = [embedded("g", row) for row in rows]
        made = []
        for row in rows:
            compared = np.array([alike(row, other) for other in rows])
            parts = compared / len(rows) if form in ("dot", "concatenation") else shares(compared)
            total = sum(share * value for share, value in zip(parts, values, strict=True))
            made.append(row + weights["out_weight"] @ total + weights["out_bias"])
        results.append(np.stack(made))
    return laid_out(np.stack(results), inputs[0], "channels")


def graphconv(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    axis, results = attributes["axis"], []
    for rows, given in zip(tokens(inputs[0], axis), inputs[attributes["adjacency"]], strict=True):
        count = len(rows)
        edges = [[given[i, j] + (attributes["self_loops"] and i == j) for j in range(count)] for i in range(count)]
        degrees = [sum(row) for row in edges]

        def factor(i: int, j: int, degrees: list[float] = degrees) -> float:
            if attributes["normalise"] == "none":
                return 1.0
            if attributes["normalise"] == "rows":
                return 1 / degrees[i] if degrees[i] > 0 else 0.0
            return (degrees[i] * degrees[j]) ** -0.5 if degrees[i] > 0 and degrees[j] > 0 else 0.0

        made = []
        for i in range(count):
            near = sum(edges[i][j] * factor(i, j) * rows[j] for j in range(count))
            made.append(weights["weight"] @ near + (weights["bias"] if attributes["bias"] else 0))
        results.append(np.stack(made))
    return laid_out(np.stack(results), inputs[0], axis)


def same_conv(image: Array, kernel: Array) -> Array:
    """Convolve one image, its border padded with zeros."""
    high, wide = kernel.shape[2:]
    padded = np.pad(image, [(0, 0), (high // 2, high // 2), (wide // 2, wide // 2)])
    out = np.zeros((len(kernel), *image.shape[1:]))
    for number, row, column in np.ndindex(*out.shape):
        out[number, row, column] = (padded[:, row : row + high, column : column + wide] * kernel[number]).sum()
    return out


def convlstm(attributes: Attributes, inputs: Sequence[Array], weights: Weights) -> Array:
    size, results = attributes["hidden"], []
    for image, volume in enumerate(inputs[0]):
        places = (attributes["state"], attributes["cell"])
        none = np.zeros((size, *volume.shape[2:]))
        hidden, cell = (none if place is None else inputs[place][image] for place in places)
        states = []
        for step in range(volume.shape[1]):
            total = same_conv(volume[:, step], weights["weight_ih"]) + same_conv(hidden, weights["weight_hh"])
            total = total + weights["gate_bias"][:, None, None] if attributes["bias"] else total
            gates = [part(total, number, size) for number in range(4)]
            watched = [np.zeros_like(hidden)] * 3
            if attributes["peepholes"]:
                watched = [part(weights["peephole_weight"], number, size) for number in range(3)]
            kept = sigmoid(gates[1] + watched[1] * cell) * cell
            cell = kept + sigmoid(gates[0] + watched[0] * cell) * np.tanh(gates[2])
            hidden = sigmoid(gates[3] + watched[2] * cell) * np.tanh(cell)
            states.append(hidden)
        results.append(states[-1] if attributes["output"] == "last" else np.stack(states, axis=1))
    return np.stack(results)


TOKENS: Mapping[str, Reference] = {
    "lstm": recurrent(lstm_step),
    "gru": recurrent(gru_step),
    "convlstm": convlstm,
    "attention": attention,
    "window_attention": window_attention,
    "nonlocal": nonlocal_block,
    "graphconv": graphconv,
}
