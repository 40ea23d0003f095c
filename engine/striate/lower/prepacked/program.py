"""A network in evaluation on a processor: groups of layers, each as few calls as oneDNN needs for it.

torch packs the kernel of a convolution anew with every call, and goes over memory once more for what follows it. Here
kernels are packed once, and a sum or an activation behind a convolution is computed while its numbers are still near.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from striate.fusion.group import Plan, readers_of
from striate.lower.prepacked.attached import Attached, attached
from striate.lower.prepacked.convolution import Convolution, Values, is_packable
from striate.lower.torch.program import Lookup
from striate.ops.record import TorchCall, all_results

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph, Node

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class _Call:
    """Layers that one call computes; without `extra` it is the one layer's own torch rule."""

    nodes: tuple[Node, ...]
    extra: Attached | None = None

    @property
    def output(self) -> str:
        """The name of the value that it makes (of the first, where a layer makes several)."""
        return self.nodes[-1].outputs[0].name


@dataclass(frozen=True, slots=True)
class _Step:
    """One call, ready to run: what it does to the values, and the values that nobody reads afterwards."""

    nodes: tuple[Node, ...]
    run: Callable[[Values], None]
    release: tuple[str, ...]


class Prepacked:
    """A network in evaluation.

    Called with one float32 tensor per input (`N x C x H x W`), it returns the output tensor in float32, or a
    dictionary by output name where the network has several outputs.

    Args:
        plan: the graph, cut into groups.
        lookup: from a layer's name to its record.
        arrays: the weights by name.
        precision: `float32` or `bfloat16`.
    """

    def __init__(
        self, plan: Plan, lookup: Lookup, arrays: Mapping[str, np.ndarray[Any, Any]], precision: str = "float32"
    ) -> None:
        self.graph = plan.graph
        self.dtype = _DTYPES[precision]
        self._lookup = lookup
        self._weights = {name: self._placed(torch.from_numpy(arrays[name])) for name in plan.graph.weights}
        calls = [call for group in plan.groups for call in _calls(group.nodes)]
        overwritable = _overwritable(plan)
        self.steps = tuple(
            _Step(call.nodes, self._runner(call, overwritable & set(release)), release)
            for call, release in zip(calls, _released(self.graph, calls), strict=True)
        )

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the outputs."""
        values: Values = {}
        for item, tensor in zip(self.graph.inputs, inputs, strict=True):
            values[item.value.name] = self._placed(tensor)
        for step in self.steps:
            step.run(values)
            for name in step.release:
                del values[name]
        outputs = {name: values[value].to(torch.float32) for name, value in self.graph.outputs.items()}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _placed(self, tensor: Tensor) -> Tensor:
        """Return a tensor in the numbers that are computed in, images and kernels with channels last."""
        placed = tensor.to(self.dtype) if tensor.is_floating_point() else tensor
        return placed.contiguous(memory_format=torch.channels_last) if placed.dim() == 4 else placed

    def _runner(self, call: _Call, gone: set[str]) -> Callable[[Values], None]:
        node = call.nodes[0]
        if call.extra is None:
            return self._by_rule(node)
        kernel, bias = self._weights[node.weights["weight"]], self._weights.get(node.weights.get("bias", ""))
        return Convolution(node, kernel, bias, call.extra, call.output, overwrite=call.extra.added in gone)

    def _by_rule(self, node: Node) -> Callable[[Values], None]:
        """Return a call of the layer's own torch rule."""
        record = self._lookup(node.op)
        weights = {role: self._weights[name] for role, name in node.weights.items()}
        names = [value.name for value in node.outputs]

        def run(values: Values) -> None:
            call = TorchCall(torch, node.attributes, [values[name] for name in node.inputs], weights, training=False)
            values.update(zip(names, all_results(record.torch(call)), strict=True))

        return run


def _calls(nodes: Sequence[Node]) -> list[_Call]:
    """Return the calls that compute a group."""
    calls, waiting = [], list(nodes)
    while waiting:
        node = waiting.pop(0)
        extra = attached(node, waiting) if is_packable(node) else None
        taken = extra.nodes if extra else 0
        calls.append(_Call((node, *waiting[:taken]), extra))
        del waiting[:taken]
    return calls


def _overwritable(plan: Plan) -> set[str]:
    """Return the values whose memory is theirs alone: made by a layer, and read by none that passes memory on."""
    readers = readers_of(plan.graph)
    found = set()
    for node in plan.graph.nodes:
        for value in node.outputs:
            near = [node.name, *readers.get(value.name, ())]
            if all(name and plan.roles[name] not in ("view", "other") for name in near):
                found.add(value.name)
    return found


def _released(graph: Graph, calls: Sequence[_Call]) -> list[tuple[str, ...]]:
    """Return, for every call, the values that nobody reads any more once it has run."""
    last: dict[str, int] = {}
    for index, call in enumerate(calls):
        inside = {value.name for node in call.nodes[:-1] for value in node.outputs}
        for node in call.nodes:
            last.update((name, index) for name in node.inputs if name not in inside)
    kept = set(graph.outputs.values())
    found = []
    for index, call in enumerate(calls):
        made = [value.name for value in call.nodes[-1].outputs]
        gone = [name for name, when in last.items() if when == index] + [name for name in made if name not in last]
        found.append(tuple(name for name in gone if name not in kept))
    return found
