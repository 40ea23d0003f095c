"""The loss of a region proposal network (Ren et al., 2015, section 3.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.anchors import NOTHING, assign, choose, encode
from striate_plugins.losses.tensors import wide, written


@dataclass(frozen=True, slots=True)
class RegionProposal:
    """The loss as a function of objectness, offsets, anchors and true boxes.

    Attributes:
        weight: the balance lambda of the offsets' part.
        positive: the IoU from which an anchor is an object.
        negative: the IoU below which it is none.
        samples: anchors drawn per image, or None for all; the classes' part is divided by their number.
        positive_share: the largest share of objects among them.
        per_place: anchors per place of the map; the offsets' part is divided by the number of places.
        beta: where smooth L1 becomes straight.
    """

    weight: float = 10.0
    positive: float = 0.7
    negative: float = 0.3
    samples: int | None = 256
    positive_share: float = 0.5
    per_place: int = 9
    beta: float = 1.0

    def __call__(
        self,
        objectness: Tensor,
        offsets: Tensor,
        anchors: Tensor,
        boxes: Sequence[Tensor],
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the mean over the images.

        Args:
            objectness: `N x A` scores before a sigmoid.
            offsets: `N x A x 4`, from the anchors.
            anchors: `A x 4`, corners.
            boxes: per image `G x 4`, corners.
            generator: where the chance of sampling comes from; by default torch's own.

        Raises:
            ValueError: the shapes do not go together.
        """
        if offsets.dim() != 3 or offsets.shape[1:] != anchors.shape or objectness.shape != offsets.shape[:2]:
            raise ValueError(
                f"objectness is N x A, offsets N x A x 4, anchors A x 4, not {written(objectness)}, "
                f"{written(offsets)} and {written(anchors)}"
            )
        if len(boxes) != len(offsets):
            raise ValueError(f"there are {len(offsets)} images, but boxes of {len(boxes)}")
        terms = [
            self._of_image(wide(scores), wide(moves), anchors, true, generator)
            for scores, moves, true in zip(objectness, offsets, boxes, strict=True)
        ]
        return torch.stack(terms).mean()

    def _of_image(
        self, scores: Tensor, moves: Tensor, anchors: Tensor, boxes: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        anchors, boxes = anchors.to(moves.dtype), boxes.to(moves.dtype)
        assigned = assign(anchors, boxes, self.positive, self.negative)
        objects, others = self._drawn(assigned, generator)
        chosen = torch.cat([objects, others])
        wanted = torch.zeros_like(scores[chosen])
        wanted[: len(objects)] = 1
        entropy = functional.binary_cross_entropy_with_logits(scores[chosen], wanted, reduction="sum")
        goal = encode(boxes[assigned[objects]], anchors[objects])
        place = functional.smooth_l1_loss(moves[objects], goal, reduction="sum", beta=self.beta)
        places = max(len(anchors), 1) / self.per_place
        return entropy / max(len(chosen), 1) + self.weight * place / places

    def _drawn(self, assigned: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return the numbers of the anchors that count, those with an object and the others."""
        objects, others = (assigned >= 0).nonzero()[:, 0], (assigned == NOTHING).nonzero()[:, 0]
        if self.samples is None:
            return objects, others
        objects = choose(objects, int(self.samples * self.positive_share), generator)
        return objects, choose(others, self.samples - len(objects), generator)
