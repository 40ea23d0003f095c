"""The network in torch with the rounding of an int8 file: a reference for it, and what each layer's rounding costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from striate.graph import Graph, Node
from striate.lower.torch.program import Lookup, Program, Rule
from striate.ops.record import TorchCall, all_results

Array = np.ndarray[Any, Any]


class Rounding(Protocol):
    """How the entries of an int8 value are read."""

    @property
    def scale(self) -> float:
        """The size of a step."""

    @property
    def zero(self) -> int:
        """The step that stands for 0."""

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest step."""


class QuantizedProgram(Program):
    """A program that rounds values and weights as an int8 file does, and computes in float32 between that.

    Args:
        graph: the network.
        lookup: from a layer's name to its record.
        scales: the scales of the values that are int8, by name.
        weights: the rounded weights by layer and name, where they are not as given.
    """

    def __init__(
        self, graph: Graph, lookup: Lookup, scales: Mapping[str, Rounding], weights: Mapping[tuple[str, str], Array]
    ) -> None:
        super().__init__(graph, lookup)
        self._scales = scales
        self._rounded = {key: torch.from_numpy(np.ascontiguousarray(values)) for key, values in weights.items()}

    def compute(self, node: Node, rule: Rule, call: TorchCall) -> Tensor | tuple[Tensor, ...]:
        """Compute one node on what is left of its inputs."""
        return rule(self._call(node, call))

    def _call(self, node: Node, call: TorchCall) -> TorchCall:
        inputs = [self._round(name, value) for name, value in zip(node.inputs, call.inputs, strict=True)]
        weights = {
            role: self._rounded.get((node.name, node.weights[role]), value) for role, value in call.weights.items()
        }
        return replace(call, inputs=inputs, weights=weights)

    def _round(self, name: str, value: Tensor) -> Tensor:
        found = self._scales.get(name)
        if found is None:
            return value
        steps = torch.clamp(torch.round(value / found.scale) + found.zero, *found.ends)
        return (steps - found.zero) * found.scale


class NoiseProgram(QuantizedProgram):
    """Computes in float32, and beside that every layer once more on its rounded inputs and weights.

    Attributes:
        signal: the sum of squares of each layer's value.
        noise: the sum of squares of what the layer's own rounding changes in it.
    """

    def __init__(
        self, graph: Graph, lookup: Lookup, scales: Mapping[str, Rounding], weights: Mapping[tuple[str, str], Array]
    ) -> None:
        super().__init__(graph, lookup, scales, weights)
        self.signal: dict[str, float] = {}
        self.noise: dict[str, float] = {}

    def compute(self, node: Node, rule: Rule, call: TorchCall) -> Tensor | tuple[Tensor, ...]:
        """Compute one node in float32 and note what rounding changes."""
        exact = all_results(rule(call))
        rounded = all_results(rule(self._call(node, call)))
        for output, values, others in zip(node.outputs, exact, rounded, strict=True):
            wide = values.double()
            signal, noise = float(wide.square().sum()), float((others.double() - wide).square().sum())
            self.signal[node.name] = self.signal.get(node.name, 0.0) + signal
            self.noise[node.name] = self.noise.get(node.name, 0.0) + noise
            del output
        return exact
