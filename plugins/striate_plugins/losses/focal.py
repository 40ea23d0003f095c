"""Focal loss: cross-entropy in which what is already right counts less (Lin et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import as_rows, comparable, per_class

Loss = Callable[[Tensor, Tensor], Tensor]


def focal(gamma: float = 2.0, class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss of a softmax as a function of scores and class numbers: the mean over images or pixels.

    Args:
        gamma: how much what is right is played down; 0 is cross-entropy.
        class_weights: the factor alpha of each class; the mean is over the places, not over their weights.
    """

    def loss(scores: Tensor, classes: Tensor) -> Tensor:
        rows, numbers = as_rows(scores, classes)
        logs = -functional.cross_entropy(rows, numbers, reduction="none")
        terms = -_power(-torch.expm1(logs), gamma) * logs
        if class_weights is not None:
            terms = terms * per_class(class_weights, rows)[numbers]
        return terms.mean()

    return loss


def binary_focal(gamma: float = 2.0, alpha: float | None = 0.25, normalise: str = "entries") -> Loss:
    """Return the loss of sigmoids as a function of scores and shares of one shape.

    Args:
        gamma: how much what is right is played down; 0 is binary cross-entropy.
        alpha: the weight of a 1; that of a 0 is `1 - alpha`. None weighs both alike.
        normalise: `entries` for the mean over all entries, `positives` for the sum over the number of ones, as
            detectors have it.
    """

    def loss(scores: Tensor, shares: Tensor) -> Tensor:
        scores, shares = comparable(scores, shares)
        entropy = functional.binary_cross_entropy_with_logits(scores, shares, reduction="none")
        # 1 - p_t without a difference of numbers near 1.
        wrong = shares * torch.sigmoid(-scores) + (1 - shares) * torch.sigmoid(scores)
        terms = _power(wrong, gamma) * entropy
        if alpha is not None:
            terms = terms * (alpha * shares + (1 - alpha) * (1 - shares))
        if normalise == "entries":
            return terms.mean()
        return terms.sum() / shares.sum().clamp(min=1)

    return loss


def _power(wrong: Tensor, gamma: float) -> Tensor:
    """Return wrong ** gamma with a finite gradient at 0, also for a gamma below 1."""
    return wrong.clamp(min=torch.finfo(wrong.dtype).tiny) ** gamma
