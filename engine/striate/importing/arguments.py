"""The arguments of a layer as text: only those that mean something else than their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.expand.literals import UnwritableError, settled_text
from striate.importing.findings import UnsupportedError
from striate.importing.network import Layer
from striate.ops.arguments import ArgumentError, Kind, Optional, convert_all
from striate.ops.problems import LayerError
from striate.ops.shape_arguments import Factors, NamedValue

Written = tuple[str, str]
"""An argument's name and its text."""


def written_arguments(layer: Layer, name_of: Callable[[int], str], is_free: Callable[[str], bool]) -> list[Written]:
    """Return the arguments of a layer that must be written, in the order of the record.

    Args:
        layer: the layer.
        name_of: the name of one of its inputs, by place.
        is_free: whether a word stands for nothing, so that it can be written as a plain name.

    Raises:
        UnsupportedError: one of them has no text.
    """
    needed = _needed(layer)
    found = []
    for argument in layer.record.arguments:
        if argument.name not in needed:
            continue
        value = layer.attributes[argument.name]
        if isinstance(argument.kind, Factors) and isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        try:
            text = name_of(value) if _is_named(argument.kind) else settled_text(argument.kind, value, is_free)
        except UnwritableError as error:
            raise UnsupportedError(f"{layer.record.name}: {error}") from None
        found.append((argument.name, text))
    return found


def _needed(layer: Layer) -> dict[str, Any]:
    """Return the arguments without which the layer would become another one."""
    needed = dict(layer.arguments)
    for argument in layer.record.arguments:
        if argument.required or argument.name not in needed:
            continue
        fewer = {name: value for name, value in needed.items() if name != argument.name}
        try:
            settled = layer.record.settle(convert_all(layer.record.arguments, fewer), layer.given)
        except (LayerError, ArgumentError):
            continue
        if settled == layer.attributes:
            needed = fewer
    return needed


def _is_named(kind: Kind) -> bool:
    return isinstance(kind.kind if isinstance(kind, Optional) else kind, NamedValue)


def positional(layer: Layer, arguments: list[Written]) -> list[str]:
    """Return arguments as a call has them: required ones by position as far as that goes, the others by name."""
    texts, place = [], 0
    for name, text in arguments:
        record = layer.record
        if place < len(record.required_names) and record.argument_names[place] == name == record.required_names[place]:
            texts.append(text)
            place += 1
        else:
            texts.append(f"{name} = {text}")
    return texts
