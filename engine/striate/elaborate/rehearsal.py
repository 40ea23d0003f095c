"""Runs a model's statements to see how many layers they make, each block once per way of using it.

For choices that depend on sizes, which `counting.py` cannot decide: a block that gets the same arguments and the same
sizes again gives the same sizes with as many layers, so the second time it need not be run.
"""

from __future__ import annotations

from typing import Any

from striate.elaborate.budget import LimitError, too_many_layers
from striate.elaborate.elaborator import Elaborator
from striate.elaborate.scope import Scope
from striate.elaborate.values import UNKNOWN, Given, ValueRef
from striate.graph import TensorType
from striate.ops.arguments import Choice
from striate_dsl.syntax import Block, Call, Head

MOST_LOOKS = 8_000
"""Layers that are looked at before the rehearsal is given up."""

Made = tuple[TensorType | None, int]
"""The size that comes out of a block, and how many layers it is made of."""


class Rehearsal(Elaborator):
    """An elaborator that remembers blocks; its network is not whole and only good for counting."""

    def __init__(self, *given: Any) -> None:
        """Take what every elaborator takes."""
        super().__init__(*given)
        self._made: dict[tuple[object, ...], Made] = {}
        self._kept: list[object] = []

    def apply(self, *given: Any) -> ValueRef:
        """Apply a layer or block, unless too many were looked at.

        Raises:
            LimitError: without a finding, where the rehearsal takes too long.
        """
        if len(self.network.nodes) > MOST_LOOKS:
            raise LimitError(None)
        return super().apply(*given)

    def expand(
        self,
        block: Block,
        call: Call | Head,
        positional: list[Given],
        named: dict[str, Given],
        scope: Scope,
        current: ValueRef | None,
        path: str,
        weight_path: str,
    ) -> ValueRef:
        """Run a block's body, or take what is known of it."""
        key = (id(block.body), _key(current), *map(self._argument, positional))
        key += tuple((name, self._argument(given)) for name, given in named.items())
        known = self._made.get(key)
        if known is None:
            before = self.budget.layers
            result = super().expand(block, call, positional, named, scope, current, path, weight_path)
            self._made[key] = (result.type, before - self.budget.layers)
            return result
        kind, layers = known
        self.budget.layers -= layers
        if self.budget.layers < 0:
            raise LimitError(too_many_layers(call.span))
        self.budget.step(call.span)
        return UNKNOWN if kind is None else ValueRef(path, kind)

    def _argument(self, given: Given) -> object:
        value = given.value
        if not isinstance(value, (bool, int, float, str, Choice, ValueRef)):
            self._kept.append(value)  # so that its identity stays its own
        return _key(value)


def _key(value: Any) -> object:
    if isinstance(value, ValueRef):
        return ValueRef, value.type
    return (type(value), value) if isinstance(value, (bool, int, float, str, Choice)) else id(value)
