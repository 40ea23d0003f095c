"""Softmax cross-entropy, for images (`N x classes`) and for pixels (`N x classes x H x W`)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(
    label_smoothing: float = 0.0, class_weights: tuple[float, ...] | None = None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of scores and class numbers.

    Args:
        label_smoothing: the target is `1 - s` for the right class plus `s / classes` for all.
        class_weights: the mean over the batch is weighted by the class of each image or pixel.
    """
    weights = None if class_weights is None else torch.tensor(class_weights)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        if weights is not None and len(weights) != logits.shape[1]:
            raise ValueError(f"class_weights has {len(weights)} entries, but there are {logits.shape[1]} classes")
        placed = None if weights is None else weights.to(logits)
        return functional.cross_entropy(logits, targets, weight=placed, label_smoothing=label_smoothing)

    return loss
