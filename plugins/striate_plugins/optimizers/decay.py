"""Weight decay as a step of its own, for optimizers of torch that only know it as a part of the gradient."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

from striate_plugins.optimizers.written import DECOUPLED

Kind = TypeVar("Kind", bound=Optimizer)
_KEY = "decoupled_decay"


def with_decay(kind: type[Kind], decay: str) -> type[Kind]:
    """Return an optimizer, or one like it whose weight decay is decoupled (Loshchilov and Hutter, 2017, algorithm 1).

    Args:
        kind: a class of torch whose `weight_decay` is coupled.
        decay: `coupled` or `decoupled`.
    """
    made: type[Kind] = _decoupled(kind) if decay == DECOUPLED else kind  # type: ignore[arg-type]  # classes have hashes
    return made


@cache
def _decoupled(kind: type[Any]) -> type[Any]:
    # torch wraps `step` where a class is first used, to run hooks; those of the class below are enough.
    unhooked = kind.step.__wrapped__ if getattr(kind.step, "hooked", False) else kind.step

    class Decoupled(kind):  # type: ignore[misc]  # the class is known when it is asked for
        """The optimizer; a group's weight decay is kept apart from the entry that torch looks at."""

        def add_param_group(self, param_group: dict[str, Any]) -> None:
            super().add_param_group(param_group)
            group = self.param_groups[-1]
            group[_KEY], group["weight_decay"] = group["weight_decay"], 0.0

        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        weight.mul_(1 - group["lr"] * group[_KEY])
            unhooked(self)
            return loss

    Decoupled.__name__ = Decoupled.__qualname__ = f"{kind.__name__}WithDecoupledDecay"
    return Decoupled
