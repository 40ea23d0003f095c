"""Ordinal answers: the class is the number of borders that an image lies above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def decode(borders: Tensor, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one answer per image.

    Args:
        borders: a score `N x (classes - 1)` for lying above each border.
        classes: the class names in their order.

    Returns:
        Per image its `class`, and the chance to lie above each class, by name.

    Raises:
        ValueError: there are not as many borders as there are between the classes.
    """
    if borders.dim() != 2:
        raise ValueError(f"a score per image and border is due, not {tuple(borders.shape)}")
    answers = []
    for row in borders.sigmoid().tolist():
        names = classes[: len(row) + 1]
        above = {name: round(chance, 6) for name, chance in zip(names, row, strict=False)}
        place = min(sum(chance > 0.5 for chance in row), len(names) - 1)
        answers.append({"class": names[place], "above": above})
    return answers
