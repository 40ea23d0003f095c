"""The losses again, in float64 numpy and as the papers write them: one place after the other, without any trick.

Slow, and good for nothing but to be compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def softmax(row: Array) -> Array:
    return np.exp(row) / np.exp(row).sum()


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def places(output: Array, target: Array) -> Iterator[tuple[Array, Any]]:
    """Yield the scores of every image or pixel, and what they are compared with."""
    for index in product(range(output.shape[0]), *map(range, output.shape[2:])):
        where: tuple[Any, ...] = (index[0], slice(None), *index[1:])
        yield output[where], target[where] if target.shape == output.shape else int(target[index])


def one_hot(number: int, classes: int) -> Array:
    return np.array([float(k == number) for k in range(classes)])


# ------------------------------------------------------------------------------------------ cross-entropy


def categorical(
    output: Array, target: Array, log_of: Callable[[Array], Array], smoothing: float, weights: Any
) -> float:
    total = weight = 0.0
    for row, wanted in places(output, target):
        classes = len(row)
        share = one_hot(wanted, classes) if isinstance(wanted, int) else wanted
        factors = np.ones(classes) if weights is None else np.array(weights)
        mixed = (1 - smoothing) * share + smoothing / classes
        total += -(factors * mixed * log_of(row)).sum()
        weight += (factors * share).sum() if weights is not None else 1.0
    return total / weight


def cross_entropy(output: Array, target: Array, label_smoothing: float = 0.0, class_weights: Any = None) -> float:
    return categorical(output, target, lambda row: np.log(softmax(row)), label_smoothing, class_weights)


def from_probabilities(output: Array, target: Array, class_weights: Any = None) -> float:
    return categorical(output, target, np.log, 0.0, class_weights)


def nll(output: Array, target: Array, class_weights: Any = None) -> float:
    return categorical(output, target, lambda row: row, 0.0, class_weights)


def binary_entropies(row: Array, wanted: Array, probability: Callable[[float], float]) -> Iterator[tuple[float, float]]:
    """Yield the two halves of the binary cross-entropy of every entry: that of the 1 and that of the 0."""
    for value, share in zip(row, wanted, strict=True):
        p = probability(value)
        yield -share * math.log(p), -(1 - share) * math.log(1 - p)


def binary_cross_entropy(
    output: Array, target: Array, label_smoothing: float = 0.0, positive_weights: Any = None
) -> float:
    terms = []
    for row, wanted in places(output, target):
        smooth = wanted * (1 - label_smoothing) + label_smoothing / 2
        factors = positive_weights or [1.0] * len(row)
        halves = binary_entropies(row, smooth, sigmoid)
        terms += [factor * yes + no for factor, (yes, no) in zip(factors, halves, strict=True)]
    return float(np.mean(terms))


def binary_from_probabilities(output: Array, target: Array, class_weights: Any = None) -> float:
    terms = []
    for row, wanted in places(output, target):
        factors = class_weights or [1.0] * len(row)
        halves = binary_entropies(row, wanted, float)
        terms += [factor * (yes + no) for factor, (yes, no) in zip(factors, halves, strict=True)]
    return float(np.mean(terms))


def kl_divergence(output: Array, target: Array, label_smoothing: float = 0.0) -> float:
    terms = []
    for row, wanted in places(output, target):
        mixed = (1 - label_smoothing) * wanted + label_smoothing / len(row)
        terms.append(sum(q * math.log(q / p) for q, p in zip(mixed, softmax(row), strict=True) if q > 0))
    return float(np.mean(terms))


def brier(output: Array, target: Array) -> float:
    return float(np.mean([((softmax(row) - wanted) ** 2).sum() for row, wanted in places(output, target)]))


def focal(output: Array, target: Array, gamma: float = 2.0, class_weights: Any = None) -> float:
    terms = []
    for row, number in places(output, target):
        p = softmax(row)[number]
        terms.append(-(1.0 if class_weights is None else class_weights[number]) * (1 - p) ** gamma * math.log(p))
    return float(np.mean(terms))


def binary_focal(
    output: Array, target: Array, gamma: float = 2.0, alpha: float | None = 0.25, normalise: str = "entries"
) -> float:
    terms = []
    for value, share in zip(output.ravel(), target.ravel(), strict=True):
        p = sigmoid(value)
        entropy = -share * math.log(p) - (1 - share) * math.log(1 - p)
        right = p * share + (1 - p) * (1 - share)
        factor = 1.0 if alpha is None else alpha * share + (1 - alpha) * (1 - share)
        terms.append(factor * (1 - right) ** gamma * entropy)
    return sum(terms) / (len(terms) if normalise == "entries" else max(1.0, target.sum()))


# ------------------------------------------------------------------------------------------ distances, margins


def of_residuals(rule: Callable[[float], float]) -> Callable[[Array, Array], float]:
    return lambda output, target: float(np.mean([rule(value) for value in (output - target).ravel()]))


def huber(output: Array, target: Array, delta: float = 1.0) -> float:
    return of_residuals(lambda r: r * r / 2 if abs(r) <= delta else delta * abs(r) - delta * delta / 2)(output, target)


def smooth_l1(output: Array, target: Array, beta: float = 1.0) -> float:
    return of_residuals(lambda r: r * r / 2 / beta if abs(r) < beta else abs(r) - beta / 2)(output, target)


def hinge(output: Array, target: Array, margin: float = 1.0, power: int = 1) -> float:
    return float(np.mean(np.maximum(0, margin - output * target) ** power))


def multi_class_hinge(
    output: Array, target: Array, margin: float = 1.0, form: str = "worst", squared: bool = False
) -> float:
    terms = []
    for row, number in places(output, target):
        lacks = [max(0.0, margin + row[k] - row[number]) ** (1 + squared) for k in range(len(row)) if k != number]
        terms.append(max(lacks) if form == "worst" else sum(lacks) / len(row))
    return float(np.mean(terms))


# ------------------------------------------------------------------------------------------ overlap


def overlaps(output: Array, target: Array, per: str) -> Iterator[tuple[Array, Array]]:
    """Yield probabilities and truth of a group of pixels, both `pixels x classes`, per image or for the batch."""
    groups = (
        [list(places(output, target))]
        if per == "batch"
        else [list(places(output[n : n + 1], target[n : n + 1])) for n in range(len(output))]
    )
    for group in groups:
        p = np.array([softmax(row) for row, _ in group])
        yield p, np.array([one_hot(number, p.shape[1]) for _, number in group])


def mean_over_classes(values: list[float], background: bool, class_weights: Any) -> float:
    weights = [1.0] * len(values) if class_weights is None else list(class_weights)
    first = 0 if background else 1
    kept = list(zip(values, weights, strict=True))[first:]
    return sum(value * weight for value, weight in kept) / sum(weight for _, weight in kept)


def dice(
    output: Array, target: Array, smooth: float = 1.0, per: str = "batch", background: bool = True,
    squared: bool = False, class_weights: Any = None,
) -> float:  # fmt: skip
    found = []
    for p, y in overlaps(output, target, per):
        power = 2 if squared else 1
        size = (p**power).sum(axis=0) + y.sum(axis=0)
        values = 1 - (2 * (p * y).sum(axis=0) + smooth) / (size + smooth)
        found.append(mean_over_classes(list(values), background, class_weights))
    return float(np.mean(found))


def tversky(
    output: Array, target: Array, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0, gamma: float = 1.0,
    per: str = "batch", background: bool = True, class_weights: Any = None,
) -> float:  # fmt: skip
    found = []
    for p, y in overlaps(output, target, per):
        both, wrong, missed = (p * y).sum(axis=0), (p * (1 - y)).sum(axis=0), ((1 - p) * y).sum(axis=0)
        values = (1 - (both + smooth) / (both + alpha * wrong + beta * missed + smooth)) ** gamma
        found.append(mean_over_classes(list(values), background, class_weights))
    return float(np.mean(found))


def iou(output: Array, target: Array, **arguments: Any) -> float:
    return tversky(output, target, 1.0, 1.0, **arguments)


def box_terms(a: Array, b: Array) -> tuple[float, float, float, float]:
    """Return IoU, the empty share of the hull, the distance of the centres in diagonals, and the aspect term v."""
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = across * down
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    width, height = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    apart = ((a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2) / 4
    slope = [math.atan((box[2] - box[0]) / (box[3] - box[1])) for box in (a, b)]
    v = 4 / math.pi**2 * (slope[0] - slope[1]) ** 2
    return both / either, (width * height - either) / (width * height), apart / (width**2 + height**2), v


def box_loss(name: str) -> Callable[[Array, Array], float]:
    def one(a: Array, b: Array) -> float:
        overlap, empty, apart, v = box_terms(a, b)
        added = {"box_iou": 0.0, "box_giou": empty, "box_diou": apart, "box_ciou": apart}[name]
        if name == "box_ciou" and v > 0:
            added += v * v / (1 - overlap + v)
        return 1 - overlap + added

    return lambda output, target: float(np.mean([one(a, b) for a, b in zip(output, target, strict=True)]))


# ------------------------------------------------------------------------------------------ embeddings


def unit(vector: Array) -> Array:
    return vector / math.sqrt((vector**2).sum())


def distance(a: Array, b: Array, squared: bool) -> float:
    value = float(((a - b) ** 2).sum())
    return value if squared else math.sqrt(value)


def triplet(
    output: Array, target: Array, margin: float = 0.2, mining: str = "semi_hard", squared: bool = True,
    normalise: bool = True,
) -> float:  # fmt: skip
    x = np.array([unit(row) for row in output]) if normalise else output
    count = len(x)
    d = [[distance(x[i], x[j], squared) for j in range(count)] for i in range(count)]
    positives = [[j for j in range(count) if j != i and target[j] == target[i]] for i in range(count)]
    negatives = [[j for j in range(count) if target[j] != target[i]] for i in range(count)]
    terms = []
    for i in range(count):
        if mining == "all":
            every = [d[i][p] - d[i][n] + margin for p in positives[i] for n in negatives[i]]
            terms += [value for value in every if value > 0]
        elif mining == "hard" and positives[i] and negatives[i]:
            hardest = max(d[i][p] for p in positives[i]) - min(d[i][n] for n in negatives[i])
            terms.append(max(0.0, hardest + margin))
        elif mining == "semi_hard" and negatives[i]:
            for p in positives[i]:
                farther = [d[i][n] for n in negatives[i] if d[i][n] > d[i][p]]
                chosen = min(farther) if farther else max(d[i][n] for n in negatives[i])
                terms.append(max(0.0, d[i][p] - chosen + margin))
    return float(np.mean(terms)) if terms else 0.0


def contrastive(output: Array, target: Array, margin: float = 1.0) -> float:
    terms = []
    for i in range(len(output)):
        for j in range(i):
            d = distance(output[i], output[j], squared=False)
            terms.append(d * d / 2 if target[i] == target[j] else max(0.0, margin - d) ** 2 / 2)
    return float(np.mean(terms))


def nt_xent(output: Array, target: Array, temperature: float = 0.5) -> float:
    x = [unit(row) for row in output]
    terms = []
    for i in range(len(x)):
        powers = {k: math.exp(float(x[i] @ x[k]) / temperature) for k in range(len(x)) if k != i}
        partners = [k for k in powers if target[k] == target[i]]
        if partners:
            terms.append(np.mean([-math.log(powers[k] / sum(powers.values())) for k in partners]))
    return float(np.mean(terms))


def angular(output: Array, target: Array, weight: Array, held_back: Callable[[float], float], scale: float) -> float:
    terms = []
    for row, number in zip(output, target, strict=True):
        cosines = [float(unit(row) @ unit(direction)) for direction in weight]
        cosines[number] = held_back(cosines[number])
        terms.append(-math.log(softmax(scale * np.array(cosines))[number]))
    return float(np.mean(terms))


def arcface(output: Array, target: Array, weight: Array, scale: float = 64.0, margin: float = 0.5) -> float:
    def held_back(cosine: float) -> float:
        angle = math.acos(cosine)
        return math.cos(angle + margin) if angle + margin < math.pi else cosine - margin * math.sin(margin)

    return angular(output, target, weight, held_back, scale)


def cosface(output: Array, target: Array, weight: Array, scale: float = 64.0, margin: float = 0.35) -> float:
    return angular(output, target, weight, lambda cosine: cosine - margin, scale)


# ------------------------------------------------------------------------------------------ the tables

OF_RECIPES: dict[str, Callable[..., float]] = {
    "cross_entropy": cross_entropy,
    "categorical_cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "kl_divergence": kl_divergence,
    "brier": brier,
    "focal": focal,
    "binary_focal": binary_focal,
    "cross_entropy_from_probabilities": from_probabilities,
    "categorical_cross_entropy_from_probabilities": from_probabilities,
    "binary_cross_entropy_from_probabilities": binary_from_probabilities,
    "nll": nll,
    "mse": of_residuals(lambda r: r * r),
    "half_mse": of_residuals(lambda r: r * r / 2),
    "mae": of_residuals(abs),
    "huber": huber,
    "smooth_l1": smooth_l1,
    "hinge": hinge,
    "squared_hinge": lambda output, target, margin=1.0: hinge(output, target, margin, 2),
    "multi_class_hinge": multi_class_hinge,
    "dice": dice,
    "tversky": tversky,
    "iou": iou,
    "triplet": triplet,
    "contrastive": contrastive,
    "nt_xent": nt_xent,
}
"""By the name of the record; a function of output, target and the loss's arguments."""
