"""LARS and LAMB: how long the step of a weight is depends on how large the weight is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT


class _Layerwise(Optimizer, ABC):
    """What both have in common: weights one by one, and vectors apart from kernels."""

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
                    scaled = group["vectors"] == "scaled" or weight.dim() > 1
                    self._move(weight, weight.grad, self.state[weight], group, scaled)
        return loss

    @abstractmethod
    def _move(
        self, weight: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], scaled: bool
    ) -> None:
        """Change a weight, by its norm or plainly."""


class Lars(_Layerwise):
    """You et al., 2017, algorithm 1.

    Args:
        parameters: the weights, or groups of them.
        lr: the learning rate, the same for all weights.
        momentum: the share of the velocity that is kept; the velocity has the rates in it.
        weight_decay: what is added to the gradient, as a share of the weight.
        trust: the trust coefficient.
        vectors: `plain` for steps of biases and norms without ratio and decay, or `scaled`.
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust: float = 0.001,
        vectors: str = "plain",
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust, "vectors": vectors}
        super().__init__(parameters, defaults)

    def _move(
        self, weight: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], scaled: bool
    ) -> None:
        if not state:
            state["velocity"] = torch.zeros_like(weight)
        step = gradient * group["lr"]
        if scaled:
            decay = group["weight_decay"]
            ratio = _ratio(weight.norm(), gradient.norm() + decay * weight.norm(), group["trust"])
            step = gradient.add(weight, alpha=decay) * (ratio * group["lr"])
        weight.sub_(state["velocity"].mul_(group["momentum"]).add_(step))


class Lamb(_Layerwise):
    """You et al., 2019, algorithm 2, where the norm of a weight counts up to a bound.

    Args:
        parameters: the weights, or groups of them.
        lr: the learning rate.
        beta1: memory of the mean of the gradients.
        beta2: memory of the mean of their squares.
        eps: added to the root of the squares.
        weight_decay: share of the weight in the step whose length is then set.
        bound: the largest norm of a weight that counts.
        vectors: `plain` for steps of biases and norms without ratio and decay, or `scaled`.
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        bound: float = 10.0,
        vectors: str = "plain",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": (beta1, beta2),
            "eps": eps,
            "weight_decay": weight_decay,
            "bound": bound,
            "vectors": vectors,
        }
        super().__init__(parameters, defaults)

    def _move(
        self, weight: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], scaled: bool
    ) -> None:
        beta1, beta2 = group["betas"]
        if not state:
            state.update(step=0, mean=torch.zeros_like(weight), squares=torch.zeros_like(weight))
        state["step"] += 1
        mean = state["mean"].lerp_(gradient, 1 - beta1) / (1 - beta1 ** state["step"])
        squares = state["squares"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        step = mean / (squares / (1 - beta2 ** state["step"])).sqrt_().add_(group["eps"])
        if scaled:
            step.add_(weight, alpha=group["weight_decay"])
            step *= _ratio(weight.norm().clamp(max=group["bound"]), step.norm(), 1.0)
        weight.sub_(step, alpha=group["lr"])


def _ratio(above: Tensor, below: Tensor, factor: float) -> Tensor:
    """Return the factor times a ratio of two norms, or 1 where one of them is 0."""
    sound = (above > 0) & (below > 0)
    return torch.where(sound, factor * above / below, torch.ones_like(above))
