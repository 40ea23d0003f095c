"""What embeddings answer: the class of the nearest other image of the split.

An embedding names no class. How good it is, is measured by leaving each image out in turn and asking its nearest
neighbour among the others, as retrieval is measured; so accuracy, confusion and scores per class are those of that
answer.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_ROWS = 256
"""Images whose distances to all others are held at a time."""


def nearest_scores(vectors: Tensor, targets: Tensor, classes: int, *, angles: bool) -> Tensor:
    """Return per image and class minus the distance to the nearest other image of the class, `N x classes`.

    Args:
        vectors: `N x D`.
        targets: `N` class numbers.
        classes: how many classes there are; one without another image gets the smallest number there is.
        angles: whether vectors are compared by angle.
    """
    vectors = functional.normalize(vectors, dim=1) if angles else vectors
    found = []
    for start in range(0, len(vectors), _ROWS):
        rows = vectors[start : start + _ROWS]
        apart = torch.cdist(rows, vectors, compute_mode="donot_use_mm_for_euclid_dist")
        own = torch.arange(len(rows), device=vectors.device)
        apart[own, own + start] = torch.inf
        nearest = torch.full((len(rows), classes), torch.inf, dtype=apart.dtype, device=apart.device)
        for number in range(classes):
            members = targets == number
            if members.any():
                nearest[:, number] = apart[:, members].amin(dim=1)
        found.append(-nearest)
    return torch.cat(found).clamp(min=torch.finfo(vectors.dtype).min)
