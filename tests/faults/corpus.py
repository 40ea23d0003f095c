"""Reads the corpus of faulty networks: `.cnn` files whose `#~` comments say what striate must say about them.

The comments are taken out before a text is checked, so they have no influence on what is found, and lines are counted
without them. `README.md` in this folder says how they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "#~"

_FINDING = re.compile(
    r"(?:@(?P<column>\d+) |\s*(?P<carets>\^+) )(?P<severity>error|warning)\[(?P<code>\w+)\]: (?P<words>.+)"
)
_DETAIL = re.compile(r"\s*(?P<kind>note|help|here|no fix|now): (?P<words>.+)")
_FIX = re.compile(r"\s*fix \((?P<grade>safe|unsafe|display)\): (?P<title>.+)")
_AFTER = re.compile(r"\s*after --(?P<flag>fix|unsafe-fixes): (?P<left>.+)")


class AnnotationError(Exception):
    """A `#~` comment of the corpus that is written wrongly."""


@dataclass(slots=True)
class Expected:
    """What striate must say at one place; `line` and `column` begin at 1, `width` is None where it is left open."""

    severity: str
    code: str
    line: int
    column: int
    width: int | None
    message: str
    details: list[tuple[str, str]] = field(default_factory=list)
    fixes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, kind: str) -> list[str]:
        """Return the details of one kind: `note`, `help`, `here`, `now` or `no fix`."""
        return [words for found, words in self.details if found == kind]


def local(words: str) -> str:
    """Return words without the folder of this checkout: places in other texts are told with their paths."""
    return re.sub(re.escape(str(HERE)) + r"/(?:\w+/)?(?=\w+\.cnn)", "", words)


@dataclass(slots=True)
class Case:
    """One file: its text without annotations, and what must be said about it."""

    path: Path
    title: str
    text: str
    expected: list[Expected]
    after: dict[str, str]

    @property
    def group(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return f"{self.group}/{self.path.stem}"


@cache
def corpus() -> tuple[Case, ...]:
    """Return all cases, by group and name."""
    return tuple(read_case(path) for path in sorted(HERE.glob("*/*.cnn")))


def read_case(path: Path) -> Case:
    """Read one file.

    Raises:
        AnnotationError: a `#~` comment has none of the forms.
    """
    lines: list[str] = []
    title = ""
    expected: list[Expected] = []
    after: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.lstrip().startswith(MARK):
            lines.append(line)
        elif not title:
            title = line.partition(MARK)[2].strip()
        elif not _annotation(line, len(lines), expected, after):
            raise AnnotationError(f"{path.name}:{number}: {line.strip()}")
    return Case(path, title, "".join(f"{line}\n" for line in lines), expected, after)


def _annotation(line: str, above: int, expected: list[Expected], after: dict[str, str]) -> bool:
    """Take in one comment about the line of number `above`; return whether it has one of the forms."""
    offset = line.index(MARK) + len(MARK)
    body = line[offset:]
    if found := _FINDING.fullmatch(body.lstrip() if "@" in body.split("[")[0] else body):
        column = int(found["column"]) if found["column"] else offset + found.start("carets") + 1
        width = len(found["carets"]) if found["carets"] else None
        expected.append(Expected(found["severity"], found["code"], above, column, width, found["words"]))
    elif rest := _AFTER.fullmatch(body):
        after[rest["flag"]] = rest["left"]
    elif expected and (fix := _FIX.fullmatch(body)):
        expected[-1].fixes.append((fix["grade"], fix["title"]))
    elif expected and (detail := _DETAIL.fullmatch(body)):
        expected[-1].details.append((detail["kind"], detail["words"]))
    else:
        return False
    return True
