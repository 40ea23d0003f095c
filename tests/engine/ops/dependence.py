"""What a layer really depends on, by measurement: which positions of each input change which of each output.

Two measurements stand beside each other: entries are replaced by others (which shows a maximum that is not the
maximum yet, a comparison, a rounding), and gradients are taken (which shows what is too small to see in a difference).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from striate.analysis.receptive import Field, receptive_field
from striate.graph import Graph, Input, Node, Value
from striate.ops import BUILTIN
from tests.engine.analysis.graph_maker import NOWHERE
from tests.engine.ops.configurations import Layer, Shapes

ROUNDING = 1e-9
"""A change that is none: a weight of 0 that came out as 1e-17."""


def fields_of(layer: Layer) -> Field | str:
    """Return what the analysis says of the outputs of a graph of this one layer, whose inputs are in0, in1, …"""
    names = [f"in{index}" for index in range(len(layer.inputs))]
    outputs = tuple(Value(f"out{index}", kind) for index, kind in enumerate(layer.outputs))
    node = Node("layer", layer.record.name, tuple(names), dict(layer.attributes), {}, outputs, NOWHERE)
    inputs = tuple(Input(Value(name, kind), {}, NOWHERE) for name, kind in zip(names, layer.inputs, strict=True))
    graph = Graph("One", inputs, (node,), {"out0": "out0"}, {}, ())
    return receptive_field(graph, BUILTIN.get).fields["out0"]


def positions(shape: Sequence[int]) -> range:
    """Return the axes of a value, batch counted, that positions lie along: behind the channels, or the one there is."""
    return range(2, len(shape) + 1) if len(shape) > 1 else range(1, 2)


def dependence(layer: Layer, shapes: Shapes, source: int, axis: int) -> list[Tensor]:
    """Return for every output that has this axis (batch counted): out position x in position, whether one is seen."""
    weights = layer.weights(dtype=torch.float64)
    measured = []
    for values in _bases(layer, layer.tensors(shapes, 1, dtype=torch.float64), source):
        measured.append(_changed(layer, shapes, values, source, axis, weights))
        measured.append(_sloped(layer, values, source, axis, weights))
    return [torch.stack(each).any(0) for each in zip(*measured, strict=True)]


def _bases(layer: Layer, values: list[Tensor], source: int) -> list[list[Tensor]]:
    """Return the values to start from: where one input decides whether another is looked at, it decides both ways."""
    match layer.record.name:
        case "logical_or":  # which is true whatever one input is, where the other is not 0
            return [[value if place == source else torch.zeros_like(value) for place, value in enumerate(values)]]
        case "where":
            return [values, [torch.zeros_like(values[0]), *values[1:]]]
        case "equal":  # which two random numbers never are
            return [[torch.ones_like(value) for value in values]]
        case "fmod" | "mod":  # which is the first number where the second is larger
            return [values, [values[0] * 100, *values[1:]]]
        case _:
            return [values]


def _changed(
    layer: Layer, shapes: Shapes, values: list[Tensor], source: int, axis: int, weights: dict[str, Tensor]
) -> list[Tensor]:
    """All replacements of all rows, an image of the batch each."""
    rows, others = range(values[source].shape[axis]), _others(layer, shapes, source)
    images = [values[source]]
    for other in others:
        for row in rows:
            image = values[source].clone()
            image.select(axis, row).copy_(other.select(axis, row))
            images.append(image)
    batch = [value.expand(len(images), *value.shape[1:]).clone() for value in values]
    batch[source] = torch.cat(images)
    found = []
    for result in layer.results(batch, weights):
        if result.dim() == values[source].dim():
            differs = ~torch.isclose(result[1:], result[:1], 0, ROUNDING, True)
            seen = differs.reshape(len(others), len(rows), *result.shape[1:]).any(0).movedim(axis, 1)
            found.append(seen.flatten(2).any(2).T if seen.dim() > 2 else seen.T)
    return found


def _sloped(layer: Layer, values: list[Tensor], source: int, axis: int, weights: dict[str, Tensor]) -> list[Tensor]:
    """One random sum per position of the output, an image of the batch each, and its gradient."""
    found = []
    for number, kind in enumerate(layer.outputs):
        if len(kind.shape) + 1 != values[source].dim():
            continue
        length = kind.shape[axis - 1]
        assert isinstance(length, int)
        batch = [value.expand(length, *value.shape[1:]).clone() for value in values]
        seen = torch.zeros(length, values[source].shape[axis], dtype=torch.bool)
        found.append(seen)
        result = layer.results([batch[place].requires_grad_(place == source) for place in range(len(batch))], weights)
        if not result[number].requires_grad:
            continue
        rows = result[number].movedim(axis, 1)[range(length), range(length)]
        total = (rows * torch.rand(rows.shape, dtype=rows.dtype)).sum()
        (gradient,) = torch.autograd.grad(total, batch[source], allow_unused=True)
        if gradient is not None:
            slope = gradient.abs().movedim(axis, 1)
            seen |= (slope.flatten(2).amax(2) if slope.dim() > 2 else slope) > ROUNDING
    return found


def _others(layer: Layer, shapes: Shapes, source: int) -> list[Tensor]:
    """Return what to put in the place of rows: numbers of the layer's domain, and where it takes all, telling ones."""
    found = [layer.tensors(shapes, 1, seed=seed, dtype=torch.float64)[source] for seed in (1, 2)]
    if layer.record.domain is not None:
        return found
    generator = torch.Generator().manual_seed(3)
    large = 10 + 10 * torch.rand(found[0].shape, generator=generator, dtype=torch.float64)
    return [*found, large, -large, torch.zeros_like(large)]
