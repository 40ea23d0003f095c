"""What a recipe's augmentations make of a few training images, as a picture for the report."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from torch import Tensor

from striate.train.augmenting import Augmenter
from striate.train.batches import whole_loader
from striate.train.image_batch import ImageBatch
from striate.train.pictures import draw_augmented
from striate.train.subject import Subject

Array = np.ndarray[Any, Any]

_IMAGES, _DRAWS = 6, 5
_SHADE = 0.4
"""How much of a pixel's colour is that of its class, where every pixel has one."""


def augmented_picture(subject: Subject) -> bytes:
    """Return a PNG with a row per image: as it is in the data set, then as it comes in five batches of a run."""
    data = subject.data
    examples = [data.train[index] for index in range(min(_IMAGES, len(data.train)))]
    images, targets = next(iter(whole_loader(examples, len(examples))))
    augment = Augmenter(subject.recipe.augment, subject.recipe.seed)
    made = [ImageBatch(images, ((1.0, targets),))]
    made += [augment(images, targets, 0, batch) for batch in range(_DRAWS)]
    rows = [
        [(_shown(batch, row), _caption(batch, row, data.classes)) for batch in made] for row in range(len(examples))
    ]
    return draw_augmented(rows, ["original", *(f"batch {number + 1}" for number in range(_DRAWS))])


def _shown(batch: ImageBatch, row: int) -> Array:
    """Return an image as it is drawn, `H x W x 3`, tinted by its classes where every pixel has one."""
    image = batch.images[row].cpu()
    channels = image if len(image) == 3 else image[:1].expand(3, -1, -1)
    pixels: Array = channels.permute(1, 2, 0).clamp(0, 1).numpy()
    if not batch.has_maps:
        return pixels
    _, target = max(batch.targets, key=lambda item: item[0])
    tints: Array = colormaps["tab20"](target[row].cpu().numpy() % 20)[..., :3]
    return (1 - _SHADE) * pixels + _SHADE * tints


def _caption(batch: ImageBatch, row: int, classes: tuple[str, ...]) -> str:
    """Return the class of an image, or the shares of several."""
    if batch.has_maps:
        return ""
    shares: dict[str, float] = {}
    for share, target in batch.targets:
        name = _name(target[row], classes)
        shares[name] = shares.get(name, 0.0) + share
    if len(shares) == 1:
        return next(iter(shares))
    return ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items())


def _name(target: Tensor, classes: tuple[str, ...]) -> str:
    number = int(target)
    return classes[number] if 0 <= number < len(classes) else str(number)
