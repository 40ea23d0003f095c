"""Gradient descent with momentum, in both conventions of what the velocity is."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import SGD, Optimizer
from torch.optim.optimizer import ParamsT

from striate_plugins.optimizers.decay import with_decay

_VELOCITY = "velocity"


def sgd(parameters: ParamsT, *, decay: str, velocity: str, **settings: Any) -> Optimizer:
    """Return torch's SGD, whose velocity adds up gradients, or one whose velocity adds up steps."""
    kind: type[Optimizer] = SteppingMomentum if velocity == "steps" else SGD
    return with_decay(kind, decay)(parameters, **_without_idle(settings))


def nag(parameters: ParamsT, **settings: Any) -> Optimizer:
    """Return the same with Nesterov's look ahead."""
    return sgd(parameters, **settings, nesterov=True)


def _without_idle(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings without a look ahead along a momentum of 0, which changes nothing and torch refuses."""
    return {**settings, "nesterov": False} if settings.get("momentum") == 0 else settings


class SteppingMomentum(Optimizer):
    """Momentum in the form `v = momentum * v + lr * g`, `w = w - v`.

    It is that of torch as long as the rate stays: torch's velocity has no rate in it, so that a lower rate shortens at
    once what was gathered before. With `nesterov` the weights are those at which the gradient is taken, as in torch.

    Args:
        parameters: the weights, or groups of them.
        lr: the learning rate.
        momentum: the share of the velocity that is kept.
        weight_decay: what is added to the gradient, as a share of the weight.
        nesterov: whether to look ahead.
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                state = self.state[weight]
                if _VELOCITY not in state:
                    state[_VELOCITY] = torch.zeros_like(weight)
                velocity = state[_VELOCITY].mul_(momentum).add_(gradient, alpha=rate)
                if group["nesterov"]:
                    weight.sub_(velocity, alpha=momentum).sub_(gradient, alpha=rate)
                else:
                    weight.sub_(velocity)
        return loss
