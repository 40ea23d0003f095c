"""What an explainer is asked: a network in torch, one image, and the answer whose pixels are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from striate.lower.torch.program import Program


@dataclass(frozen=True, slots=True)
class AttributionRequest:
    """A question: which pixels of an image speak for an answer?

    `values(images)` runs the network on images `N x C x H x W` and returns every value by name, with gradients;
    `score(values)` is the number that is to be explained, one for each of the N.

    Attributes:
        program: the network, in evaluation mode; its weights want no gradients.
        image: `1 x C x H x W`, as the network takes it: in its size, with its pixel contract applied.
        target: the channel of the output that is to be explained, the class.
        output: the name of the value that is the output.
        layer: the name of the value `C x H x W` that methods look at which explain a feature map; empty
            where the network has none.
    """

    program: Program
    image: Tensor
    target: int
    output: str
    layer: str

    def values(self, image: Tensor) -> Mapping[str, Tensor]:
        """Run the network on images `N x C x H x W` and return every value by name; gradients flow."""
        return self.program.run((image,), keep=True)

    def score(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the score of the target for each of N images, from what `values` has returned.

        An output of one score per class gives that of the class; one of a map per class (`N x classes x H x W`), as a
        segmentation has, gives the mean of its map.
        """
        scores = values[self.output][:, self.target]
        return scores if scores.dim() == 1 else scores.flatten(1).mean(1)
