"""Embedding: the vector that a network gives for an image, by which images are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def decode(vectors: Tensor, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one answer per image.

    Args:
        vectors: `N x D`.
        classes: the class names of the data that the network was trained with; an embedding names none of them.

    Returns:
        Per image its `embedding`, a list of D numbers.
    """
    return [{"embedding": [round(float(entry), 6) for entry in row]} for row in vectors.double().cpu()]
