"""The block instances around a layer, by their paths: what names and origins of a graph say together.

A path has one part per block instance and one for the layer; a part is a name, with the numbers of loop rounds behind
it. Where a path has other parts (names with dots, as in texts that were written out) nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate.graph import Node
from striate_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Scope:
    """One block instance: its path, the block, and where it is called."""

    path: str
    block: str
    call: Span


def scopes_of(layer: Node) -> tuple[Scope, ...]:
    """Return the block instances around a layer, outermost first; none where its name does not show them."""
    parts = _parts(layer.name)
    trail = layer.origin.trail
    if len(parts) != len(trail) + 1:
        return ()
    paths = [".".join(parts[: depth + 1]) for depth in range(len(trail))]
    return tuple(Scope(path, frame.block, frame.span) for path, frame in zip(paths, trail, strict=True))


def _parts(name: str) -> list[str]:
    parts: list[str] = []
    for word in name.split("."):
        if word.isdigit() and parts:
            parts[-1] += f".{word}"
        else:
            parts.append(word)
    return parts
