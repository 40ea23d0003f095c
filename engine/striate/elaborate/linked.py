"""A file together with the files that its `use` statements bring in, and which names each of them may use.

Finding and reading those files is `striate.project`'s; nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate_dsl.syntax import File, Identifier, Text, Use
from striate_dsl.value_class import value_class


@dataclass(frozen=True, slots=True)
class Used:
    """One `use` statement and the file it stands for."""

    statement: Use
    file: LinkedFile

    @property
    def prefix(self) -> str:
        """What stands before a name of the file: `x.` after `use "…" as x`, else nothing."""
        return f"{self.statement.alias.text}." if self.statement.alias else ""


@dataclass(frozen=True, slots=True)
class Renamed:
    """One `use acme.focal as focal_loss`: a name of a plugin's thing that holds in the file.

    Attributes:
        statement: the statement.
        target: the thing's whole name, `acme.focal`.
        kinds: the kinds of things (`layers`, `losses`, …) that the plugin has under that name.
    """

    statement: Use
    target: str
    kinds: tuple[str, ...]

    @property
    def name(self) -> Identifier:
        """The name in the file and its place: behind `as`, or the last part of the whole name."""
        if self.statement.alias is not None:
            return self.statement.alias
        assert not isinstance(self.statement.target, Text), "a path names a file"
        return self.statement.target[-1]


@value_class
class LinkedFile(File):
    """A file and the files it uses; `complete` is False where one of them could not be had.

    `torn` are the names of definitions that are left out because their text has errors. A file used by several others
    is one object. `renamed` are the plugins' things that the file has its own names for.
    """

    uses: tuple[Used, ...] = ()
    complete: bool = True
    torn: frozenset[str] = frozenset()
    renamed: tuple[Renamed, ...] = ()

    @property
    def lacks_names(self) -> bool:
        """Whether definitions are missing that the file should have."""
        return not self.complete or bool(self.torn)

    def may_have(self, name: str) -> bool:
        """Whether a name that the file does not have might be one of those that could not be read."""
        return not self.complete or name.rpartition(".")[2] in self.torn


def renamed_in(file: File) -> dict[str, str]:
    """Return the names that a file has for things of plugins, with their whole names: `focal_loss` to `acme.focal`."""
    found: dict[str, str] = {}
    for item in file.renamed if isinstance(file, LinkedFile) else ():
        found.setdefault(item.name.text, item.target)
    return found


def reachable(file: File) -> Iterator[File]:
    """Yield a file and all files that it uses, directly or not, each once."""
    seen: set[int] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, LinkedFile):
            waiting.extend(used.file for used in reversed(current.uses))
