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

from striate.fusion.group import Group, Plan
from striate.lower.prepacked.attached import Attached, attached
from striate.lower.torch.program import Lookup
from striate.ops.padding import is_symmetric
from striate.ops.record import TorchCall, all_results

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph, Node

    _Call = tuple[tuple[Node, ...], Callable[["Values"], None]]

Values = dict[str, Tensor]
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: the layers it stands for, what it does to the values, and the values that nobody reads afterwards."""

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
        calls = [call for group in plan.groups for call in self._calls(group)]
        gone = _released(self.graph, [nodes for nodes, _ in calls])
        self.steps = tuple(_Step(nodes, run, names) for (nodes, run), names in zip(calls, gone, strict=True))

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

    def _calls(self, group: Group) -> list[_Call]:
        calls: list[_Call] = []
        waiting = list(group.nodes)
        while waiting:
            node = waiting.pop(0)
            if _is_packable(node):
                extra = attached(node, waiting)
                nodes = (node, *waiting[: extra.nodes])
                del waiting[: extra.nodes]
                calls.append((nodes, self._convolution(node, extra, nodes[-1].outputs[0].name)))
            else:
                calls.append(((node,), self._by_rule(node)))
        return calls

    def _by_rule(self, node: Node) -> Callable[[Values], None]:
        """Return a call of the layer's own torch rule."""
        record = self._lookup(node.op)
        weights = {role: self._weights[name] for role, name in node.weights.items()}
        names = [value.name for value in node.outputs]

        def run(values: Values) -> None:
            call = TorchCall(torch, node.attributes, [values[name] for name in node.inputs], weights, training=False)
            values.update(zip(names, all_results(record.torch(call)), strict=True))

        return run

    def _convolution(self, node: Node, extra: Attached, output: str) -> Callable[[Values], None]:
        """Return a call of a convolution with a packed kernel, and of what is attached to it."""
        attributes, bias = node.attributes, self._weights.get(node.weights.get("bias", ""))
        padding, stride = list(attributes["pad"][::2]), list(attributes["stride"])
        dilation, groups = list(attributes["dilation"]), int(attributes["groups"])
        kernel = torch.ops.mkldnn._reorder_convolution_weight(
            self._weights[node.weights["weight"]], padding, stride, dilation, groups, None
        )
        source, unary, numbers, way = node.inputs[0], extra.unary, list(extra.unary.numbers), extra.unary.way or ""
        pack = (kernel, bias, padding, stride, dilation, groups)
        if extra.added is None:

            def run(values: Values) -> None:
                values[output] = torch.ops.mkldnn._convolution_pointwise(
                    values[source], *pack, unary.name, numbers, way
                )

            return run
        added, last = extra.added, None if unary.name == "none" else unary.name

        def run_with_sum(values: Values) -> None:
            values[output] = torch.ops.mkldnn._convolution_pointwise.binary(
                values[source], values[added], *pack, "add", 1.0, last, [], None
            )

        return run_with_sum


def _is_packable(node: Node) -> bool:
    """Whether a layer is a convolution over images as oneDNN knows it: zeros around, as many before as behind."""
    if node.op != "conv" or len(node.attributes["kernel"]) != 2:
        return False
    pads = node.attributes["pad"]
    return (
        not isinstance(pads, str)
        and (node.attributes["fill"] == "zeros" or not any(pads))
        and is_symmetric(pads)
        and node.attributes.get("weight", "plain") == "plain"
    )


def _released(graph: Graph, calls: Sequence[tuple[Node, ...]]) -> list[tuple[str, ...]]:
    """Return, for every call, the values that nobody reads any more once it has run."""
    last: dict[str, int] = {}
    for index, nodes in enumerate(calls):
        inside = {value.name for node in nodes[:-1] for value in node.outputs}
        for node in nodes:
            last.update((name, index) for name in node.inputs if name not in inside)
    kept = set(graph.outputs.values())
    found = []
    for index, nodes in enumerate(calls):
        made = [value.name for value in nodes[-1].outputs]
        gone = [name for name, when in last.items() if when == index] + [name for name in made if name not in last]
        found.append(tuple(name for name in gone if name not in kept))
    return found
