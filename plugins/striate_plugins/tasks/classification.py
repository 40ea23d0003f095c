"""Classification: the class with the highest score, and how sure the network is of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def decode(logits: Tensor, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one answer per image.

    Args:
        logits: scores before the softmax, `N x classes`.
        classes: the class names in the order of the scores.

    Returns:
        Per image the `class`, its `probability`, and the `probabilities` of all classes by name.
    """
    answers = []
    for row in logits.double().softmax(dim=1).cpu():
        best = int(row.argmax())
        shares = dict(zip(classes, (round(float(share), 6) for share in row), strict=True))
        answers.append({"class": classes[best], "probability": round(float(row[best]), 6), "probabilities": shares})
    return answers
