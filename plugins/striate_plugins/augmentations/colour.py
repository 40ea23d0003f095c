"""Augmentations that change colours and sharpness, with kornia's operations; pixels and targets stay where they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from kornia import color, enhance, filters
from torch import Tensor

from striate.data import ImageBatch
from striate_plugins.augmentations.draws import evenly, heads, per_image
from striate_plugins.augmentations.moves import Augmentation

_COLOURS = 3

Change = Callable[[Tensor], Tensor]


def color_jitter(brightness: float, contrast: float, saturation: float, hue: float) -> Augmentation:
    """Return changes of brightness, contrast, saturation and hue, in an order that is drawn for each batch.

    Args:
        brightness: images are multiplied by 1 - brightness to 1 + brightness.
        contrast: their distance from the mean grey likewise.
        saturation: their distance from their own grey likewise.
        hue: the largest shift of the hue, as a share of the whole circle.
    """

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        images, count = batch.images, len(batch.images)
        if saturation or hue:
            _demand_colours(images)
        changes: list[Change] = []
        for strength, change in (
            (brightness, brighter),
            (contrast, contrasted),
            (saturation, saturated),
        ):
            factors = evenly(chance, count, max(0.0, 1 - strength), 1 + strength)
            if strength:
                changes.append(lambda values, change=change, factors=factors: change(values, factors))  # type: ignore[misc]
        shift = evenly(chance, count, -hue, hue) * 2 * math.pi
        if hue:
            changes.append(lambda values: enhance.adjust_hue(values, shift.to(values)).clamp(0, 1))
        for number in torch.randperm(len(changes), generator=chance).tolist():
            images = changes[number](images)
        return batch.with_images(images)

    return augment


def grey(p: float) -> Augmentation:
    """Return the loss of all colour of each image with a probability; the three channels stay."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        _demand_colours(batch.images)
        return _sometimes(batch, chance, p, without_colour)

    return augment


def invert(p: float) -> Augmentation:
    """Return the negative of each image with a probability: x' = 1 - x."""
    return lambda batch, chance: _sometimes(batch, chance, p, lambda images: 1 - images)


def solarize(threshold: float, p: float) -> Augmentation:
    """Return the negative of what is as bright as a threshold or brighter, with a probability."""
    return lambda batch, chance: _sometimes(
        batch, chance, p, lambda images: solarized(images, torch.full((len(images),), threshold))
    )


def posterize(bits: int, p: float) -> Augmentation:
    """Return each image with so many bits per channel, with a probability."""
    return lambda batch, chance: _sometimes(
        batch, chance, p, lambda images: posterized(images, torch.full((len(images),), bits))
    )


def equalize(p: float) -> Augmentation:
    """Return each image with all brightnesses about equally frequent, channel by channel, with a probability."""
    return lambda batch, chance: _sometimes(batch, chance, p, equalized)


def autocontrast(p: float) -> Augmentation:
    """Return each image with every channel stretched to 0 to 1, with a probability."""
    return lambda batch, chance: _sometimes(batch, chance, p, stretched)


def gamma(power: tuple[float, float]) -> Augmentation:
    """Return x' = x ** p, p drawn for each image between two numbers, evenly in its logarithm."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        drawn = evenly(chance, len(batch.images), math.log(power[0]), math.log(power[1])).exp()
        return batch.with_images(enhance.adjust_gamma(batch.images, drawn.to(batch.images)))

    return augment


def sharpness(strength: float) -> Augmentation:
    """Return images softer or sharper: 1 - strength to 1 + strength times as far from a blurred one."""

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        factors = evenly(chance, len(batch.images), max(0.0, 1 - strength), 1 + strength)
        return batch.with_images(sharpened(batch.images, factors))

    return augment


def blur(sigma: tuple[float, float], p: float) -> Augmentation:
    """Return each image blurred by a Gaussian with a probability; the border is reflected.

    Args:
        sigma: least and largest standard deviation, in pixels.
        p: the probability.
    """
    radius = max(1, math.ceil(3 * sigma[1]))

    def augment(batch: ImageBatch, chance: torch.Generator) -> ImageBatch:
        height, width = batch.images.shape[2:]
        if radius >= min(height, width):
            raise ValueError(f"sigma up to {sigma[1]:g} needs images larger than {height} x {width}")
        drawn = evenly(chance, len(batch.images), *sigma)

        def blurred(images: Tensor) -> Tensor:
            both = drawn.to(images)[:, None].expand(-1, 2)
            return filters.gaussian_blur2d(images, 2 * radius + 1, both)

        return _sometimes(batch, chance, p, blurred)

    return augment


def brighter(images: Tensor, factors: Tensor) -> Tensor:
    """Return images multiplied by a factor each, kept within 0 to 1."""
    return enhance.adjust_brightness_accumulative(images, factors.to(images))


def contrasted(images: Tensor, factors: Tensor) -> Tensor:
    """Return β (x - μ) + μ, where μ is the mean of the image's grey."""
    return enhance.adjust_contrast_with_mean_subtraction(images, factors.to(images))


def saturated(images: Tensor, factors: Tensor) -> Tensor:
    """Return c x + (1 - c) grey(x); grey images stay as they are."""
    if images.shape[1] != _COLOURS:
        return images
    return enhance.adjust_saturation_with_gray_subtraction(images, factors.to(images))


def sharpened(images: Tensor, factors: Tensor) -> Tensor:
    """Return blends of images with blurred ones: factor 0 is blurred, 1 the image; pixels at the border stay."""
    return enhance.sharpness(images, factors.to(images))


def solarized(images: Tensor, thresholds: Tensor) -> Tensor:
    """Return images with what is as bright as a threshold each, or brighter, inverted."""
    limits = per_image(thresholds, images)
    return torch.where(images >= limits, 1 - images, images)


def posterized(images: Tensor, bits: Tensor) -> Tensor:
    """Return images with so many bits per channel each, of eight."""
    return enhance.posterize(images, bits.to(images.device))


def equalized(images: Tensor) -> Tensor:
    """Return images with equalised histograms, each channel for itself."""
    return enhance.equalize(images)


def stretched(images: Tensor) -> Tensor:
    """Return images with every channel stretched to 0 to 1; a channel of one value stays."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp(min=1e-12), images)


def without_colour(images: Tensor) -> Tensor:
    """Return images with their grey in all three channels."""
    return color.rgb_to_grayscale(images).expand(-1, _COLOURS, -1, -1).contiguous()


def _demand_colours(images: Tensor) -> None:
    if images.shape[1] != _COLOURS:
        raise ValueError(f"it takes images in colour, with 3 channels, not {images.shape[1]}")


def _sometimes(batch: ImageBatch, chance: torch.Generator, p: float, change: Change) -> ImageBatch:
    """Return a batch in which each image is changed with a probability."""
    chosen = per_image(heads(chance, len(batch.images), p), batch.images)
    return batch.with_images(torch.where(chosen, change(batch.images), batch.images))
