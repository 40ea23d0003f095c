"""Checks of learning-rate schedules: factors that are finite, not below 0, and a function of the epoch alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from striate.conformance.results import CheckFailedError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line
from striate.host.training_records import EpochOutcome

EPOCHS = (1, 2, 7, 30)
STEPS = 12
"""Steps per epoch at which the factor is asked for; a run asks in the middle of each."""


FINISHED = tuple(EpochOutcome(loss, loss) for loss in (2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5))
"""Finished epochs for schedules that watch them: better, standing still, and better again."""


def _made(subject: Subject) -> Iterator[tuple[str, int, Callable[[float], Any]]]:
    """Yield schedules with their calls in words and the epochs that they are for; settings may be refused."""
    for number, settled in enumerate(argument_sets(subject)):
        for epochs in EPOCHS:
            words = f"{written(subject, settled)} over {epochs} epochs"
            try:
                made = subject.record.factory(epochs, **settled)
                yield words, epochs, _watching(made) if subject.record.watches else made
            except ValueError as error:
                if number == 0 and epochs == EPOCHS[-1]:
                    raise CheckFailedError(f"its factory refuses the defaults: {first_line(error)}", words) from None
            except CheckFailedError:
                raise
            except Exception as error:  # a stranger's factory may raise anything
                raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", words) from None


def _watching(schedule: Callable[..., Any]) -> Callable[[float], Any]:
    """Return a schedule that watches, as a function of the epoch: so many epochs are finished then."""
    return lambda epoch: schedule(epoch, (FINISHED * (int(epoch) // len(FINISHED) + 1))[: int(epoch)])


def _moments(epochs: int) -> list[float]:
    return [0.0, *((step + 0.5) / STEPS for step in range(epochs * STEPS)), float(epochs)]


def factors(subject: Subject) -> str | None:
    """The factor is a finite number of at least 0 at every step of runs of one and of many epochs."""
    highest = 0.0
    for words, epochs, schedule in _made(subject):
        for moment in _moments(epochs):
            try:
                factor = schedule(moment)
            except Exception as error:
                raise CheckFailedError(
                    f"{type(error).__name__}: {first_line(error)}", f"{words}, at {moment:g}"
                ) from None
            if isinstance(factor, tuple) and len(factor) == 2:
                factor, momentum = factor
                if not isinstance(momentum, int | float) or not 0 <= momentum < 1:
                    raise CheckFailedError(f"the momentum is {momentum}", f"{words}, at {moment:g}")
            if isinstance(factor, bool) or not isinstance(factor, (int, float)):
                raise CheckFailedError(f"it gives a {type(factor).__name__}, no number", f"{words}, at {moment:g}")
            if not math.isfinite(factor) or factor < 0:
                raise CheckFailedError(f"the factor is {factor}", f"{words}, at {moment:g}")
            highest = max(highest, factor)
    if highest == 0:
        raise CheckFailedError("the factor is always 0, so that nothing is learned")
    return None


def pure(subject: Subject) -> str | None:
    """Asked backwards, and again, it says the same."""
    for words, epochs, schedule in _made(subject):
        moments = _moments(epochs)
        forwards = [schedule(moment) for moment in moments]
        backwards = [schedule(moment) for moment in reversed(moments)][::-1]
        for moment, one, other in zip(moments, forwards, backwards, strict=True):
            if one != other:
                raise CheckFailedError(f"the factor is {one} at first, and {other} later", f"{words}, at {moment:g}")
    return None
