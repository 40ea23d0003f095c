"""AdaBelief: the step is long where the gradient is as expected, short where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class AdaBelief(Optimizer):
    """m = beta1 m + (1 - beta1) g, s = beta2 s + (1 - beta2) (g - m)^2 + eps, w -= lr * m' / (sqrt(s') + eps).

    m' and s' are divided by 1 - beta^t, as in Adam. Weight decay is apart from the gradient: w -= lr * decay * w.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step, and return what the closure gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)
        return loss

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state.update(step=0, mean=torch.zeros_like(weight), spread=torch.zeros_like(weight))
        state["step"] += 1
        mean, spread, beta1, beta2 = state["mean"], state["spread"], group["beta1"], group["beta2"]
        mean.lerp_(weight.grad, 1 - beta1)  # type: ignore[arg-type]  # it is not None here
        surprise = weight.grad - mean
        spread.mul_(beta2).addcmul_(surprise, surprise, value=1 - beta2).add_(group["eps"])
        scale = (spread / (1 - beta2 ** state["step"])).sqrt_().add_(group["eps"])
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.addcdiv_(mean, scale, value=-group["lr"] / (1 - beta1 ** state["step"]))
