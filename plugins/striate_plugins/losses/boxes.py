"""How boxes overlap, and the losses of it: IoU, generalised, distance and complete IoU.

A box is `x1, y1, x2, y2`, left, top, right and bottom in pixels or shares of the image. What is turned inside out
(x2 < x1) has no area. Nothing is divided by 0: two boxes without area have an IoU of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from striate_plugins.losses.tensors import comparable, mean_or_zero, ratio, wide, written

Loss = Callable[[Tensor, Tensor], Tensor]

_THINNEST = 1e-7
"""The smallest side of a box in its aspect ratio, so that the gradient of the arc tangent stays finite."""


def area(boxes: Tensor) -> Tensor:
    """Return the areas of boxes `… x 4`."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def overlap(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return intersection and union of boxes `… x 4`, pair by pair; shapes are stretched as torch does it."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    sides = (high - low).clamp(min=0)
    both = sides[..., 0] * sides[..., 1]
    return both, area(first) + area(second) - both


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of every box of `A x 4` with every one of `B x 4`, as `A x B`."""
    both, either = overlap(wide(first)[:, None], wide(second)[None])
    return ratio(both, either, 0.0)


def box_iou() -> Loss:
    """Return 1 - IoU as a function of predicted and true boxes, both `N x 4`: the mean over the boxes."""
    return _mean_of(lambda output, target: 1 - ratio(*overlap(output, target), 0.0))


def box_giou() -> Loss:
    """Return 1 - IoU + the share of the smallest box around both that neither covers."""

    def terms(output: Tensor, target: Tensor) -> Tensor:
        both, either = overlap(output, target)
        around = area(_hull(output, target))
        return 1 - ratio(both, either, 0.0) + ratio(around - either, around, 0.0)

    return _mean_of(terms)


def box_diou() -> Loss:
    """Return 1 - IoU + the squared distance of the centres over the squared diagonal of the box around both."""
    return _mean_of(lambda output, target: 1 - ratio(*overlap(output, target), 0.0) + _apart(output, target))


def box_ciou() -> Loss:
    """Return the DIoU loss + a v, where v is how much the aspect ratios differ, and a = v / (1 - IoU + v) is constant.

    That a has no gradient is the paper's reading of its own formula (Zheng et al., 2020, equation 12).
    """

    def terms(output: Tensor, target: Tensor) -> Tensor:
        iou = ratio(*overlap(output, target), 0.0)
        differ = (4 / math.pi**2) * (_slope(target) - _slope(output)).square()
        with torch.no_grad():
            factor = ratio(differ, 1 - iou + differ, 0.0)
        return 1 - iou + _apart(output, target) + factor * differ

    return _mean_of(terms)


def _mean_of(terms: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        output, target = comparable(output, target)
        if output.shape[-1:] != (4,):
            raise ValueError(f"boxes are N x 4 (x1, y1, x2, y2), not {written(output)}")
        return mean_or_zero(terms(output, target))

    return loss


def _hull(first: Tensor, second: Tensor) -> Tensor:
    """Return the smallest boxes around pairs of boxes."""
    low = torch.minimum(first[..., :2], second[..., :2])
    return torch.cat([low, torch.maximum(first[..., 2:], second[..., 2:])], dim=-1)


def _apart(first: Tensor, second: Tensor) -> Tensor:
    """Return the squared distance of centres over the squared diagonal of the hull."""
    between = ((first[..., :2] + first[..., 2:]) - (second[..., :2] + second[..., 2:])) / 2
    around = _hull(first, second)
    diagonal = around[..., 2:] - around[..., :2]
    return ratio(between.square().sum(dim=-1), diagonal.square().sum(dim=-1), 0.0)


def _slope(boxes: Tensor) -> Tensor:
    """Return the arc tangent of width over height."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=_THINNEST)
    return torch.atan2(sides[..., 0], sides[..., 1])
