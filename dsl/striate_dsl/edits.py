"""Applying computed repairs to a text: which of them go together, and what the text is afterwards.

Which repairs are wanted, and whether the result is any better, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from striate_dsl.diagnostics import Edit, Fix


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with edits made; they are made from the end to the start, and must not overlap."""
    for edit in sorted(edits, key=lambda item: (item.span.start, item.span.end), reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def overlap(one: Fix, other: Fix) -> bool:
    """Return whether two repairs touch the same characters, or insert at the same place."""
    return any(
        first.span.start <= second.span.end and second.span.start <= first.span.end
        for first in one.edits
        for second in other.edits
    )


def compatible(fixes: Sequence[Fix]) -> list[Fix]:
    """Return the repairs that can be made together: of two that overlap, the one that comes first in the list."""
    chosen: list[Fix] = []
    for fix in fixes:
        if not any(overlap(fix, other) for other in chosen):
            chosen.append(fix)
    return chosen
