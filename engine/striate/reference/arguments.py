"""The arguments of a layer, a plugin's record or a section as a table."""

from __future__ import annotations

from collections.abc import Sequence

from striate.ops.arguments import Argument, format_value
from striate.reference.page import Table


def argument_table(arguments: Sequence[Argument]) -> Table:
    """Return the arguments of a layer or another record: name, what it takes, default, meaning."""
    return Table(
        ("argument", "takes", "default", "meaning"),
        tuple(
            (
                f"`{item.name}`",
                item.kind.describe(),
                "must be written" if item.required else f"`{format_value(item.default)}`",
                item.summary,
            )
            for item in arguments
        ),
    )
