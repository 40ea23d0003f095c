"""What a layer call gives for an argument, the edit that gives another value, and a parameter's value as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.elaborate.values import BlockRef, Bound, LayerRef
from striate.ops.arguments import Choice, format_value
from striate_dsl.diagnostics import Edit
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Call


def written_argument(call: Call, known: Sequence[str], name: str) -> Argument | None:
    """Return what a call gives for an argument, by name or by its position among the `known` names of its layer."""
    for index, item in enumerate(call.arguments or ()):
        if (item.name.text if item.name else known[index] if index < len(known) else "") == name:
            return item
    return None


def argument_edit(call: Call, known: Sequence[str], name: str, text: str) -> Edit | None:
    """Return the edit that gives an argument another value, or adds it; None where the call has no room for it."""
    given, source = written_argument(call, known, name), call.span.source
    if given is not None:
        return Edit(given.value.span, text)
    if call.arguments:
        end = call.arguments[-1].span.end
        return Edit(Span(source, end, end), f", {name} = {text}")
    if call.body is not None:
        return None
    end = call.callee.span.end
    if call.arguments is None:
        return Edit(Span(source, end, end), f"({name} = {text})")
    return Edit(Span(source, end, call.span.end), f"({name} = {text})")


def written_value(value: Any) -> str:
    """Return the value of a model parameter as a `.cnn` file writes it; layers and blocks by their names."""
    if isinstance(value, LayerRef):
        return value.record.name
    if isinstance(value, BlockRef):
        return value.block.name.text
    if isinstance(value, Bound):
        given = [written_value(item.value) for item in value.positional]
        named = [f"{name} = {written_value(item.value)}" for name, item in value.named.items()]
        return f"{written_value(value.target)}({', '.join([*given, *named])})"
    if isinstance(value, list):
        return f"[{', '.join(map(written_value, value))}]"
    return value.name if isinstance(value, Choice) else format_value(value)
