"""Reconstruction: what a network makes of an image when it is to give it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def decode(images: Tensor, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one answer per image.

    Args:
        images: what the network gives, `N x C x H x W`.
        classes: not looked at.

    Returns:
        Per image its `size` as `[C, H, W]`, and the `smallest`, `mean` and `largest` of its entries.
    """
    return [
        {
            "size": list(image.shape),
            "smallest": round(float(image.min()), 6),
            "mean": round(float(image.mean()), 6),
            "largest": round(float(image.max()), 6),
        }
        for image in images.double().cpu()
    ]
