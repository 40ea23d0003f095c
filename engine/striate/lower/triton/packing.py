"""Weights as kernels read them, made once before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from striate.lower.triton.kernel import Packing

Weights = Mapping[str, Tensor]


def pack(packing: Packing, weights: Weights, dtype: torch.dtype) -> Tensor:
    """Return a packed tensor; products are multiplied in `dtype`, numbers per channel stay in float32."""
    owned = {role: weights[name].to(torch.float32) for role, name in packing.weights.items()}
    made = _FORMS[packing.form](owned, packing.settings)
    return made.to(dtype if packing.form in _MULTIPLIED else torch.float32).contiguous()


def _kernel(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    """Return `taps x input channels of a group x output channels` of a kernel `out x in x height x width`."""
    kernel = owned["weight"]
    return kernel.permute(2, 3, 1, 0).reshape(-1, kernel.shape[1], kernel.shape[0])


def _transposed(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    """Return the same of a kernel `in x out x height x width`."""
    kernel = owned["weight"]
    return kernel.permute(2, 3, 0, 1).reshape(-1, kernel.shape[0], kernel.shape[1])


def _matrix(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    return owned["weight"].T


def _vector(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    return owned["bias"]


def _scale(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    deviation = (owned["running_var"].double() + settings["eps"]).sqrt()
    return owned.get("weight", torch.ones(())).double() / deviation


def _shift(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    shifted = owned["running_mean"].double() * _scale(owned, settings)
    return owned.get("bias", torch.zeros(())).double() - shifted


def _slopes(owned: Weights, settings: Mapping[str, float]) -> Tensor:
    return owned["weight"].reshape(-1).expand(int(settings["channels"]))


_FORMS: Mapping[str, Callable[[Weights, Mapping[str, float]], Tensor]] = {
    "kernel": _kernel,
    "transposed": _transposed,
    "matrix": _matrix,
    "vector": _vector,
    "scale": _scale,
    "shift": _shift,
    "slopes": _slopes,
}
_MULTIPLIED = frozenset({"kernel", "transposed", "matrix"})
