"""Lion: steps by the sign of a momentum."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

_MEAN = "mean"


class Lion(Optimizer):
    """Chen et al., 2023, algorithm 2; its weight decay is decoupled.

    Args:
        parameters: the weights, or groups of them.
        lr: the size of a step in every entry.
        beta1: the share of the momentum in what the sign is taken of.
        beta2: memory of the momentum.
        weight_decay: share of every weight taken away per step and unit of rate.
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float = 1e-4,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": (beta1, beta2), "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if _MEAN not in state:
                    state[_MEAN] = torch.zeros_like(weight)
                mean = state[_MEAN]
                direction = mean.lerp(weight.grad, 1 - beta1).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - beta2)
        return loss
