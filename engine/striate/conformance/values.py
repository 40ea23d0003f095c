"""Values for an argument by its kind: some that it takes, drawn at random, and some that it must refuse.

A plugin may bring a kind of its own. It says what to try by a method `examples()` that gives values it takes; without
one, the default and the values of the record's samples are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from striate.ops.arguments import Argument, Flag, Integer, Kind, OneOf, Optional, Padding, Pair, PerAxis, Real
from striate.ops.fills import FILLS, Fill
from striate.ops.shape_arguments import AxisNames, Counts, Factors, NamedValue, Places, Sides, Sizes, Whole
from striate.ops.table_conv import ConnectionTable

Draw = Callable[[Any, Random, int], Any]
"""From a kind, random numbers and the number of axes beside the channels to a value as it is written."""


def _one_or_several(number: Callable[[Random], Any], *counts: int) -> Callable[[Random], Any]:
    def draw(random: Random) -> Any:
        count = random.choice([0, 0, *counts])
        return tuple(number(random) for _ in range(count)) if count else number(random)

    return draw


def _from(minimum: int, span: int = 3) -> Callable[[Random], int]:
    return lambda random: random.randint(minimum, minimum + span)


def _side(random: Random) -> int:
    return random.randint(0, 3)


def _factor(random: Random) -> float:
    return random.choice([1, 2, 3, 0.5, 1.5, 0.75, 2.5])


def _padding(kind: Padding, random: Random, axes: int) -> Any:
    name = random.choice(["valid", "same", "half", "", "", ""])
    return name or _one_or_several(_side, axes, 2 * axes)(random)


def _real(kind: Real, random: Random, axes: int) -> float:
    lower, upper = max(kind.minimum, -2.0), min(kind.maximum, 2.0)
    lower, upper = (kind.minimum, kind.minimum + 2) if upper < lower else (lower, upper)
    value = round(lower + (upper - lower) * random.uniform(0.05, 0.95), 3)
    return value if lower < value < upper else (lower + upper) / 2


def _axis_names(kind: AxisNames, random: Random, axes: int) -> Any:
    several = random.sample(kind.names, random.randint(1, min(2, len(kind.names))))
    return random.choice([several[0], several])


def _sizes(kind: Sizes, random: Random, axes: int) -> Any:
    if kind.count and random.random() < 0.5:
        return random.randint(2, 4)
    names = [*kind.axes]
    made: list[Any] = [random.choice([random.randint(1, 6), *names]) for _ in range(random.randint(1, 3))]
    return [*made, "auto"] if random.random() < 0.5 else made


def _listed(lower: int, upper: int, most: int = 4) -> Draw:
    return lambda kind, random, axes: [random.randint(lower, upper) for _ in range(random.randint(1, most))]


def _table(kind: ConnectionTable, random: Random, axes: int) -> list[list[int]]:
    return [random.sample(range(4), random.randint(1, 3)) for _ in range(random.randint(1, 4))]


def _optional(kind: Optional, random: Random, axes: int) -> Any:
    return None if random.random() < 0.3 else _LEGAL[type(kind.kind)](kind.kind, random, axes)


_LEGAL: Mapping[type, Draw] = {
    Integer: lambda kind, random, axes: random.randint(kind.minimum, kind.minimum + 7),
    Pair: lambda kind, random, axes: _one_or_several(_from(kind.minimum), 2)(random),
    PerAxis: lambda kind, random, axes: _one_or_several(_from(kind.minimum), axes)(random),
    Padding: _padding,
    Optional: _optional,
    Flag: lambda kind, random, axes: random.random() < 0.5,
    OneOf: lambda kind, random, axes: random.choice(kind.names),
    Real: _real,
    AxisNames: _axis_names,
    Fill: lambda kind, random, axes: random.choice([*FILLS, -1.5, 0.5]),
    Sides: lambda kind, random, axes: _one_or_several(_side, axes, 2 * axes)(random),
    ConnectionTable: _table,
    Factors: lambda kind, random, axes: _one_or_several(_factor, axes)(random),
    Sizes: _sizes,
    Whole: lambda kind, random, axes: random.randint(-6, 6),
    Places: _listed(0, 6, 5),
    Counts: _listed(1, 4, 3),
    NamedValue: lambda kind, random, axes: 1,
}

_NO_NUMBER = ("nothing", True, float("nan"), float("inf"))

_ILLEGAL: Mapping[type, Callable[[Any], Sequence[Any]]] = {
    Integer: lambda kind: [kind.minimum - 1, kind.minimum - 5, 1.5, True, "three", None, (3, 3)],
    Pair: lambda kind: [kind.minimum - 1, (3, kind.minimum - 1), (3, 3, 3), 2.5, True, "same", None, ()],
    Padding: lambda kind: [-1, (1, -1), (1, 2, 3, 4, 5), 0.5, "full", True, None, ()],
    Flag: lambda kind: [0, 1, "true", None],
    OneOf: lambda kind: ["nothing", 1, None, True],
    Real: lambda kind: [kind.minimum - 1, kind.maximum + 1, *_NO_NUMBER],
    AxisNames: lambda kind: ["nothing", [], [kind.names[0], kind.names[0]], 1, None, True],
    PerAxis: lambda kind: [kind.minimum - 1, (3, kind.minimum - 1), (3,) * 4, 2.5, True, "same", None, ()],
    Fill: lambda kind: [*_NO_NUMBER, None, "constant", (1, 2)],
    Sides: lambda kind: [-1, (3, -1), (3,) * 5, 2.5, True, "same", None, ()],
    ConnectionTable: lambda kind: ["nothing", [], [[]], [[0], 1], [[-1]], [[0, 0]], [[0.5]], [[True]], 3, None],
    Factors: lambda kind: [0, -1, (2, 0), (2, 2, 2, 2), None, (), *_NO_NUMBER],
    Sizes: lambda kind: [[], [0], [-1, 3], ["auto", "auto"], [1.5], ["nothing"], None, True, [True], [2] * 9],
    Whole: lambda kind: [0.5, None, (3, 3), *_NO_NUMBER],
    Places: lambda kind: [[], [-1], 0, [0.5], None, [True]],
    Counts: lambda kind: [[], [0], [-1, 3], 2, [1.5], None, [True], [1] * 9],
    NamedValue: lambda kind: [0, -1, "skip", None, True],
}


def plain_kind(kind: Kind) -> Kind:
    """Return a kind, or that in an `Optional`."""
    return kind.kind if isinstance(kind, Optional) else kind


def is_known(kind: Kind) -> bool:
    """Whether a kind is one of striate's, or says by `examples()` what it takes."""
    return type(plain_kind(kind)) in _LEGAL or hasattr(plain_kind(kind), "examples")


def legal_value(argument: Argument, random: Random, axes: int = 2, seen: Sequence[Any] = ()) -> Any:
    """Return a value that an argument takes, as it is written.

    Args:
        argument: the argument.
        random: where it is drawn from.
        axes: the number of axes beside the channels.
        seen: values that are known to be taken, for kinds of which nothing else is known.
    """
    kind = plain_kind(argument.kind)
    if type(kind) in _LEGAL:
        return _LEGAL[type(argument.kind)](argument.kind, random, axes)
    examples = list(kind.examples()) if hasattr(kind, "examples") else list(seen)
    if not argument.required:
        examples.append(argument.default)
    if not examples:
        raise LookupError(f"nothing is known of the values that {argument.name} takes")
    return random.choice(examples)


def illegal_values(kind: Kind) -> Sequence[Any]:
    """Return values that a kind must refuse; of an unknown kind something that nobody can mean."""
    if isinstance(kind, Optional):
        return [value for value in illegal_values(kind.kind) if value is not None]
    return _ILLEGAL[type(kind)](kind) if type(kind) in _ILLEGAL else [object()]
