"""Running checks of one record, each within a time limit, whatever a stranger's code does."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

from striate.conformance.check import Check
from striate.conformance.results import (
    BUILTIN_NAME,
    USUAL,
    CheckFailedError,
    Effort,
    NotApplicableError,
    Outcome,
    ScoreCard,
    Status,
    Tell,
)
from striate.conformance.subject import Subject, first_line
from striate.conformance.table import checks_of
from striate.host.catalogue import HostCatalogue
from striate.host.kinds import KINDS, PLURAL_OF, Kind
from striate.host.limits import TooSlowError, within
from striate.host.loading import Contribution
from striate.ops.registry import BUILTIN
from striate.version import __version__


def check_record(record: Any, effort: Effort = USUAL, only: Iterable[str] = ()) -> tuple[Outcome, ...]:
    """Hold one record to the checks of its kind.

    Args:
        record: what a hook returns; its plugin need not be installed.
        effort: how much is tried.
        only: the names of the checks to run; all where there are none.
    """
    chosen = set(only)
    subject = _subject(record, PLURAL_OF[type(record)], effort, HostCatalogue())
    return tuple(
        run_check(check, subject, effort.seconds)
        for check in checks_of(subject.plural)
        if not chosen or check.name in chosen
    )


def run_check(check: Check, subject: Subject, seconds: float = USUAL.seconds) -> Outcome:
    """Return what comes of one check; nothing that the plugin's code does gets out."""
    begin = perf_counter()
    status, message, example, repair = Status.PASSED, "", "", ""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            message = within(seconds, lambda: check.run(subject)) or ""
    except CheckFailedError as failure:
        status, message, example = Status.FAILED, failure.message, failure.example
        repair = failure.repair or check.repair
    except NotApplicableError as reason:
        status, message = Status.NOT_APPLICABLE, str(reason)
    except TooSlowError:
        status, message = Status.FAILED, f"it did not end within {seconds:g} seconds"
        repair = "make it quicker, or allow it more time with --seconds"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's code may raise anything, SystemExit too
        status, message, repair = Status.FAILED, f"{type(error).__name__}: {first_line(error)}", check.repair
    kind = next(kind.singular for kind in KINDS if kind.plural == subject.plural)
    return Outcome(kind, subject.record.name, check.name, status, message, example, repair, perf_counter() - begin)


def check_builtin(effort: Effort = USUAL, *, tell: Tell | None = None) -> ScoreCard:
    """Hold the built-in layers to the checks of layers."""
    found = []
    catalogue = HostCatalogue()
    for record in BUILTIN.values():
        for item in _outcomes(record, "layers", effort, catalogue):
            found.append(item)
            if tell is not None:
                tell(item)
    return ScoreCard(BUILTIN_NAME, __version__, tuple(found))


def _outcomes(record: Any, plural: str, effort: Effort, catalogue: HostCatalogue) -> Iterator[Outcome]:
    subject = _subject(record, plural, effort, catalogue)
    for check in checks_of(plural):
        yield run_check(check, subject, effort.seconds)


def _subject(record: Any, plural: str, effort: Effort, catalogue: HostCatalogue) -> Subject:
    return Subject(record, plural, effort.seed, effort.draws, catalogue)


def subjects_of(contribution: Contribution, effort: Effort = USUAL) -> Iterator[tuple[Kind, Subject]]:
    """Yield every record of a plugin as a subject of checks, with its kind."""
    catalogue = HostCatalogue()
    for kind in KINDS:
        for record in contribution.records.get(kind.plural, {}).values():
            yield kind, _subject(record, kind.plural, effort, catalogue)
