"""Hinge losses: what is right by a margin costs nothing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import as_rows, comparable

Loss = Callable[[Tensor, Tensor], Tensor]


def hinge(margin: float = 1.0) -> Loss:
    """Return the mean of max(0, margin - y s) over all scores s with signs y, 1 or -1."""

    def loss(scores: Tensor, signs: Tensor) -> Tensor:
        scores, signs = comparable(scores, signs)
        return (margin - signs * scores).relu().mean()

    return loss


def squared_hinge(margin: float = 1.0) -> Loss:
    """Return the mean of max(0, margin - y s) squared."""

    def loss(scores: Tensor, signs: Tensor) -> Tensor:
        scores, signs = comparable(scores, signs)
        return (margin - signs * scores).relu().square().mean()

    return loss


def multi_class_hinge(margin: float = 1.0, form: str = "worst", squared: bool = False) -> Loss:
    """Return the loss of scores and class numbers, the mean over images or pixels.

    Args:
        margin: by how much the right class has to lead.
        form: `worst` compares with the best of the wrong classes (Crammer and Singer), `all` takes the sum over the
            wrong classes divided by the number of classes (Weston and Watkins, as torch scales it).
        squared: whether each term is squared.
    """

    def loss(scores: Tensor, classes: Tensor) -> Tensor:
        rows, numbers = as_rows(scores, classes)
        if rows.shape[1] < 2:
            raise ValueError("multi_class_hinge needs at least two classes")
        if form == "all":
            return functional.multi_margin_loss(rows, numbers, p=2 if squared else 1, margin=margin)
        right = rows.gather(1, numbers[:, None])
        chosen = functional.one_hot(numbers, rows.shape[1]).bool()
        best_wrong = rows.masked_fill(chosen, -torch.inf).amax(dim=1, keepdim=True)
        terms = (margin + best_wrong - right).relu()
        return (terms.square() if squared else terms).mean()

    return loss
