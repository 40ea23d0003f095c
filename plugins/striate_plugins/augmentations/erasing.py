"""Augmentations that hide parts of images, with torch alone. Targets stay: what is hidden is to be inferred."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import evenly, heads
from striate_plugins.augmentations.moves import Augmentation


def erasing(p: float, area: tuple[float, float], ratio: tuple[float, float], fill: str) -> Augmentation:
    """Return random erasing: with probability `p` a rectangle within an image is filled.

    Args:
        p: the probability.
        area: least and largest share of the image's area.
        ratio: least and largest height over width, drawn evenly in its logarithm.
        fill: `zeros`, `mean` (of the image, for each channel) or `noise` (evenly between 0 and 1).
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        count, _, height, width = batch.images.shape
        chosen = heads(chance, count, p)
        size = evenly(chance, count, *area) * height * width
        shape = evenly(chance, count, math.log(ratio[0]), math.log(ratio[1])).exp()
        tall = (size * shape).sqrt().round().clamp(1, height)
        broad = (size / shape).sqrt().round().clamp(1, width)
        top = (torch.rand(count, generator=chance) * (height - tall + 1)).floor()
        left = (torch.rand(count, generator=chance) * (width - broad + 1)).floor()
        hidden = _inside(top, tall, height)[:, :, None] & _inside(left, broad, width)[:, None, :]
        return _filled(batch, hidden & chosen[:, None, None], fill, chance)

    return augment


def cutout(size: int, holes: int, fill: str) -> Augmentation:
    """Return cutout: squares with their centres anywhere in the image; what lies beyond the border is lost."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        count, _, height, width = batch.images.shape
        hidden = torch.zeros(count, height, width, dtype=torch.bool)
        for _ in range(holes):
            top = torch.randint(height, (count,), generator=chance) - size // 2
            left = torch.randint(width, (count,), generator=chance) - size // 2
            side = torch.full((count,), size)
            hidden |= _inside(top, side, height)[:, :, None] & _inside(left, side, width)[:, None, :]
        return _filled(batch, hidden, fill, chance)

    return augment


def _inside(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return `N x size` truth values: which places lie in the stretch of each image."""
    places = torch.arange(size)
    return (places >= start[:, None]) & (places < (start + length)[:, None])


def _filled(batch: ImageBatch, hidden: Tensor, fill: str, chance: torch.Generator) -> ImageBatch:
    images, where = batch.images, hidden[:, None].to(batch.images.device)
    if fill == "noise":
        by = torch.rand(images.shape, generator=chance).to(images)
    elif fill == "mean":
        by = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    else:
        by = torch.zeros_like(images)
    return batch.with_images(torch.where(where, by, images))
