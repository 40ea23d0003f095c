"""Gradient saliency (Simonyan et al., 2014): how fast the score of a class changes with each pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.factories import AttributionRequest


def saliency(request: AttributionRequest) -> Tensor:
    """Return `|d score / d pixel|`, of a pixel's channels the largest, as `H x W`."""
    image = request.image.clone().requires_grad_()
    score = request.score(request.values(image)).sum()
    (gradient,) = torch.autograd.grad(score, image)
    return gradient[0].abs().amax(0)
