"""Kinds of arguments that speak of sizes, axes and places: what layers take that move entries and do not mix them.

What depends on the number of axes (one number for all of them, or one for each) is settled by `per_axis`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from striate.dims import Expr
from striate.ops.arguments import ArgumentError, Choice, as_whole, format_value
from striate.ops.problems import LayerError, Problem

AUTO: Final = "auto"
"""The entry of a list of sizes that is worked out from the others."""

MOST_AXES: Final = 8
"""Axes that a value can be given, the batch not counted: more than any layer works on."""

T = TypeVar("T", int, float)


def _name(value: Any) -> Any:
    return value.name if isinstance(value, Choice) else value


def _rejected(described: str, value: Any) -> ArgumentError:
    return ArgumentError(f"must be {described}, not {format_value(value)}")


@dataclass(frozen=True, slots=True)
class AxisNames:
    """One of several names of axes, or a list of different ones; settled as a tuple of names."""

    names: tuple[str, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """Names that mean themselves, whatever else is called so where the argument stands."""
        return self.names

    def describe(self) -> str:
        return f"one of {', '.join(self.names)}, or a list of such names"

    def convert(self, value: Any) -> tuple[str, ...]:
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        names = [_name(item) for item in items]
        known = all(isinstance(name, str) and name in self.names for name in names)
        if not names or not known or len(set(names)) < len(names):
            raise _rejected(self.describe(), value)
        return tuple(names)


@dataclass(frozen=True, slots=True)
class Sides:
    """How many rows on each side: one number for all, one per axis, or one before and one after each axis.

    Converted to a number or a tuple; `per_side` knows how many axes there are.
    """

    def describe(self) -> str:
        return "a whole number of at least 0, a pair (height, width), or (top, bottom, left, right)"

    def convert(self, value: Any) -> int | tuple[int, ...]:
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        whole = [number for item in items if (number := as_whole(item)) is not None and number >= 0]
        if len(whole) < len(items) or len(items) not in (1, 2, 3, 4, 6):
            raise _rejected(self.describe(), value)
        return tuple(whole) if isinstance(value, (tuple, list)) else whole[0]


@dataclass(frozen=True, slots=True)
class Factors:
    """A number above 0, or one per axis; converted to a number or a tuple, whole numbers as such."""

    def describe(self) -> str:
        return "a number above 0, or one per axis"

    def convert(self, value: Any) -> float | tuple[float, ...]:
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        if not 1 <= len(items) <= 3 or not all(_is_positive(item) for item in items):
            raise _rejected(self.describe(), value)
        numbers = tuple(whole if (whole := as_whole(item)) is not None else item for item in items)
        return numbers if isinstance(value, (tuple, list)) else numbers[0]


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 1e-4 <= value <= 1e4


@dataclass(frozen=True, slots=True)
class Sizes:
    """A list of sizes; one of them may be `auto`. With `count`, a whole number may stand for so many equal ones.

    With `axes`, a size may be the name of an axis of the input, which keeps its size, or a size that is left open.
    """

    count: bool = False
    axes: tuple[str, ...] = ()

    def describe(self) -> str:
        number = "a whole number of at least 2, or " if self.count else ""
        names = f", or one of {', '.join(self.axes)} for a size that stays" if self.axes else ""
        return f"{number}a list of at most {MOST_AXES} sizes, one of which may be auto{names}"

    def convert(self, value: Any) -> Any:
        if self.count and not isinstance(value, (tuple, list)):
            whole = as_whole(value)
            if whole is None or whole < 2:
                raise _rejected(self.describe(), value)
            return whole
        if not isinstance(value, (tuple, list)) or not 1 <= len(value) <= MOST_AXES:
            raise _rejected(self.describe(), value)
        sizes = tuple(self._size(item, value) for item in value)
        if sum(isinstance(size, str) and size == AUTO for size in sizes) > 1:
            raise _rejected(self.describe(), value)
        return sizes

    def _size(self, item: Any, value: Any) -> Any:
        name, whole = _name(item), as_whole(item)
        if whole is not None and whole >= 1:
            return whole
        if isinstance(name, str) and (name == AUTO or name in self.axes):
            return name
        if self.axes and isinstance(item, Expr):
            return item
        raise _rejected(self.describe(), value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, which may be below zero."""

    def describe(self) -> str:
        return "a whole number"

    def convert(self, value: Any) -> int:
        whole = as_whole(value)
        if whole is None:
            raise _rejected(self.describe(), value)
        return whole


@dataclass(frozen=True, slots=True)
class Places:
    """A list of places along an axis, counted from 0; settled as a tuple."""

    def describe(self) -> str:
        return "a list of whole numbers of at least 0"

    def convert(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, (tuple, list, range)):
            raise _rejected(self.describe(), value)
        whole = [number for item in value if (number := as_whole(item)) is not None and number >= 0]
        if not whole or len(whole) < len(value):
            raise _rejected(self.describe(), value)
        return tuple(whole)


@dataclass(frozen=True, slots=True)
class Counts:
    """A list of numbers of parts; settled as a tuple."""

    def describe(self) -> str:
        return f"a list of at most {MOST_AXES} whole numbers of at least 1"

    def convert(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, (tuple, list, range)) or not 1 <= len(value) <= MOST_AXES:
            raise _rejected(self.describe(), value)
        whole = [number for item in value if (number := as_whole(item)) is not None and number >= 1]
        if len(whole) < len(value):
            raise _rejected(self.describe(), value)
        return tuple(whole)


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A named value of the network, which becomes a further input of the layer.

    Settled as its place among the inputs: 1 is the first behind the value that flows in.
    """

    def describe(self) -> str:
        return "the name of a value of the network"

    def convert(self, value: Any) -> int:
        whole = as_whole(value)
        if whole is None or whole < 1:
            raise _rejected(self.describe(), value)
        return whole


def per_axis(numbers: T | Sequence[T], axes: int, argument: str) -> tuple[T, ...]:
    """Return one number for each of so many axes.

    Raises:
        LayerError: several numbers are given, but not one per axis.
    """
    if not isinstance(numbers, Sequence):
        return (numbers,) * axes
    if len(numbers) != axes:
        raise LayerError(
            Problem(
                f"{argument} has {_counted(len(numbers), 'number')}, "
                f"its input has {axes} {'axes' if axes > 1 else 'axis'} beside the channels",
                code="E0211",
                argument=argument,
                help="write one number for all axes, or one for each",
            )
        )
    return tuple(numbers)


def per_side(numbers: int | Sequence[int], axes: int, argument: str) -> tuple[int, ...]:
    """Return a number before and one after each of so many axes, the first axis first.

    Raises:
        LayerError: so many numbers are neither one for all, one per axis, nor two per axis.
    """
    if isinstance(numbers, Sequence) and len(numbers) == 2 * axes:
        return tuple(numbers)
    return tuple(number for number in per_axis(numbers, axes, argument) for _ in range(2))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
