"""The examples in a loss's record, as calls with tensors: what a loss of several tensors is checked by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from striate.conformance.results import CheckFailedError
from striate.conformance.subject import first_line
from striate.conformance.trial_outputs import CLASSES
from striate.host.loss_traits import LossExample
from striate.host.records import LossRecord
from striate.ops.arguments import convert_all

TOLERANCE = 1e-4
"""How far an example's value may be from what is said, in parts of it: printed numbers have few digits."""


def sizes_of(record: LossRecord) -> dict[str, int]:
    """Return the sizes that a loss with weights of its own asks for, as the trial outputs have them."""
    return dict.fromkeys(record.sizes, CLASSES)


def make(record: LossRecord, settled: Mapping[str, Any], sizes: Mapping[str, int]) -> Callable[..., Any]:
    """Make a loss as a run measures with it: weights of its own always start alike, and it follows no batches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made: Callable[..., Any] = record.factory(**sizes, **settled)
    return made.eval() if isinstance(made, nn.Module) else made


def calls(record: LossRecord) -> Iterator[tuple[str, Callable[..., Any], list[Any], LossExample]]:
    """Yield the examples: in words, the loss, its inputs, and the example itself.

    Raises:
        CheckFailedError: an example's arguments or weights are not what the loss takes.
    """
    for number, example in enumerate(record.examples):
        words = f"example {number + 1} of {record.name}"
        try:
            loss = make(record, convert_all(record.arguments, example.arguments), example.sizes)
            if isinstance(loss, nn.Module) and example.weights:
                loss.load_state_dict({name: torch.tensor(value) for name, value in example.weights.items()})
        except Exception as error:  # a stranger's factory may raise anything
            raise CheckFailedError(f"it cannot be made: {first_line(error)}", words) from None
        yield words, loss, [_as_input(item) for item in example.inputs], example


def hold_to_examples(record: LossRecord) -> int:
    """Hold a loss to its examples and return how many there are.

    Raises:
        CheckFailedError: one has another value; or there is none, and the loss takes several tensors, of which nobody
            else knows what they are.
    """
    if not record.examples and not record.in_recipes:
        raise CheckFailedError(
            "it takes several tensors, and has no example of them",
            record.name,
            "give the record examples: LossExample((inputs, …), value)",
        )
    for words, loss, inputs, example in calls(record):
        value = call(loss, inputs, words)
        if not math.isclose(float(value.detach()), example.value, rel_tol=TOLERANCE, abs_tol=TOLERANCE / 10):
            raise CheckFailedError(f"it gives {float(value.detach()):.7g}, not {example.value:.7g}", words)
    return len(record.examples)


def call(loss: Callable[..., Any], inputs: list[Any], words: str) -> Tensor:
    """Return what a loss gives for the inputs of an example.

    Raises:
        CheckFailedError: it raises something, or gives no scalar tensor.
    """
    try:
        value = loss(*inputs)
    except Exception as error:  # a stranger's loss may raise anything
        raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", words) from None
    if not isinstance(value, Tensor) or value.dim() > 0 or not bool(value.isfinite()):
        raise CheckFailedError("it gives something else than one finite number", words)
    return value


def first_numbers(inputs: list[Any]) -> Tensor | None:
    """Return the first tensor of numbers with a point among inputs: what the network gives."""
    for item in inputs:
        for tensor in item if isinstance(item, list) else [item]:
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                return tensor
    return None


def _as_input(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_as_input(item) for item in value]
    return value if value is None or callable(value) else torch.tensor(value)
