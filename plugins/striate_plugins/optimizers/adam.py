"""Adam and AdamW, with the two memories as arguments of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import Adam, AdamW


def adam(parameters: Iterable[nn.Parameter], *, beta1: float, beta2: float, **settings: Any) -> Adam:
    """Return torch's Adam."""
    return Adam(parameters, betas=(beta1, beta2), **settings)


def adamw(parameters: Iterable[nn.Parameter], *, beta1: float, beta2: float, **settings: Any) -> AdamW:
    """Return torch's AdamW."""
    return AdamW(parameters, betas=(beta1, beta2), **settings)
