"""The text that is written out, line by line: calls with their arguments, bodies, and comments behind them.

The result is in canonical form: `striate fmt` changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH = 120
INDENT = 2


@dataclass(slots=True)
class Entry:
    """A statement, a brace or a comment of its own: what stands before, in and behind the brackets of a call.

    `arguments` is None where there are no brackets; each argument has its comment. `flow` is whether the entry is a
    step that gives on a value, which may stand alone as a branch. `name` is what it calls its value, where somebody
    might ask why.
    """

    before: str
    arguments: list[tuple[str, str]] | None = None
    behind: str = ""
    comment: str = ""
    indent: int = 0
    flow: bool = False
    name: str = ""

    @property
    def is_comment(self) -> bool:
        """Whether there is nothing but a comment."""
        return not self.before

    def lines(self) -> list[str]:
        """Return the lines of text."""
        margin = " " * (INDENT * self.indent)
        whole = f"{margin}{self.whole()}"
        if self.arguments and (any(comment for _, comment in self.arguments) or len(whole) > WIDTH):
            return self._broken(margin)
        return list(_commented([(whole, self.comment)]))

    def whole(self) -> str:
        """Return the entry in one line, without comments."""
        if self.arguments is None:
            return f"{self.before}{self.behind}"
        return f"{self.before}({', '.join(text for text, _ in self.arguments)}){self.behind}"

    def _broken(self, margin: str) -> list[str]:
        assert self.arguments, "only a call with arguments is broken"
        inner = margin + " " * INDENT
        last = len(self.arguments) - 1
        parts = [
            (f"{inner}{text}{',' * (index < last)}", comment) for index, (text, comment) in enumerate(self.arguments)
        ]
        return [f"{margin}{self.before}(", *_commented([*parts, (f"{margin}){self.behind}", self.comment)])]


def _commented(parts: list[tuple[str, str]]) -> Iterator[str]:
    """Yield lines with their comments in one column."""
    column = max((len(text) for text, comment in parts if comment and text.strip()), default=0)
    for text, comment in parts:
        if not text.strip():
            yield f"{text}# {comment}"
        else:
            yield f"{text.ljust(column)}  # {comment}" if comment else text


@dataclass(slots=True)
class Frame:
    """The statements of one body, and the value that flows at its end so far."""

    current: str | None
    entries: list[Entry] = field(default_factory=list)
    statements: int = 0

    def add(self, entry: Entry) -> None:
        """Add a statement or a comment."""
        self.entries.append(entry)
        self.statements += not entry.is_comment

    def add_body(self, opening: Entry, inner: Frame, closing: Entry) -> None:
        """Add a statement with a body: the entries that end and begin with its braces, and what stands between."""
        for entry in inner.entries:
            entry.indent += 1
        self.entries += [opening, *inner.entries, closing]
        self.statements += 1

    @property
    def stands_alone(self) -> bool:
        """Whether this is one step, which needs no braces to be a branch."""
        return self.statements == 1 and all(entry.flow or entry.is_comment or entry.indent for entry in self.entries)
