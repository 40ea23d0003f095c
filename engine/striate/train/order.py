"""What chance decides in a run, as functions of the seed and the place in the run: a resumed run goes on alike."""

from __future__ import annotations

import hashlib

import numpy as np


def batches_of_epoch(seed: int, epoch: int, examples: int, batch: int) -> list[list[int]]:
    """Return the numbers of the examples in every batch of an epoch, mixed anew in each.

    A last batch of a single example joins the one before: batch norm cannot work with one value.
    """
    order = np.random.Generator(np.random.PCG64(_number(seed, "order", epoch))).permutation(examples).tolist()
    return in_batches(order, batch)


def in_batches(numbers: list[int], batch: int) -> list[list[int]]:
    """Cut a list into batches; a rest of one joins the batch before."""
    batches = [numbers[start : start + batch] for start in range(0, len(numbers), batch)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [batches[-2] + batches[-1]]
    return batches


def step_seed(seed: int, epoch: int, batch: int) -> int:
    """Return the seed of the random numbers that one step draws, for dropout and the like."""
    return _number(seed, "step", epoch, batch)


def augmentation_seed(seed: int, name: str, epoch: int, batch: int) -> int:
    """Return the seed of what one augmentation draws for one batch."""
    return _number(seed, "augment", name, epoch, batch)


def _number(*parts: object) -> int:
    """Return a number below 2^63 that depends on all parts and looks random."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
