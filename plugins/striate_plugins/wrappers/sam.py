"""Sharpness-aware minimisation: two gradients per step, the second at the place where the loss is worst nearby."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from striate_plugins.wrappers.around import Around, Closure

_SMALL = 1e-12
"""Added to the norm of the gradient."""


class SharpnessAware(Around):
    """SAM (Foret et al., 2020, algorithm 1) and, with `adaptive`, ASAM with the operator |θ| (Kwon et al., 2021).

    Args:
        base: makes the step.
        rho: radius of the ball in which the worst place is looked for.
        adaptive: whether the ball is stretched by the size of every weight.
    """

    def __init__(self, base: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(base)
        self.rho, self.adaptive = rho, adaptive

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """Compute the gradient, go to the worst place nearby, compute it there, come back, and step.

        Raises:
            ValueError: there is no closure.
        """
        if closure is None:
            raise ValueError("SAM computes gradients twice, and needs a closure for it")
        with torch.enable_grad():
            loss = closure()
        weights = [weight for weight in self.weights() if weight.grad is not None]
        before = [weight.clone() for weight in weights]
        for weight, change in zip(weights, self._ascent(weights), strict=True):
            weight.add_(change)
        with torch.enable_grad():
            closure()
        for weight, value in zip(weights, before, strict=True):
            weight.copy_(value)
        self.base.step()
        return loss

    def _ascent(self, weights: list[Tensor]) -> list[Tensor]:
        """Return the way to the worst place nearby, to first order."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if not self.adaptive:
            norm = _norm(gradients)
            return [gradient * (self.rho / (norm + _SMALL)) for gradient in gradients]
        norm = _norm([weight.abs() * gradient for weight, gradient in zip(weights, gradients, strict=True)])
        scale = self.rho / (norm + _SMALL)
        return [weight.square() * gradient * scale for weight, gradient in zip(weights, gradients, strict=True)]


def _norm(tensors: list[Tensor]) -> Tensor:
    """Return the Euclidean norm of all entries together."""
    norm: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(tensor) for tensor in tensors]))
    return norm
