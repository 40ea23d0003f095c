"""Cross-entropy in both directions: with wrong labels, the reverse one is bounded where the usual one is not."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def symmetric_cross_entropy(alpha: float, beta: float, floor: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of scores `N x K (x H x W)` and classes `N (x H x W)`: its mean.

    With p the softmax of the scores and q 1 at the right class, 0 elsewhere, it is
    `alpha * -sum(q log p) + beta * -sum(p log q)`, where log 0 is `floor`.
    """

    def loss(output: Tensor, target: Tensor) -> Tensor:
        usual = torch.nn.functional.cross_entropy(output, target)
        right = output.softmax(1).gather(1, target.unsqueeze(1))
        reverse = -(floor * (1 - right)).mean()  # log q is 0 at the right class, and the floor at all others
        return alpha * usual + beta * reverse

    return loss
