"""An optimizer around another one: the same groups, and both states in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

Closure = Callable[[], Any]
"""Computes the loss and the gradients at the present weights."""


class Around(Optimizer):
    """Shares the groups of another optimizer, so that a rate set in one is set in both.

    Args:
        base: the other optimizer.
    """

    def __init__(self, base: Optimizer) -> None:
        super().__init__(base.param_groups, {})
        self.base = base
        self.param_groups = base.param_groups

    def weights(self) -> Iterator[Tensor]:
        """Yield all weights."""
        for group in self.param_groups:
            yield from group["params"]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of both."""
        return {"base": self.base.state_dict(), "own": super().state_dict()["state"]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of both."""
        self.base.load_state_dict(state_dict["base"])
        groups = super().state_dict()["param_groups"]
        super().load_state_dict({"state": state_dict["own"], "param_groups": groups})
        self.param_groups = self.base.param_groups

    def eval(self) -> None:
        """Put the weights in place that are measured; the other optimizer may have some."""
        if hasattr(self.base, "eval"):
            self.base.eval()

    def train(self) -> None:
        """Put the weights back that are trained."""
        if hasattr(self.base, "train"):
            self.base.train()
