"""What metrics of classes are fed with: a score for every class, of each image or pixel."""

from __future__ import annotations

from torch import Tensor


def demand_scores(outputs: Tensor, targets: Tensor, classes: int) -> None:
    """Demand scores `N x classes` with class numbers `N`, or such with further axes behind.

    Raises:
        ValueError: the output is something else.
    """
    if outputs.dim() != targets.dim() + 1 or outputs.shape[1] != classes:
        size = " x ".join(map(str, outputs.shape[1:])) or "one number"
        raise ValueError(f"it takes {classes} scores where a class is to be told, and the output is {size} per image")
