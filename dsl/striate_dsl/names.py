"""Did you mean …: the nearest of several names, by the number of slips of the finger between them."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` was most likely meant to be, or None where none is near.

    A difference in case alone is the nearest of all; then the Damerau-Levenshtein distance decides (a letter more,
    less, other, or two swapped count 1), up to a third of the name's length and at least 1. Failing that, a candidate
    that begins like the name up to a slip is taken (`paddng` for `pad`).
    """
    candidates = list(candidates)
    limit = max(1, len(name) // 3)
    best: tuple[int, str] | None = None
    for candidate in candidates:
        if candidate.lower() == name.lower():
            return candidate
        if abs(len(candidate) - len(name)) > limit:
            continue
        distance = edit_distance(name.lower(), candidate.lower())
        if distance <= limit and distance < len(name) and (best is None or distance < best[0]):
            best = (distance, candidate)
    return best[1] if best else _shorter_form(name, candidates)


def _shorter_form(name: str, candidates: Iterable[str]) -> str | None:
    for candidate in candidates:
        shorter, longer = sorted((candidate.lower(), name.lower()), key=len)
        if len(shorter) >= 3 and longer.startswith(shorter):
            return candidate
    return None


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
