"""Checks of averages of weights: shares from 0 to 1 or none, and a function of epoch and count alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from striate.conformance.results import CheckFailedError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line

EPOCHS = (1, 2, 7, 30)
STEPS = 12
"""Steps per epoch."""


def _made(subject: Subject) -> Iterator[tuple[str, int, Callable[[float, int], Any]]]:
    """Yield the functions with their calls in words and the epochs that they are for."""
    for settled in argument_sets(subject):
        for epochs in EPOCHS:
            words = f"{written(subject, settled)} over {epochs} epochs"
            try:
                yield words, epochs, subject.record.factory(epochs, **settled)
            except CheckFailedError:
                raise
            except Exception as error:  # a stranger's factory may raise anything
                raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", words) from None


def _course(share: Callable[[float, int], Any], epochs: int, words: str) -> Iterator[tuple[float, int, Any]]:
    """Yield epoch, count and share behind every step of a run."""
    moved = 0
    for step in range(1, epochs * STEPS + 1):
        epoch = step / STEPS
        try:
            found = share(epoch, moved)
        except Exception as error:
            raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", f"{words}, at {epoch:g}") from None
        yield epoch, moved, found
        moved += found is not None


def shares(subject: Subject) -> str | None:
    """Every share is a number from 0 to 1 or None; with the defaults a run of many epochs has some."""
    for number, (words, epochs, share) in enumerate(_made(subject)):
        course = list(_course(share, epochs, words))
        for epoch, _, found in course:
            if found is None:
                continue
            if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
                raise CheckFailedError(f"the share is {found!r}", f"{words}, at {epoch:g}")
        if number == len(EPOCHS) - 1 and all(found is None for *_, found in course):
            raise CheckFailedError("the average never moves", words)
    return None


def pure(subject: Subject) -> str | None:
    """Asked backwards it says the same."""
    for words, epochs, share in _made(subject):
        course = list(_course(share, epochs, words))
        for epoch, moved, found in reversed(course):
            if share(epoch, moved) != found:
                raise CheckFailedError(f"the share is {found} at first, and another later", f"{words}, at {epoch:g}")
    return None
