"""Examples to batches of tensors, for training, measuring and predicting alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, SequentialSampler

from striate.train.data import Examples
from striate.train.order import in_batches

Batch = tuple[Tensor, Tensor]
"""Images `N x C x H x W` (float32, 0 to 1) and targets (int64)."""


class _View(Dataset[Any]):
    """Examples as torch's loader wants them."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> Any:
        return self._examples[index]


class _Batches(Sampler[list[int]]):
    """Batches that are known beforehand; `sampler` is what Lightning looks at to see whether data are mixed."""

    def __init__(self, batches: Sequence[list[int]]) -> None:
        self._batches = batches
        self.sampler = SequentialSampler(batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def loader(examples: Examples, batches: Sequence[list[int]]) -> DataLoader[Any]:
    """Return a loader of the given batches of examples."""
    return DataLoader(
        _View(examples),
        batch_sampler=_Batches(batches),
        collate_fn=_stack,
        generator=torch.Generator(),  # or the loader would draw from everybody's random numbers
    )


def whole_loader(examples: Examples, batch: int) -> DataLoader[Any]:
    """Return a loader of all examples in their order."""
    return loader(examples, in_batches(list(range(len(examples))), batch))


def _stack(pairs: Sequence[tuple[Any, Any]]) -> Batch:
    images = np.stack([image for image, _ in pairs])
    targets = np.stack([np.asarray(target) for _, target in pairs])
    return torch.from_numpy(images).float(), torch.from_numpy(targets).long()
