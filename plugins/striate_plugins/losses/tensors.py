"""What the losses do with their tensors before they calculate: wider numbers, equal shapes, one row per place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NARROW = (torch.float16, torch.bfloat16)


def wide(tensor: Tensor) -> Tensor:
    """Return half-precision numbers as float32, in which sums keep their digits; others as they are."""
    return tensor.float() if tensor.dtype in NARROW else tensor


def comparable(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return output and target in one type of numbers.

    Raises:
        ValueError: their shapes differ; broadcasting would compare every entry with every other.
    """
    if output.shape != target.shape:
        raise ValueError(f"the output is {written(output)}, but the target is {written(target)}")
    output = wide(output)
    return output, target.to(output.dtype)


def written(tensor: Tensor) -> str:
    """Return a shape as messages write it."""
    return " x ".join(map(str, tensor.shape)) or "a single number"


def check_classes(scores: Tensor, classes: Tensor) -> None:
    """Hold class numbers to scores.

    Args:
        scores: `N x K` or `N x K x …`.
        classes: `N` or `N x …`, whole numbers.

    Raises:
        ValueError: their shapes do not go together.
    """
    if scores.dim() < 2 or classes.shape != (scores.shape[0], *scores.shape[2:]):
        raise ValueError(f"the output is {written(scores)}, but the class numbers are {written(classes)}")


def as_rows(scores: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores with one row per place (image or pixel), `P x K`, and the class numbers of the places, `P`."""
    check_classes(scores, classes)
    return wide(scores).movedim(1, -1).reshape(-1, scores.shape[1]), classes.reshape(-1)


def one_hot(classes: Tensor, like: Tensor) -> Tensor:
    """Return 1 for the class of each place and 0 for the others, in shape and type of scores `N x K x …`."""
    check_classes(like, classes)
    return functional.one_hot(classes, like.shape[1]).movedim(-1, 1).to(like.dtype)


def per_class(weights: tuple[float, ...], like: Tensor, name: str = "class_weights") -> Tensor:
    """Return one number per class where scores `N x K x …` are.

    Raises:
        ValueError: there is another number of classes.
    """
    if len(weights) != like.shape[1]:
        raise ValueError(f"{name} has {len(weights)} entries, but there are {like.shape[1]} classes")
    return torch.tensor(weights, dtype=like.dtype, device=like.device)


def along_classes(weights: Tensor, like: Tensor) -> Tensor:
    """Return one number per class in a shape that multiplies scores `N x K x …`."""
    return weights.reshape(-1, *[1] * (like.dim() - 2))


def ratio(part: Tensor, whole: Tensor, otherwise: float) -> Tensor:
    """Return part / whole, and a given number where the whole is 0; the gradient stays finite there."""
    nothing = whole == 0
    return torch.where(nothing, torch.full_like(part, otherwise), part / torch.where(nothing, 1.0, whole))


def mean_or_zero(values: Tensor) -> Tensor:
    """Return the mean, and a 0 that still depends on the values where there are none."""
    return values.sum() / max(values.numel(), 1)
