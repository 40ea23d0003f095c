"""Task heads of a network that comes from a text: how they were called, so that the same call can be written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.elaborate.observer import Observer
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, ValueRef
from striate.expand.literals import IsFree, literal
from striate_dsl.syntax import Head


@dataclass(frozen=True, slots=True)
class HeardHead:
    """A head as it was called: its name, its path, the value that flowed in, its arguments with their names."""

    callee: str
    path: str
    flow: str
    arguments: Sequence[tuple[str, Any]]

    def owns(self, node: str) -> bool:
        """Whether a node of this name is one of the head's layers."""
        return node.startswith(f"{self.path}.")


@dataclass(frozen=True, slots=True)
class HeadCall:
    """A head to be written: its name, its path, and values of the network by number, as in `HeardHead`."""

    callee: str
    path: str
    flow: int
    arguments: Sequence[tuple[str, Any]]
    named: Mapping[str, int]

    @property
    def values(self) -> tuple[int, ...]:
        """The values that must have names where the head is called, or flow there."""
        return (self.flow, *self.named.values())

    def text(self, called: Mapping[int, str], is_free: IsFree) -> str:
        """Return the call.

        Args:
            called: the names of values.
            is_free: whether a word stands for nothing where the call is written.

        Raises:
            UnwritableError: an argument has no text.
        """
        written = [
            f"{f'{name} = ' if name else ''}{self._argument(value, called, is_free)}" for name, value in self.arguments
        ]
        arguments = f"({', '.join(written)})" if written else ""
        return f"head {self.callee}{arguments}{f' as {self.path}' if self.path != 'head' else ''}"

    def _argument(self, value: Any, called: Mapping[int, str], is_free: IsFree) -> str:
        return called[self.named[value.name]] if isinstance(value, ValueRef) else literal(value, is_free)


class HeadListener(Observer):
    """Hears of the heads of an elaboration; `heads` has them in order."""

    def __init__(self) -> None:
        self.heads: list[HeardHead] = []

    def head_begun(
        self, head: Head, name: str, path: str, given: Sequence[Given], current: ValueRef, scope: Scope
    ) -> None:
        """Keep what a head is called with."""
        arguments = [(item.argument.name.text if item.argument.name else "", item.value) for item in given]
        self.heads.append(HeardHead(name, path, current.name, arguments))
