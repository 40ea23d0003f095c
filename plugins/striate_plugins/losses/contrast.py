"""Contrastive losses: pairs (Hadsell et al., 2006), and many views against each other (NT-Xent)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import mean_or_zero, wide, written
from striate_plugins.losses.triplet import check_embeddings, distances


def contrastive(margin: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of embeddings `N x D` and class numbers `N`: the mean over all pairs of the batch.

    Args:
        margin: the distance from which two classes are far enough apart.
    """

    def loss(embeddings: Tensor, classes: Tensor) -> Tensor:
        check_embeddings(embeddings, classes)
        apart = distances(wide(embeddings), squared=False)
        first, second = torch.triu_indices(len(classes), len(classes), 1, device=classes.device)
        return _of_pairs(apart[first, second], classes[first] == classes[second], margin)

    return loss


def contrastive_pairs(margin: float = 1.0) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the loss as a function of two sets of embeddings `N x D` and `N` numbers, 1 where a pair is alike."""

    def loss(first: Tensor, second: Tensor, alike: Tensor) -> Tensor:
        if first.shape != second.shape or alike.shape != first.shape[:-1]:
            raise ValueError(
                f"the two sets have one shape and alike a number per pair, not {written(first)}, {written(second)} "
                f"and {written(alike)}"
            )
        apart = torch.linalg.vector_norm(wide(first) - wide(second), dim=-1)
        return _of_pairs(apart, alike.bool(), margin)

    return loss


def nt_xent(temperature: float = 0.5) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of embeddings `N x D` and numbers `N`: equal numbers are positives of each other.

    With two views of each image and the images numbered it is NT-Xent (Chen et al., 2020): for every one of the 2 B
    anchors the denominator has the 2 B - 1 others, never itself. With class numbers it is the supervised contrastive
    loss (Khosla et al., 2020, equation 2). Anchors without a positive do not count.

    Args:
        temperature: what the cosines are divided by.
    """

    def loss(embeddings: Tensor, classes: Tensor) -> Tensor:
        check_embeddings(embeddings, classes)
        vectors = functional.normalize(wide(embeddings), dim=-1)
        itself = torch.eye(len(classes), dtype=torch.bool, device=classes.device)
        alike = vectors @ vectors.T / temperature
        logs = alike - alike.masked_fill(itself, -torch.inf).logsumexp(dim=1, keepdim=True)
        positive = (classes[:, None] == classes[None]) & ~itself
        counts = positive.sum(dim=1)
        usable = counts > 0
        # Chosen before the sum: of a single embedding the denominator is empty, and infinity times 0 is no number.
        terms = -torch.where(positive, logs, 0.0).sum(dim=1)[usable] / counts[usable]
        return mean_or_zero(terms) + vectors.sum() * 0

    return loss


def _of_pairs(apart: Tensor, alike: Tensor, margin: float) -> Tensor:
    return mean_or_zero(torch.where(alike, apart.square(), (margin - apart).relu().square()) / 2)
