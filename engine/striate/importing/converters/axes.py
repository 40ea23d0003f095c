"""How several axes are named in an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.importing.call import name_of
from striate.ops.arguments import Choice


def axes_argument(rank: int, along: Sequence[int]) -> Any:
    """Return axes of a value, by place, as an argument: a name that stands for them together, or a list of names.

    Raises:
        UnsupportedError: one of them has no name.
    """
    if len(along) == rank:
        return Choice("all") if rank > 1 else Choice("channels")
    if list(along) == list(range(1, rank)):
        return Choice("space")
    if len(along) == 1:
        return name_of(rank, along[0])
    return [name_of(rank, place) for place in along]
