"""Applying computed repairs to a text: which of them go together, and what the text is afterwards.

Which repairs are wanted, and whether the result is any better, is decided elsewhere.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Sequence

from striate_dsl.diagnostics import Edit, Fix


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with edits made, all of them at places of the text as it was; they must not overlap."""
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda item: (item.span.start, item.span.end)):
        pieces += (text[done : edit.span.start], edit.replacement)
        done = edit.span.end
    return "".join(pieces) + text[done:]


def compatible(fixes: Sequence[Fix]) -> list[Fix]:
    """Return the repairs that can be made together: of two that touch, the one that comes first in the list.

    Two touch where their edits share a character or meet, so that what is written at one place is written by one.
    """
    chosen: list[Fix] = []
    taken: list[tuple[int, int]] = []
    for fix in fixes:
        places = [(edit.span.start, edit.span.end) for edit in fix.edits]
        if not any(_touches(place, taken) for place in places):
            chosen.append(fix)
            for place in places:
                insort(taken, place)
    return chosen


def _touches(place: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """Whether a place meets one of those in a sorted list, which do not overlap each other."""
    after = bisect(taken, place)
    return (after > 0 and taken[after - 1][1] >= place[0]) or (after < len(taken) and taken[after][0] <= place[1])
