"""Checks of what works around an optimizer: those of optimizers, with gradient descent inside, and shared groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch.optim import SGD, Optimizer

from striate.conformance import optimizers
from striate.conformance.results import CheckFailedError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line

RATE, MOMENTUM = 0.05, 0.5
"""Of the gradient descent inside, whose momentum is a state that must not be lost."""


class _Around:
    """A wrapper's record as if it were an optimizer's: the factory makes both."""

    def __init__(self, record: Any) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

    def factory(self, weights: Any, **settled: Any) -> Optimizer:
        """Return what the wrapper's factory makes around gradient descent."""
        made: Optimizer = self._record.factory(SGD(weights, lr=RATE, momentum=MOMENTUM), **settled)
        return made


def _as_optimizer(check: Callable[[Subject], str | None], subject: Subject) -> str | None:
    return check(replace(subject, record=_Around(subject.record), plural="optimizers"))


def quadratic(subject: Subject) -> str | None:
    """A quadratic gets smaller."""
    return _as_optimizer(optimizers.quadratic, subject)


def deterministic(subject: Subject) -> str | None:
    """Two runs from the same weights end at the same ones."""
    return _as_optimizer(optimizers.deterministic, subject)


def resume(subject: Subject) -> str | None:
    """A state that was saved and loaded goes on to the same bits."""
    return _as_optimizer(optimizers.resume, subject)


def groups(subject: Subject) -> str | None:
    """A rate that is set outside is that of the inner optimizer, before and behind loading a state."""
    (settled, *_) = argument_sets(subject, 0)
    words = written(subject, settled)
    problem = optimizers.Quadratic()
    inner = SGD(problem.weights, lr=RATE, momentum=MOMENTUM)
    try:
        made = subject.record.factory(inner, **settled)
    except Exception as error:  # a stranger's factory may raise anything
        raise CheckFailedError(f"its factory answers with {type(error).__name__}: {first_line(error)}", words) from None
    for when in ("at first", "behind load_state_dict"):
        if [id(group) for group in made.param_groups] != [id(group) for group in inner.param_groups]:
            raise CheckFailedError(f"its param_groups are not those of the inner optimizer {when}", words)
        problem.run(made, 2)
        made.load_state_dict(made.state_dict())
    return None
