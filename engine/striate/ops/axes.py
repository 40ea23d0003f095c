"""The axes of a value by name, as arguments say them: `channels`, `height`, `space` (all but the channels), `all`.

A flat value has channels only, a sequence is `C x L`, an image `C x H x W`, a volume `C x D x H x W`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from striate.dims import Dim
from striate.graph import TensorType, format_shape
from striate.ops.problems import LayerError, Problem
from striate.ops.record import POINTWISE, Window
from striate.ops.sizes import product

SINGLE_AXES = ("channels", "depth", "height", "width", "length")
"""Axes that stand for themselves."""

ONE_AXIS = (*SINGLE_AXES, "last")
"""How one axis can be chosen."""

NAMED_AXES = ("channels", "space", "all", "last", "depth", "height", "width", "length")
"""How axes can be chosen: `space` is all but the channels, `last` the last one, `all` is all of them."""

_SPACE: Mapping[int, tuple[str, ...]] = {
    1: (),
    2: ("length",),
    3: ("height", "width"),
    4: ("depth", "height", "width"),
}


def axes_of(name: str, rank: int, argument: str = "axis") -> tuple[int, ...]:
    """Return the positions of the named axes in a tensor with the batch in front: channels are at 1.

    Args:
        name: one of `NAMED_AXES`.
        rank: the number of axes without the batch.
        argument: the argument that has the name, to point at.

    Raises:
        LayerError: a value of so many axes has none of that name.
    """
    chosen = {
        "channels": (1,),
        "space": tuple(range(2, rank + 1)),
        "all": tuple(range(1, rank + 1)),
        "last": (rank,),
    }.get(name)
    if chosen is None:
        chosen = tuple(position for position, axis in enumerate(_SPACE.get(rank, ()), start=2) if axis == name)
    if chosen:
        return chosen
    known = ", ".join(named_axes(rank))
    wanted = "no other axis than channels" if name == "space" else f"no {name}"
    raise LayerError(
        Problem(
            f"its input has {wanted}",
            code="E0204",
            argument=argument,
            notes=(f"the axes of a value with {rank} sizes are {known}",),
            help="put this layer before flatten" if rank == 1 else None,
        )
    )


def axis_of(name: str, rank: int, argument: str = "axis") -> int:
    """Return the position of one named axis; raises like `axes_of`."""
    (position,) = axes_of(name, rank, argument)
    return position


def named_axes(rank: int) -> tuple[str, ...]:
    """Return the names of the axes of a value, the channels first; of more than four axes only those have one."""
    return ("channels", *_SPACE.get(rank, ()))


def window_along(axes: Sequence[int], value: TensorType) -> Window | Literal["all"]:
    """Return what an entry sees that is made of all entries along some axes (positions that count the batch)."""
    space = [position for position in axes if position > 1]
    if not space:
        return "all" if value.rank == 1 else POINTWISE
    if len(space) == value.rank - 1:
        return "all"
    extent, reach = [1.0] * (value.rank - 1), [0.0] * (value.rank - 1)
    for position in space:
        size = value.shape[position - 1]
        if not isinstance(size, int):
            return "all"
        # From the first entry one sees up to the last one, and from the last one back to the first.
        extent[position - 2], reach[position - 2] = 2 * size - 1, size - 1
    return Window(tuple(extent), (1.0,) * len(extent), tuple(reach))


def window_over(axes: Sequence[int], value: TensorType) -> Window | Literal["all"]:
    """Return what an entry sees that stands for all entries along some axes, which have no other (a reduction)."""
    each = window_along(axes, value)
    if isinstance(each, str) or not each.extent:
        return each
    sizes = enumerate(value.shape[1:], start=2)
    extent = tuple(size if isinstance(size, int) and position in axes else 1 for position, size in sizes)
    return Window(extent, extent, (0.0,) * len(extent))


def sizes_along(value: TensorType, axes: Sequence[int]) -> tuple[Dim, ...]:
    """Return the sizes along positions that count the batch."""
    return tuple(value.shape[position - 1] for position in axes)


def known_sizes(value: TensorType, axes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes along positions that count the batch, as numbers.

    Raises:
        LayerError: one of them depends on the input size, so weights cannot be made for it.
    """
    sizes = sizes_along(value, axes)
    whole = tuple(size for size in sizes if isinstance(size, int))
    if len(whole) == len(sizes):
        return whole
    raise LayerError(
        Problem(
            f"needs fixed sizes along the axes that it has weights for, but gets {format_shape(value)}",
            code="E0207",
            help="write affine = false, or fix the size in the input line",
            repair=(("affine", "false"),),
        )
    )


def remaining(value: TensorType, axes: Sequence[int]) -> Dim:
    """Return the number of entries that are left where axes, positions that count the batch, are reduced to one."""
    return product(size for position, size in enumerate(value.shape, start=1) if position not in axes)
