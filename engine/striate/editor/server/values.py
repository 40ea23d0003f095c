"""Values of the elaborator as an editor shows them."""

from __future__ import annotations

from typing import Any

from striate.dims import Expr, format_dim
from striate.elaborate.values import BlockRef, Bound, Instance, LayerRef, ValueRef, plain
from striate.graph import format_shape
from striate.ops.arguments import format_value

MOST_SHOWN = 6
"""Values of a name that are shown where its instances differ."""


def value_text(value: Any) -> str | None:
    """Return one value, None where it is not known."""
    if isinstance(value, ValueRef):
        return None if value.type is None else format_shape(value.type)
    if isinstance(value, Instance):
        value = value.applied
    if isinstance(value, Bound):
        arguments = [*value.positional, *value.named.values()]
        inner = ", ".join(item.argument.span.text for item in arguments)
        return f"{plain(value.target)}({inner})" if inner else str(plain(value.target))
    if isinstance(value, (LayerRef, BlockRef)):
        return str(plain(value))
    if isinstance(value, range):
        return f"{value.start}..{value.stop}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(value_text(item) or "?" for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return format_dim(value) if isinstance(value, Expr) else format_value(value)


def written(values: list[Any]) -> str:
    """Return the values of all instances, each different one once, in Markdown; the middle of many is left out."""
    texts = dict.fromkeys(text for text in map(value_text, values) if text is not None)
    distinct = [f"`{text}`" for text in texts]
    if len(distinct) > MOST_SHOWN:
        distinct = [*distinct[: MOST_SHOWN - 1], "…", distinct[-1]]
    return ", ".join(distinct)
