"""A cfg file as sections with options, every one with its place in the text.

A line is a section `[type]`, an option `key = value`, or a comment that begins with `#` or `;`. Blanks mean nothing,
wherever they are, and of a key that is written twice the first counts: both as Darknet reads its files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from striate.importing.findings import shown
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FILE_SIZE, FINDINGS, LAYERS
from striate_dsl.source import Source, Span

LARGEST = 2**31 - 1
"""The largest whole number that Darknet itself can hold."""

MOST_ENTRIES = 1_000
"""Entries of a list in an option: layers of a route, anchors, masks."""

_WHOLE = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def misread(message: str, span: Span | None = None, label: str = "", help_: str | None = None) -> DiagnosticError:
    """Return the error for a place of a cfg file that has no meaning."""
    return DiagnosticError(Diagnostic("E0654", message, span, label, help=help_))


@dataclass(frozen=True, slots=True)
class Option:
    """A line `key = value`: the value without blanks and without a comment behind it, and its place."""

    value: str
    span: Span


@dataclass(slots=True)
class Section:
    """A section with its options.

    Attributes:
        kind: its name without brackets, by which Darknet finds the layer.
        span: the place of its first line.
        index: which layer it is, counted from 0; -1 for the first section, which is `net`.
        options: by key.
        again: the lines of keys that were written before, and do not count.
        asked: the keys that were asked for.
    """

    kind: str
    span: Span
    index: int
    options: dict[str, Option] = field(default_factory=dict)
    again: list[tuple[int, str]] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"[{shown(self.kind)}] at line {self.span.line}"

    def place(self, key: str) -> Span:
        """Return the place of an option, or of the section where it does not have it."""
        option = self.options.get(key)
        return option.span if option else self.span

    def word(self, key: str, default: str = "") -> str:
        """Return the text of an option."""
        self.asked.add(key)
        option = self.options.get(key)
        return option.value if option else default

    def whole(self, key: str, default: int, low: int = -LARGEST, high: int = LARGEST) -> int:
        """Return an option that is a whole number within bounds.

        Raises:
            DiagnosticError: E0654, it is none.
        """
        return self._whole(key, self.word(key, str(default)), low, high)

    def number(self, key: str, default: float) -> float:
        """Return an option that is a number; raises like `whole`."""
        return self._number(key, self.word(key, str(default)))

    def flag(self, key: str, default: bool = False) -> bool:
        """Return an option that is on where it is another number than 0; raises like `whole`."""
        return self.number(key, float(default)) != 0

    def wholes(self, key: str) -> list[int]:
        """Return an option that is a list of whole numbers; raises like `whole`."""
        return [self._whole(key, item, -LARGEST, LARGEST) for item in self._items(key)]

    def numbers(self, key: str) -> list[float]:
        """Return an option that is a list of numbers; raises like `whole`."""
        return [self._number(key, item) for item in self._items(key)]

    def _items(self, key: str) -> list[str]:
        text = self.word(key)
        if text.count(",") >= MOST_ENTRIES:
            raise misread(f"{key} of {self} has more than {MOST_ENTRIES:,} entries", self.place(key))
        return text.removesuffix(",").split(",") if text else []

    def _whole(self, key: str, text: str, low: int, high: int) -> int:
        value = int(text) if _WHOLE.fullmatch(text) else None
        if value is None or not low <= value <= high:
            bounds = f" of at least {low:,}" if low > -LARGEST and value is not None and value < low else ""
            bounds = f" of at most {high:,}" if value is not None and value > high else bounds
            raise misread(f"{key} of {self} must be a whole number{bounds}, not {shown(text)}", self.place(key))
        return value

    def _number(self, key: str, text: str) -> float:
        value = float(text) if len(text) < 64 and _NUMBER.fullmatch(text) else math.inf
        if not math.isfinite(value):
            raise misread(f"{key} of {self} must be a number, not {shown(text)}", self.place(key))
        return value


def read_sections(path: Path) -> list[Section]:
    """Return the sections of a cfg file; the first is `net`.

    Raises:
        DiagnosticError: E0653, there is no such file, or it is no text; E0654, with every line that cannot be read.
    """
    source = Source(str(path), _text(path))
    sections: list[Section] = []
    wrong: list[Diagnostic] = []
    for line, span in _lines(source):
        try:
            _read_line(line, span, sections)
        except DiagnosticError as error:
            wrong += error.diagnostics
            if len(wrong) >= FINDINGS.value:
                break
    if wrong:
        raise DiagnosticError(*wrong)
    if not sections or sections[0].kind not in ("net", "network"):
        first = sections[0].span if sections else None
        raise misread(f"{path} does not begin with [net]", first, help_="the first section says how large the input is")
    if len(sections) < 2:
        raise misread(f"{path} has no layers", sections[0].span)
    return sections


def _read_line(line: str, span: Span, sections: list[Section]) -> None:
    if line.startswith("["):
        kind, closed, rest = line[1:].partition("]")
        if not closed or not kind or rest[:1] not in ("", "#", ";"):
            raise misread(f"a section is written [type], not {shown(line)}", span)
        if len(sections) > LAYERS.value:
            raise DiagnosticError(
                Diagnostic("E0654", f"more than {LAYERS.value:,} sections", span, help=LAYERS.advice)
            )  # fmt: skip
        sections.append(Section(kind, span, len(sections) - 1))
        return
    key, equals, value = line.partition("=")
    if not equals or not key:
        raise misread(f"neither a section nor an option key = value: {shown(line)}", span)
    if not sections:
        raise misread(f"the option {shown(key)} stands before the first section", span)
    here = sections[-1]
    if key in here.options:
        here.again.append((span.line, key))
    else:
        here.options[key] = Option(re.split("[#;]", value, maxsplit=1)[0], span)


def _lines(source: Source) -> Iterator[tuple[str, Span]]:
    """Yield every line that says something: without blanks, and its place."""
    start = 0
    for written in source.text.split("\n"):
        line = "".join(written.split())
        if line and line[0] not in "#;":
            left = start + len(written) - len(written.lstrip())
            yield line, Span(source, left, start + len(written.rstrip()))
        start += len(written) + 1


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise _unreadable(path, _what_else(path))
        size = path.stat().st_size
        if size > FILE_SIZE.value:
            raise _unreadable(path, f"it has {size:,} bytes, and {FILE_SIZE.value:,} is the most that is read")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, (getattr(error, "strerror", None) or str(error)).lower()) from None
    if b"\0" in content:
        raise _unreadable(path, "it holds zero bytes, so it is no text")
    if not content.strip():
        raise _unreadable(path, "it is empty")
    return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def _what_else(path: Path) -> str:
    if not path.exists():
        return "no such file"
    return "it is a folder" if path.is_dir() else "it is no regular file"


def _unreadable(path: Path, reason: str) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            "E0653",
            f"cannot read {shown(str(path))} as a Darknet cfg file: {reason}",
            help="name the text file that describes the network; its weights are given with --weights",
        )
    )


def left_over(sections: Sequence[Section], passed_over: frozenset[str]) -> list[str]:
    """Return notes on what was written and has no effect: keys that are not known, and keys written twice."""
    notes = []
    for section in sections:
        unknown = sorted(section.options.keys() - section.asked - passed_over)
        if unknown:
            notes.append(f"{section}: no effect of {', '.join(map(shown, unknown[:8]))}")
        notes += [f"line {line}: {shown(key)} is written twice; the first counts" for line, key in section.again]
    return notes
