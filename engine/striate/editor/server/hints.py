"""The size at the end of each line, to be shown behind it."""

from __future__ import annotations

from dataclasses import dataclass

from striate.editor.server.documents import Document, Library
from striate.editor.server.instances import Instances, spread
from striate.editor.server.places import Lines
from striate.graph import TensorType, format_shape

MOST_LISTED = 20
"""Different sizes that the explanation of a hint lists."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A size shown at an offset that has no place in the text, and the sizes of all instances."""

    offset: int
    text: str
    explanation: str


def hints(library: Library, document: Document, start: int, end: int) -> list[Hint]:
    """Return one hint per line between two offsets at whose end a value is known."""
    sight = library.sight(document)
    lines = Lines(document.source.text, "utf-32")
    instances = Instances(library, document)
    last: dict[int, tuple[int, list[TensorType]]] = {}
    for definition in sight.scan.definitions:
        if not definition.is_network or definition.end < start or definition.start > end:
            continue
        for offset, sizes in instances.line_ends(sight, definition).items():
            line = lines.line_of(offset)
            if start <= offset <= end and (line not in last or last[line][0] <= offset):
                last[line] = (offset, sizes)
    ends = {lines.line_of(token.start): token.end for token in sight.scan.tokens if token.kind != "NEWLINE"}
    return [
        Hint(max(offset, ends.get(line, offset)), spread(sizes), _explanation(sizes))
        for line, (offset, sizes) in sorted(last.items())
    ]


def _explanation(sizes: list[TensorType]) -> str:
    counts: dict[str, int] = {}
    for size in sizes:
        counts[format_shape(size)] = counts.get(format_shape(size), 0) + 1
    listed = [text if count == 1 else f"{text} ({count} times)" for text, count in counts.items()]
    more = [f"and {len(listed) - MOST_LISTED} more"] if len(listed) > MOST_LISTED else []
    return "\n".join([*listed[:MOST_LISTED], *more])
