"""Runs a layer on small values, in float64, for a picture: what it gives, and what its entries depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from striate.graph import TensorType, Weight
from striate.ops.arguments import convert_all
from striate.ops.initializers import start_values
from striate.ops.problems import Check
from striate.ops.record import OpRecord, TorchCall, all_results

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, Any]
"""Weights by role, or one number for all entries of a weight."""

_SEED = 5


def results(
    record: OpRecord,
    arguments: Mapping[str, Any],
    values: Sequence[Tensor],
    weights: Weights | None = None,
    *,
    training: bool = False,
) -> list[Tensor]:
    """Run a layer on values with a batch axis; weights that are not given start as the record says."""
    import torch

    inputs = tuple(TensorType(tuple(value.shape[1:])) for value in values)
    attributes = record.settle(convert_all(record.arguments, arguments), inputs)
    record.shape(attributes, inputs, Check())
    made = {}
    for spec in record.weights(attributes, inputs):
        chosen = (weights or {}).get(spec.role)
        start = start_values(Weight(spec.role, spec.shape, spec.initializer), _SEED) if chosen is None else chosen
        made[spec.role] = torch.as_tensor(start, dtype=torch.float64).expand(spec.shape).clone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return list(all_results(record.torch(TorchCall(torch, attributes, values, made, training))))


def channels_of(value: Tensor) -> list[list[list[float]]]:
    """Return the rows of every channel of the first image of a batch; flat values and sequences are rows."""
    first = value[0]
    if first.dim() == 1:
        return [[first.tolist()]]
    if first.dim() == 2:
        return [first.tolist()]
    rows: list[list[list[float]]] = first.reshape(-1, *first.shape[-2:]).tolist()
    return rows


def seen_from(
    record: OpRecord, arguments: Mapping[str, Any], value: Tensor, weights: Weights, place: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Return how much one pixel of the output depends on each of the input (sizes of gradients), and the output."""
    import torch

    leaf = value.clone().requires_grad_()
    out = results(record, arguments, [leaf], weights)[0]
    (gradient,) = torch.autograd.grad(out[0, :, place[0], place[1]].sum(), leaf)
    return gradient.abs().sum(1, keepdim=True), out.detach()


def reach(record: OpRecord, arguments: Mapping[str, Any], values: Sequence[Tensor], weights: Weights) -> Tensor:
    """Return which place of the output (a row) depends on which of the first input (a column): 1 or 0.

    Places are those behind the channels, row by row.
    """
    import torch

    leaf = values[0].clone().requires_grad_()
    out = results(record, arguments, [leaf, *values[1:]], weights)[0]
    spread = out.flatten(2) if out.dim() > 2 else out.unsqueeze(2)
    rows = []
    for place in range(spread.shape[2]):
        mixed = torch.linspace(0.5, 1.5, spread.shape[1], dtype=spread.dtype) @ spread[0, :, place]
        (gradient,) = torch.autograd.grad(mixed, leaf, retain_graph=True)
        rows.append((gradient[0].flatten(1).abs().sum(0) > 1e-12).to(gradient.dtype))
    return torch.stack(rows)
