"""Cross-entropy from probabilities, for networks that end in a softmax or sigmoid, and from their logarithms.

A probability of 0 for the right class costs the logarithm of the smallest one that is told apart, not infinity. Where
there is a choice, the forms from scores are better: they lose nothing where a softmax rounds to 0.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import along_classes, as_rows, check_classes, comparable, per_class, wide

SMALLEST = 1e-12
"""Probabilities below are taken for this one."""

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy_from_probabilities(class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of probabilities and class numbers; the mean is weighted by class."""
    compare = negative_log_likelihood(class_weights)

    def loss(probabilities: Tensor, classes: Tensor) -> Tensor:
        return compare(wide(probabilities).clamp(min=SMALLEST).log(), classes)

    return loss


def categorical_cross_entropy_from_probabilities(class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of probabilities and shares, weighted like the form from scores."""

    def loss(probabilities: Tensor, shares: Tensor) -> Tensor:
        probabilities, shares = comparable(probabilities, shares)
        logs = probabilities.clamp(min=SMALLEST).log()
        if class_weights is None:
            return -(shares * logs).sum(dim=1).mean()
        weights = along_classes(per_class(class_weights, shares), shares) * shares
        return -(weights * logs).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)

    return loss


def binary_cross_entropy_from_probabilities(class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of probabilities and shares of one shape, the mean over all entries.

    Args:
        class_weights: per class, how much its entries count; the mean is over their number, not their weights.
    """

    def loss(probabilities: Tensor, shares: Tensor) -> Tensor:
        probabilities, shares = comparable(probabilities, shares)
        weights = None
        if class_weights is not None:
            weights = along_classes(per_class(class_weights, shares), shares).expand_as(shares)
        return functional.binary_cross_entropy(probabilities, shares, weight=weights)

    return loss


def negative_log_likelihood(class_weights: tuple[float, ...] | None = None) -> Loss:
    """Return the loss as a function of log-probabilities (what `log_softmax` gives) and class numbers."""

    def loss(logs: Tensor, classes: Tensor) -> Tensor:
        if class_weights is None:
            check_classes(logs, classes)
            return functional.nll_loss(wide(logs), classes)
        weights = per_class(class_weights, wide(logs))
        rows, numbers = as_rows(logs, classes)
        total = functional.nll_loss(rows, numbers, weight=weights, reduction="sum")
        return total / weights[numbers].sum().clamp(min=torch.finfo(weights.dtype).tiny)

    return loss
