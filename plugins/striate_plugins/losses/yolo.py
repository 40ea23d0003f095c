"""The loss of the first YOLO: squared errors of boxes, confidences and classes on a grid (Redmon et al., 2016).

Square roots are taken of width and height, so that the same error counts more for a small box. A network's output may
be negative, where there is no root: below the width `_SMALLEST` the root goes on straight, along its tangent, so that
the gradient stays finite and leads back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from striate_plugins.losses.boxes import overlap
from striate_plugins.losses.tensors import ratio, wide, written

_SMALLEST = 1e-4
"""A width in shares of the image: less than a pixel of any."""


def yolo(
    boxes: int = 2, coordinate_weight: float = 5.0, no_object_weight: float = 0.5
) -> Callable[[Tensor, Sequence[Tensor], Sequence[Tensor]], Tensor]:
    """Return the loss as a function of predictions, true boxes and their classes: the sum over cells, mean over images.

    The returned function takes:
        predictions: `N x S x S x (5 B + K)`: per cell (row, column) B boxes `x, y, w, h, confidence`, the centre
            relative to the cell, the sides relative to the image, and then K class probabilities.
        truth: per image `G x 4`, corners from 0 to 1.
        labels: per image `G` class numbers from 0.

    The cell that holds the centre of a true box answers for it, by the box that overlaps it most; of several true
    boxes in one cell the first counts, since a cell has one set of classes.

    Args:
        boxes: boxes per cell, B.
        coordinate_weight: the weight of the errors of places and sides.
        no_object_weight: the weight of the confidences of boxes that answer for nothing.
    """

    def loss(predictions: Tensor, truth: Sequence[Tensor], labels: Sequence[Tensor]) -> Tensor:
        _check(predictions, truth, labels, boxes)
        terms = [
            _of_image(wide(cells), true.to(wide(cells).dtype), classes)
            for cells, true, classes in zip(predictions, truth, labels, strict=True)
        ]
        return torch.stack(terms).mean()

    def _of_image(cells: Tensor, true: Tensor, classes: Tensor) -> Tensor:
        size = cells.shape[0]
        guesses, shares = cells[..., : 5 * boxes].reshape(size, size, boxes, 5), cells[..., 5 * boxes :]
        rows, columns, first = _cells(true, size)
        true, classes = true[first], classes[first]
        mine = guesses[rows, columns]  # G x B x 5
        overlaps = _overlaps(mine, true, rows, columns, size)
        best = overlaps.argmax(dim=1)
        numbers = torch.arange(len(true), device=cells.device)
        chosen = mine[numbers, best]
        place = (chosen[:, :2] - _within(true, rows, columns, size)).square().sum()
        sides = (_root(chosen[:, 2:4]) - _root(true[:, 2:] - true[:, :2])).square().sum()
        sure = (chosen[:, 4] - overlaps[numbers, best]).square().sum()
        idle = torch.ones_like(guesses[..., 0])
        idle[rows, columns, best] = 0
        unsure = (guesses[..., 4].square() * idle).sum()
        wanted = torch.zeros_like(shares[rows, columns])
        wanted[numbers, classes] = 1
        named = (shares[rows, columns] - wanted).square().sum()
        return coordinate_weight * (place + sides) + sure + no_object_weight * unsure + named

    return loss


def _cells(true: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return row and column of the cells that hold a centre, and the number of the first box in each."""
    places = ((true[:, :2] + true[:, 2:]) / 2 * size).long().clamp(0, size - 1)
    seen: dict[tuple[int, int], int] = {}
    for number, (column, row) in enumerate(places.tolist()):
        seen.setdefault((row, column), number)
    rows = torch.tensor([row for row, _ in seen], dtype=torch.long, device=true.device)
    columns = torch.tensor([column for _, column in seen], dtype=torch.long, device=true.device)
    return rows, columns, torch.tensor(list(seen.values()), dtype=torch.long, device=true.device)


def _within(true: Tensor, rows: Tensor, columns: Tensor, size: int) -> Tensor:
    """Return where in its cell a box has its centre, from 0 to 1."""
    centres = (true[:, :2] + true[:, 2:]) / 2
    return centres * size - torch.stack([columns, rows], dim=1)


@torch.no_grad()
def _overlaps(mine: Tensor, true: Tensor, rows: Tensor, columns: Tensor, size: int) -> Tensor:
    """Return the IoU of each cell's guesses with its true box, `G x B`; as a target it has no gradient."""
    corner = torch.stack([columns, rows], dim=1)[:, None]
    centre, half = (mine[..., :2] + corner) / size, mine[..., 2:4].clamp(min=0) / 2
    return ratio(*overlap(torch.cat([centre - half, centre + half], dim=-1), true[:, None]), 0.0)


def _root(sides: Tensor) -> Tensor:
    """Return the square root, continued along its tangent below `_SMALLEST`."""
    edge = _SMALLEST**0.5
    return torch.where(sides >= _SMALLEST, sides.clamp(min=_SMALLEST).sqrt(), edge + (sides - _SMALLEST) / (2 * edge))


def _check(predictions: Tensor, truth: Sequence[Tensor], labels: Sequence[Tensor], boxes: int) -> None:
    if predictions.dim() != 4 or predictions.shape[1] != predictions.shape[2] or predictions.shape[3] <= 5 * boxes:
        raise ValueError(f"predictions are N x S x S x (5 * {boxes} + classes), not {written(predictions)}")
    if not len(truth) == len(labels) == len(predictions):
        raise ValueError(f"there are {len(predictions)} images, but boxes of {len(truth)} and labels of {len(labels)}")
