"""The names that a piece of the syntax tree uses, found without knowing what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from striate_dsl.paths import dotted_text
from striate_dsl.source import Span
from striate_dsl.syntax import Assert, Attribute, Identifier, Name, Output

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def used_names(*pieces: Any) -> set[str]:
    """Return the texts of all names in pieces of the tree, dotted ones too, of outputs, and of contracts' messages."""
    found: set[str] = set()
    for node in nodes_in(pieces):
        if isinstance(node, Name):
            found.update((node.text, node.text.rpartition(".")[0]))  # `stage1.0.conv1.channels` uses stage1.0.conv1
        elif isinstance(node, Attribute):
            found.add(dotted_text(node) or "")
        elif isinstance(node, Output):
            found.update(name.text for name in node.names)
        elif isinstance(node, Assert) and node.message is not None:
            found.update(_PLACEHOLDER.findall(node.message.value))
    return found


def nodes_in(piece: Any) -> Iterator[Any]:
    """Yield every node of the syntax tree in a piece of it: a node, or a tuple of nodes."""
    waiting = [piece]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(reversed(node))
        elif (parts := _parts(node.__class__)) is not None:
            yield node
            waiting.extend(getattr(node, name) for name in parts)


@cache
def _parts(kind: Any) -> tuple[str, ...] | None:
    """Return the fields of a kind of syntax node that may hold nodes, the last first; None for what is no node."""
    if not isinstance(kind, type) or not is_dataclass(kind) or kind in (Span, Identifier):
        return None
    return tuple(field.name for field in reversed(fields(kind)) if field.name != "span")
