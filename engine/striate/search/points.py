"""The points of a space: all of a small one, the corners of a large one, and a random order that a seed fixes.

The order is the same for every number of trials, so that a search can be made longer later.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from random import Random

from striate.search.dimensions import Interval
from striate.search.space import Point, Space

LISTED = 4096
"""Points up to which a space is listed as a whole and shuffled; larger ones are drawn from."""

_IN_VAIN = 1000
"""Draws in a row without a new point after which the rest of a large space is left alone."""


def random_points(space: Space, seed: int) -> Iterator[Point]:
    """Yield different points in the order of a seed: in the end all of them, where the space has an end."""
    random = Random(f"striate search {seed}")
    if space.size is not None and space.size <= LISTED:
        points = list(all_points(space))
        random.shuffle(points)
        yield from points
        return
    seen: set[tuple[str, ...]] = set()
    vain = 0
    while vain < _IN_VAIN:
        point = {entry.key: entry.dimension.draw(random) for entry in space.entries}
        vain += 1
        if tuple(point.values()) not in seen:
            seen.add(tuple(point.values()))
            vain = 0
            yield point


def all_points(space: Space) -> Iterator[Point]:
    """Yield every point of a space that has an end, in the order in which it is written."""
    keys = [entry.key for entry in space.entries]
    columns = []
    for entry in space.entries:
        if isinstance(entry.dimension, Interval):
            raise ValueError(f"{entry.key} has no end of values")
        columns.append([entry.dimension.at(index) for index in range(entry.dimension.size)])
    yield from (dict(zip(keys, values, strict=True)) for values in product(*columns))


def corners(space: Space) -> Iterator[Point]:
    """Yield the points in which every number is the smallest or the largest that it may be, and all choices."""
    keys = [entry.key for entry in space.entries]
    yield from (
        dict(zip(keys, ends, strict=True)) for ends in product(*(entry.dimension.ends for entry in space.entries))
    )


def points_to_check(space: Space, most: int, seed: int = 0) -> list[Point]:
    """Return the points to check a space by: all if they are at most so many, else corners and random ones.

    Every value of every list is among them as far as the number allows.
    """
    if not space.entries:
        return [{}]
    if space.size is not None and space.size <= most:
        return list(all_points(space))
    found: dict[tuple[str, ...], Point] = {}
    for point in (*_lines(space), *islice(corners(space), most), *islice(random_points(space, seed), most)):
        if len(found) == most:
            break
        found.setdefault(tuple(point.values()), point)
    return list(found.values())


def _lines(space: Space) -> Iterator[Point]:
    """Yield the first point, then those that differ from it in one setting, at that one's ends."""
    first = {entry.key: entry.dimension.ends[0] for entry in space.entries}
    yield first
    for entry in space.entries:
        yield from ({**first, entry.key: end} for end in entry.dimension.ends[1:])
