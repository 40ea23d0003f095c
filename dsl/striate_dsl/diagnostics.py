"""What striate has to say about a text: one object for errors, lints and notes, whoever finds them.

Rendering is separate (`render.py`), so a terminal, JSON and an editor show the same findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from striate_dsl.source import Span

LONGEST_TEXT = 1_000
"""Characters of a message, a note or a help text."""


class Severity(StrEnum):
    """How serious a finding is; an `error` makes `striate check` fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Label:
    """A secondary place in the text, with a short remark shown beneath it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters of `span` by `replacement` (an empty span inserts)."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A computed repair: what it does in words, the edits, and whether it may be applied unasked.

    `safe` keeps the meaning the author clearly intended, `unsafe` changes the network, `display` is shown only.
    """

    title: str
    edits: tuple[Edit, ...]
    grade: Literal["safe", "unsafe", "display"] = "display"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a sentence, the place, and everything that helps to repair it.

    What is said is cut where it is longer than `LONGEST_TEXT`: it may quote a text of millions of characters.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    severity: Severity = Severity.ERROR
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fixes: tuple[Fix, ...] = ()

    def __post_init__(self) -> None:
        if len(self.message) > LONGEST_TEXT:
            object.__setattr__(self, "message", _cut(self.message))
        if self.help is not None and len(self.help) > LONGEST_TEXT:
            object.__setattr__(self, "help", _cut(self.help))
        if self.notes and max(map(len, self.notes)) > LONGEST_TEXT:
            object.__setattr__(self, "notes", tuple(map(_cut, self.notes)))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


@dataclass(slots=True)
class Diagnostics:
    """The findings of one run, in the order in which they were found."""

    items: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.items.extend(diagnostics)

    @property
    def has_errors(self) -> bool:
        return any(item.severity is Severity.ERROR for item in self.items)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class DiagnosticError(Exception):
    """Raised where a computation cannot go on; carries the findings that say why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(f"{item.code}: {item.message}" for item in diagnostics))
