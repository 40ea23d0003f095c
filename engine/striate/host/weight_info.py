"""What initialisers and regularisers of plugins are told about a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from striate.graph import Graph, Node, Weight


@dataclass(frozen=True, slots=True)
class WeightInfo:
    """One weight that is to start. It grows by new fields only.

    Attributes:
        name: its name in the graph, e.g. `stage1.0.conv1.weight`.
        shape: its sizes, e.g. `out x in x kernel height x kernel width`.
        fan_in: how many inputs each entry of the output is a sum over.
        fan_out: how many entries of the output each input goes into.
        output_axis: the axis that counts output channels: 0, and 1 for transposed convolutions.
        groups: into how many groups the layer's channels fall.
        layer: the layer's name in the language, e.g. `conv`.
        attributes: the layer's settled arguments.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: float
    fan_out: float
    output_axis: int = 0
    groups: int = 1
    layer: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegularizedWeight:
    """One weight under regularisation. It grows by new fields only.

    Attributes:
        name: its name in the graph.
        tensor: its values; gradients flow to it from a penalty.
        output_axis: the axis that counts output channels.
    """

    name: str
    tensor: Tensor
    output_axis: int = 0

    def rows(self) -> Tensor:
        """Return the weight as a matrix with a row per output channel, of the weights that go into it."""
        return self.tensor.movedim(self.output_axis, 0).flatten(1) if self.tensor.dim() > 1 else self.tensor[:, None]


def weight_infos(graph: Graph) -> dict[str, WeightInfo]:
    """Return what is known of every weight of a network, by name; of one that several layers share, by the first."""
    found: dict[str, WeightInfo] = {}
    for node in graph.nodes:
        for name in node.weights.values():
            if name not in found:
                found[name] = _info(graph.weights[name], node)
    return found


def _info(weight: Weight, node: Node) -> WeightInfo:
    shape, settings = weight.shape, weight.initializer.settings
    # Only transposed convolutions say how many rows are added to their output; their kernels are `in x out / groups`.
    axis = 1 if "output_padding" in node.attributes and len(shape) > 1 else 0
    taps = prod(shape[2:])
    into = shape[1 - axis] * taps if len(shape) > 1 else prod(shape)
    out = shape[axis] * taps if len(shape) > 1 else prod(shape)
    return WeightInfo(
        weight.name,
        shape,
        float(settings.get("fan_in", into)),
        float(settings.get("fan_out", out)),
        axis,
        int(node.attributes.get("groups", 1)),
        node.op,
        node.attributes,
    )
