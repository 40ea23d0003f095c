"""Losses of embeddings that keep a vector per class: ArcFace and CosFace learn them, centre loss follows the means."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate_plugins.losses.tensors import wide, written
from striate_plugins.losses.triplet import check_embeddings


class AngularMargin(nn.Module):
    """Softmax over the cosines of an embedding with the directions of the classes; the right one is given a handicap.

    Attributes:
        weight: the directions, `K x D`; their lengths do not matter.
    """

    def __init__(self, features: int, classes: int, scale: float, margin: float) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(classes, features)))

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """Return the loss of embeddings `N x D` with class numbers `N`: the mean over the images."""
        check_embeddings(embeddings, classes)
        _check_features(embeddings, self.weight)
        vectors = wide(embeddings)
        directions = functional.normalize(self.weight.to(vectors.dtype), dim=1)
        cosines = (functional.normalize(vectors, dim=1) @ directions.T).clamp(-1, 1)
        right = cosines.gather(1, classes[:, None])
        return functional.cross_entropy(
            self.scale * cosines.scatter(1, classes[:, None], self.held_back(right)), classes
        )

    def held_back(self, cosine: Tensor) -> Tensor:
        """Return what stands in place of the cosine with the right class."""
        raise NotImplementedError("which margin it is, the two classes below say")


class ArcFace(AngularMargin):
    """The margin is added to the angle: cos(theta + m).

    Past theta + m = pi the cosine would rise again and reward what is worst; there it goes on falling, as
    cos(theta) - m sin(m) (the authors' own way).
    """

    def held_back(self, cosine: Tensor) -> Tensor:
        """Return cos(theta + m); the gradient of the sine stays finite at 0 degrees."""
        sine = (1 - cosine.square()).clamp(min=torch.finfo(cosine.dtype).eps).sqrt()
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine > math.cos(math.pi - self.margin), turned, beyond)


class CosFace(AngularMargin):
    """The margin is taken from the cosine: cos(theta) - m."""

    def held_back(self, cosine: Tensor) -> Tensor:
        """Return cos(theta) - m."""
        return cosine - self.margin


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


def arcface(features: int, classes: int, scale: float = 64.0, margin: float = 0.5) -> ArcFace:
    """Return ArcFace for embeddings of so many entries and so many classes."""
    return ArcFace(features, classes, scale, margin)


def cosface(features: int, classes: int, scale: float = 64.0, margin: float = 0.35) -> CosFace:
    """Return CosFace for embeddings of so many entries and so many classes."""
    return CosFace(features, classes, scale, margin)


def centre(features: int, classes: int, rate: float = 0.5) -> Centre:
    """Return centre loss for embeddings of so many entries and so many classes."""
    return Centre(features, classes, rate)


def _check_features(embeddings: Tensor, kept: Tensor) -> None:
    if embeddings.shape[1] != kept.shape[1]:
        raise ValueError(f"embeddings have {kept.shape[1]} entries here, not {written(embeddings[0])}")
