"""What augmentations draw: always from the generator that they are given, on the processor, an entry per image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def evenly(chance: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Return `count` numbers, drawn evenly between two."""
    return low + (high - low) * torch.rand(count, generator=chance)


def heads(chance: torch.Generator, count: int, p: float) -> Tensor:
    """Return `count` truth values, each true with probability `p`."""
    return torch.rand(count, generator=chance) < p


def beta(chance: torch.Generator, alpha: float) -> float:
    """Return a number from 0 to 1 of the distribution Beta(alpha, alpha)."""
    seed = int(torch.randint(2**62, (), generator=chance))
    return float(np.random.Generator(np.random.PCG64(seed)).beta(alpha, alpha))


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """Return a value per image in the shape, type and place that multiplies images `N x C x H x W`."""
    return values.to(images.device, images.dtype if values.is_floating_point() else values.dtype)[:, None, None, None]
