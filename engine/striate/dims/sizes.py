"""The set of sizes that one symbol may take: membership, neighbours, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from math import gcd

from striate.dims.expr import Dim, Expr
from striate.dims.frozen import Frozen
from striate.dims.progression import Progression

MOST_NAMED = 8
"""Progressions or single sizes that a sentence names before it says how many more there are."""


class SizeSet(Frozen):
    """A union of progressions that do not overlap, sorted by their first size."""

    __slots__ = ("progressions",)

    progressions: tuple[Progression, ...]

    def __init__(self, progressions: tuple[Progression, ...]) -> None:
        self._fill(progressions)

    def __iter__(self) -> Iterator[int]:
        return merge(*self.progressions)

    def __contains__(self, size: int) -> bool:
        return self.contains(size)

    def contains(self, size: int) -> bool:
        """Whether the size is legal."""
        return any(size in progression for progression in self.progressions)

    def is_empty(self) -> bool:
        """Whether no size is legal."""
        return not self.progressions

    def is_everything(self) -> bool:
        """Whether every positive size is legal."""
        return self.progressions == (Progression(1),)

    def smallest(self) -> int | None:
        """The smallest legal size, None if there is none."""
        return self.progressions[0].start if self.progressions else None

    def largest(self) -> int | None:
        """The largest legal size, None if there is none or no end."""
        ends = [progression.stop for progression in self.progressions]
        return None if None in ends else max((end for end in ends if end is not None), default=None)

    def nearest(self, size: int) -> tuple[int | None, int | None]:
        """The largest legal size that is not above `size` and the smallest that is not below it.

        Both are `size` itself where it is legal; None stands where there is no such size.
        """
        below = [found for each in self.progressions if (found := each.at_or_below(size)) is not None]
        above = [found for each in self.progressions if (found := each.at_or_above(size)) is not None]
        return max(below, default=None), min(above, default=None)

    def multiple_of(self) -> int:
        """The largest number that divides every legal size (1 for a set without members)."""
        return gcd(*(number for each in self.progressions for number in (each.start, _spacing(each)))) or 1

    def spaced(self, number: Expr) -> Dim:
        """The sizes of a set that is not empty as `step * number + offset`, `number` being 1, 2, ...

        The step is the largest that reaches every member; sizes between them that are not legal are reached too.
        """
        return self.progressions[0].start + self.spacing() * (number - 1)

    def spacing(self) -> int:
        """The largest number that divides the distance between any two sizes of a set that is not empty; 0 for one."""
        first = self.progressions[0].start
        return gcd(*(offset for each in self.progressions for offset in (each.start - first, _spacing(each))))

    def text(self) -> str:
        """The set in words, as in "multiples of 16, at least 16"."""
        return set_text(self.progressions)

    def to_json(self) -> dict[str, object]:
        """A description of plain JSON values; `minimum` and `maximum` are null where there is none."""
        return {
            "text": self.text(),
            "minimum": self.smallest(),
            "maximum": self.largest(),
            "multiple_of": self.multiple_of(),
            "progressions": [{"start": p.start, "step": p.step, "stop": p.stop} for p in self.progressions],
        }


def set_text(progressions: tuple[Progression, ...]) -> str:
    """Progressions in words: single sizes, then runs that end, then what goes on for ever."""
    singles = [p.start for p in progressions if p.start == p.stop]
    runs = [p for p in progressions if p.stop is not None and p.start != p.stop]
    tails = [p for p in progressions if p.stop is None]
    parts = [_listed([str(size) for size in singles])] if singles else []
    parts += _shortened([f"{_family(run)}, from {run.start} to {run.stop}" for run in runs])
    parts += _tail_texts(tails)
    if not parts:
        return "no size"
    return f"{parts[0]} only" if len(parts) == 1 and singles else "; ".join(parts)


def _tail_texts(tails: list[Progression]) -> list[str]:
    if not tails:
        return []
    if tails == [Progression(1)]:
        return ["any size"]
    first, period = tails[0].start, tails[0].step
    if any(tail.step != period or tail.start >= first + period for tail in tails):
        return _shortened([f"{_family(tail)}, at least {tail.start}" for tail in tails])
    missing = _only_missing(tails, period)
    if missing is not None:
        return [f"any but {_family(missing)}, at least {first}"]
    return [f"{_listed(_families(tails))}, at least {first}"]


def _families(tails: list[Progression]) -> list[str]:
    return [_family(tail) for tail in sorted(tails, key=lambda tail: tail.start % tail.step)]


def _only_missing(tails: list[Progression], period: int) -> Progression | None:
    """The one class that is not there, if all others are and there are at least two of them."""
    if len(tails) != period - 1 or period == 2:
        return None
    missing = sum(range(period)) - sum(tail.start % period for tail in tails)
    return Progression(missing or period, period)


def _family(progression: Progression) -> str:
    step, remainder = progression.step, progression.start % progression.step
    if step == 1:
        return "any"
    if step == 2:
        return "odd" if remainder else "even"
    return f"{step}k + {remainder}" if remainder else f"multiples of {step}"


def _listed(texts: list[str]) -> str:
    shown = _shortened(texts)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _shortened(texts: list[str]) -> list[str]:
    if len(texts) <= MOST_NAMED + 1:
        return texts
    return [*texts[:MOST_NAMED], f"{len(texts) - MOST_NAMED} more"]


def _spacing(progression: Progression) -> int:
    return 0 if progression.start == progression.stop else progression.step
