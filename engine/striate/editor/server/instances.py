"""What happened at a place of the text, in all models that run over it, also where the newest text cannot be built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from striate.editor.server.builds import Build, Home, sizes_of
from striate.editor.server.difference import Difference
from striate.editor.server.documents import Document, Library
from striate.editor.server.names import Sight
from striate.editor.server.words import Definition
from striate.elaborate.trace import Visit
from striate.graph import TensorType, format_shape

Found = TypeVar("Found")


@dataclass(eq=False, slots=True)
class Run:
    """One run over a call, and the model that made it."""

    build: Build
    visit: Visit


class Instances:
    """The runs over the definitions of one document's newest text."""

    def __init__(self, library: Library, document: Document) -> None:
        others = (other for other in list(library.documents.values()) if other is not document)
        self._builds: dict[tuple[str, str], list[Build]] = defaultdict(list)
        for each in (document, *others):
            for build in each.all_builds:
                self._builds[each.buffer.uri, build.model].append(build)

    def runs(self, sight: Sight, home: Definition | None, start: int) -> list[Run]:
        """Return the runs over the call that begins at an offset."""

        def look(build: Build, key: Home, place: _Place) -> list[Run]:
            old = place.to_old(start)
            visits = [] if old is None else build.visits.get(key, {}).get(old, [])
            return [Run(build, visit) for visit in visits]

        return list(self._each(sight, home, look))

    def line_ends(self, sight: Sight, home: Definition) -> Mapping[int, list[TensorType]]:
        """Return the sizes at the ends of lines, by the offset of the end."""
        found: dict[int, list[TensorType]] = defaultdict(list)
        for builds in self._builds.values():
            known: dict[int, list[TensorType]] = {}
            for build, key, place in self._placed(sight, home, builds):
                for old, sizes in build.flows.get(key, {}).items():
                    end = place.to_new(old)
                    if end is not None:
                        known.setdefault(end, sizes)
            for end, sizes in known.items():
                found[end] += sizes
        return found

    def values(self, sight: Sight, home: Definition | None, name: str) -> list[object]:
        """Return what a name of a block or model stands for, in each of its instances."""
        return list(self._each(sight, home, lambda build, key, place: list(build.values_of(key, name))))

    def count(self, sight: Sight, home: Definition) -> int:
        """Return how many instances of a block or model there are."""
        return len(list(self._each(sight, home, lambda build, key, place: build.scopes.get(key, []))))

    def build_of(self, model: str) -> Build | None:
        """Return the newest sound build of a model of any open document."""
        found = [build for (_, name), builds in self._builds.items() if name == model for build in builds]
        return next((build for build in found if build.elaboration.graph is not None), None)

    def _each(
        self, sight: Sight, home: Definition | None, look: Callable[[Build, Home, _Place], list[Found]]
    ) -> Iterator[Found]:
        """Yield what there is to see in the builds of every model; an older one counts where the newest shows none."""
        for builds in self._builds.values():
            seen = (look(build, key, place) for build, key, place in self._placed(sight, home, builds))
            yield from next((found for found in seen if found), [])

    def _placed(
        self, sight: Sight, home: Definition | None, builds: list[Build]
    ) -> Iterator[tuple[Build, Home, _Place]]:
        """Yield those builds that a definition takes part in, and how its places were then."""
        if home is None or home.name is None:
            return
        key = (sight.file, home.name.text)
        text = sight.scan.text[home.start : home.end]
        for build in builds:
            old = build.texts.get(key)
            if old is not None:
                yield build, key, _Place(home.start, old, text)


class _Place:
    """Offsets in a text as it is, and in a definition as it was when a model was built."""

    def __init__(self, start: int, old: str, new: str) -> None:
        self._start = start
        self._difference = None if old == new else Difference(old, new)

    def to_old(self, offset: int) -> int | None:
        at = offset - self._start
        if self._difference is None:
            return at
        moved = self._difference.to_old(at, at + 1)
        return None if moved is None else moved[0]

    def to_new(self, offset: int) -> int | None:
        if self._difference is None:
            return offset + self._start
        moved = self._difference.to_new(offset - 1, offset)
        return None if moved is None else moved[1] + self._start


def spread(sizes: list[TensorType]) -> str:
    """Return sizes in short: the only one, or the first and the last that differ."""
    distinct = list(dict.fromkeys(map(format_shape, sizes)))
    if not distinct:
        return ""
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} … {distinct[-1]}"


def spread_of_values(values: list[object]) -> str:
    """Return the sizes of values in short; those that are none, or of unknown size, are left out."""
    return spread(sizes_of(values))
