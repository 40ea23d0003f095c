"""The losses of what looks at proposed regions: class and box (Fast R-CNN), and mask (Mask R-CNN)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import wide, written


def fast_rcnn(weight: float = 1.0, beta: float = 1.0) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """Return the loss as a function of scores, offsets, classes and the offsets wanted, for R regions.

    The returned function takes:
        scores: `R x (1 + K)`; class 0 is the background.
        offsets: `R x (1 + K) x 4` for one box per class, or `R x 4`.
        labels: `R` class numbers.
        targets: `R x 4`, the offsets wanted; those of background regions do not matter.

    Args:
        weight: the balance lambda of the offsets' part.
        beta: where smooth L1 becomes straight.
    """

    def loss(scores: Tensor, offsets: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
        regions = len(scores)
        if targets.shape != (regions, 4) or labels.shape != (regions,) or offsets.shape[0] != regions:
            raise ValueError(
                f"scores are R x classes, offsets R x classes x 4 or R x 4, labels R, targets R x 4, not "
                f"{written(scores)}, {written(offsets)}, {written(labels)} and {written(targets)}"
            )
        scores, offsets = wide(scores), wide(offsets)
        entropy = functional.cross_entropy(scores, labels, reduction="sum")
        found = (labels > 0).nonzero()[:, 0]
        moves = offsets[found] if offsets.dim() == 2 else offsets[found, labels[found]]
        place = functional.smooth_l1_loss(moves, targets[found].to(moves.dtype), reduction="sum", beta=beta)
        return (entropy + weight * place) / max(regions, 1)

    return loss


def region_mask() -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the mask loss as a function of scores, classes and true masks, for R regions.

    The returned function takes:
        scores: `R x (1 + K) x m x m`, before a sigmoid; only the map of a region's own class counts.
        labels: `R` class numbers; regions of class 0, the background, do not count.
        masks: `R x m x m`, 1 where the object is.
    """

    def loss(scores: Tensor, labels: Tensor, masks: Tensor) -> Tensor:
        if scores.dim() != 4 or masks.shape != (len(scores), *scores.shape[2:]) or labels.shape != scores.shape[:1]:
            raise ValueError(
                f"scores are R x classes x m x m, labels R, masks R x m x m, not {written(scores)}, "
                f"{written(labels)} and {written(masks)}"
            )
        scores = wide(scores)
        found = (labels > 0).nonzero()[:, 0]
        chosen = scores[found, labels[found]]
        terms = functional.binary_cross_entropy_with_logits(chosen, masks[found].to(chosen.dtype), reduction="none")
        return torch.sum(terms) / max(terms.numel(), 1)

    return loss
