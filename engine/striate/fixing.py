"""Making the repairs that findings propose, round by round, as long as the text does not get worse by them.

A repair is never made where it would take a comment away. Reading and writing files is left to the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from striate.checking import Checked, check_source
from striate_dsl.comments import comments
from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Severity
from striate_dsl.edits import apply_edits, compatible
from striate_dsl.limits import REPAIRS
from striate_dsl.source import Source

EASY = 4_000
"""What checking a text may cost (see `Checked.effort`) for it to be done `limits.REPAIRS` times; else fewer times."""

LEAST_ATTEMPTS = 2
"""How often a text is repaired and checked in any case; each round shows what the one before has uncovered."""

HARD = 300_000
"""What checking a text may cost for that; a text beyond is repaired once."""

Check = Callable[[Source], Checked]
"""Says what is found in a text."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A finding and the repair of it; line and column are those of the text of its round."""

    finding: Diagnostic
    fix: Fix

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells the repair from others of the same text."""
        return self.finding.code, self.fix.title, self.fix.edits[0].span.start if self.fix.edits else 0


@dataclass(slots=True)
class Fixed:
    """A text before and after its repairs, what was made in which order, and what is left to say about the result."""

    before: Source
    after: Source
    checked: Checked
    made: list[Repair] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was repaired."""
        return self.after.text != self.before.text


def fix_source(source: Source, *, unsafe: bool = False, check: Check = check_source) -> Fixed:
    """Repair a text: its safe fixes, and with `unsafe` those too that change the network.

    All repairs that do not overlap are made at once and the result is checked. If it is worse, fewer are tried, and one
    that makes the text worse by itself is left out. The result parses, or the text stays as it was.
    `check` says what is found in a text.
    """
    return _Fixing(source, unsafe, check).run()


class _Fixing:
    """One run over one text."""

    def __init__(self, source: Source, unsafe: bool, check: Check) -> None:
        self.check = check
        self.grades = ("safe", "unsafe") if unsafe else ("safe",)
        self.first = Fixed(source, source, check(source))
        self.best = self.first
        self.refused: set[tuple[str, str, int]] = set()
        self.attempts, self.effort = 0, 0
        self.most = REPAIRS.value

    def run(self) -> Fixed:
        while self._may_go_on() and self._round():
            pass
        return self.best if self.best.checked.parses else self.first

    def _may_go_on(self) -> bool:
        """Whether another attempt is within bounds: so many, and fewer where checking the text is costly."""
        if self.attempts < (LEAST_ATTEMPTS if self.first.checked.effort < HARD else 1):
            return True
        if self.first.checked.effort >= HARD:
            return False
        return self.attempts < self.most and self.effort < self.most * EASY

    def _round(self) -> bool:
        """Make as many repairs at once as do no harm; refuse one that does. Return whether there was any to make."""
        wanted = list(self._wanted())
        chosen = {id(fix) for fix in compatible([repair.fix for repair in wanted])}
        together = [repair for repair in wanted if id(repair.fix) in chosen]
        while together and not self._attempt(together):
            if not self._may_go_on():
                return False
            if len(together) == 1:
                self.refused.add(together[0].key)
                break
            together = together[: len(together) // 2]
        return bool(together)

    def _wanted(self) -> Iterator[Repair]:
        """Yield at most one repair per finding, of a grade that may be made, in the order of the text."""
        source = self.best.after
        for finding in sorted(self.best.checked.diagnostics, key=lambda item: item.span.start if item.span else 0):
            for fix in finding.fixes:
                repair = Repair(finding, fix)
                here = all(edit.span.source is source for edit in fix.edits)
                if fix.edits and here and fix.grade in self.grades and repair.key not in self.refused:
                    yield repair
                    break

    def _attempt(self, repairs: Sequence[Repair]) -> bool:
        """Make repairs if the text does not get worse by them; return whether they were made."""
        self.attempts += 1
        old = self.best
        edits = [edit for repair in repairs for edit in repair.fix.edits]
        new = Source(old.after.name, apply_edits(old.after.text, edits))
        if new.text == old.after.text or Counter(_written(old.after)) - Counter(_written(new)):
            return False
        checked = self.check(new)
        self.effort += checked.effort
        if _badness(checked) > _badness(old.checked):
            return False
        self.best = Fixed(old.before, new, checked, [*old.made, *repairs])
        self.refused = {(code, title, _moved(place, edits)) for code, title, place in self.refused}
        return True


def _moved(place: int, edits: Sequence[Edit]) -> int:
    """Return where an offset is after edits."""
    return place + sum(
        len(edit.replacement) - (edit.span.end - edit.span.start) for edit in edits if edit.span.start < place
    )


def _written(source: Source) -> list[str]:
    return [span.text for span in comments(source)]


def _badness(checked: Checked) -> tuple[bool, int]:
    """Return whether a text does not parse, and how many errors it has; a text that parses may well show more.

    As long as it does not parse, only the errors of syntax count: with each repair more of the rest can be seen.
    """
    if not checked.parses:
        return True, checked.misspelt
    return False, sum(item.severity is Severity.ERROR for item in checked.diagnostics)
