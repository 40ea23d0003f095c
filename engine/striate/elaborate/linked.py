"""A file together with the files that its `use` statements bring in, and which names each of them may use.

Finding and reading those files is `striate.project`'s; nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate_dsl.syntax import File, Use
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


@value_class
class LinkedFile(File):
    """A file and the files it uses; `complete` is False where one of them could not be had.

    `torn` are the names of definitions that are left out because their text has errors. A file used by several others
    is one object.
    """

    uses: tuple[Used, ...] = ()
    complete: bool = True
    torn: frozenset[str] = frozenset()

    @property
    def lacks_names(self) -> bool:
        """Whether definitions are missing that the file should have."""
        return not self.complete or bool(self.torn)

    def may_have(self, name: str) -> bool:
        """Whether a name that the file does not have might be one of those that could not be read."""
        return not self.complete or name.rpartition(".")[2] in self.torn


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
