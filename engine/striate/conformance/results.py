"""How much is tried, and what came of it: an outcome per record and check, all of a plugin's on one card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

BUILTIN_NAME = "striate"
"""Under this name the built-in layers are checked like a plugin's."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried.

    Attributes:
        seed: where everything that is drawn begins.
        draws: how many legal calls of a layer are drawn beside its samples.
        seconds: how long one check of one record may take.
    """

    seed: int = 0
    draws: int = 25
    seconds: float = 60.0


USUAL = Effort()


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class CheckFailedError(AssertionError):
    """What a check asks does not hold.

    Args:
        message: what is wrong, in a sentence.
        example: the configuration on which it shows, as an author would write it.
        repair: what to do, where more can be said than the check says anyway.
    """

    def __init__(self, message: str, example: str = "", repair: str = "") -> None:
        self.message, self.example, self.repair = message, example, repair
        super().__init__(message)


class NotApplicableError(Exception):
    """A check has nothing to ask of a record; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check of one record.

    Attributes:
        kind: the kind of record, in the singular (`layer`, `loss`, `plugin`, …).
        record: its name.
        check: the check's name.
        status: how it ended.
        message: what is wrong, why it does not apply, or what else there is to say of a pass.
        example: the smallest configuration found on which it fails.
        repair: what to do about it.
        seconds: how long it took.
    """

    kind: str
    record: str
    check: str
    status: Status
    message: str = ""
    example: str = ""
    repair: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.record}: {self.check}: {self.status}"]
        lines += [self.message] if self.message else []
        lines += [f"smallest example: {self.example}"] if self.example else []
        lines += [f"to repair: {self.repair}"] if self.repair else []
        return "\n  ".join(lines)


Tell = Callable[[Outcome], None]
"""Is given every outcome as soon as it is there."""


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """All outcomes of a plugin, in the order in which they were found."""

    plugin: str
    version: str
    outcomes: tuple[Outcome, ...]

    def of(self, status: Status) -> list[Outcome]:
        """Return the outcomes that ended so."""
        return [item for item in self.outcomes if item.status is status]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.of(Status.FAILED)

    def by_record(self) -> Iterator[tuple[str, str, list[Outcome]]]:
        """Yield kind, name and outcomes of every record."""
        groups: dict[tuple[str, str], list[Outcome]] = {}
        for item in self.outcomes:
            groups.setdefault((item.kind, item.record), []).append(item)
        for (kind, name), outcomes in groups.items():
            yield kind, name, outcomes

    def to_plain(self) -> dict[str, Any]:
        """Return the card as dictionaries, lists, texts and numbers, for JSON."""
        counts = {status.value: len(self.of(status)) for status in Status}
        outcomes = [{**asdict(item), "status": item.status.value} for item in self.outcomes]
        return {"plugin": self.plugin, "version": self.version, "counts": counts, "outcomes": outcomes}
