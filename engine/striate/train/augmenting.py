"""A recipe's augmentations at work on the batches of a run, each drawn by seed and place alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from striate.host.records import AugmentationRecord
from striate.train.failures import against_terms, blamed
from striate.train.image_batch import ImageBatch
from striate.train.order import augmentation_seed
from striate.train.parts import Part


class Augmenter:
    """Applies a recipe's augmentations to batches of images, before the pixel contract.

    What an augmentation draws depends on the seed, its name (and how often that was named before it), the epoch and
    the batch, and on nothing else: a resumed run goes on alike, and one more augmentation changes nobody's draws.

    Raises:
        DiagnosticError: E0507, an augmentation refuses its arguments.
    """

    def __init__(self, parts: Sequence[Part[AugmentationRecord]], seed: int) -> None:
        self._seed = seed
        self._steps: list[tuple[Part[AugmentationRecord], str, Callable[[ImageBatch, torch.Generator], Any]]] = []
        named: Counter[str] = Counter()
        for part in parts:
            with blamed(part, "begin"):
                function = part.make()
            self._steps.append((part, f"{part.record.name}:{named[part.record.name]}", function))
            named[part.record.name] += 1

    def __call__(self, images: Tensor, targets: Tensor, epoch: int, batch: int) -> ImageBatch:
        """Return a batch as it is learned from; images of whole numbers, 0 to 255, come to 0 to 1 first.

        Raises:
            DiagnosticError: E0507, E0720, an augmentation fails; E0721, it gives something else than such a batch.
        """
        made = ImageBatch(images if images.is_floating_point() else images.float() / 255, ((1.0, targets),))
        # Colours and places in float32, whatever the network computes in.
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            for part, name, function in self._steps:
                chance = torch.Generator().manual_seed(augmentation_seed(self._seed, name, epoch, batch))
                with blamed(part, "be applied to the training images"):
                    after = function(made, chance)
                _check(part, made, after)
                made = after
        return made


def _check(part: Part[AugmentationRecord], before: ImageBatch, after: object) -> None:
    """Demand a batch of the same size; what costs time to look at, the numbers, is left to the loss."""
    if not isinstance(after, ImageBatch):
        raise against_terms(part, f"gave a {type(after).__name__} instead of an ImageBatch")
    made: list[tuple[str, Tensor, object]] = [("images", before.images, after.images)]
    made += [("targets", before.targets[0][1], target) for _, target in after.targets]
    for what, old, new in made:
        if not isinstance(new, Tensor) or new.shape != old.shape or new.dtype != old.dtype:
            raise against_terms(part, f"gave {what} of {_said(new)}, where {_said(old)} went in")
    total = sum(share for share, _ in after.targets)
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        raise against_terms(part, f"gave targets whose shares add up to {total:g} instead of 1")


def _said(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"the type {type(value).__name__}"
    return f"{' x '.join(map(str, value.shape))} ({str(value.dtype).removeprefix('torch.')})"
