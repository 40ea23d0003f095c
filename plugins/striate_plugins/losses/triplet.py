"""Triplet losses: closer to one's own class than to others by a margin (Schroff et al., 2015).

Distances are worked out without the expansion |a|^2 + |b|^2 - 2ab, which loses all digits where vectors are close;
their gradient is 0, not infinite, where two vectors are equal.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import mean_or_zero, wide, written


def triplet(
    margin: float = 0.2, mining: str = "semi_hard", squared: bool = True, normalise: bool = True
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of embeddings `N x D` and class numbers `N`: triplets are made within the batch.

    A batch without a triplet (one class only, or no two images of any) costs 0.

    Args:
        margin: by how much the other class has to be farther.
        mining: `all`: the mean over all triplets that cost something; `hard`: for each image the farthest of its class
            and the nearest of another (Hermans et al., 2017); `semi_hard`: for each pair of a class the nearest of
            another class that is farther than the pair, or where there is none the farthest.
        squared: whether distances are squared.
        normalise: whether embeddings are brought to length 1.
    """

    def loss(embeddings: Tensor, classes: Tensor) -> Tensor:
        check_embeddings(embeddings, classes)
        apart = distances(_placed(embeddings, normalise), squared)
        alike = classes[:, None] == classes[None]
        same, other = alike & ~torch.eye(len(classes), dtype=torch.bool, device=classes.device), ~alike
        return _MINED[mining](apart, same, other, margin)

    return loss


def triplet_margin(
    margin: float = 0.2, squared: bool = True, normalise: bool = False
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the loss as a function of anchors, positives and negatives, all `N x D`: the mean over the triplets."""

    def loss(anchors: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        if not anchors.shape == positives.shape == negatives.shape:
            raise ValueError(
                f"anchors, positives and negatives have one shape, not {written(anchors)}, {written(positives)} and "
                f"{written(negatives)}"
            )
        first, second, third = (_placed(item, normalise) for item in (anchors, positives, negatives))
        terms = (_between(first, second, squared) - _between(first, third, squared) + margin).relu()
        return mean_or_zero(terms)

    return loss


def distances(embeddings: Tensor, squared: bool) -> Tensor:
    """Return the Euclidean distances of all pairs, `N x N`."""
    apart = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")
    return apart.square() if squared else apart


def check_embeddings(embeddings: Tensor, classes: Tensor) -> None:
    """Hold class numbers to embeddings.

    Raises:
        ValueError: they are not `N x D` and `N`.
    """
    if embeddings.dim() != 2 or classes.shape != embeddings.shape[:1]:
        raise ValueError(f"embeddings are N x D and classes N, not {written(embeddings)} and {written(classes)}")


def _placed(embeddings: Tensor, normalise: bool) -> Tensor:
    return functional.normalize(wide(embeddings), dim=-1) if normalise else wide(embeddings)


def _between(first: Tensor, second: Tensor, squared: bool) -> Tensor:
    """Return the distances of rows; torch's norm has a gradient of 0 at 0."""
    apart: Tensor = torch.linalg.vector_norm(first - second, dim=-1)
    return apart.square() if squared else apart


def _batch_all(apart: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    terms = (apart[:, :, None] - apart[:, None, :] + margin).relu() * (same[:, :, None] & other[:, None, :])
    return terms.sum() / (terms > 0).sum().clamp(min=1)


def _batch_hard(apart: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    farthest = apart.masked_fill(~same, -torch.inf).amax(dim=1)
    nearest = apart.masked_fill(~other, torch.inf).amin(dim=1)
    usable = same.any(dim=1) & other.any(dim=1)
    return mean_or_zero((farthest[usable] - nearest[usable] + margin).relu()) + apart.sum() * 0


def _semi_hard(apart: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    farther = other[:, None, :] & (apart[:, None, :] > apart[:, :, None])
    nearest = apart[:, None, :].expand_as(farther).masked_fill(~farther, torch.inf).amin(dim=2)
    farthest = apart.masked_fill(~other, -torch.inf).amax(dim=1)[:, None].expand_as(apart)
    usable = same & other.any(dim=1)[:, None]
    chosen = torch.where(farther.any(dim=2), nearest, farthest)
    return mean_or_zero((apart[usable] - chosen[usable] + margin).relu()) + apart.sum() * 0


_MINED: dict[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "all": _batch_all,
    "hard": _batch_hard,
    "semi_hard": _semi_hard,
}
MINING = tuple(_MINED)
