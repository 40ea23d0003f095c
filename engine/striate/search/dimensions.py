"""What one setting ranges over: `[32, 64]`, `4..9`, `int(8, 64, step = 8)`, `real(0, 0.5)`, `log(1e-4, 1e-1)`.

A dimension gives its values as text in the language, so that a value is put in place as if it had been written there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NoReturn, TypeAlias

from striate.elaborate.values import CallValue
from striate.ops.arguments import as_whole, format_value
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.lexer import tokenize
from striate_dsl.syntax import Expression, ListLiteral

_DIGITS = 6
"""Significant digits of a drawn real number: what a person would still copy."""

FORMS: Final = "a list [32, 64], a range 4..9, int(8, 64, step = 8), real(0, 0.5) or log(1e-4, 1e-1)"


@dataclass(frozen=True, slots=True)
class Choices:
    """Any of several values, as they are written."""

    texts: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.texts)

    def at(self, index: int) -> str:
        """Return a value by its number."""
        return self.texts[index]

    def draw(self, random: Random) -> str:
        """Return a value, all alike."""
        return self.texts[random.randrange(len(self.texts))]

    @property
    def ends(self) -> tuple[str, ...]:
        """All values: which of them are extreme is not known."""
        return self.texts


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole numbers from `low` to `high`, both included, `step` apart."""

    low: int
    high: int
    step: int = 1

    @property
    def size(self) -> int:
        """The number of values."""
        return (self.high - self.low) // self.step + 1

    def at(self, index: int) -> str:
        """Return a value by its number."""
        return str(self.low + index * self.step)

    def draw(self, random: Random) -> str:
        """Return a value, all alike."""
        return self.at(random.randrange(self.size))

    @property
    def ends(self) -> tuple[str, ...]:
        """The smallest and the largest value."""
        return self.at(0), self.at(self.size - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """Real numbers between two bounds; with `log` their logarithms are drawn evenly."""

    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> None:
        """None: there is no end of values."""
        return

    def draw(self, random: Random) -> str:
        """Return a number with six digits."""
        if self.log:
            value = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = random.uniform(self.low, self.high)
        return f"{min(max(value, self.low), self.high):.{_DIGITS}g}"

    @property
    def ends(self) -> tuple[str, ...]:
        """The bounds."""
        return f"{self.low:.{_DIGITS}g}", f"{self.high:.{_DIGITS}g}"


Dimension: TypeAlias = Choices | Whole | Interval


def read_dimension(key: str, value: Any, expression: Expression) -> Dimension:
    """Return what a setting ranges over.

    Args:
        key: the setting, for messages.
        value: its value in the section.
        expression: the syntax of that.

    Raises:
        DiagnosticError: E0410, it is no range of values; E0411, a range without values or with bounds that are none.
    """
    if isinstance(value, list) and isinstance(expression, ListLiteral):
        texts = tuple(dict.fromkeys(_written(item) for item in expression.items))
        if not texts:
            _refuse(expression, f"{key}: the list is empty")
        return Choices(texts)
    if isinstance(value, range):
        if not value:
            _refuse(expression, f"{key}: the range is empty")
        return Whole(value.start, value[-1], value.step)
    if isinstance(value, CallValue) and value.name in _READERS:
        return _READERS[value.name](key, value, expression)
    shown = expression.span.text if isinstance(value, CallValue) else format_value(value)
    fixed = not isinstance(value, CallValue)
    raise DiagnosticError(
        Diagnostic(
            "E0410",
            f"{key} does not say which values to try: {shown}",
            expression.span,
            notes=(f"values are {FORMS}",),
            help="a setting with one value belongs into the recipe, or write a list with several" if fixed else None,
        )
    )


def _written(item: Expression) -> str:
    """Return an expression as one line without comments."""
    text = item.span.text
    if "#" in text or "\n" in text:
        return " ".join(token.text for token in tokenize(text)[0] if token.text.strip())
    return text


def _refuse(place: Expression, message: str, help_text: str | None = None) -> NoReturn:
    raise DiagnosticError(Diagnostic("E0411", message, place.span, help=help_text))


def _bound(key: str, call: CallValue, place: Expression, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of `int(…)` and the like by name."""
    form = f"{call.name}({', '.join(names)})"
    unknown = next((name for name in call.named if name not in names), None)
    if len(call.positional) > len(names) or unknown is not None:
        _refuse(place, f"{key}: {call.name} has no such argument{f' {unknown}' if unknown else ''}", f"write {form}")
    given = {**dict(zip(names, call.positional, strict=False)), **call.named}
    if not {"low", "high"} <= given.keys():
        _refuse(place, f"{key}: {call.name} needs its lowest and its highest value", f"write {form}")
    return given


def _whole(key: str, call: CallValue, place: Expression) -> Whole:
    given = _bound(key, call, place, ("low", "high", "step"))
    low, high, step = (as_whole(given.get(name, 1)) for name in ("low", "high", "step"))
    if low is None or high is None or step is None:
        _refuse(place, f"{key}: int is for whole numbers", "write real(low, high) for others")
    if low >= high or step < 1:
        _refuse(place, f"{key}: {place.span.text} has no values to choose from", "the lowest comes first")
    return Whole(low, high, step)


def _interval(key: str, call: CallValue, place: Expression) -> Interval:
    given = _bound(key, call, place, ("low", "high"))
    log = call.name == "log"
    for name in ("low", "high"):
        value = given[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            _refuse(place, f"{key}: the bounds of {call.name} are numbers, not {format_value(value)}")
    if given["low"] >= given["high"]:
        _refuse(place, f"{key}: {place.span.text} has no values to choose from", "the lowest comes first")
    if log and given["low"] <= 0:
        _refuse(place, f"{key}: log needs bounds above 0", f"write real({given['low']}, {given['high']})")
    return Interval(float(given["low"]), float(given["high"]), log)


_READERS: Mapping[str, Callable[[str, CallValue, Expression], Dimension]] = {
    "int": _whole,
    "real": _interval,
    "log": _interval,
}
