"""The loss of a recipe as a module: losses made, targets brought into the form that each compares with, terms summed.

What an output is compared with depends on the goal of the training, which `subject.py` finds out: classes, vectors
(`embeddings` by distance, `directions` by angle), or the image itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.host.records import LossRecord
from striate.train.loss_terms import LossTerm, RecipeLoss
from striate.train.parts import Part

Goal = Literal["classes", "embeddings", "directions", "images"]
VECTORS = ("embeddings", "directions")


class Objective(nn.Module):
    """What training makes small, as a function of outputs, targets and images.

    Its parameters are the weights that losses have of their own, such as the directions of ArcFace's classes; they are
    drawn by the seed alone, and are no part of the network.

    Args:
        loss: the recipe's loss.
        sizes: the entries of an embedding (`features`) and the number of `classes`.
        seed: where weights of the losses' own start from.
        goal: what the outputs are compared with.
    """

    def __init__(
        self, loss: RecipeLoss, sizes: Mapping[str, int] | None = None, seed: int = 0, goal: Goal = "classes"
    ) -> None:
        super().__init__()
        self.goal: Goal = goal
        self.terms = loss.terms
        self._losses = [_made(term.part, sizes or {}, _seed(seed, number)) for number, term in enumerate(loss.terms)]
        modules = {str(number): made for number, made in enumerate(self._losses) if isinstance(made, nn.Module)}
        self.losses = nn.ModuleDict(modules)

    def forward(self, outputs: Tensor, targets: Tensor, images: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, in float32 or wider.

        Args:
            outputs: `N x …`, what the network gives.
            targets: class numbers, `N` or `N x H x W`.
            images: `N x C x H x W` from 0 to 1, what the network was shown; needed where the goal is `images`.

        Raises:
            ValueError: a loss cannot compare the two, or does not give one number.
        """
        with torch.autocast(outputs.device.type, enabled=False):
            outputs = outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs
            total: Tensor | None = None
            for term, loss in zip(self.terms, self._losses, strict=True):
                value = loss(outputs, self._wanted(term, outputs, targets, images))
                if not isinstance(value, Tensor) or value.dim():
                    raise ValueError("it must give one number, a tensor without axes")
                value = value if term.weight == 1 else value * term.weight
                total = value if total is None else total + value
        if total is None:
            raise RuntimeError("a recipe's loss has at least one term")
        return total

    def _wanted(self, term: LossTerm, outputs: Tensor, targets: Tensor, images: Tensor | None) -> Tensor:
        if self.goal == "images":
            if images is None:
                raise RuntimeError("the images are what a reconstruction is compared with")
            return images
        kind = term.part.record.target
        if kind == "classes":
            return targets
        chosen = functional.one_hot(targets, outputs.shape[1]).movedim(-1, 1).to(outputs.dtype)
        return 2 * chosen - 1 if kind == "signs" else chosen


def _made(part: Part[LossRecord], sizes: Mapping[str, int], seed: int) -> Callable[..., Any]:
    """Make a loss; what it draws comes from the seed, and nobody else's random numbers move on."""
    given = {name: sizes[name] for name in part.record.sizes}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made: Callable[..., Any] = part.record.factory(**given, **part.arguments)
    return made


def _seed(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:loss:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
