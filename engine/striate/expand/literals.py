"""Values as a `.cnn` file writes them, so that reading the text gives the value again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from striate.elaborate.values import LayerRef
from striate.ops.arguments import ArgumentError, Choice, Kind, Optional, Padding, PerAxis
from striate.ops.geometry import format_numbers, format_padding
from striate_dsl.lexer import FOREIGN_WORDS, RESERVED

IsFree = Callable[[str], bool]
"""Whether a word stands for nothing at this place, so that it can be written as a plain name."""


class UnwritableError(Exception):
    """A value that has no form in the language; the message says which, in words."""


def literal(value: Any, is_free: IsFree) -> str:
    """Return a value's text.

    Raises:
        UnwritableError: there is none.
    """
    if isinstance(value, (list, tuple)):
        return _several(value, is_free)
    if isinstance(value, float) and not math.isfinite(value):
        raise UnwritableError(f"{value} has no form in the language")
    rule = next((rule for kind, rule in _RULES if isinstance(value, kind)), None)
    if rule is None:
        raise UnwritableError(f"{value!r} has no form in the language")
    return rule(value, is_free)


def _several(items: list[Any] | tuple[Any, ...], is_free: IsFree) -> str:
    inside = ", ".join(literal(item, is_free) for item in items)
    if isinstance(items, list):
        return f"[{inside}]"
    if not items:
        raise UnwritableError("an empty tuple has no form in the language")
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def quoted(text: str) -> str:
    """Return a text in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def name_text(name: str, is_free: IsFree) -> str:
    """Return a plain name, in quotes where the name would stand for something or cannot be written."""
    plain = name.isascii() and name.isidentifier() and name not in RESERVED and name not in FOREIGN_WORDS
    return name if plain and is_free(name) else quoted(name)


def settled_text(kind: Kind, value: Any, is_free: IsFree) -> str:
    """Return the shortest text that an argument's kind converts to a settled value, e.g. `3` for `(3, 3)`.

    Raises:
        UnwritableError: no text is converted to it.
    """
    inner = kind.kind if isinstance(kind, Optional) else kind
    if isinstance(value, tuple) and isinstance(inner, PerAxis):
        return format_numbers(value)
    if isinstance(value, tuple) and isinstance(inner, Padding):
        return format_padding(value)
    return literal(written_value(kind, value), is_free)


def written_value(kind: Kind, value: Any) -> Any:
    """Return the simplest value that an argument's kind converts to a settled one, e.g. a choice for its name.

    Raises:
        UnwritableError: none is converted to it.
    """
    for candidate in _candidates(value):
        try:
            if kind.convert(candidate) == value:
                return candidate
        except ArgumentError:
            continue
    raise UnwritableError(f"{value!r} cannot be written as {kind.describe()}")


def _candidates(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield Choice(value)
    if isinstance(value, tuple) and value and all(item == value[0] for item in value):
        yield from _candidates(value[0])
    if isinstance(value, tuple) and any(isinstance(item, str) for item in value):
        yield tuple(Choice(item) if isinstance(item, str) else item for item in value)
    yield value


_RULES: tuple[tuple[type | tuple[type, ...], Callable[[Any, IsFree], str]], ...] = (
    (type(None), lambda value, is_free: name_text("none", is_free)),
    (bool, lambda value, is_free: "true" if value else "false"),
    ((int, float), lambda value, is_free: repr(value)),
    (Choice, lambda value, is_free: name_text(value.name, is_free)),
    (LayerRef, lambda value, is_free: str(value.record.name)),
    (str, lambda value, is_free: quoted(value)),
    (range, lambda value, is_free: f"{value.start}..{value.stop}"),
)
