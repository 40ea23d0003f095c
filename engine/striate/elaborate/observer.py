"""Who hears of all that an elaboration makes, in order: `striate expand` retells it, editors show it in the text.

Scopes are handed over as they are at that moment; the next statement may change them.
"""

from __future__ import annotations

from collections.abc import Sequence

from striate.elaborate.environment import ScopeEnvironment
from striate.elaborate.network import LayerCall, Network
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, ValueRef
from striate.graph import Input as GraphInput
from striate.graph import Node
from striate_dsl.syntax import Assert, Block, Call, Flow, For, Head, Identifier, Input, Repeat


class Observer:
    """Hears of statements and layers while a model is built; `current` is the value that flows in, if there is one.

    Nothing is done here: whoever wants to hear of something overrides its method.
    """

    def begun(self, network: Network) -> None:
        """The elaboration begins; the network fills while it goes on."""

    def scope_opened(self, scope: Scope) -> None:
        """The scope of the model or of a block instance exists; nothing is in it yet."""

    def call_ended(self, call: Call, path: str, current: ValueRef | None, result: ValueRef, first: int) -> None:
        """A layer or block was called; the nodes of the network from `first` on were made by it."""

    def line_ended(self, flow: Flow, value: ValueRef | None) -> None:
        """A line has ended with this value."""

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

    def head_begun(
        self, head: Head, name: str, path: str, given: Sequence[Given], current: ValueRef, scope: Scope
    ) -> None:
        """A task head is used; the layers of its block follow."""

    def head_ended(self, path: str, value: ValueRef) -> None:
        """The head's block has ended; the output that it names is not announced."""
