"""The pixel contract in an input's body: how an image file becomes the numbers that the network expects.

`color` is the order of the channels, `range` what 0 and 255 of an 8-bit image become, `mean` and `std` are subtracted
and divided per channel afterwards, `resize` is how another size is brought to the input's size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from striate.dims import Dim
from striate.elaborate.expressions import Environment
from striate.elaborate.faults import Fault, fault, renaming, suggestion
from striate.elaborate.repairs.values import repairs_of_value
from striate.elaborate.settings import key_span, placed_settings
from striate.ops.arguments import Argument, ArgumentError, OneOf, quote_value
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.syntax import Setting

COLORS = ("rgb", "bgr", "grey")
RESIZES = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Two different numbers, lower first, as a range `0..1` or a pair."""

    def describe(self) -> str:
        return "two numbers, the lower first, e.g. 0..1 or (-1, 1)"

    def convert(self, value: Any) -> tuple[float, float]:
        items = [value.start, value.stop] if isinstance(value, range) else value
        numbers = _numbers(items)
        if numbers is None or len(numbers) != 2 or numbers[0] >= numbers[1]:
            raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")
        return numbers[0], numbers[1]


@dataclass(frozen=True, slots=True)
class _PerChannel:
    """One number for all channels or one per channel; `positive` excludes 0 and below."""

    channels: Dim
    positive: bool = False

    def describe(self) -> str:
        sign = "positive " if self.positive else ""
        return f"a {sign}number, or a list with one per channel ({self.channels})"

    def convert(self, value: Any) -> tuple[float, ...]:
        numbers = _numbers(value if isinstance(value, (list, tuple)) else [value])
        if numbers is None or (self.positive and min(numbers, default=1) <= 0):
            raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")
        if isinstance(value, (list, tuple)) and len(numbers) != self.channels:
            raise ArgumentError(f"must be {self.describe()}, but the list has {len(numbers)}")
        return numbers


def read_contract(
    settings: tuple[Setting, ...], channels: Dim, environment: Environment, report: Callable[[Diagnostic], None]
) -> Mapping[str, Any]:
    """Return the pixel contract as plain data, without the entries that have been reported.

    Args:
        settings: the body of the input.
        channels: the channels of the input.
        environment: what the values may name.
        report: hears of unknown keys and of values that do not fit them.

    Raises:
        Fault: a key is given twice, or a value cannot be worked out.
    """
    known = {argument.name: argument for argument in contract_entries(channels)}
    contract = {}
    for key, (value, setting) in placed_settings(settings, environment).items():
        try:
            if key not in known:
                raise _no_such_entry(key, setting, known)
            contract[key] = _convert(known[key], value, setting)
        except Fault as error:
            report(error.diagnostic)
    return contract


def _no_such_entry(key: str, setting: Setting, known: Collection[str]) -> Fault:
    place = key_span(setting)
    notes = (f"an input's body may hold {', '.join(known)}",)
    near = suggestion(key, known)
    return fault("E0402", f"an input has no {key}", place, notes=notes, help=near, fixes=renaming(key, known, place))


def contract_entries(channels: Dim) -> tuple[Argument, ...]:
    """Return what the body of an input with so many channels may hold."""
    return (
        Argument("color", OneOf(COLORS), "Order of the channels."),
        Argument("range", _Bounds(), "What 0 and 255 of an 8-bit image become."),
        Argument("mean", _PerChannel(channels), "Subtracted from every channel."),
        Argument("std", _PerChannel(channels, positive=True), "Every channel is divided by it."),
        Argument("resize", OneOf(RESIZES), "How other sizes are brought to the input's."),
    )


def _convert(argument: Argument, value: Any, setting: Setting) -> Any:
    try:
        return argument.kind.convert(value)
    except ArgumentError as error:
        assert setting.value is not None, "placed settings have values"
        fixes = repairs_of_value(argument, value, setting.value)
        help = fixes[0].title if fixes else None
        raise fault("E0403", f"{argument.name} {error}", setting.value.span, help=help, fixes=fixes) from None


def _numbers(items: Any) -> tuple[float, ...] | None:
    if not isinstance(items, (list, tuple)):
        return None
    if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in items):
        return None
    return tuple(float(item) for item in items)
