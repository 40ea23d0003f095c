"""Statistics of norms for weights that were not trained as they are: averages of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor

from striate.graph import Graph, Node
from striate.lower.torch import Program
from striate.ops.record import TorchCall

_MOMENTUM = "momentum"
"""The argument of layers with running statistics: the weight of the new batch in them."""


class _Counting(Program):
    """A network in evaluation, but for norms with running statistics, which take those of all batches so far.

    With `1/k` as the momentum of the k-th batch, or rather its share of all images so far, running statistics become
    the plain mean over the batches (Izmailov et al., 2018, section 3.2; `torch.optim.swa_utils.update_bn`).
    """

    images = 0
    """In the batch that is run."""

    def compute(
        self, node: Node, rule: Callable[[TorchCall], Tensor | tuple[Tensor, ...]], call: TorchCall
    ) -> Tensor | tuple[Tensor, ...]:
        """Compute one node."""
        kept = tuple(name for name in node.weights.values() if not self.graph.weights[name].trainable)
        if not kept or _MOMENTUM not in node.attributes:
            return rule(call)
        seen = self._seen[kept] = self._seen.get(kept, 0) + self.images
        attributes = {**call.attributes, _MOMENTUM: self.images / seen}
        return rule(replace(call, attributes=attributes, training=True))

    def begin(self) -> None:
        """Forget what was counted."""
        self._seen: dict[tuple[str, ...], int] = {}


@torch.no_grad()
def recompute_statistics(program: Program, lookup: Callable[..., object], batches: Iterable[Tensor]) -> None:
    """Work the statistics of norms out anew, in place: their mean over batches of images.

    Layers that keep statistics by a rule of their own, without a momentum, keep those that they have.

    Args:
        program: the network, with its weights.
        lookup: from a layer's name to its record.
        batches: images `N x C x H x W` as the network takes them, on its device.
    """
    device = next(iter(program.state_dict().values())).device
    counting = _Counting(program.graph, lookup, device=device, channels_last=program.channels_last)  # type: ignore[arg-type]
    counting.load_state_dict(program.state_dict())
    counting.eval()
    counting.begin()
    for images in batches:
        counting.images = len(images)
        counting(images)
    found = dict(counting.named_buffers())
    for name, value in program.named_buffers():
        value.copy_(found[name])


def has_statistics(graph: Graph) -> bool:
    """Whether a network keeps anything in training that is no trained weight."""
    return any(not weight.trainable for weight in graph.weights.values())
