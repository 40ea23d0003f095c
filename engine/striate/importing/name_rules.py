"""Rules that say how another program calls the weights of a network: patterns of our names, templates of theirs.

A pattern is one of our layers' paths, or the full name of one weight. In it, `{i}` stands for a number, `*` for a part
of a path between two dots, `**` for any parts, and `<x>` for letters and digits. A template may use the numbers and
these (`{i}`, `{i+1}`, `<x>`). `{#}` in a template is
the next number that the file uses in this place: programs that keep layers in lists number those without weights too,
so only the order of the numbers is known. What counts as one entry of such a list is the part of our path before the
mark `|`, the first mark for the first `{#}`; where there is no mark left, every layer is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_TOKEN = re.compile(r"\*\*|\*|\||\{(?P<number>\w+)\}|<(?P<text>\w+)>")
_FIELD = re.compile(r"\{(#|[A-Za-z_]\w*)(?:([+-])(\d+))?\}")
_TEXT = re.compile(r"<(\w+)>")
_NEXT = "#"


class RuleError(ValueError):
    """A rule that says nothing; the message says why."""


@dataclass(frozen=True)
class Rule:
    """One line of a name map.

    Attributes:
        ours: the pattern of our paths.
        theirs: the template of their names.
        axes: the order in which their axes stand for ours, where it is another one.
    """

    ours: str
    theirs: str
    axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        known = self.pattern.groupindex
        for field in _FIELD.finditer(self.theirs):
            name = field[1]
            if name == _NEXT and field[2]:
                raise RuleError(f"{self.theirs!r} shifts a number that is the file's own: write {{#}}")
            if name != _NEXT and name not in known:
                raise RuleError(f"{{{name}}} in {self.theirs!r} is no number of {self.ours!r}")
        for name in _TEXT.findall(self.theirs):
            if name not in known:
                raise RuleError(f"<{name}> in {self.theirs!r} is no part of {self.ours!r}")
        if leftover := set("{}*|<>") & set(_TEXT.sub("", _FIELD.sub("", self.theirs))):
            raise RuleError(f"{self.theirs!r} has a {sorted(leftover)[0]} that is part of no number such as {{i+1}}")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern as a regular expression; marks are empty groups."""
        parts: list[str] = []
        at, seen = 0, set[str]()
        for token in _TOKEN.finditer(self.ours):
            parts.append(re.escape(self.ours[at : token.start()]))
            at = token.end()
            parts.append(_expression(token, seen))
        parts.append(re.escape(self.ours[at:]))
        try:
            return re.compile("".join(parts))
        except re.error as error:
            raise RuleError(f"{self.ours!r} is no pattern: {error}") from None

    def match(self, path: str) -> Named | None:
        """Return what the rule says of one of our paths, None where it is about others."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        texts = found.groupdict()
        marks = tuple(path[: found.start(index)] for index in self._marks)
        template = _TEXT.sub(lambda field: texts[field[1]], self.theirs)
        return Named(self, path, _pieces(_FIELD.split(template), texts), marks)

    @cached_property
    def _marks(self) -> tuple[int, ...]:
        named = set(self.pattern.groupindex.values())
        return tuple(index for index in range(1, self.pattern.groups + 1) if index not in named)


def _expression(token: re.Match[str], seen: set[str]) -> str:
    if token[0] == "**":
        return r".+?"
    if token[0] == "*":
        return r"[^.]+"
    if token[0] == "|":
        return "()"
    name = token["number"] or token["text"]
    if not name.isidentifier():
        raise RuleError(f"{token[0]} has no name that can be repeated")
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return rf"(?P<{name}>\d+)" if token["number"] else rf"(?P<{name}>\w+?)"


@dataclass(frozen=True, slots=True)
class Named:
    """What a rule makes of one of our paths: their name in pieces, between which the file's own numbers stand."""

    rule: Rule
    path: str
    pieces: tuple[str, ...]
    marks: tuple[str, ...]

    def instance(self, level: int) -> str:
        """Return what counts as one entry of the list at a level."""
        return self.marks[level] if level < len(self.marks) else self.path


def _pieces(split: Sequence[str], texts: Mapping[str, str]) -> tuple[str, ...]:
    """Fill the numbers in and part the rest at the file's own."""
    pieces = [split[0]]
    for name, sign, shift, after in zip(split[1::4], split[2::4], split[3::4], split[4::4], strict=True):
        if name == _NEXT:
            pieces.append(after)
            continue
        number = int(texts[name]) + (int(shift) if sign == "+" else -int(shift) if sign == "-" else 0)
        pieces[-1] += f"{number}{after}"
    return tuple(pieces)


class Lists:
    """The numbers that a file uses in each place of its names."""

    def __init__(self, names: Iterable[str]) -> None:
        found: dict[str, set[int]] = {}
        for name in names:
            parts = name.split(".")
            for index, part in enumerate(parts):
                if part.isascii() and part.isdigit():
                    found.setdefault("".join(f"{item}." for item in parts[:index]), set()).add(int(part))
        self._numbers = {place: sorted(numbers) for place, numbers in found.items()}

    def number(self, place: str, rank: int) -> str:
        """Return the number of that rank in a place such as `features.`; a question mark where there are fewer."""
        numbers = self._numbers.get(place, [])
        return str(numbers[rank]) if rank < len(numbers) else "?"


def their_names(named: Sequence[Named], lists: Lists) -> dict[str, str]:
    """Return their name for every one of our paths, in the order of which lists are counted."""
    done: dict[str, str] = {}
    current = {item.path: item.pieces[0] for item in named}
    level = 0
    waiting = list(named)
    while waiting:
        order: dict[str, dict[str, int]] = {}
        further = []
        for item in waiting:
            if level + 1 >= len(item.pieces):
                done[item.path] = current[item.path]
                continue
            place = current[item.path]
            ranks = order.setdefault(place, {})
            rank = ranks.setdefault(item.instance(level), len(ranks))
            current[item.path] = place + lists.number(place, rank) + item.pieces[level + 1]
            further.append(item)
        waiting, level = further, level + 1
    return done
