"""Losses of embeddings that keep a vector per class: ArcFace and CosFace learn them, centre loss follows the means."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate_plugins.losses.tensors import wide, written
from striate_plugins.losses.triplet import check_embeddings


class AngularMargin(nn.Module):
    """Softmax over the cosines of an embedding with the directions of the classes; the right one is given a handicap.

    Attributes:
        weight: the directions, `K x D`; their lengths do not matter.
        held_back: what stands in place of the cosine with the right class, as a function of it.
    """

    def __init__(self, features: int, classes: int, scale: float, held_back: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.scale, self.held_back = scale, held_back
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(classes, features)))

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """Return the loss of embeddings `N x D` with class numbers `N`: the mean over the images."""
        check_embeddings(embeddings, classes)
        _check_features(embeddings, self.weight)
        vectors = wide(embeddings)
        directions = functional.normalize(self.weight.to(vectors.dtype), dim=1)
        cosines = (functional.normalize(vectors, dim=1) @ directions.T).clamp(-1, 1)
        right = cosines.gather(1, classes[:, None])
        scores = cosines.scatter(1, classes[:, None], self.held_back(right))
        return functional.cross_entropy(self.scale * scores, classes)


def _wider(cosine: Tensor, margin: float) -> Tensor:
    """Return cos(theta + m) of cos(theta).

    Past theta + m = pi the cosine would rise again and reward what is worst; there it goes on falling, as
    cos(theta) - m sin(m), the authors' own way. The gradient of the sine stays finite at 0 degrees.
    """
    sine = (1 - cosine.square()).clamp(min=torch.finfo(cosine.dtype).eps).sqrt()
    turned = cosine * math.cos(margin) - sine * math.sin(margin)
    beyond = cosine - margin * math.sin(margin)
    return torch.where(cosine > math.cos(math.pi - margin), turned, beyond)


class Centre(nn.Module):
    """Half the squared distance of an embedding from the centre of its class (Wen et al., 2016).

    The centres are no weights of the optimizer: while training, every batch moves them by the paper's own rule
    (equation 4), after its loss has been worked out.

    Attributes:
        centres: `K x D`; they start at 0.
    """

    centres: Tensor

    def __init__(self, features: int, classes: int, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("centres", torch.zeros(classes, features))

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """Return the loss of embeddings `N x D` with class numbers `N`: the mean over the images."""
        check_embeddings(embeddings, classes)
        _check_features(embeddings, self.centres)
        away = wide(embeddings) - self.centres.to(wide(embeddings).dtype)[classes]
        loss = away.square().sum(dim=1).mean() / 2
        if self.training:
            self._follow(away.detach(), classes)
        return loss

    @torch.no_grad()
    def _follow(self, away: Tensor, classes: Tensor) -> None:
        chosen = functional.one_hot(classes, len(self.centres)).to(away.dtype)
        # A product of matrices, not index_add_: its sums have an order, so that a resumed run comes out the same.
        steps = (chosen.T @ away) / (1 + chosen.sum(dim=0))[:, None]
        self.centres += self.rate * steps.to(self.centres.dtype)


def arcface(features: int, classes: int, scale: float = 64.0, margin: float = 0.5) -> AngularMargin:
    """Return ArcFace for embeddings of so many entries and so many classes: the margin widens the right angle."""
    return AngularMargin(features, classes, scale, partial(_wider, margin=margin))


def cosface(features: int, classes: int, scale: float = 64.0, margin: float = 0.35) -> AngularMargin:
    """Return CosFace for embeddings of so many entries and so many classes: the margin reduces the right cosine."""
    return AngularMargin(features, classes, scale, lambda cosine: cosine - margin)


def centre(features: int, classes: int, rate: float = 0.5) -> Centre:
    """Return centre loss for embeddings of so many entries and so many classes."""
    return Centre(features, classes, rate)


def _check_features(embeddings: Tensor, kept: Tensor) -> None:
    if embeddings.shape[1] != kept.shape[1]:
        raise ValueError(f"embeddings have {kept.shape[1]} entries here, not {written(embeddings[0])}")
