"""Augmentations that add something to the values, with torch alone: noise, and AlexNet's shift of colours."""

from __future__ import annotations

import torch

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import per_image
from striate_plugins.augmentations.moves import Augmentation


def noise(std: float) -> Augmentation:
    """Return Gaussian noise on every value: x' = x + n, n ~ N(0, std²), kept within 0 to 1."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        added = std * torch.randn(batch.images.shape, generator=chance)
        return batch.with_images((batch.images + added.to(batch.images)).clamp(0, 1))

    return augment


def salt_pepper(amount: float, salt: float) -> Augmentation:
    """Return salt (1) and pepper (0) on a share of the pixels, all channels alike."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        images = batch.images
        size = (len(images), 1, *images.shape[2:])
        hit = torch.rand(size, generator=chance) < amount
        white = (torch.rand(size, generator=chance) < salt).to(images)
        return batch.with_images(torch.where(hit.to(images.device), white, images))

    return augment


_IMAGENET_VALUES = (0.2175, 0.0188, 0.0045)
_IMAGENET_VECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
"""Principal components of ImageNet's colours, values 0 to 1: standard deviations, and directions as columns."""


def lighting(std: float) -> Augmentation:
    """Return AlexNet's colour shift: each image moves along the principal components of ImageNet's colours.

    Raises:
        ValueError (by the augmentation): the images have no colours.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        images = batch.images
        if images.shape[1] != 3:
            raise ValueError("it takes images in colour (3 channels)")
        drawn = std * torch.randn(len(images), 3, generator=chance)
        shift = (drawn * torch.tensor(_IMAGENET_VALUES)) @ torch.tensor(_IMAGENET_VECTORS).T
        moved = torch.stack([images[:, band] + per_image(shift[:, band], images)[:, 0] for band in range(3)], dim=1)
        return batch.with_images(moved.clamp(0, 1))

    return augment
