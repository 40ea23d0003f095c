"""Who hears of everything that an elaboration makes, in order: for those who retell it, as `striate expand` does.

Scopes are handed over as they are at that moment; the next statement may change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from striate.elaborate.environment import ScopeEnvironment
from striate.elaborate.network import LayerCall
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, ValueRef
from striate.graph import Input as GraphInput
from striate.graph import Node
from striate_dsl.syntax import Assert, Block, For, Head, Identifier, Input, Repeat


class Observer(Protocol):
    """Hears of statements and layers while a model is built; `current` is the value that flows in, if there is one."""

    def input_declared(self, statement: Input, made: GraphInput, scope: Scope, environment: ScopeEnvironment) -> None:
        """An input was declared."""

    def layer_made(self, layer: LayerCall, node: Node) -> None:
        """A layer became a node; the branches of a merge layer have ended before."""

    def merge_begun(self, current: ValueRef | None) -> None:
        """The branches of a merge layer follow; each starts from `current`."""

    def branch_begun(self) -> None:
        """A branch begins."""

    def branch_ended(self, value: ValueRef | None) -> None:
        """The branch has ended with this value."""

    def block_begun(self, block: Block, scope: Scope) -> None:
        """A block is used; its parameters are in the scope."""

    def block_ended(self) -> None:
        """The block begun last has ended."""

    def round_begun(self, loop: Repeat | For, index: int, scope: Scope) -> None:
        """A round of a loop begins, counted from 0."""

    def value_named(self, name: Identifier, value: ValueRef, layer: str) -> None:
        """`as` named a value; `layer` is the path that a layer of this name has here."""

    def output_named(self, name: str, value: ValueRef) -> None:
        """A value became an output of the model."""

    def contract_stated(
        self, statement: Assert, scope: Scope, current: ValueRef | None, environment: ScopeEnvironment
    ) -> None:
        """A contract stands here."""

    def head_begun(self, head: Head, path: str, given: Sequence[Given], current: ValueRef, scope: Scope) -> None:
        """A task head is used; the layers of its block follow."""

    def head_ended(self, path: str, value: ValueRef) -> None:
        """The head's block has ended; the output that it names is not announced."""
