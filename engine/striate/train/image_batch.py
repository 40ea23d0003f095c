"""A batch of training images on its way through the augmentations. No torch here: plugins' records stay light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ImageBatch:
    """Images and what the network is to say of them.

    Attributes:
        images: `N x C x H x W`, float32 from 0 to 1, grey or red, green, blue: before the pixel contract is applied.
        targets: what is to be said, each with its share: the loss is the sum of share times loss. Class numbers `N` or
            maps of class numbers `N x H x W`, int64. One entry of share 1, until images are mixed.
    """

    images: Tensor
    targets: tuple[tuple[float, Tensor], ...]

    @property
    def has_maps(self) -> bool:
        """Whether there is a class for every pixel, so that what moves the pixels moves the targets too."""
        return self.targets[0][1].dim() > 1

    def with_images(self, images: Tensor) -> ImageBatch:
        """Return the batch with other images: for what changes colours and leaves every pixel at its place."""
        return replace(self, images=images)

    def moved(self, images: Callable[[Tensor], Tensor], maps: Callable[[Tensor], Tensor]) -> ImageBatch:
        """Return the batch with pixels moved: images by one function, maps (`N x H x W`) alike by the other.

        `maps` must invent no classes: it takes the nearest pixel, or fills with a class that is there.
        """
        targets = tuple((share, maps(target)) for share, target in self.targets) if self.has_maps else self.targets
        return ImageBatch(images(self.images), targets)

    def mixed(self, images: Tensor, other: Tensor, share: float) -> ImageBatch:
        """Return the batch with images that are partly others of the same batch.

        Args:
            images: the mixed images.
            other: for each image the number of the one that it was mixed with, `N`.
            share: how much of each image is its own, from 0 to 1; the other's targets count for the rest.
        """
        own = tuple((share * part, target) for part, target in self.targets)
        foreign = tuple(((1 - share) * part, target[other.to(target.device)]) for part, target in self.targets)
        return ImageBatch(images, tuple(item for item in (*own, *foreign) if item[0] > 0))
