"""Augmentations that make one image of two of a batch, with torch alone; their classes count by their shares."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import beta, heads
from striate_plugins.augmentations.moves import Augmentation


def mixup(alpha: float, p: float) -> Augmentation:
    """Return mixup: x' = λ x + (1 - λ) x₂, y' likewise, λ ~ Beta(alpha, alpha), one λ for a batch."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        used, share, other = _drawn(chance, len(batch.images), alpha, p)
        if not used:
            return batch
        images = batch.images
        return batch.mixed(share * images + (1 - share) * images[other.to(images.device)], other, share)

    return augment


def cutmix(alpha: float, p: float) -> Augmentation:
    """Return CutMix: a rectangle of another image of the batch, at the same place, with as much of its class.

    The share of the image's own class is the area that is left to it, once the rectangle is cut at the borders. Where
    every pixel has a class, the rectangle's classes come along instead.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        height, width = batch.images.shape[2:]
        used, share, other = _drawn(chance, len(batch.images), alpha, p)
        rows = _stretch(chance, height, math.sqrt(1 - share))
        columns = _stretch(chance, width, math.sqrt(1 - share))
        if not used:
            return batch

        def pasted(values: Tensor) -> Tensor:
            made = values.clone()
            made[..., rows, columns] = values[other.to(values.device)][..., rows, columns]
            return made

        if batch.has_maps:
            return batch.moved(pasted, pasted)
        cut = (rows.stop - rows.start) * (columns.stop - columns.start)
        return batch.mixed(pasted(batch.images), other, 1 - cut / (height * width))

    return augment


def _drawn(chance: torch.Generator, count: int, alpha: float, p: float) -> tuple[bool, float, Tensor]:
    """Return whether the batch is mixed, λ, and for each image the number of its partner."""
    used = bool(heads(chance, 1, p))
    return used, beta(chance, alpha), torch.randperm(count, generator=chance)


def _stretch(chance: torch.Generator, size: int, share: float) -> slice:
    """Return a part of an axis around a place drawn evenly, so long as a share of the axis, cut at the ends."""
    centre, half = int(torch.randint(size, (), generator=chance)), int(size * share) // 2
    return slice(max(centre - half, 0), min(centre + half, size))
