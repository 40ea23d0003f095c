"""The losses of detectors in float64 numpy, anchor by anchor and cell by cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.plugins.losses.definitions import box_terms, sigmoid, softmax

Array = np.ndarray[Any, Any]


def smooth_l1(values: Array, beta: float = 1.0) -> float:
    return sum(v * v / 2 / beta if abs(v) < beta else abs(v) - beta / 2 for v in values.ravel())


def overlap(a: Array, b: Array) -> float:
    return box_terms(a, b)[0]


def matched(anchors: Array, boxes: Array, positive: float, negative: float) -> list[int]:
    """Return per anchor the number of its box, -1 for nothing, -2 for one that does not count."""
    found = []
    for anchor in anchors:
        overlaps = [overlap(anchor, box) for box in boxes]
        best = max(overlaps, default=0.0)
        found.append(overlaps.index(best) if boxes.size and best >= positive else -1 if best < negative else -2)
    for number, box in enumerate(boxes):
        overlaps = [overlap(anchor, box) for anchor in anchors]
        if max(overlaps) > 0:
            found[overlaps.index(max(overlaps))] = number
    return found


def offsets_of(box: Array, anchor: Array, variances: tuple[float, float] = (1.0, 1.0)) -> Array:
    width, height = anchor[2] - anchor[0], anchor[3] - anchor[1]
    shift = ((box[:2] + box[2:]) / 2 - (anchor[:2] + anchor[2:]) / 2) / np.array([width, height])
    growth = np.log((box[2:] - box[:2]) / np.array([width, height]))
    return np.concatenate([shift / variances[0], growth / variances[1]])


def ssd(offsets: Array, scores: Array, anchors: Array, boxes: list[Array], labels: list[Array]) -> float:
    total, count = 0.0, 0
    for image in range(len(offsets)):
        found = matched(anchors, boxes[image], 0.5, 0.5)
        entropies: list[float] = []
        idle: list[float] = []
        for a, number in enumerate(found):
            wanted = int(labels[image][number]) if number >= 0 else 0
            entropy = -math.log(softmax(scores[image, a])[wanted])
            (entropies if number >= 0 else idle).append(entropy)
            if number >= 0:
                goal = offsets_of(boxes[image][number], anchors[a], (0.1, 0.2))
                total += smooth_l1(offsets[image, a] - goal)
        total += sum(entropies) + sum(sorted(idle, reverse=True)[: 3 * len(entropies)])
        count += len(entropies)
    return total / count if count else 0.0


def region_proposal(
    objectness: Array, offsets: Array, anchors: Array, boxes: list[Array], weight: float = 10.0, per_place: int = 9
) -> float:
    """Without sampling."""
    terms = []
    for image in range(len(offsets)):
        found = matched(anchors, boxes[image], 0.7, 0.3)
        entropy, place, used = 0.0, 0.0, 0
        for a, number in enumerate(found):
            if number == -2:
                continue
            p = sigmoid(objectness[image, a])
            entropy -= math.log(p if number >= 0 else 1 - p)
            used += 1
            if number >= 0:
                place += smooth_l1(offsets[image, a] - offsets_of(boxes[image][number], anchors[a]))
        terms.append(entropy / used + weight * place / (len(anchors) / per_place))
    return float(np.mean(terms))


def fast_rcnn(scores: Array, offsets: Array, labels: Array, targets: Array, weight: float = 1.0) -> float:
    total = 0.0
    for region, label in enumerate(labels):
        total -= math.log(softmax(scores[region])[label])
        if label >= 1:
            total += weight * smooth_l1(offsets[region, label] - targets[region])
    return total / len(labels)


def yolo(cells: Array, boxes: list[Array], labels: list[Array], each: int) -> float:
    size, terms = cells.shape[1], []
    for image in range(len(cells)):
        owners: dict[tuple[int, int], int] = {}
        for number, box in enumerate(boxes[image]):
            column, row = (int((box[axis] + box[axis + 2]) / 2 * size) for axis in (0, 1))
            owners.setdefault((row, column), number)
        total = 0.0
        for row in range(size):
            for column in range(size):
                cell = cells[image, row, column]
                guesses, shares = cell[: 5 * each].reshape(each, 5), cell[5 * each :]
                owner = owners.get((row, column))
                answering = None
                if owner is not None:
                    box = boxes[image][owner]
                    overlaps = []
                    for x, y, w, h, _ in guesses:
                        centre = np.array([(column + x) / size, (row + y) / size])
                        half = np.array([w, h]) / 2
                        overlaps.append(overlap(np.concatenate([centre - half, centre + half]), box))
                    answering = int(np.argmax(overlaps))
                    x, y, w, h, sure = guesses[answering]
                    centre = (box[:2] + box[2:]) / 2 * size - np.array([column, row])
                    sides = np.sqrt(box[2:] - box[:2])
                    total += 5 * ((x - centre[0]) ** 2 + (y - centre[1]) ** 2)
                    total += 5 * ((math.sqrt(w) - sides[0]) ** 2 + (math.sqrt(h) - sides[1]) ** 2)
                    total += (sure - overlaps[answering]) ** 2
                    wanted = np.eye(len(shares))[labels[image][owner]]
                    total += ((shares - wanted) ** 2).sum()
                total += 0.5 * sum(guesses[b][4] ** 2 for b in range(each) if b != answering)
        terms.append(total)
    return float(np.mean(terms))
