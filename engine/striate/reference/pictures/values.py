"""The values that pictures start from, all made by formulas, so that they are the same everywhere."""

from __future__ import annotations

from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PHOTO_SIDE = 48


def counting(shape: tuple[int, ...]) -> Tensor:
    """Return 1, 2, 3, … as an image of a batch of one."""
    import torch

    numbers = torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float64)
    return numbers.reshape(1, *shape)


def mixed(shape: tuple[int, ...]) -> Tensor:
    """Return small whole numbers, some of them below 0, in no visible order."""
    import torch

    count = torch.Size(shape).numel()
    return torch.tensor([(7 * k * k + 3 * k) % 17 - 6 for k in range(count)], dtype=torch.float64).reshape(1, *shape)


def photo() -> Tensor:
    """Return a drawn grey image from 0 to 1: a bright disc, a dark bar, stripes, a slope, and a few white specks."""
    import torch

    rows = [[_brightness(x, y) for x in range(PHOTO_SIDE)] for y in range(PHOTO_SIDE)]
    return torch.tensor([[rows]], dtype=torch.float64)


def turned(angle: float, size: float) -> Tensor:
    """Return the six numbers of an affine map that turns an image (radians) and shows `size` times of it."""
    import torch

    across, down = size * cos(angle), size * sin(angle)
    return torch.tensor([[across, -down, 0.0, down, across, 0.0]], dtype=torch.float64)


def _brightness(x: int, y: int) -> float:
    if (x * 31 + y * 17) % 89 == 3:  # specks
        return 1.0
    if hypot(x - 15, y - 16) < 10:
        return 0.9
    if 30 <= x < 36 and 6 <= y < 30:
        return 0.1
    if y >= 34:
        return 0.5 + 0.4 * sin(2 * pi * x / (4 + x / 8))
    return 0.25 + 0.4 * x / PHOTO_SIDE
