"""Losses of images and of what a network sees in them: content, style, perceptual, total variation.

Features are maps `N x C x H x W` of some fixed network, which the caller works out: which network and which layers is
his business. Several layers are a list of maps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import comparable, wide, written

Maps = Sequence[Tensor]


def content(reduction: str = "mean") -> Callable[[Tensor, Tensor], Tensor]:
    """Return the squared distance of two maps.

    Args:
        reduction: `mean` over all entries (Johnson et al., 2016), or `sum` over the entries of an image and the mean
            over the images.
    """

    def loss(output: Tensor, target: Tensor) -> Tensor:
        output, target = comparable(output, target)
        squares = (output - target).square()
        return squares.mean() if reduction == "mean" else squares.sum() / max(len(squares), 1)

    return loss


def style(normalise: str = "size", weights: tuple[float, ...] | None = None) -> Callable[[Maps, Maps], Tensor]:
    """Return the squared distance of the Gram matrices of lists of maps: summed over layers, mean over images.

    Args:
        normalise: `none` takes G = F F^T as it is; `size` divides G by C H W (Johnson et al., 2016); `gatys` divides
            the squared distance by 4 C^2 (H W)^2 (Gatys et al., 2016).
        weights: one number per layer; none weighs all with 1.
    """

    def loss(output: Maps, target: Maps) -> Tensor:
        if len(output) != len(target) or not output or (weights is not None and len(weights) != len(output)):
            counted = "" if weights is None else f", and weights has {len(weights)}"
            raise ValueError(f"the output has {len(output)} layers, the target {len(target)}{counted}")
        terms = [_of_layer(*comparable(made, wanted)) for made, wanted in zip(output, target, strict=True)]
        factors = weights or (1.0,) * len(terms)
        return torch.stack([factor * term for factor, term in zip(factors, terms, strict=True)]).sum()

    def _of_layer(made: Tensor, wanted: Tensor) -> Tensor:
        if made.dim() != 4:
            raise ValueError(f"features are maps N x C x H x W, not {written(made)}")
        channels, places = made.shape[1], made.shape[2] * made.shape[3]
        size = float(channels * places) if normalise == "size" else 1.0
        apart = (gram(made) / size - gram(wanted) / size).square().sum(dim=(1, 2)).mean()
        return apart / (4.0 * channels**2 * places**2) if normalise == "gatys" else apart

    return loss


def gram(features: Tensor) -> Tensor:
    """Return the products of all pairs of channels, summed over the places: `N x C x C` of maps `N x C x H x W`."""
    flat = wide(features).flatten(2)
    return flat @ flat.transpose(1, 2)


def perceptual(weight: float = 1.0, pixel_weight: float = 1.0) -> Callable[[Tensor, Tensor, Maps, Maps], Tensor]:
    """Return pixel_weight * MSE of the images + weight * the sum over layers of the MSE of their features.

    The returned function takes the output image, the image wanted (of the same size), and the lists of the features
    of both.
    """

    def loss(output: Tensor, target: Tensor, output_features: Maps, target_features: Maps) -> Tensor:
        if len(output_features) != len(target_features):
            raise ValueError(f"there are features of {len(output_features)} and of {len(target_features)} layers")
        pixels = functional.mse_loss(*comparable(output, target))
        seen = [
            functional.mse_loss(*comparable(made, wanted))
            for made, wanted in zip(output_features, target_features, strict=True)
        ]
        return pixel_weight * pixels + weight * sum(seen, torch.zeros_like(pixels))

    return loss


def total_variation(form: str = "absolute") -> Callable[[Tensor], Tensor]:
    """Return how much neighbouring pixels of images `N x C x H x W` differ: the sum over places, per entry.

    Args:
        form: `absolute` sums |down| + |right|, `squared` their squares, `length` the roots of the sums of their squares
            (Rudin et al., 1992), over pixels with both neighbours.
    """

    def loss(images: Tensor) -> Tensor:
        if images.dim() != 4:
            raise ValueError(f"images are N x C x H x W, not {written(images)}")
        images = wide(images)
        down, right = images[..., 1:, :] - images[..., :-1, :], images[..., :, 1:] - images[..., :, :-1]
        total: Tensor
        if form == "length":
            steps = torch.stack([down[..., :, :-1], right[..., :-1, :]])
            total = torch.linalg.vector_norm(steps, dim=0).sum()  # its gradient is 0 where the image is flat
        elif form == "squared":
            total = down.square().sum() + right.square().sum()
        else:
            total = down.abs().sum() + right.abs().sum()
        return total / max(images.numel(), 1)

    return loss
