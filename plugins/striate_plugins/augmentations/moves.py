"""Augmentations that move pixels, with torch alone: flips and crops. Maps of classes move with the images."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import evenly, heads

Augmentation = Callable[[ImageBatch, torch.Generator], ImageBatch]

_PADDING = {"replicate": "replicate", "reflect": "reflect", "zeros": "constant"}


def hflip(p: float) -> Augmentation:
    """Return the mirroring left to right of each image with a probability: x'(i, j) = x(i, W - 1 - j)."""
    return _flip(p, -1)


def vflip(p: float) -> Augmentation:
    """Return the mirroring top to bottom of each image with a probability: x'(i, j) = x(H - 1 - i, j)."""
    return _flip(p, -2)


def _flip(p: float, axis: int) -> Augmentation:
    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        turned = heads(chance, len(batch.images), p)

        def flipped(values: Tensor) -> Tensor:
            chosen = turned.to(values.device).reshape(-1, *[1] * (values.dim() - 1))
            return torch.where(chosen, values.flip(axis), values)

        return batch.moved(flipped, flipped)

    return augment


def crop(pad: int, fill: str) -> Augmentation:
    """Return the crop of each image, in its own size, from the image widened by `pad` pixels on every side.

    Raises:
        ValueError (by the augmentation): the border cannot be filled as asked.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        check_fill(fill, batch)
        count, _, height, width = batch.images.shape
        if fill == "reflect" and pad >= min(height, width):
            raise ValueError(f"pad = {pad} is too much to be filled by reflection in {height} x {width}")
        tops, lefts = torch.randint(2 * pad + 1, (2, count), generator=chance)

        def cut(images: Tensor) -> Tensor:
            wide = functional.pad(images, (pad,) * 4, _PADDING[fill])
            rows = (tops[:, None] + torch.arange(height)).to(images.device)
            columns = (lefts[:, None] + torch.arange(width)).to(images.device)
            numbers = torch.arange(count, device=images.device)
            # Indices apart from each other put their axes first: N x H x W x C.
            return wide[numbers[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

        return batch.moved(cut, lambda maps: cut(maps[:, None].double())[:, 0].to(maps.dtype))

    return augment


def resized_crop(scale: tuple[float, float], ratio: tuple[float, float]) -> Augmentation:
    """Return the crop of a part of each image, brought back to the image's size.

    Args:
        scale: least and largest share of the image's area.
        ratio: least and largest width over height of the part; it is drawn evenly in its logarithm.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        count, _, height, width = batch.images.shape
        area = evenly(chance, count, *scale) * height * width
        shape = evenly(chance, count, math.log(ratio[0]), math.log(ratio[1])).exp()
        # Half sides as shares of the image: the grid goes from -1 to 1, so centres have 1 minus that to either side.
        across = ((area * shape).sqrt() / width).clamp(max=1)
        down = ((area / shape).sqrt() / height).clamp(max=1)
        right = evenly(chance, count, -1, 1) * (1 - across)
        low = evenly(chance, count, -1, 1) * (1 - down)
        zero = torch.zeros(count)
        theta = torch.stack([across, zero, right, zero, down, low], dim=1).reshape(count, 2, 3)
        return resampled(batch, theta, "replicate")

    return augment


def resampled(batch: ImageBatch, theta: Tensor, fill: str) -> ImageBatch:
    """Return a batch in which each pixel is taken from where an affine map of the plane from -1 to 1 says.

    Args:
        batch: the batch; images are interpolated bilinearly, maps take the nearest pixel.
        theta: `N x 2 x 3`, from places in the result to places in the image, x before y.
        fill: what lies beyond the border: `replicate`, `reflect` or `zeros`.
    """
    beyond = {"replicate": "border", "reflect": "reflection", "zeros": "zeros"}[fill]

    def taken(images: Tensor, mode: str) -> Tensor:
        grid = functional.affine_grid(theta.to(images), list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, mode, beyond, align_corners=False)

    return batch.moved(
        lambda images: taken(images, "bilinear"),
        lambda maps: taken(maps[:, None].double(), "nearest")[:, 0].to(maps.dtype),
    )


def check_fill(fill: str, batch: ImageBatch) -> None:
    """Demand that the border can be filled where every pixel has a class.

    Raises:
        ValueError: it would be filled with black pixels of no class.
    """
    if fill == "zeros" and batch.has_maps:
        raise ValueError("fill = zeros makes pixels that have no class; write fill = replicate or fill = reflect")
