"""Did you mean …: the nearest of several names, by the number of slips of the finger between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import nsmallest

MOST_CANDIDATES = 400
"""Names that are compared letter by letter; of more, those of about the same length."""

MOST_NAMES = 5_000
"""Names among which a near one is looked for at all."""

LONGEST = 60
"""Letters of a name for which a near one is looked for."""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` was most likely meant to be, or None where none is near.

    A difference in case alone is the nearest of all; then the Damerau-Levenshtein distance decides (a letter more,
    less, other, or two swapped count 1), up to a third of the name's length and at least 1. Failing that, a candidate
    with which the name begins, or that begins with it, is taken (`paddng` for `pad`, `Covn2d` for `conv`). Between
    equally near ones the alphabet decides, not the order of the candidates. Of very many candidates, and for very long
    names, not all are looked at.
    """
    return _nearest(name, tuple(candidates))


@lru_cache(maxsize=16)  # a finding asks twice: for its help and for its repair
def _nearest(name: str, candidates: Sequence[str]) -> str | None:
    if len(name) > LONGEST or len(candidates) > MOST_NAMES:
        return next((each for each in candidates if each.lower() == name.lower()), None)
    known = sorted(candidates)
    if len(known) > MOST_CANDIDATES:
        alike = nsmallest(MOST_CANDIDATES, known, key=lambda each: (abs(len(each) - len(name)), each[:1] != name[:1]))
        known = sorted(alike)
    limit = max(1, len(name) // 3)
    near: list[tuple[int, str]] = []
    for candidate in known:
        if candidate.lower() == name.lower():
            return candidate
        if abs(len(candidate) - len(name)) <= limit:
            distance = edit_distance(name.lower(), candidate.lower())
            if distance <= limit and distance < len(name):
                near.append((distance, candidate))
    return min(near)[1] if near else _same_beginning(name, known)


def _same_beginning(name: str, known: Sequence[str]) -> str | None:
    """The candidate that begins like the name, the one that agrees with it for longest; long ones up to one slip."""
    found: list[tuple[int, int, str]] = []
    for candidate in known:
        if len(candidate) > LONGEST:
            continue
        shorter, longer = sorted((candidate.lower(), name.lower()), key=len)
        slips = edit_distance(shorter, longer[: len(shorter)])
        if slips <= 1 and len(shorter) >= 3 + slips:
            found.append((slips, -len(shorter), candidate))
    return min(found)[2] if found else None


def edit_distance(first: str, second: str) -> int:
    """Return the Damerau-Levenshtein distance (optimal string alignment) of two texts."""
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        row = [i]
        for j, right in enumerate(second, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]
