"""Segmentation: the class of every pixel, summed up as the share of the image that each class covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def decode(logits: Tensor, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one answer per image.

    Args:
        logits: scores before the softmax, `N x classes x H x W`.
        classes: the class names in the order of the scores.

    Returns:
        Per image the `class` that covers most, and the `shares` of the image that the classes cover, by name.
    """
    answers = []
    for labels in logits.argmax(dim=1).cpu():
        counts = labels.flatten().bincount(minlength=len(classes))
        shares = dict(zip(classes, (round(float(share), 6) for share in counts / labels.numel()), strict=True))
        answers.append({"class": classes[int(counts.argmax())], "shares": shares})
    return answers
