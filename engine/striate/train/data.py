"""What a data set is: three splits of examples and the names of the classes. The types that data plugins return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]

SPLITS = ("train", "validation", "test")


class Examples(Protocol):
    """One split: pairs of image and target by number.

    An image is float32, `C x H x W` in the network's size, with values from 0 to 1 and, where it has colours, in the
    order red, green, blue. A target is a class number, or a map of class numbers `H x W`.
    """

    def __len__(self) -> int:
        """Return the number of examples."""

    def __getitem__(self, index: int) -> tuple[Array, Any]:
        """Return one example."""


@dataclass(frozen=True)
class ImageArrays:
    """Examples in memory: `images` is `N x C x H x W`, `targets` has N class numbers (or maps of them)."""

    images: Array
    targets: Array

    def __post_init__(self) -> None:
        if len(self.images) != len(self.targets):
            raise ValueError(f"{len(self.images)} images but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Array, Any]:
        return self.images[index], self.targets[index]


@dataclass(frozen=True)
class DataSplits:
    """A data set.

    Attributes:
        train: what is learned from.
        validation: what decides which weights are kept and when training stops.
        test: what is measured once, at the end; nothing is ever chosen by it.
        classes: the class names, in the order of the class numbers.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...]

    def __getitem__(self, split: str) -> Examples:
        examples: Examples = getattr(self, split)
        return examples

    def __iter__(self) -> Iterator[tuple[str, Examples]]:
        return ((name, self[name]) for name in SPLITS)
