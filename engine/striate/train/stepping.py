"""The gradients of one step, worked out as often as the optimizer asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from striate.train.order import in_batches


@dataclass(frozen=True, slots=True)
class Clipping:
    """What is done to gradients before an optimizer sees them: entries are bounded first, then all scaled down."""

    value: float | None = None
    norm: float | None = None

    def __call__(self, weights: Sequence[nn.Parameter]) -> None:
        """Change the gradients of some weights in place."""
        if self.value is not None:
            nn.utils.clip_grad_value_(weights, self.value)
        if self.norm is not None:
            nn.utils.clip_grad_norm_(weights, self.norm)


def parts_of_step(images: int, at_once: int) -> list[slice]:
    """Cut the images of a step into parts of at most so many; a rest of one image joins the part before."""
    return [slice(part[0], part[-1] + 1) for part in in_batches(list(range(images)), at_once)]


class StepGradients:
    """Computes loss and gradients of one step: called by the optimizer, once or (SAM, for instance) more often.

    Every call draws the same random numbers. The gradient is that of the mean over the images of the step, whatever
    the sizes of its parts. Statistics of norms are those of the first call: the weights of the others are only tried.

    Args:
        program: the network, in training mode.
        parts: the images of the step, in parts that are worked on one after the other.
        loss: gives the mean loss over a part and what training adds to it.
        seed: where the random numbers start.
        clipping: what is done to the gradients.
        forward: the context in which the network is run, for its precision.
        backward: computes gradients of a scalar.
        accept: is given the mean loss of the first call; what it raises ends the step, before a weight has changed.
    """

    def __init__(
        self,
        program: nn.Module,
        parts: Sequence[slice],
        loss: Callable[[slice], tuple[Tensor, Tensor | None]],
        *,
        seed: int,
        clipping: Clipping,
        forward: Callable[[], AbstractContextManager[None]],
        backward: Callable[[Tensor], None],
        accept: Callable[[float], None] | None = None,
    ) -> None:
        self._program, self._parts, self._loss = program, parts, loss
        self._seed, self._clipping, self._forward, self._backward = seed, clipping, forward, backward
        self._accept = accept
        self.images = sum(part.stop - part.start for part in parts)
        """The images of the step."""
        self.loss: Tensor | None = None
        """Of the first call: the sum of the loss over the images of the step, in float64."""

    @torch.enable_grad()
    def __call__(self) -> Tensor:
        """Leave the gradients in the weights, and return the mean loss, with what is added to it."""
        torch.manual_seed(self._seed)
        again = self.loss is not None
        kept = [value.clone() for value in self._program.buffers()] if again else []
        self._program.zero_grad()
        total, scored = [], []
        for part in self._parts:
            images = part.stop - part.start
            with self._forward():
                loss, added = self._loss(part)
            scored.append(loss.detach().double() * images)
            whole = loss if added is None else loss + added
            if images < self.images:
                whole = whole * (images / self.images)
            self._backward(whole)
            total.append(whole.detach())
        if again:
            with torch.no_grad():
                for value, before in zip(self._program.buffers(), kept, strict=True):
                    value.copy_(before)
        else:
            self.loss = torch.stack(scored).sum()
            if self._accept is not None:
                self._accept(float(self.loss) / self.images)
        self._clipping(list(self._program.parameters()))
        return torch.stack(total).sum()
