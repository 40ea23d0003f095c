"""A graph as a `torch.nn.Module`: parameters under the graph's names, one step per node.

The state dict's keys are the graph's weight names, so a checkpoint, a summary row and an ONNX initialiser agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from striate.analysis.liveness import released
from striate.dims import format_dim
from striate.graph import Graph, Node, format_shape
from striate.lower.memory import demand_room
from striate.ops.record import OpRecord, PenaltyCall, TorchCall, all_results

Lookup = Callable[[str], OpRecord]
Rule = Callable[[TorchCall], Tensor | tuple[Tensor, ...]]


class InputSizeError(ValueError):
    """A tensor was passed whose size the network does not take; the message says which sizes it takes."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One node, ready to run: its torch rules, where its weights stand, and the values that are no longer needed."""

    node: Node
    rule: Rule
    penalty: Callable[[PenaltyCall], Tensor] | None
    weights: tuple[tuple[str, nn.Module, str], ...]
    release: tuple[str, ...]


class Program(nn.Module):
    """A network in torch.

    Called with one tensor per input (`N x C x H x W`), it returns the output tensor, or a dictionary by output name
    where the network has several outputs. Weights are made empty; `initialise` or a checkpoint fills them.

    Args:
        graph: the network.
        lookup: from a layer's name to its record.
        device: where the weights are made.
        channels_last: keep images and kernels in channels-last memory order, which convolutions on CPU and GPU
            prefer.

    Raises:
        DiagnosticError: the weights are larger than the machine's memory.
    """

    def __init__(
        self, graph: Graph, lookup: Lookup, *, device: torch.device | str = "cpu", channels_last: bool = True
    ) -> None:
        super().__init__()
        demand_room(graph)
        self.graph = graph
        self.channels_last = channels_last
        for weight in graph.weights.values():
            owner, leaf = self._owner(weight.name)
            values = torch.empty(weight.shape, device=device)
            if channels_last and values.dim() == 4:
                values = values.contiguous(memory_format=torch.channels_last)
            if weight.trainable:
                owner.register_parameter(leaf, nn.Parameter(values))
            else:
                owner.register_buffer(leaf, values)
        self._steps = self._schedule(lookup)

    def forward(self, *inputs: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the outputs.

        Raises:
            InputSizeError: the number of tensors or their sizes are not what the network takes.
        """
        values = self.run(inputs)
        outputs = {name: values[value] for name, value in self.graph.outputs.items()}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def run(self, inputs: tuple[Tensor, ...], *, keep: bool = False) -> dict[str, Tensor]:
        """Run all nodes and return values by name: the outputs, or with `keep` every value (for comparisons)."""
        self._check_inputs(inputs)
        values: dict[str, Tensor] = {}
        for item, tensor in zip(self.graph.inputs, inputs, strict=True):
            last = self.channels_last and tensor.dim() == 4
            values[item.value.name] = tensor.contiguous(memory_format=torch.channels_last) if last else tensor
        for step in self._steps:
            call = TorchCall(
                torch,
                step.node.attributes,
                [values[name] for name in step.node.inputs],
                {role: getattr(owner, leaf) for role, owner, leaf in step.weights},
                self.training,
            )
            made = all_results(self.compute(step.node, step.rule, call))
            values.update((output.name, tensor) for output, tensor in zip(step.node.outputs, made, strict=True))
            if not keep:
                for name in step.release:
                    del values[name]
        return values

    def compute(self, node: Node, rule: Rule, call: TorchCall) -> Tensor | tuple[Tensor, ...]:
        """Compute one node by its torch rule; programs that compute in other numbers do it differently."""
        return rule(call)

    def penalty(self) -> Tensor | None:
        """Return what the layers ask training to add to the loss, a function of their weights; None if none does.

        A layer that is used several times is counted once.
        """
        total: Tensor | None = None
        counted = set()
        for step in self._steps:
            owned = tuple(step.node.weights.values())
            if step.penalty is not None and owned not in counted:
                counted.add(owned)
                inputs = tuple(self.graph.types[name] for name in step.node.inputs)
                weights = {role: getattr(owner, leaf) for role, owner, leaf in step.weights}
                term = step.penalty(PenaltyCall(torch, step.node.attributes, weights, inputs))
                total = term if total is None else total + term
        return total

    def _owner(self, name: str) -> tuple[nn.Module, str]:
        """Return the module that holds a weight, made on the way along its dotted name, and the last part."""
        *path, leaf = name.split(".")
        owner: nn.Module = self
        for part in path:
            # Not add_module: a block may be called `half` or `train`, which are methods of every module.
            owner = owner._modules.setdefault(part, nn.Module()) or owner
        return owner, leaf

    def _schedule(self, lookup: Lookup) -> tuple[_Step, ...]:
        steps = []
        for node, release in zip(self.graph.nodes, released(self.graph), strict=True):
            record = lookup(node.op)
            weights = tuple((role, *self._owner(name)) for role, name in node.weights.items())
            steps.append(_Step(node, record.torch, record.penalty, weights, release))
        return tuple(steps)

    def _check_inputs(self, inputs: tuple[Tensor, ...]) -> None:
        expected = self.graph.inputs
        if len(inputs) != len(expected):
            names = ", ".join(item.value.name for item in expected)
            raise InputSizeError(f"{self.graph.name} takes {len(expected)} inputs ({names}), not {len(inputs)}")
        for item, tensor in zip(expected, inputs, strict=True):
            _check_size(item.value.name, item.value.type.shape, tensor, format_shape(item.value.type, batch=True))
        sizes = _symbol_sizes(self.graph, inputs)
        for constraint in self.graph.constraints:
            if not constraint.holds(sizes):
                written = ", ".join(f"{name} = {size}" for name, size in sizes.items())
                raise InputSizeError(f"{self.graph.name} does not take {written}: {constraint}")


def _check_size(name: str, shape: tuple[Any, ...], tensor: Tensor, expected: str) -> None:
    actual = tuple(tensor.shape)
    fits = len(actual) == len(shape) + 1 and all(
        not isinstance(size, int) or size == got for size, got in zip(shape, actual[1:], strict=False)
    )
    if not fits:
        raise InputSizeError(f"input {name} must be {expected}, not {' x '.join(map(str, actual))}")


def _symbol_sizes(graph: Graph, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for item, tensor in zip(graph.inputs, inputs, strict=True):
        for size, actual in zip(item.value.type.shape, tensor.shape[1:], strict=True):
            if isinstance(size, int):
                continue
            name = format_dim(size)
            if sizes.setdefault(name, int(actual)) != actual:
                raise InputSizeError(f"{name} stands for {sizes[name]} and for {int(actual)} in the same call")
    return sizes
