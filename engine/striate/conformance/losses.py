"""Checks of losses: one finite number, with the gradient of its values, and nothing else happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from striate.conformance.loss_examples import call, calls, first_numbers, hold_to_examples, make, sizes_of
from striate.conformance.results import CheckFailedError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line
from striate.conformance.trial_outputs import Pair, taken


def made(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield what the record's factory makes, with the call in words: by default, then with drawn arguments.

    Arguments that fit their kinds and not each other may be refused by a ValueError.
    """
    for number, settled in enumerate(argument_sets(subject)):
        words = written(subject, settled)
        try:
            yield words, make(subject.record, settled, sizes_of(subject.record))
        except ValueError as error:
            if number == 0:
                raise CheckFailedError(f"its factory refuses the defaults: {first_line(error)}", words) from None
        except Exception as error:  # a stranger's factory may raise anything
            raise CheckFailedError(
                f"its factory answers with {type(error).__name__}: {first_line(error)}",
                words,
                "take every argument of the record by its name, and refuse by a ValueError what does not go together",
            ) from None


def values(subject: Subject) -> str | None:
    """The loss is one finite number for every form of output and target that it takes, and that of its examples."""
    held = hold_to_examples(subject.record)
    if not subject.record.in_recipes:
        return f"{held} examples" if held > 1 else "an example"
    forms: dict[str, None] = {}
    for words, loss in made(subject):
        for pair in _taken(subject, loss, words):
            forms[pair.form] = None
            _one_number(loss(pair.output.clone(), pair.target.clone()), f"{words}: {pair.form}")
            for extreme in (pair.right, pair.wrong):
                _one_number(loss(extreme.clone(), pair.target.clone()), f"{words}: {pair.form}, very sure of itself")
    return "; ".join(forms)


def _taken(subject: Subject, loss: Any, words: str) -> list[Pair]:
    """Return the pairs that a loss takes; of those that are not the shares it asks for, it may make what it likes."""
    found = taken(loss, words)
    if subject.record.target != "shares":
        return found
    return [pair for pair in found if float(pair.target.min()) >= 0 and float(pair.target.max()) <= 1]


def _one_number(result: Any, example: str) -> None:

    if not isinstance(result, torch.Tensor):
        raise CheckFailedError(f"it gives a {type(result).__name__}, where a tensor is due", example)
    if result.numel() != 1 or result.dim() > 0:
        raise CheckFailedError(f"it gives {' x '.join(map(str, result.shape))} numbers, where one is due", example)
    if not bool(result.isfinite()):
        raise CheckFailedError(f"it gives {float(result)}", example)


def gradient(subject: Subject) -> str | None:
    """The gradient reaches the output, is finite, and is that of the values."""
    if not subject.record.in_recipes:
        return _gradient_of_examples(subject)
    words, loss = next(made(subject))
    reached = []
    for pair in _taken(subject, loss, words):
        output = pair.output.double().requires_grad_()
        target = pair.target.double() if pair.target.is_floating_point() else pair.target
        try:
            result = loss(output, target)
        except Exception as error:
            raise CheckFailedError(f"given float64: {first_line(error)}", f"{words}: {pair.form}") from None
        if not result.requires_grad:
            raise CheckFailedError("no gradient reaches the output", f"{words}: {pair.form}")
        gradients: tuple[Tensor | None, ...] = torch.autograd.grad(result, output, allow_unused=True)
        (found,) = gradients
        if found is None or not bool(found.isfinite().all()):
            raise CheckFailedError("the gradient is none, or not finite", f"{words}: {pair.form}")
        _as_the_values(loss, pair, target, words)
        reached.append(bool((found != 0).any()))
    if not any(reached):
        raise CheckFailedError("the gradient is 0 everywhere", words)
    return None


def _gradient_of_examples(subject: Subject) -> str | None:
    """The gradient of several tensors is finite; a term of it may be held fixed on purpose, as that of CIoU is."""
    for words, loss, inputs, _ in calls(subject.record):
        output = first_numbers(inputs)
        if output is None:
            continue
        output.requires_grad_()
        result = call(loss, inputs, words)
        if result.requires_grad:
            gradients: tuple[Tensor | None, ...] = torch.autograd.grad(result, output, allow_unused=True)
            if gradients[0] is not None and not bool(gradients[0].isfinite().all()):
                raise CheckFailedError("the gradient is not finite", words)
    return None


def _as_the_values(loss: Any, pair: Pair, target: Tensor, words: str) -> None:

    output = pair.output.double().requires_grad_()
    try:
        torch.autograd.gradcheck(lambda value: loss(value, target), [output], fast_mode=True)
    except (RuntimeError, ValueError) as error:
        raise CheckFailedError(
            f"the gradient is not that of the values: {first_line(error)}", f"{words}: {pair.form}"
        ) from None


def deterministic(subject: Subject) -> str | None:
    """The same output and target give the same loss, also from a second instance, and neither is changed."""
    for example, loss, inputs, _ in calls(subject.record):
        if not torch.equal(call(loss, inputs, example), call(loss, inputs, example)):
            raise CheckFailedError("the same tensors give two losses", example)
    if not subject.record.in_recipes:
        return None
    words, loss = next(made(subject))
    for pair in _taken(subject, loss, words):
        output, target = pair.output.clone(), pair.target.clone()
        first = loss(output, target)
        again = next(made(subject))[1](output, target)
        if not torch.equal(first, loss(output, target)) or not torch.equal(first, again):
            raise CheckFailedError("the same output and target give two losses", f"{words}: {pair.form}")
        if not torch.equal(output, pair.output) or not torch.equal(target, pair.target):
            raise CheckFailedError("it changes what it is given", f"{words}: {pair.form}")
    return None
