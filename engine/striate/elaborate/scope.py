"""What is visible at one place of a body, and where the nodes made there belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from striate.elaborate.sites import site_names
from striate.elaborate.values import Given
from striate.graph import Frame
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Body, Call, For, Head, Identifier, Let, Repeat


@dataclass(slots=True)
class Binding:
    """What a name stands for, where it was given, and what gave it: an argument, a `let`, the round of a loop."""

    value: Any
    span: Span
    maker: Given | Let | Repeat | For | None = None
    round: int = 0


@dataclass(slots=True)
class Scope:
    """One instance of a block or model: its names, its place in the tree of paths, its call sites.

    `path` leads to the nodes and `weight_path` to the weights; they differ inside a shared instance only. `source` is
    the file whose blocks are visible, where that is not the body's own; `caller` and `call` use the block.
    """

    body: Body
    names: dict[str, Binding] = field(default_factory=dict)
    path: str = ""
    weight_path: str = ""
    trail: tuple[Frame, ...] = ()
    iterations: tuple[int, ...] = ()
    sites: Mapping[int, str] = field(default_factory=dict)
    source: Source | None = None
    caller: Scope | None = None
    call: Call | Head | None = None

    @property
    def home(self) -> Source:
        """The file whose blocks are visible here."""
        return self.source or self.body.span.source

    def site(self, call: Call | Head) -> str:
        """Return a call's name within this scope, with the index of every loop around it, e.g. `conv1.2`."""
        return self._numbered(self.sites[id(call)])

    def named(self, alias: Identifier) -> str:
        """Return the name that a call has by `as`, with the index of every loop around it."""
        return self._numbered(alias.text)

    def _numbered(self, name: str) -> str:
        return ".".join([name, *map(str, self.iterations)]) if self.iterations else name


class HasNames(Protocol):
    """What a file sees, as far as call sites are named by it."""

    @property
    def renamed(self) -> Mapping[str, str]:
        """The things of plugins that have a name of their own there, with their whole names."""


class SiteTable:
    """Site names per body, worked out once."""

    def __init__(self, files: Mapping[Source, HasNames]) -> None:
        """Take what every file sees."""
        self._files = files
        self._tables: dict[int, tuple[Body, Mapping[int, str]]] = {}

    def of(self, body: Body) -> Mapping[int, str]:
        """Return the site names of a body."""
        entry = self._tables.get(id(body))
        if entry is None:
            file = self._files.get(body.span.source)
            entry = self._tables[id(body)] = (body, site_names(body, file.renamed if file is not None else {}))
        return entry[1]
