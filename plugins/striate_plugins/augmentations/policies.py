"""RandAugment and TrivialAugment: for each image, operations drawn from a table, with a strength on a common scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from striate.data import ImageBatch
from striate_plugins.augmentations import colour
from striate_plugins.augmentations.affine import place_map
from striate_plugins.augmentations.moves import Augmentation, check_fill, resampled

LEVELS = 30
"""The largest strength."""

Operation = Callable[[ImageBatch, Tensor, str], ImageBatch]
"""A batch, a strength per image from -1 to 1, and what lies beyond the border, to the changed batch."""


@dataclass(frozen=True, slots=True)
class _Strengths:
    """What full strength is: shear as a slope, shift as a share of the side, angle in degrees, change of colours."""

    shear: float
    shift: float
    angle: float
    colour: float
    bits: int


_RAND = _Strengths(shear=0.3, shift=150 / 331, angle=30.0, colour=0.9, bits=4)
_TRIVIAL = _Strengths(shear=0.99, shift=1.0, angle=135.0, colour=0.99, bits=6)
"""TrivialAugment shifts by up to 32 pixels, the whole side of its images: `_trivial_shift` says by how much."""


def rand_augment(n: int, magnitude: float, fill: str) -> Augmentation:
    """Return RandAugment: `n` operations for each image, all of one strength from 0 to 30."""
    table = _table(_RAND)

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        check_fill(fill, batch)
        for _ in range(n):
            level = torch.full((len(batch.images),), magnitude / LEVELS)
            batch = _applied(batch, table, level, fill, chance)
        return batch

    return augment


def trivial_augment(fill: str) -> Augmentation:
    """Return TrivialAugment: one operation for each image, of a strength drawn evenly from 0 to 30."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        check_fill(fill, batch)
        table = _table(_TRIVIAL, _trivial_shift(batch))
        level = torch.randint(LEVELS + 1, (len(batch.images),), generator=chance) / LEVELS
        return _applied(batch, table, level, fill, chance)

    return augment


def _trivial_shift(batch: ImageBatch) -> float:
    """Return the largest shift as a share: 32 pixels, or the side where an image is smaller than that."""
    return min(32 / max(batch.images.shape[2:]), 1.0)


def _applied(
    batch: ImageBatch, table: Mapping[str, Operation], level: Tensor, fill: str, chance: torch.Generator
) -> ImageBatch:
    """Return a batch with one operation of the table for each image; those with the same one go through together."""
    count = len(batch.images)
    drawn = torch.randint(len(table), (count,), generator=chance)
    signed = torch.where(torch.rand(count, generator=chance) < 1 / 2, -level, level)
    images, targets = batch.images.clone(), [(share, target.clone()) for share, target in batch.targets]
    for number, operation in enumerate(table.values()):
        rows = (drawn == number).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        there = rows.to(images.device)
        part = ImageBatch(images[there], tuple((share, target[there]) for share, target in batch.targets))
        made = operation(part, signed[rows], fill)
        images[there] = made.images
        for (_, target), (_, moved) in zip(targets, made.targets, strict=True):
            target[there] = moved
    return ImageBatch(images, tuple(targets))


def _table(full: _Strengths, shift: float | None = None) -> dict[str, Operation]:
    """Return the 14 operations of the papers by name."""
    distance = full.shift if shift is None else shift
    enhance = {"brightness": colour.brighter, "contrast": colour.contrasted, "saturation": colour.saturated}
    return {
        "identity": lambda batch, level, fill: batch,
        "autocontrast": lambda batch, level, fill: batch.with_images(colour.stretched(batch.images)),
        "equalize": lambda batch, level, fill: batch.with_images(colour.equalized(batch.images)),
        "rotate": lambda batch, level, fill: _moved(batch, fill, angle=level * math.radians(full.angle)),
        "shear_x": lambda batch, level, fill: _moved(batch, fill, slope=level * full.shear),
        "shear_y": lambda batch, level, fill: _moved(batch, fill, fall=level * full.shear),
        "translate_x": lambda batch, level, fill: _moved(batch, fill, right=level * distance * batch.images.shape[3]),
        "translate_y": lambda batch, level, fill: _moved(batch, fill, down=level * distance * batch.images.shape[2]),
        **{name: _colour(change, full.colour) for name, change in enhance.items()},
        "sharpness": _colour(colour.sharpened, full.colour),
        "solarize": lambda batch, level, fill: batch.with_images(colour.solarized(batch.images, 1 - level.abs())),
        "posterize": lambda batch, level, fill: batch.with_images(
            colour.posterized(batch.images, 8 - (level.abs() * full.bits).round().int())
        ),
    }


def _colour(change: Callable[[Tensor, Tensor], Tensor], most: float) -> Operation:
    return lambda batch, level, fill: batch.with_images(change(batch.images, 1 + level * most))


def _moved(batch: ImageBatch, fill: str, **places: Tensor) -> ImageBatch:
    zero = torch.zeros(len(batch.images))
    size = (batch.images.shape[2], batch.images.shape[3])
    values = {"angle": zero, "right": zero, "down": zero, "scale": zero + 1, "slope": zero, **places}
    return resampled(batch, place_map(**values, size=size), fill)
