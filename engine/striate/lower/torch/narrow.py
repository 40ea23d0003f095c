"""The network in torch in float16 or bfloat16, as an exported file in those numbers computes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import Tensor

from striate.graph import Graph, Node
from striate.lower.torch.program import Lookup, Program, Rule
from striate.ops.record import TorchCall, all_results


class NarrowProgram(Program):
    """A program that computes in a narrow float, and in float32 what a file keeps in it.

    Weights are stored in float32 and rounded where they are used. A layer that torch has no rule for in the format
    computes in float32 on the rounded numbers, and its result is rounded (`in_float32`).

    Args:
        graph: the network.
        lookup: from a layer's name to its record.
        precision: `float16` or `bfloat16`.
        narrow_values: the values that are in the format; all others are float32.
        wide_layers: layers that compute in float32, whatever their values are held in.
    """

    def __init__(
        self,
        graph: Graph,
        lookup: Lookup,
        precision: str,
        narrow_values: Collection[str],
        wide_layers: Collection[str] = (),
    ) -> None:
        super().__init__(graph, lookup)
        self._dtype: torch.dtype = getattr(torch, precision)
        self._narrow, self._wide = frozenset(narrow_values), frozenset(wide_layers)
        self.in_float32: set[str] = set()

    def compute(self, node: Node, rule: Rule, call: TorchCall) -> Tensor | tuple[Tensor, ...]:
        """Compute one node in the numbers that the file computes it in."""
        kept = {output.name for output in node.outputs}.isdisjoint(self._narrow)
        if kept or node.name in self._wide:
            made = all_results(rule(_converted(call, torch.float32)))
        else:
            try:
                made = all_results(rule(_converted(call, self._dtype)))
            except (RuntimeError, NotImplementedError):  # "not implemented for 'Half'", in several wordings
                self.in_float32.add(node.name)
                made = all_results(rule(_converted(_converted(call, self._dtype), torch.float32)))
        wanted = [self._dtype if output.name in self._narrow else torch.float32 for output in node.outputs]
        return tuple(_as(value, dtype) for value, dtype in zip(made, wanted, strict=True))


def _converted(call: TorchCall, dtype: torch.dtype) -> TorchCall:
    return replace(
        call,
        inputs=[_as(value, dtype) for value in call.inputs],
        weights={role: _as(value, dtype) for role, value in call.weights.items()},
    )


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype) if value.is_floating_point() else value
