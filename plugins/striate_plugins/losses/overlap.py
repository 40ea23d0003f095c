"""How much maps of classes overlap: Dice, Tversky, intersection over union, on the softmax of scores.

With p the probabilities of a class and y 1 where it is: TP = sum p y, FP = sum p (1 - y), FN = sum (1 - p) y. Sums go
over the pixels of an image, or of the whole batch, in which rare classes are found more steadily.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from striate_plugins.losses.tensors import check_classes, one_hot, per_class, ratio, wide

Loss = Callable[[Tensor, Tensor], Tensor]


def dice(
    smooth: float = 1.0,
    per: str = "batch",
    background: bool = True,
    squared: bool = False,
    class_weights: tuple[float, ...] | None = None,
) -> Loss:
    """Return 1 - (2 TP + s) / (sum p + sum y + s), the mean over the classes; arguments as for `tversky`.

    Args:
        smooth: the number s.
        per: see `tversky`.
        background: see `tversky`.
        squared: whether the sums in the denominator are of squares (Milletari et al., 2016).
        class_weights: see `tversky`.
    """

    def index(p: Tensor, y: Tensor) -> Tensor:
        both = (p * y).sum(dim=-1)
        size = (p.square() + y if squared else p + y).sum(dim=-1)
        return ratio(2 * both + smooth, size + smooth, 1.0)

    return _loss_of(index, per, background, class_weights)


def tversky(
    alpha: float = 0.3,
    beta: float = 0.7,
    smooth: float = 1.0,
    gamma: float = 1.0,
    per: str = "batch",
    background: bool = True,
    class_weights: tuple[float, ...] | None = None,
) -> Loss:
    """Return (1 - (TP + s) / (TP + alpha FP + beta FN + s)) ** gamma, the mean over the classes.

    Args:
        alpha: the weight of what is found wrongly.
        beta: the weight of what is missed.
        smooth: the number s, which makes a class that is neither there nor found right.
        gamma: an exponent; below 1 the almost right classes count more (Abraham and Khan, 2019).
        per: `batch` to sum over all pixels of the batch, `image` to do so per image and take the mean.
        background: whether class 0 counts.
        class_weights: the mean over the classes is weighted by them.
    """

    def index(p: Tensor, y: Tensor) -> Tensor:
        both, found, missed = (p * y).sum(dim=-1), (p * (1 - y)).sum(dim=-1), ((1 - p) * y).sum(dim=-1)
        return ratio(both + smooth, both + alpha * found + beta * missed + smooth, 1.0)

    return _loss_of(index, per, background, class_weights, gamma)


def iou(
    smooth: float = 1.0,
    per: str = "batch",
    background: bool = True,
    class_weights: tuple[float, ...] | None = None,
) -> Loss:
    """Return 1 - (TP + s) / (TP + FP + FN + s), the mean over the classes; arguments as for `tversky`."""
    return tversky(1.0, 1.0, smooth, 1.0, per, background, class_weights)


def _loss_of(
    index: Callable[[Tensor, Tensor], Tensor],
    per: str,
    background: bool,
    class_weights: tuple[float, ...] | None,
    gamma: float = 1.0,
) -> Loss:
    """Return the loss of an index, a function from `… x pixels` of probabilities and truth to what is 1 when right."""

    def loss(scores: Tensor, classes: Tensor) -> Tensor:
        check_classes(scores, classes)
        scores = wide(scores)
        if scores.shape[1] < 2 and not background:
            raise ValueError("without the background there is no class left")
        p, y = _as_maps(scores.softmax(dim=1), per), _as_maps(one_hot(classes, scores), per)
        weights = per_class(class_weights or (1.0,) * scores.shape[1], scores)
        first = 0 if background else 1
        lost = (1 - index(p, y)[..., first:]).clamp(min=0)
        if gamma != 1:
            lost = lost.clamp(min=torch.finfo(lost.dtype).eps) ** gamma  # finite gradient where nothing is lost
        weights = weights[first:]
        return ratio((lost * weights).sum(dim=-1), weights.sum(), 0.0).mean()

    return loss


def _as_maps(values: Tensor, per: str) -> Tensor:
    """Return values `N x K x …` as `N x K x pixels`, or for the whole batch as `1 x K x all pixels`."""
    maps = values.flatten(2) if values.dim() > 2 else values[..., None]
    return maps if per == "image" else maps.movedim(0, 1).reshape(1, maps.shape[1], -1)
