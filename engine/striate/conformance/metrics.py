"""Checks of metrics: one finite number, whatever the batches, in the direction that the record says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line
from striate.conformance.trial_outputs import CLASSES, Pair, taken

CLOSE = 1e-5


def _made(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield metrics with their calls in words: by default, then with drawn arguments, which may be refused."""
    tasks = subject.record.tasks
    if tasks and not {"classification", "segmentation"} & set(tasks):
        raise NotApplicableError(f"it is for {' and '.join(tasks)}, whose outputs are not tried here")
    for number, settled in enumerate(argument_sets(subject)):
        words = written(subject, settled)
        try:
            metric = subject.record.factory(CLASSES, **settled)
        except ValueError as error:
            if number == 0:
                raise CheckFailedError(f"its factory refuses the defaults: {first_line(error)}", words) from None
            continue
        except Exception as error:  # a stranger's factory may raise anything
            raise CheckFailedError(
                f"its factory answers with {type(error).__name__}: {first_line(error)}", words
            ) from None
        for attribute in ("update", "compute", "reset", "to"):
            if not hasattr(metric, attribute):
                raise CheckFailedError(
                    f"it makes a {type(metric).__name__}, which has no {attribute}",
                    words,
                    "make a torchmetrics Metric",
                )
        yield words, metric


def _score(metric: Any, batches: Sequence[tuple[Tensor, Tensor]]) -> float:
    metric.reset()
    for output, target in batches:
        metric.update(output.clone(), target.clone())
    return float(metric.compute())


def _pairs(metric: Any, words: str) -> list[Pair]:
    return taken(lambda output, target: _score(metric, [(output, target)]), words)


def values(subject: Subject) -> str | None:
    """After an update it computes one finite number, of whatever answers."""
    forms: dict[str, None] = {}
    for words, metric in _made(subject):
        for pair in _pairs(metric, words):
            forms[pair.form] = None
            for output in (pair.output, pair.right, pair.wrong):
                try:
                    score = _score(metric, [(output, pair.target)])
                except Exception as error:
                    said = f"{type(error).__name__}: {first_line(error)}"
                    raise CheckFailedError(said, f"{words}: {pair.form}") from None
                if not math.isfinite(score):
                    raise CheckFailedError(f"it gives {score}", f"{words}: {pair.form}")
    return "; ".join(forms)


def reset(subject: Subject) -> str | None:
    """After `reset` it is as new."""
    words, metric = next(_made(subject))
    for pair in _pairs(metric, words):
        fresh = _score(next(_made(subject))[1], [(pair.output, pair.target)])
        _score(metric, [(pair.wrong, pair.target)])
        again = _score(metric, [(pair.output, pair.target)])
        if abs(fresh - again) > CLOSE:
            raise CheckFailedError(f"a new one gives {fresh:g}, one that was reset {again:g}", f"{words}: {pair.form}")
    return None


def batches(subject: Subject) -> str | None:
    """Eight examples at once, in two batches, and in unequal ones give the same."""
    words, metric = next(_made(subject))
    for pair in _pairs(metric, words):
        whole = _score(metric, [(pair.output, pair.target)])
        for cut in (4, 1):
            parts = [(pair.output[:cut], pair.target[:cut]), (pair.output[cut:], pair.target[cut:])]
            try:
                found = _score(metric, parts)
            except Exception as error:
                raise CheckFailedError(
                    f"a batch of {cut}: {type(error).__name__}: {first_line(error)}", f"{words}: {pair.form}"
                ) from None
            if abs(found - whole) > CLOSE * max(1.0, abs(whole)):
                raise CheckFailedError(
                    f"at once it is {whole:g}, in batches of {cut} and {8 - cut} it is {found:g}",
                    f"{words}: {pair.form}",
                )
    return None


def direction(subject: Subject) -> str | None:
    """Right answers score better than wrong ones."""
    words, metric = next(_made(subject))
    better = subject.record.higher_is_better
    told = []
    for pair in _pairs(metric, words):
        right, wrong = (_score(metric, [(output, pair.target)]) for output in (pair.right, pair.wrong))
        if right != wrong:
            told.append((right > wrong, f"{words}: {pair.form}: right answers give {right:g}, wrong ones {wrong:g}"))
    if not told:
        raise NotApplicableError("right and wrong answers score the same in every form that it takes")
    wrong_way = next((example for up, example in told if up is not better), None)
    if wrong_way is not None:
        raise CheckFailedError(f"higher_is_better is {better}, and the scores say otherwise", wrong_way)
    return None
