"""A lower bound of the time a network takes on a device: never less than its arithmetic, never less than its traffic.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore architectures"
(2009). Layer by layer, every value goes to memory and comes back; however layers are fused, the inputs, the outputs and
the weights have to pass once. Neither is a measurement, nor a promise: caches that hold a small network's values and
algorithms that save multiplications (Winograd's) can undercut the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from striate.analysis.devices import Device
from striate.analysis.precision import Precision

Limit = Literal["bandwidth", "arithmetic", "nothing"]


@dataclass(frozen=True, slots=True)
class LayerBound:
    """The least time of one layer, in seconds, and what it is due to; a layer that does nothing has no limit."""

    seconds: float
    limit: Limit


@dataclass(frozen=True, slots=True)
class Roofline:
    """Bounds of a network on a device.

    Attributes:
        device: the device.
        precision: the numbers that are computed with.
        layers: the bound of every layer by name.
        operations: the operations of all layers.
        unavoidable: the bytes of the network's inputs, outputs and weights.
    """

    device: Device
    precision: Precision
    layers: Mapping[str, LayerBound]
    operations: int
    unavoidable: int

    @property
    def seconds(self) -> float:
        """The least seconds layer by layer."""
        return sum(bound.seconds for bound in self.layers.values())

    @property
    def fused(self) -> float:
        """The least seconds however layers are fused."""
        return layer_bound(self.device, self.precision, self.operations, self.unavoidable).seconds

    @property
    def ridge(self) -> float:
        """Operations per byte from which on the arithmetic is the limit."""
        return self.device.peak[self.precision.name] / self.device.bandwidth

    def share(self, limit: Limit) -> float:
        """Return the share of the time, layer by layer, that a limit is the reason for."""
        due = sum(bound.seconds for bound in self.layers.values() if bound.limit == limit)
        return due / self.seconds if self.seconds else 0.0

    def count(self, limit: Limit) -> int:
        """Return the number of layers with a limit."""
        return sum(bound.limit == limit for bound in self.layers.values())


def layer_bound(device: Device, precision: Precision, flops: int, moved: int) -> LayerBound:
    """Return the least time for so many operations and bytes.

    Raises:
        ValueError: the device has no units for the precision.
    """
    if precision.name not in device.peak:
        raise ValueError(f"{device.name} has no units for {precision.name}")
    computing, moving = flops / device.peak[precision.name], moved / device.bandwidth
    if not computing and not moving:
        return LayerBound(0.0, "nothing")
    return LayerBound(computing, "arithmetic") if computing > moving else LayerBound(moving, "bandwidth")
