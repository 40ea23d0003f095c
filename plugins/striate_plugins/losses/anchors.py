"""Anchors (default boxes): which true box each one is to find, and boxes as offsets from anchors.

Anchors and boxes are `x1, y1, x2, y2`. Nothing here has a gradient but `decode`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from striate_plugins.losses.boxes import pairwise_iou

NOTHING = -1
"""The number of the true box of an anchor that is to find none."""
UNUSED = -2
"""The number for an anchor that is neither right nor wrong and counts nowhere."""

_LARGEST = math.log(1000.0 / 16)
"""Sides grow by no more than this in one step, so that an untrained network gives no infinite boxes."""


@torch.no_grad()
def assign(anchors: Tensor, boxes: Tensor, positive: float, negative: float) -> Tensor:
    """Return per anchor the number of its true box, `NOTHING` or `UNUSED`: `A` whole numbers.

    An anchor takes the box that it overlaps most, if their IoU is at least `positive`; below `negative` it is to find
    nothing. Every box gets the anchor that overlaps it most, if any does, whatever the thresholds: where two boxes
    want one anchor, the later keeps it.

    Args:
        anchors: `A x 4`.
        boxes: `G x 4`, G may be 0.
        positive: the least IoU of an anchor that finds a box.
        negative: the IoU below which an anchor finds nothing.
    """
    if len(boxes) == 0:
        return torch.full((len(anchors),), NOTHING, device=anchors.device)
    overlaps = pairwise_iou(anchors, boxes)
    best, found = overlaps.max(dim=1)
    assigned = torch.where(best >= positive, found, torch.full_like(found, UNUSED))
    assigned[best < negative] = NOTHING
    most, nearest = overlaps.max(dim=0)
    for number in range(len(boxes)):  # one after the other: on a graphics card, writes to one place have no order
        if most[number] > 0:
            assigned[nearest[number]] = number
    return assigned


def encode(boxes: Tensor, anchors: Tensor, variances: tuple[float, float] = (1.0, 1.0)) -> Tensor:
    """Return boxes as offsets from anchors, both `P x 4`: shifts in sizes of the anchor, and logarithms of growth.

    Args:
        boxes: true boxes with sides above 0.
        anchors: the anchors that are to find them.
        variances: what shifts and growths are divided by.

    Returns:
        `(dx, dy, dw, dh)`, Girshick et al., 2014, appendix C.
    """
    (centre, size), (middle, side) = _centred(boxes), _centred(anchors)
    growth = (size / side).clamp(min=torch.finfo(boxes.dtype).tiny).log()
    return torch.cat([(centre - middle) / side / variances[0], growth / variances[1]], dim=-1)


def decode(offsets: Tensor, anchors: Tensor, variances: tuple[float, float] = (1.0, 1.0)) -> Tensor:
    """Return the boxes that offsets from anchors stand for; the inverse of `encode`."""
    middle, side = _centred(anchors)
    centre = offsets[..., :2] * variances[0] * side + middle
    size = (offsets[..., 2:] * variances[1]).clamp(max=_LARGEST).exp() * side
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def choose(places: Tensor, number: int, generator: torch.Generator | None = None) -> Tensor:
    """Return at most so many of the given numbers, drawn without repeats; all of them where they are not more."""
    if len(places) <= number:
        return places
    order = torch.randperm(len(places), generator=generator).to(places.device)
    return places[order[:number]]


def _centred(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Return centres and sides of boxes."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
