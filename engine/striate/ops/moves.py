"""What one output pixel sees of the input in layers that move pixels: windows along named axes of a value.

Positions count the batch: channels are at 1. Where a window has no words for a move, everything is said to be seen:
that is too much and never too little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from striate.graph import TensorType
from striate.ops.record import POINTWISE, Attributes, Types, Window


@dataclass(frozen=True, slots=True)
class Move:
    """Output `o` sees the whole positions from `o * stride + first` to `o * stride + last` along one axis."""

    first: Fraction | int
    last: Fraction | int
    stride: Fraction | int = 1

    def widened(self, pixels: Fraction | int) -> Move:
        """Return the move that sees so many pixels more behind the last one."""
        return Move(self.first, self.last + pixels, self.stride)


STILL = Move(0, 0)


def moved(value: TensorType, moves: Mapping[int, Move | None]) -> Window | Literal["all"]:
    """Return the window of moves by position; None stands for a move that is not known or no window."""
    if value.rank == 1:
        return "all"
    moving = {position: move for position, move in moves.items() if position > 1 and move != STILL}
    if not moving:
        return POINTWISE
    if None in moving.values():
        return "all"
    along = [moving.get(position) or STILL for position in range(2, value.rank + 1)]
    return Window(
        tuple(_plain(move.last - move.first + 1) for move in along),
        tuple(_plain(move.stride) for move in along),
        tuple(_plain(-move.first) for move in along),
    )


def _plain(number: Fraction | int) -> float:
    """Return a number as the window has it: a whole one as such, so that tracks can follow it exactly."""
    return int(number) if number == int(number) else float(number)


def sees_everything(attributes: Attributes, inputs: Types) -> Literal["all"]:
    """Window rule of layers whose entries come from anywhere."""
    return "all"
