"""Grad-CAM (Selvaraju et al., 2017): which places of a feature map speak for a class."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.factories import AttributionRequest, RefusedError


def grad_cam(request: AttributionRequest) -> Tensor:
    """Return `relu(sum_k a_k A_k)` for the feature map A, in the size of A.

    `a_k` is the mean of the score's gradient over the places of channel k. What speaks against the class is cut off, as
    in the paper: it would mostly be other classes.

    Raises:
        RefusedError: the network has no feature map.
    """
    if not request.layer:
        raise RefusedError("no layer of the network gives a map with rows and columns")
    with torch.enable_grad():
        values = request.values(request.image.clone().requires_grad_())
        features = values[request.layer]
        gradient: Tensor | None = torch.autograd.grad(request.score(values).sum(), features, allow_unused=True)[0]
    if gradient is None:  # the score does not depend on this layer: it says nothing for the class
        return torch.zeros_like(features[0, 0])
    shares = gradient[0].mean((1, 2))
    return torch.einsum("k,khw->hw", shares, features[0].detach()).relu()
