"""Muon for kernels of any shape, with AdamW for what is no matrix. Both are torch's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim import Muon as TorchMuon
from torch.optim.optimizer import ParamsT

_MATRIX = "matrix"
_OWN = ("params", _MATRIX)


class Muon(Optimizer):
    """Jordan et al., 2024. A kernel `O x C x kH x kW` is a matrix of O rows, as in the authors' networks.

    torch's Muon takes matrices only: it is given copies of the kernels in that form, which are copied back.

    Args:
        parameters: the weights, or groups of them.
        lr: rate of the matrices.
        momentum, nesterov, scale: of Muon.
        weight_decay: of both, decoupled.
        dense: `muon` or `adamw`, for weights that are matrices from the start.
        adamw_lr, beta1, beta2, eps: of AdamW.
    """

    def __init__(
        self,
        parameters: ParamsT,
        lr: float = 0.02,
        momentum: float = 0.95,
        nesterov: bool = True,
        weight_decay: float = 0.0,
        scale: str = "original",
        dense: str = "muon",
        adamw_lr: float = 3e-4,
        beta1: float = 0.9,
        beta2: float = 0.95,
        eps: float = 1e-10,
    ) -> None:
        least = 2 if dense == "muon" else 3
        matrix = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "adjust_lr_fn": scale}
        other = {"lr": adamw_lr, "betas": (beta1, beta2), "eps": eps}
        super().__init__(list(_split(parameters, least, matrix, other)), {"weight_decay": weight_decay})
        self._inner = [_inner(group) for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer, group in zip(self._inner, self.param_groups, strict=True):
            (inner,) = optimizer.param_groups
            inner.update({key: value for key, value in group.items() if key in inner and key not in _OWN})
            if not group[_MATRIX]:
                optimizer.step()
                continue
            for weight, copy in zip(group["params"], inner["params"], strict=True):
                copy.copy_(weight.flatten(1))
                copy.grad = None if weight.grad is None else weight.grad.flatten(1)
            optimizer.step()
            for weight, copy in zip(group["params"], inner["params"], strict=True):
                weight.copy_(copy.view_as(weight))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all optimizers in it."""
        return {**super().state_dict(), "inner": [optimizer.state_dict() for optimizer in self._inner]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of all optimizers in it up."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "inner"})
        for optimizer, state in zip(self._inner, state_dict["inner"], strict=True):
            optimizer.load_state_dict(state)


def _split(parameters: ParamsT, least: int, matrix: dict[str, Any], other: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield groups with matrices (weights of at least so many axes) apart from others, and the settings of each."""
    items: list[Any] = list(parameters)
    groups: list[dict[str, Any]] = items if items and isinstance(items[0], dict) else [{"params": items}]
    for group in groups:
        weights: list[Tensor] = list(group["params"])
        for is_matrix, settings in ((True, matrix), (False, other)):
            chosen = [weight for weight in weights if (weight.dim() >= least) == is_matrix]
            if chosen:
                yield {**settings, **group, "params": chosen, _MATRIX: is_matrix}


def _inner(group: dict[str, Any]) -> Optimizer:
    """Return torch's optimizer for a group: Muon on copies of its weights as matrices, or AdamW."""
    if group[_MATRIX]:
        return TorchMuon([nn.Parameter(weight.detach().flatten(1).clone()) for weight in group["params"]])
    return AdamW(group["params"])
