"""Augmentations that turn, shift, enlarge and shear images about their middle, with torch alone."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import evenly
from striate_plugins.augmentations.moves import Augmentation, check_fill, resampled


def rotation(degrees: float, fill: str) -> Augmentation:
    """Return the rotation of each image about its middle by an angle between -degrees and degrees."""
    return affine(degrees, 0.0, (1.0, 1.0), 0.0, fill)


def affine(degrees: float, shift: float, scale: tuple[float, float], shear: float, fill: str) -> Augmentation:
    """Return the affine map of each image about its middle: sheared, enlarged, turned, then shifted.

    Args:
        degrees: the largest angle, either way.
        shift: the largest shift down and to the right, as a share of height and width, either way.
        scale: least and largest factor by which the content grows.
        shear: the largest angle of shearing along the rows, in degrees, either way.
        fill: what lies beyond the border: `replicate`, `reflect` or `zeros`.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        check_fill(fill, batch)
        count, _, height, width = batch.images.shape
        angle = torch.deg2rad(evenly(chance, count, -degrees, degrees))
        down = evenly(chance, count, -shift, shift) * height
        right = evenly(chance, count, -shift, shift) * width
        factor = evenly(chance, count, *scale)
        slope = torch.tan(torch.deg2rad(evenly(chance, count, -shear, shear)))
        return resampled(batch, place_map(angle, right, down, factor, slope, (height, width)), fill)

    return augment


def place_map(
    angle: Tensor,
    right: Tensor,
    down: Tensor,
    scale: Tensor,
    slope: Tensor,
    size: tuple[int, int],
    fall: Tensor | None = None,
) -> Tensor:
    """Return where each pixel of the result lies in the image, as `resampled` takes it: `N x 2 x 3`.

    The content goes by x' = s · R(angle) · S · x + t about the middle, so a pixel of the result comes from
    x = (s · R · S)⁻¹ (x' - t). Angles are counted clockwise as displayed, since y points down.

    Args:
        angle: in radians.
        right: the shift to the right, in pixels.
        down: the shift down, in pixels.
        scale: the factor of growth.
        slope: pixels to the right per pixel down, of shearing.
        size: height and width.
        fall: pixels down per pixel to the right, of shearing the other way.
    """
    cos, sin = torch.cos(angle), torch.sin(angle)
    fall = torch.zeros_like(angle) if fall is None else fall
    # s · R · S with S = [[1, slope], [fall, 1]]
    a, b = scale * (cos - sin * fall), scale * (cos * slope - sin)
    c, d = scale * (sin + cos * fall), scale * (sin * slope + cos)
    determinant = a * d - b * c
    into = torch.stack([d, -b, -c, a], dim=1).reshape(-1, 2, 2) / determinant[:, None, None]
    shift = -(into @ torch.stack([right, down], dim=1)[:, :, None])
    half = torch.tensor([size[1] / 2, size[0] / 2])
    # From pixels about the middle to places from -1 to 1.
    return torch.cat([into * half[None, None, :] / half[None, :, None], shift / half[None, :, None]], dim=2)
