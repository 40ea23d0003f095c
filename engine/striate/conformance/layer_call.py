"""One call of a layer, worked out by its record's own rules and run in torch, in evaluation or training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from striate.dims import Dim
from striate.graph import Graph, Input, Node, Origin, TensorType, Value, Weight
from striate.ops.arguments import convert_all
from striate.ops.initializers import start_values
from striate.ops.problems import Check
from striate.ops.record import OpRecord, TorchCall, WeightSpec, all_results
from striate.reference.sample_runs import written_call
from striate_dsl.source import Source, Span

Shapes = tuple[tuple[int, ...], ...]

NODE = "layer"
"""The name of the one node in a graph of one layer."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a layer may be given: arguments as in a `.cnn` file, and the sizes of its inputs without the batch axis."""

    record: OpRecord
    arguments: Mapping[str, Any]
    shapes: Shapes

    def __str__(self) -> str:
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in self.shapes)
        return f"{written_call(self.record, self.arguments)} on {sizes}"


@dataclass(frozen=True)
class LayerCall:
    """A call whose rules have been run: settled attributes, sizes without the batch axis, open conditions."""

    record: OpRecord
    attributes: Mapping[str, Any]
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    check: Check

    @property
    def specs(self) -> tuple[WeightSpec, ...]:
        """What the layer says of its weights."""
        return self.record.weights(self.attributes, self.inputs)

    def weights(self, *, seed: int = 0, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
        """Return weights by role; statistics and biases are given values too, so that leaving one out shows."""
        generator = torch.Generator().manual_seed(seed)
        made = {}
        for spec in self.specs:
            start = torch.from_numpy(start_values(Weight(spec.role, spec.shape, spec.initializer), seed))
            made[spec.role] = (start + torch.rand(spec.shape, generator=generator) / 2).to(dtype or torch.float32)
        return made

    def weight_sizes(self) -> dict[str, Tensor]:
        """Return weights by role that have sizes and no values."""
        return {spec.role: torch.empty(spec.shape, device="meta") for spec in self.specs}

    def tensors(self, shapes: Shapes, batch: int, *, seed: int = 0, dtype: torch.dtype | None = None) -> list[Tensor]:
        """Return random inputs of these sizes for which the layer is defined, with a batch axis in front."""
        made = tensors(shapes, batch, seed=seed, dtype=dtype)
        domain = self.record.domain
        return made if domain is None else domain.fit(torch, self.attributes, made)

    def variables(self, values: Sequence[Tensor]) -> list[int]:
        """Return which inputs a gradient flows into: all but those that number places."""
        places = self.record.domain.places if self.record.domain else ()
        numbers = {self.attributes.get(name) for name in places}
        return [index for index, _ in enumerate(values) if index not in numbers]

    def run(self, inputs: Sequence[Tensor], weights: Mapping[str, Tensor], *, training: bool = False) -> Tensor:
        """Compute the layer in torch and return its first output."""
        return self.results(inputs, weights, training=training)[0]

    def results(
        self, inputs: Sequence[Tensor], weights: Mapping[str, Tensor], *, training: bool = False
    ) -> tuple[Tensor, ...]:
        """Compute the layer in torch and return all its outputs."""
        return all_results(self.record.torch(TorchCall(torch, self.attributes, inputs, weights, training)))

    def sizes(self, batch: int) -> list[tuple[Dim, ...]]:
        """Return the sizes of the outputs with the batch axis in front."""
        return [(batch, *kind.shape) for kind in self.outputs]

    def graph(self) -> Graph:
        """Return a network of this one layer: inputs `in0`, `in1`, …, outputs `out0`, …, weights `layer.<role>`."""
        origin = Origin(Span(Source("layer.cnn", ""), 0, 0))
        inputs = [Input(Value(f"in{place}", kind), {}, origin) for place, kind in enumerate(self.inputs)]
        outputs = tuple(Value(f"value{place}", kind) for place, kind in enumerate(self.outputs))
        weights = {
            spec.role: Weight(f"{NODE}.{spec.role}", spec.shape, spec.initializer, spec.trainable)
            for spec in self.specs
        }
        node = Node(
            NODE,
            self.record.name,
            tuple(item.value.name for item in inputs),
            dict(self.attributes),
            {role: weight.name for role, weight in weights.items()},
            outputs,
            origin,
        )
        named = {f"out{place}": value.name for place, value in enumerate(outputs)}
        stored = {weight.name: weight for weight in weights.values()}
        return Graph("OneLayer", tuple(inputs), (node,), named, stored, tuple(self.check.open))


def infer(record: OpRecord, written: Mapping[str, Any], shapes: Sequence[Sequence[Dim]]) -> LayerCall:
    """Convert and settle what is written and run the shape rule.

    Raises:
        ArgumentError: a value does not fit its argument.
        LayerError: the layer cannot work on these sizes.
    """
    inputs = tuple(TensorType(tuple(shape)) for shape in shapes)
    check = Check()
    attributes = record.settle(convert_all(record.arguments, written), inputs)
    return LayerCall(record, attributes, inputs, record.shape(attributes, inputs, check), check)


def tensors(
    shapes: Sequence[tuple[int, ...]], batch: int, *, seed: int = 0, dtype: torch.dtype | None = None
) -> list[Tensor]:
    """Return random inputs with a batch axis in front; a larger batch begins with the images of a smaller one."""
    generator = torch.Generator().manual_seed(seed)
    images = [[torch.randn(shape, generator=generator) for shape in shapes] for _ in range(batch)]
    return [torch.stack(column).to(dtype or torch.float32) for column in zip(*images, strict=True)]
