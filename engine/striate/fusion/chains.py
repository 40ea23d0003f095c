"""The second cut: products in a row whose numbers in between never leave the processor.

Kernels are put in a row where the values between them fit a tile of pixels with all their channels: a convolution and
the 1 x 1 convolution behind it, with a residual in between or not; a depthwise convolution and the 1 x 1 convolution
behind it; and the 1 x 1 convolution before a depthwise one, whose borders are then computed twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate.fusion.cutting import Cutting
from striate.fusion.machine import Machine
from striate.fusion.roles import is_pointwise_product
from striate.graph import Node

_ROWS = 128
"""Pixels of a tile."""

_STEP = 64
"""Channels that are multiplied at once."""

_STAGES = 3
"""Tiles that are on their way from memory at once."""

_BYTES = 2
_THREADS = 256


@dataclass(frozen=True, slots=True)
class Need:
    """What a chain needs of a processor for one block of threads: bytes of shared memory, and 32-bit registers."""

    shared: int
    registers: int

    def fits(self, machine: Machine) -> bool:
        """Whether a processor has that."""
        return self.shared <= machine.shared and self.registers <= machine.registers


def chain_need(widths: tuple[int, ...]) -> Need:
    """Return what products in a row need.

    The first product's output, `rows x widths[0]`, is multiplied on from registers in steps; each further product holds
    its own sums, but one that is not the last is worked through in steps of `_STEP` channels.

    Args:
        widths: the channels that each product makes.
    """
    first, *further = widths
    tiles = _ROWS * _STEP + _STEP * first + first * _STEP * bool(further)
    held = _ROWS * first + sum(
        _ROWS * (_STEP if place < len(further) - 1 else width) for place, width in enumerate(further)
    )
    if len(further) == 1:
        held = _ROWS * first + _ROWS * min(further[0], _STEP)  # written step by step, as nobody sums it up
    return Need(_STAGES * tiles * _BYTES, held)


def take_chains(cutting: Cutting, machine: Machine) -> None:
    """Unite products in a row from the front to the back, where that saves time and fits the processor."""
    for node in cutting.graph.nodes:
        if cutting.roles[node.name] != "product" or not is_pointwise_product(node):
            continue
        maker = cutting.makers.get(node.inputs[0])
        if maker is None:
            continue
        before, after = cutting.set_of(maker), cutting.set_of(node)
        if cutting.last(before) is not maker or cutting.nodes(after)[0] is not node:
            continue
        if _is_chainable(cutting, before, machine, node) and cutting.can_unite(before, after):
            cutting.unite(before, after)


def _is_chainable(cutting: Cutting, before: int, machine: Machine, node: Node) -> bool:
    hearts = cutting.hearts(before)
    if not hearts or any(cutting.roles[heart.name] == "pool" or heart.op == "dense" for heart in hearts):
        return False
    if len(hearts) > 2 or cutting.roles[hearts[0].name] == "depthwise":
        return False
    widths = tuple(int(heart.outputs[0].type.shape[0]) for heart in (*hearts, node))  # type: ignore[arg-type]
    return chain_need(widths).fits(machine)
