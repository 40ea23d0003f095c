"""Lookahead: slow weights that follow the fast ones of another optimizer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from striate_plugins.wrappers.around import Around, Closure

_SLOW = "slow"


class Lookahead(Around):
    """Zhang et al., 2019, algorithm 1. The momentum of the inner optimizer is left as it is at a synchronisation.

    Args:
        base: makes the fast steps.
        k: fast steps per slow one.
        alpha: the share of the way that the slow weights go.
    """

    def __init__(self, base: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(base)
        self.k, self.alpha = k, alpha
        self.steps = 0
        self._fast: dict[Tensor, Tensor] = {}

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """Make a fast step, and every k steps a slow one."""
        for weight in self.weights():
            if _SLOW not in self.state[weight]:
                self.state[weight][_SLOW] = weight.clone()
        loss = self.base.step(closure)
        self.steps += 1
        if self.steps % self.k == 0:
            for weight in self.weights():
                slow = self.state[weight][_SLOW]
                slow.lerp_(weight, self.alpha)
                weight.copy_(slow)
        return loss

    @torch.no_grad()
    def eval(self) -> None:
        """Put the slow weights in place, which the paper measures."""
        self._fast = {weight: weight.clone() for weight in self.weights() if _SLOW in self.state[weight]}
        for weight in self._fast:
            weight.copy_(self.state[weight][_SLOW])

    @torch.no_grad()
    def train(self) -> None:
        """Put the fast weights back."""
        for weight, fast in self._fast.items():
            weight.copy_(fast)
        self._fast = {}

    def state_dict(self) -> dict[str, Any]:
        """Return both states and the number of steps."""
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take both states and the number of steps up."""
        super().load_state_dict(state_dict)
        self.steps = state_dict["steps"]
