"""The loss of the single-shot detector, with hard negative mining (Liu et al., 2016, section 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.anchors import assign, encode
from striate_plugins.losses.tensors import wide, written


def ssd(
    alpha: float = 1.0,
    negatives: float = 3.0,
    threshold: float = 0.5,
    centre_variance: float = 0.1,
    size_variance: float = 0.2,
) -> Callable[[Tensor, Tensor, Tensor, Sequence[Tensor], Sequence[Tensor]], Tensor]:
    """Return the loss as a function of offsets, scores, anchors, true boxes and their classes.

    The returned function takes:
        offsets: `N x A x 4`, from the anchors.
        scores: `N x A x (1 + K)`; class 0 is the background.
        anchors: `A x 4`, corners.
        boxes: per image `G x 4`, corners in the units of the anchors.
        labels: per image `G` class numbers from 1.

    Args:
        alpha: the weight of the offsets' part.
        negatives: how many background anchors count for each one with a box; those with the largest loss do.
        threshold: the IoU from which an anchor is to find a box.
        centre_variance: what shifts of the centre are divided by.
        size_variance: what logarithms of growth are divided by.
    """
    variances = (centre_variance, size_variance)

    def loss(
        offsets: Tensor, scores: Tensor, anchors: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]
    ) -> Tensor:
        _check(offsets, scores, anchors, boxes, labels)
        offsets, scores = wide(offsets), wide(scores)
        total, matched = (offsets.sum() + scores.sum()) * 0, 0
        for one in range(len(offsets)):
            place, confidence, count = _of_image(
                offsets[one], scores[one], anchors.to(offsets.dtype), boxes[one].to(offsets.dtype), labels[one]
            )
            total, matched = total + confidence + alpha * place, matched + count
        return total / max(matched, 1)

    def _of_image(
        offsets: Tensor, scores: Tensor, anchors: Tensor, boxes: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor, int]:
        """Return what an image adds: the offsets' part, the classes' part, and the number of matched anchors."""
        assigned = assign(anchors, boxes, threshold, threshold)
        found = assigned >= 0
        wanted = torch.zeros_like(assigned)
        wanted[found] = labels[assigned[found]]
        entropy = functional.cross_entropy(scores, wanted, reduction="none")
        goal = encode(boxes[assigned[found]], anchors[found], variances)
        place = functional.smooth_l1_loss(offsets[found], goal, reduction="sum")
        count = int(found.sum())
        hardest = entropy[~found].topk(min(int(negatives * count), int((~found).sum()))).values
        return place, entropy[found].sum() + hardest.sum(), count

    return loss


def _check(offsets: Tensor, scores: Tensor, anchors: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
    if offsets.dim() != 3 or offsets.shape[1:] != anchors.shape or scores.shape[:2] != offsets.shape[:2]:
        raise ValueError(
            f"offsets are N x A x 4, scores N x A x classes, anchors A x 4, not {written(offsets)}, "
            f"{written(scores)} and {written(anchors)}"
        )
    if not len(boxes) == len(labels) == len(offsets):
        raise ValueError(f"there are {len(offsets)} images, but boxes of {len(boxes)} and labels of {len(labels)}")
