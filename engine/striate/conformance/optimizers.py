"""Checks of optimizers: they go downhill, stay finite, and go on exactly where a saved state left them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from striate.conformance.results import CheckFailedError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line

STEPS = 200
SIZES = ((6, 4), (6,), (4, 3, 3, 3), ())
"""A matrix, a vector, kernels of a convolution, and a number: optimizers treat them apart."""


class Quadratic:
    """The sum of curved distances of some weights from their targets, whose minimum is 0."""

    def __init__(self, seed: int = 0) -> None:

        generator = torch.Generator().manual_seed(seed)
        self.weights = [torch.nn.Parameter(torch.randn(size, generator=generator)) for size in SIZES]
        self._targets = [torch.randn(size, generator=generator) for size in SIZES]
        self._curves = [0.5 + torch.rand(size, generator=generator) for size in SIZES]

    def value(self) -> Tensor:
        """Return the sum."""
        rows = zip(self.weights, self._targets, self._curves, strict=True)
        return torch.stack([(curve * (weight - target) ** 2).sum() for weight, target, curve in rows]).sum()

    def closure(self, optimizer: Optimizer) -> Callable[[], float]:
        """Return what a step may call: fresh gradients and the value."""

        def again() -> float:
            optimizer.zero_grad()
            value = self.value()
            value.backward()  # type: ignore[no-untyped-call]  # torch leaves it without annotations
            return float(value.detach())

        return again

    def run(self, optimizer: Optimizer, steps: int) -> None:
        """Take steps."""
        for _ in range(steps):
            optimizer.step(self.closure(optimizer))

    def numbers(self) -> list[Tensor]:
        """Return a copy of the weights."""
        return [item.detach().clone() for item in self.weights]


def _made(subject: Subject, settled: Mapping[str, Any], weights: list[Any]) -> Optimizer:
    try:
        given = torch.optim.SGD(weights, lr=0.05, momentum=0.9) if subject.plural == "wrappers" else iter(weights)
        optimizer: Optimizer = subject.record.factory(given, **settled)
    except ValueError:
        raise
    except Exception as error:  # a stranger's factory may raise anything
        raise CheckFailedError(
            f"its factory answers with {type(error).__name__}: {first_line(error)}", written(subject, settled)
        ) from None
    for attribute in ("step", "zero_grad", "param_groups", "state_dict", "load_state_dict"):
        if not hasattr(optimizer, attribute):
            raise CheckFailedError(f"it makes a {type(optimizer).__name__}, which has no {attribute}")
    return optimizer


def _settings(subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield the defaults, with a small learning rate where one must be given."""
    (settled, *_) = argument_sets(subject, 0)
    rate = next((item for item in subject.record.arguments if item.name in ("lr", "rate", "learning_rate")), None)
    if rate is None or not rate.required:
        yield settled
        return
    for value in (0.1, 0.02, 0.001):
        yield {**settled, rate.name: value}


def quadratic(subject: Subject) -> str | None:
    """The value of a quadratic is smaller after some steps, with the defaults."""
    best, words = float("inf"), ""
    start = float(Quadratic().value().detach())
    for settled in _settings(subject):
        problem = Quadratic()
        problem.run(_made(subject, settled, problem.weights), STEPS)
        best, words = min((best, words), (float(problem.value().detach()), written(subject, settled)))
    if not best < 0.99 * start:
        raise CheckFailedError(f"a quadratic of {start:.4g} is {best:.4g} after {STEPS} steps", words)
    return f"from {start:.3g} to {best:.3g} in {STEPS} steps"


def finite(subject: Subject) -> str | None:
    """Weights stay finite for drawn settings, where gradients are zero, and where some are missing."""
    refused = 0
    (first, *others) = argument_sets(subject, 8)
    rates = next(iter(_settings(subject)))
    for number, settled in enumerate([{**first, **rates}, *others]):
        problem = Quadratic()
        try:
            optimizer = _made(subject, settled, problem.weights)
        except ValueError as error:
            if number == 0:
                raise CheckFailedError(
                    f"it refuses its defaults: {first_line(error)}", written(subject, settled)
                ) from None
            refused += 1
            continue
        for gradient in (0.0, 1e-3, None):
            for place, weight in enumerate(problem.weights):
                missing = gradient is None and place == 0
                weight.grad = None if missing else torch.full_like(weight, gradient or 0.0)
            _step(optimizer, written(subject, settled), gradient)
            if not all(bool(item.isfinite().all()) for item in problem.weights):
                raise CheckFailedError(
                    f"weights are not finite after gradients of {gradient}", written(subject, settled)
                )
    return f"{refused} settings refused" if refused else None


def _step(optimizer: Optimizer, words: str, gradient: float | None) -> None:
    try:
        optimizer.step(lambda: 0.0)
    except Exception as error:
        shown = "a missing gradient" if gradient is None else f"gradients of {gradient:g}"
        raise CheckFailedError(f"with {shown}: {type(error).__name__}: {first_line(error)}", words) from None


def deterministic(subject: Subject) -> str | None:
    """Two runs from the same weights under the same seed end at the same weights."""
    settled = next(iter(_settings(subject)))
    ends = []
    for _ in range(2):
        problem = Quadratic()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            problem.run(_made(subject, settled, problem.weights), 5)
        ends.append(problem.numbers())
    if any(not torch.equal(one, other) for one, other in zip(*ends, strict=True)):
        raise CheckFailedError("two runs from the same weights end at different ones", written(subject, settled))
    return None


def resume(subject: Subject) -> str | None:
    """Ten steps are five, a state that was saved and loaded, and five more: to the last bit."""
    settled = next(iter(_settings(subject)))
    whole = Quadratic()
    whole.run(_made(subject, settled, whole.weights), 10)
    begun = Quadratic()
    optimizer = _made(subject, settled, begun.weights)
    begun.run(optimizer, 5)
    state = copy.deepcopy(optimizer.state_dict())
    resumed = Quadratic()
    with torch.no_grad():
        for weight, value in zip(resumed.weights, begun.numbers(), strict=True):
            weight.copy_(value)
    second = _made(subject, settled, resumed.weights)
    second.load_state_dict(state)
    resumed.run(second, 5)
    pairs = zip(whole.numbers(), resumed.numbers(), strict=True)
    if any(not torch.equal(one, other) for one, other in pairs):
        raise CheckFailedError("after loading its state it goes on elsewhere than without", written(subject, settled))
    return None
