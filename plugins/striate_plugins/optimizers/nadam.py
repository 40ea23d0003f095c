"""Nadam in the three forms that are in use: torch's, Dozat's with a constant momentum, and the simplified one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import NAdam, Optimizer
from torch.optim.optimizer import ParamsT

from striate_plugins.optimizers.decay import with_decay
from striate_plugins.optimizers.written import DECOUPLED


def nadam(
    parameters: ParamsT,
    *,
    beta1: float,
    beta2: float,
    form: str,
    momentum_decay: float,
    decay: str,
    **settings: Any,
) -> Optimizer:
    """Return torch's NAdam, or one with a momentum that stays."""
    betas = beta1, beta2
    if form == "scheduled":
        apart = decay == DECOUPLED
        return NAdam(parameters, betas=betas, momentum_decay=momentum_decay, decoupled_weight_decay=apart, **settings)
    ahead = form == "constant"
    return with_decay(ConstantNadam, decay)(parameters, betas=betas, ahead=ahead, **settings)


class ConstantNadam(Optimizer):
    """Adam with Nesterov's look ahead and a momentum that stays.

    Args:
        parameters: the weights, or groups of them.
        lr: the learning rate.
        betas: memory of the mean of the gradients and of their squares.
        eps: added to the root of the squares.
        weight_decay: what is added to the gradient, as a share of the weight.
        ahead: whether the mean is corrected for the step to come, as Dozat has it; otherwise for this one (Ruder).
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        ahead: bool = True,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "ahead": ahead}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad.add(weight, alpha=group["weight_decay"]), group)
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (beta1, beta2) = self.state[weight], group["betas"]
        if not state:
            state.update(step=0, mean=torch.zeros_like(weight), squares=torch.zeros_like(weight))
        state["step"] += 1
        step = state["step"]
        mean = state["mean"].lerp_(gradient, 1 - beta1)
        squares = state["squares"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        known = 1 - beta1 ** (step + 1 if group["ahead"] else step)
        nesterov = mean * (beta1 / known) + gradient * ((1 - beta1) / (1 - beta1**step))
        root = (squares / (1 - beta2**step)).sqrt_().add_(group["eps"])
        weight.addcdiv_(nesterov, root, value=-group["lr"])
