"""Integrated gradients (Sundararajan et al., 2017): the score's change from a blank image, shared out over pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.factories import AttributionRequest

_BATCH = 16
"""Images that the network sees at once."""


def integrated_gradients(request: AttributionRequest, steps: int, baseline: float) -> Tensor:
    """Return `(x - b) * integral from 0 to 1 of d score / dx at b + t (x - b)`, summed over channels, as `H x W`.

    The entries add up to the score of the image minus that of the baseline. The integral is taken by the midpoint rule.

    Args:
        request: the question.
        steps: how many points the integral is taken at.
        baseline: what every entry of the blank image b is, as the network takes it.
    """
    image, blank = request.image, torch.full_like(request.image, baseline)
    total = torch.zeros_like(image)
    shares = (torch.arange(steps, device=image.device, dtype=image.dtype) + 0.5) / steps
    for part in torch.split(shares, _BATCH):
        between = (blank + part.reshape(-1, 1, 1, 1) * (image - blank)).requires_grad_()
        (gradient,) = torch.autograd.grad(request.score(request.values(between)).sum(), between)
        total += gradient.sum(0, keepdim=True) / steps
    return ((image - blank) * total)[0].sum(0)
