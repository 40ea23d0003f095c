"""Cross-entropy from scores: softmax for one class of many, sigmoid for every class apart, and its relatives.

All take images (`N x classes`) and pixels (`N x classes x H x W`) alike.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import (
    along_classes,
    check_classes,
    comparable,
    per_class,
    wide,
)

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(label_smoothing: float = 0.0, class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of scores and class numbers.

    Args:
        label_smoothing: the target is `1 - s` for the right class plus `s / classes` for all.
        class_weights: the mean over the batch is weighted by the class of each image or pixel.
    """

    def loss(scores: Tensor, classes: Tensor) -> Tensor:
        check_classes(scores, classes)
        scores = wide(scores)
        if class_weights is None:
            return functional.cross_entropy(scores, classes, label_smoothing=label_smoothing)
        weights = per_class(class_weights, scores)
        total = functional.cross_entropy(
            scores, classes, weight=weights, label_smoothing=label_smoothing, reduction="sum"
        )
        return _weighted_mean(total, weights[classes].sum())

    return loss


def categorical_cross_entropy(label_smoothing: float = 0.0, class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of scores and the shares of the classes, both `N x K` or `N x K x H x W`.

    For shares of 1 and 0 it is `cross_entropy` of the class numbers, whatever the arguments: the mean is weighted by
    the shares' weights.
    """

    def loss(scores: Tensor, shares: Tensor) -> Tensor:
        scores, shares = comparable(scores, shares)
        if class_weights is None:
            return functional.cross_entropy(scores, shares, label_smoothing=label_smoothing)
        weights = per_class(class_weights, scores)
        total = functional.cross_entropy(
            scores, shares, weight=weights, label_smoothing=label_smoothing, reduction="sum"
        )
        return _weighted_mean(total, (along_classes(weights, shares) * shares).sum())

    return loss


def binary_cross_entropy(label_smoothing: float = 0.0, positive_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of scores and shares of one shape; every entry is a question of its own.

    Args:
        label_smoothing: a share y becomes `y (1 - s) + s / 2`.
        positive_weights: per class, how much a 1 counts compared with a 0.
    """

    def loss(scores: Tensor, shares: Tensor) -> Tensor:
        scores, shares = comparable(scores, shares)
        weights = None
        if positive_weights is not None:
            weights = along_classes(per_class(positive_weights, scores, "positive_weights"), scores)
        wanted = shares * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(scores, wanted, pos_weight=weights)

    return loss


def kl_divergence(label_smoothing: float = 0.0) -> Loss:
    """Return KL(shares || softmax of the scores), the mean over the images or pixels.

    Args:
        label_smoothing: a share y becomes `y (1 - s) + s / classes`.
    """

    def loss(scores: Tensor, shares: Tensor) -> Tensor:
        scores, shares = comparable(scores, shares)
        wanted = shares * (1 - label_smoothing) + label_smoothing / scores.shape[1]
        places = scores.numel() // scores.shape[1]
        return functional.kl_div(scores.log_softmax(dim=1), wanted, reduction="sum") / max(places, 1)

    return loss


def brier() -> Loss:
    """Return the squared distance of the softmax from the shares: the sum over classes, the mean over places."""

    def loss(scores: Tensor, shares: Tensor) -> Tensor:
        scores, shares = comparable(scores, shares)
        return (scores.softmax(dim=1) - shares).square().sum(dim=1).mean()

    return loss


def _weighted_mean(total: Tensor, weight: Tensor) -> Tensor:
    """Return total / weight; 0 where every example of the batch has the weight 0."""
    return torch.where(weight > 0, total / torch.where(weight > 0, weight, 1.0), total * 0)
