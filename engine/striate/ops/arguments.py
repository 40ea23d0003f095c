"""The arguments of a layer: name, kind, default and documentation, and the conversion of written values.

A kind knows which values it takes, says so in words, and converts them to the form the rules work with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

REQUIRED: Final = object()
"""The default of an argument that must be written."""


MOST_AXES = 3
"""Axes of a grid: a sequence has one, an image two, a volume three."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A plain name that is no value in scope, e.g. `half` in `pad = half`; arguments of a choice kind take it."""

    name: str


class ArgumentError(Exception):
    """A written value does not fit the argument's kind; the message says what would."""


class Kind(Protocol):
    """What values an argument takes."""

    def describe(self) -> str:
        """Return the legal values in words, e.g. "a whole number of at least 1"."""

    def convert(self, value: Any) -> Any:
        """Return the value in its settled form or raise `ArgumentError`."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a layer, in the order of the positional form."""

    name: str
    kind: Kind
    summary: str
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether the argument must be written."""
        return self.default is REQUIRED

    @property
    def signature(self) -> str:
        """The argument as the documented call shows it, e.g. `stride = 1`."""
        return self.name if self.required else f"{self.name} = {format_value(self.default)}"


def format_value(value: Any) -> str:
    """Return a value as a `.cnn` file writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Choice):
        return value.name
    if isinstance(value, tuple) and value:  # empty brackets stand for nothing in the language, an empty list is one
        return "(" + ", ".join(format_value(item) for item in value) + ")"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(format_value(item) for item in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, range):
        return f"{value.start}..{value.stop}"
    return str(value)


def quote_value(value: Any) -> str:
    """Return a value as a message quotes it: of long lists and texts the beginning only."""
    return format_value(_beginning(value, 3))


_QUOTED_ENTRIES, _QUOTED_CHARACTERS = 6, 60


def _beginning(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _QUOTED_CHARACTERS else value[:_QUOTED_CHARACTERS] + "…"
    if not isinstance(value, (list, tuple)):
        return value
    if depth == 0:
        return Choice("[…]" if isinstance(value, list) else "(…)")
    kept = [_beginning(item, depth - 1) for item in value[:_QUOTED_ENTRIES]]
    kept += [Choice("…")] if len(value) > _QUOTED_ENTRIES else []
    return kept if isinstance(value, list) else tuple(kept)


def _reject(kind: Kind, value: Any) -> ArgumentError:
    return ArgumentError(f"must be {kind.describe()}, not {quote_value(value)}")


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number of at least `minimum`."""

    minimum: int = 1

    def describe(self) -> str:
        return f"a whole number of at least {self.minimum}"

    def convert(self, value: Any) -> int:
        whole = as_whole(value)
        if whole is None or whole < self.minimum:
            raise _reject(self, value)
        return whole


@dataclass(frozen=True, slots=True)
class Real:
    """A number between `minimum` and `maximum`; `open_maximum` leaves the upper bound itself out."""

    minimum: float = -math.inf
    maximum: float = math.inf
    open_maximum: bool = False

    def describe(self) -> str:
        if math.isinf(self.minimum) and math.isinf(self.maximum):
            return "a number"
        if math.isinf(self.maximum):
            return f"a number of at least {self.minimum:g}"
        upper = "below" if self.open_maximum else "to"
        return f"a number from {self.minimum:g} {upper} {self.maximum:g}"

    def convert(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise _reject(self, value)
        if not self.minimum <= value <= self.maximum or (self.open_maximum and value == self.maximum):
            raise _reject(self, value)
        return float(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    def describe(self) -> str:
        return "true or false"

    def convert(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _reject(self, value)
        return value


@dataclass(frozen=True, slots=True)
class Pair:
    """One whole number for both axes, or a pair `(height, width)`; settled as a pair."""

    minimum: int = 1

    def describe(self) -> str:
        return f"a whole number of at least {self.minimum}, or a pair (height, width) of such"

    def convert(self, value: Any) -> tuple[int, int]:
        items = list(value) if isinstance(value, (tuple, list)) else [value, value]
        whole = [as_whole(item) for item in items]
        if len(whole) != 2 or any(item is None or item < self.minimum for item in whole):
            raise _reject(self, value)
        return whole[0], whole[1]  # type: ignore[return-value]  # None is excluded above


@dataclass(frozen=True, slots=True)
class PerAxis:
    """One whole number for all axes of a grid, or one for each, e.g. `(height, width)`.

    Converted to a number or a tuple; the layer's `settle` rule knows how many axes there are (`axis_numbers`).
    """

    minimum: int = 1

    def describe(self) -> str:
        return f"a whole number of at least {self.minimum}, or a pair (height, width) of such"

    def convert(self, value: Any) -> int | tuple[int, ...]:
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        whole = [number for item in items if (number := as_whole(item)) is not None and number >= self.minimum]
        if len(whole) < len(items) or not 1 <= len(whole) <= MOST_AXES:
            raise _reject(self, value)
        return tuple(whole) if isinstance(value, (tuple, list)) else whole[0]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several plain names."""

    names: tuple[str, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """Names that mean themselves, whatever else is called so where the argument stands."""
        return self.names

    def describe(self) -> str:
        return f"one of {', '.join(self.names)}"

    def convert(self, value: Any) -> str:
        name = value.name if isinstance(value, Choice) else value
        if not isinstance(name, str) or name not in self.names:
            raise _reject(self, value)
        return name


PADDINGS = ("valid", "same", "half")
"""The names that stand for a padding."""


@dataclass(frozen=True, slots=True)
class Padding:
    """The padding forms of the language: number, one per axis, two per axis, `valid`, `same`, `half`.

    Converted to a number, a tuple, or one of the names `same` and `half`. The layer's `settle` rule makes two numbers
    per axis of it, e.g. `(top, bottom, left, right)`; names need the kernel, and `same` the input size.
    """

    def describe(self) -> str:
        return (
            "a whole number of at least 0, a pair (height, width), (top, bottom, left, right), "
            f"or one of {', '.join(PADDINGS)}"
        )

    def convert(self, value: Any) -> int | tuple[int, ...] | str:
        name = value.name if isinstance(value, Choice) else value
        if name == "valid":
            return 0
        if isinstance(name, str):
            if name in ("same", "half"):
                return name
            raise _reject(self, value)
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        whole = [number for item in items if (number := as_whole(item)) is not None and number >= 0]
        if len(whole) < len(items) or len(whole) not in (1, 2, 3, 4, 6):
            raise _reject(self, value)
        return tuple(whole) if isinstance(value, (tuple, list)) else whole[0]


@dataclass(frozen=True, slots=True)
class Optional:
    """Another kind, or the plain name `none`."""

    kind: Kind

    def describe(self) -> str:
        return f"{self.kind.describe()}, or none"

    def convert(self, value: Any) -> Any:
        if value is None or (isinstance(value, Choice) and value.name == "none"):
            return None
        return self.kind.convert(value)


def as_whole(value: Any) -> int | None:
    """Return a value as a whole number, or None where it is none; `8.0` counts, `true` does not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def convert_all(arguments: Sequence[Argument], written: Mapping[str, Any]) -> dict[str, Any]:
    """Convert written values by argument name and fill in defaults, in the documented order.

    Raises:
        ArgumentError: a value does not fit; the message begins with the argument's name.
        KeyError: a required argument is missing.
    """
    settled = {}
    for argument in arguments:
        if argument.name not in written:
            if argument.required:
                raise KeyError(argument.name)
            value = argument.default
        else:
            value = written[argument.name]
        try:
            settled[argument.name] = argument.kind.convert(value)
        except ArgumentError as error:
            raise ArgumentError(f"{argument.name} {error}") from None
    return settled
