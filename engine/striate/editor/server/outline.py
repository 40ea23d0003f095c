"""The shape of a text: its definitions and what they give names to, what can be folded, and what lies within what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from striate.editor.server import describe
from striate.editor.server.places import Lines
from striate.editor.server.words import Definition, Role, Scan

_DETAILS = {
    Role.INPUT: "input",
    Role.ALIAS: "value",
    Role.LET: "let",
    Role.OUTPUT: "output",
    Role.PARAMETER: "parameter",
}
_KINDS = {"model": "model", "block": "block", "train": "section", "export": "section", "profile": "section"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the outline: `start` to `end` is all of it, the name is from `name_start` to `name_end`."""

    name: str
    kind: str
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    children: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines, from 0, that can be folded into the first one."""

    first: int
    last: int
    is_comment: bool = False


def outline(scanned: Scan) -> list[Entry]:
    """Return the definitions of a text, with the names that they give."""
    return [entry for item in scanned.definitions if (entry := _entry(scanned, item)) is not None]


def _entry(scanned: Scan, item: Definition) -> Entry | None:
    kind = _KINDS.get(item.kind, "section" if item.kind == "search" else "")
    if item.kind == "use":
        return _use(scanned, item)
    if not kind:
        return None
    word = item.name
    title = word.text if word is not None else item.kind
    if kind == "section" and word is not None:
        title = f"{item.kind} {word.text}" + (f" as {item.alias.text}" if item.alias else "")
    start, end = (word.start, word.end) if word is not None else (item.start, item.start + len(item.kind))
    detail = describe.signature_of(scanned.text, item) if kind != "section" else ""
    return Entry(title, kind, detail, item.start, item.end, start, end, list(_children(item)))


def _use(scanned: Scan, item: Definition) -> Entry:
    title = " ".join(scanned.text[item.start : item.end].split())
    return Entry(title, "file", "", item.start, item.end, item.start, item.end)


def _children(item: Definition) -> Iterator[Entry]:
    seen: set[str] = set()
    for word in item.words if item.is_network else ():
        if word.role in _DETAILS and word.text not in seen:
            seen.add(word.text)
            detail = _DETAILS[word.role]
            yield Entry(word.text, detail, detail, word.start, word.end, word.start, word.end)


def folds(scanned: Scan, lines: Lines) -> list[Fold]:
    """Return the bodies that go over several lines, and comments of several lines."""
    found = []
    for start, end in scanned.braces:
        first, last = lines.line_of(start), lines.line_of(max(end - 1, start))
        if last - 1 > first:
            found.append(Fold(first, last - 1))
    return [*sorted(found, key=lambda fold: fold.first), *_comments(scanned.text, lines)]


def _comments(text: str, lines: Lines) -> Iterator[Fold]:
    first = None
    for line in range(len(lines.starts) + 1):
        begin, end = lines.whole_line(line) if line < len(lines.starts) else (0, 0)
        if text[begin:end].lstrip().startswith("#"):
            first = line if first is None else first
        elif first is not None:
            if line - 1 > first:
                yield Fold(first, line - 1, is_comment=True)
            first = None


def surroundings(scanned: Scan, offset: int) -> list[tuple[int, int]]:
    """Return the stretches around an offset, from the word to the whole text, each within the next."""
    found = {(0, len(scanned.text))}
    word = scanned.word_at(offset)
    if word is not None:
        found.add((word.start, word.end))
    for start, end in scanned.braces:
        if start <= offset <= end:
            found |= {(start, end), (start + 1, max(end - 1, start + 1))}
    for call in scanned.calls:
        end = call.end if call.end is not None else call.start
        if call.callee.start <= offset <= end + 1:
            found |= {(call.callee.start, min(end + 1, len(scanned.text)))}
            found |= {(call.start + 1, end)} if call.start < offset <= end else set()
    definition = scanned.definition_at(offset)
    if definition is not None:
        found.add((definition.start, definition.end))
    begin = scanned.text.rfind("\n", 0, offset) + 1
    end = scanned.text.find("\n", offset)
    line = scanned.text[begin : end if end >= 0 else len(scanned.text)]
    found.add((begin + len(line) - len(line.lstrip()), max(begin + len(line.rstrip()), begin)))
    return _nested(found, offset)


def _nested(found: set[tuple[int, int]], offset: int) -> list[tuple[int, int]]:
    """Return the stretches that hold an offset, the smallest first, each of which lies within the next."""
    chain: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda item: (item[1] - item[0], -item[0])):
        fits = not chain or (start <= chain[-1][0] and chain[-1][1] <= end and (start, end) != chain[-1])
        if start <= offset <= end and fits:
            chain.append((start, end))
    return chain
