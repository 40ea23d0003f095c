"""Losses made of their records, and what they are called with, as tensors: for the tests beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.ops.arguments import convert_all
from striate.plugin import LossExample, LossRecord
from striate_plugins.losses import LOSSES

RECORDS: Mapping[str, LossRecord] = {record.name: record for record in LOSSES}
IN_RECIPES = [name for name, record in RECORDS.items() if record.in_recipes]
FEATURES, CLASSES = 5, 4


def made(name: str, sizes: Mapping[str, int] | None = None, /, **arguments: Any) -> Callable[..., Tensor]:
    """Make a loss by name, its arguments converted as a recipe's are."""
    record = RECORDS[name]
    given = {"features": FEATURES, "classes": CLASSES, **(sizes or {})}
    settled = convert_all(record.arguments, arguments)
    loss: Callable[..., Tensor] = record.factory(**{size: given[size] for size in record.sizes}, **settled)
    return loss


def made_for(record: LossRecord, example: LossExample, dtype: torch.dtype = torch.float64) -> Callable[..., Tensor]:
    """Make the loss of an example, with its weights."""
    loss = made(record.name, example.sizes, **example.arguments)
    if isinstance(loss, nn.Module):
        loss.to(dtype).eval().requires_grad_(False)
        loss.load_state_dict({key: torch.tensor(value, dtype=dtype) for key, value in example.weights.items()})
    return loss


def tensors(value: Any, dtype: torch.dtype = torch.float64) -> Any:
    """Return an input of an example as the loss takes it."""
    if isinstance(value, tuple):
        return [tensors(item, dtype) for item in value]
    if value is None or callable(value):
        return value
    found = torch.tensor(value)
    return found.to(dtype) if found.is_floating_point() else found


def random_call(name: str, generator: np.random.Generator, maps: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return a random output and target that a loss of recipes takes, in float64 and int64."""
    record = RECORDS[name]
    count = 6
    classes = generator.integers(0, CLASSES, (count, 2, 3) if maps else (count,))
    if record.output in ("embeddings", "directions"):
        return generator.normal(size=(count, FEATURES)), np.array([0, 1, 0, 2, 1, 0])
    shape = (count, CLASSES, 2, 3) if maps else (count, CLASSES)
    output = 2 * generator.normal(size=shape)
    if record.output in ("probabilities", "log_probabilities"):
        output = np.exp(output) / np.exp(output).sum(axis=1, keepdims=True)
        output = np.log(output) if record.output == "log_probabilities" else output
    if record.target == "classes":
        return output, classes
    if record.target == "shares":
        target = generator.random(shape)
        return output, target / target.sum(axis=1, keepdims=True)
    return output, np.sign(generator.normal(size=shape)) if record.target == "signs" else generator.normal(size=shape)
