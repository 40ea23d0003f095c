"""How two values came to their sizes: the last value they have in common, and what each has been through since.

`striate.graph.structure` answers such questions for whole graphs; here the graph is not finished, and a file of a
hundred thousand layers must not be searched for each of its mistakes: walks back end after `MOST_NODES` nodes.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from striate.dims import Dim
from striate.elaborate.network import Network
from striate.graph import Node, TensorType
from striate.ops.record import Types

MOST_NODES = 5_000
"""Nodes looked at on the way back from two values to where they part."""

_LEFT, _RIGHT = 1, 2


@dataclass(frozen=True, slots=True)
class Change:
    """A node on the way that makes the axis another size, or moves its window by more than one.

    `stride` is the step between two outputs in inputs, below 1 for a transposed convolution; None where one output sees
    everything.
    """

    index: int
    before: Dim
    after: Dim
    stride: Fraction | None

    @property
    def exact(self) -> bool:
        """Whether the size changes by the stride alone: no row is lost or won at the border."""
        if self.stride is None:
            return False
        if isinstance(self.before, int) and isinstance(self.after, int):
            return Fraction(self.before) / self.stride == self.after
        if self.stride.numerator == 1:
            return self.before * self.stride.denominator == self.after
        return self.stride.denominator == 1 and self.after in _rounded(self.before, self.stride.numerator)


def _rounded(size: Dim, stride: int) -> tuple[Dim, Dim]:
    return size // stride, (size + stride - 1) // stride


@dataclass(frozen=True, slots=True)
class Branch:
    """The nodes between the common value and one of the two, as indices in order, and the changes of one axis."""

    nodes: tuple[int, ...]
    changes: tuple[Change, ...]

    @property
    def stride(self) -> Fraction | None:
        """The product of the strides."""
        product = Fraction(1)
        for change in self.changes:
            if change.stride is None:
                return None
            product *= change.stride
        return product


class History:
    """The producers of the values of a network that is being made."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._producers: dict[str, int] = {}
        self._seen = 0

    def producer(self, value: str) -> int:
        """Return the index of the node that makes a value, -1 for an input."""
        nodes = self._network.nodes
        while self._seen < len(nodes):
            for output in nodes[self._seen].outputs:
                self._producers[output.name] = self._seen
            self._seen += 1
        return self._producers.get(value, -1)

    def type_of(self, value: str) -> TensorType:
        """Return the size of a value."""
        index = self.producer(value)
        if index < 0:
            return self._network.inputs[value]
        return next(output.type for output in self._network.nodes[index].outputs if output.name == value)

    def input_types(self, node: Node) -> Types:
        """Return the sizes that flow into a node."""
        return tuple(self.type_of(value) for value in node.inputs)

    def branches(self, left: str, right: str, axis: int) -> tuple[Branch, Branch] | None:
        """Return the ways from the last common value to two values, looking at an axis (0: channels, 1: height).

        None where they have nothing in common, or too much lies between.
        """
        parted = self._parting(left, right)
        if parted is None:
            return None
        fork, between = parted
        return self._branch(left, fork, between, axis), self._branch(right, fork, between, axis)

    def _parting(self, left: str, right: str) -> tuple[str, Mapping[int, bool]] | None:
        """Return the last common value and the nodes behind it, from last to first.

        Nodes are taken in the reverse order of execution, so the first that both sides reach is the last common one.
        """
        marks: dict[str, int] = {left: _LEFT}
        marks[right] = marks.get(right, 0) | _RIGHT
        waiting = [(-self.producer(value), value) for value in marks]
        heapq.heapify(waiting)
        between: dict[int, bool] = {}
        while waiting and len(between) < MOST_NODES:
            negative, value = heapq.heappop(waiting)
            if marks[value] == _LEFT | _RIGHT:
                return value, between
            if negative == 1:
                continue
            between[-negative] = True
            for needed in self._network.nodes[-negative].inputs:
                if needed not in marks:
                    heapq.heappush(waiting, (-self.producer(needed), needed))
                marks[needed] = marks.get(needed, 0) | marks[value]
        return None

    def _branch(self, value: str, fork: str, between: Mapping[int, bool], axis: int) -> Branch:
        reached = {fork}
        for index in sorted(between):
            node = self._network.nodes[index]
            if reached.intersection(node.inputs):
                reached.update(output.name for output in node.outputs)
        way: list[int] = []
        changes: list[Change] = []
        while value != fork:
            index = self.producer(value)
            node = self._network.nodes[index]
            way.append(index)
            came = next(name for name in node.inputs if name in reached)
            change = self._change(index, node, came, axis)
            if change is not None:
                changes.append(change)
            value = came
        return Branch(tuple(reversed(way)), tuple(reversed(changes)))

    def _change(self, index: int, node: Node, came: str, axis: int) -> Change | None:
        inputs = self.input_types(node)
        before, after = self.type_of(came).shape, node.outputs[0].type.shape
        if max(axis, 1) >= min(len(before), len(after)):
            return Change(index, before[0], after[0], None) if axis == 0 and before[0] != after[0] else None
        window = self._network.records[node.op].window(node.attributes, inputs)
        stride = None if window == "all" else Fraction(window.along(axis - 1)[1]).limit_denominator(4096)
        stride = Fraction(1) if axis == 0 else stride
        if before[axis] == after[axis] and stride == 1:
            return None
        return Change(index, before[axis], after[axis], stride)


def parting_changes(first: Branch, second: Branch) -> tuple[Sequence[Change], Sequence[Change]]:
    """Return the changes that make two branches differ: where their strides part, else where rows are lost or won."""
    if first.stride != second.stride:
        steps = [[change for change in branch.changes if change.stride != 1] for branch in (first, second)]
        same = 0
        while same < min(map(len, steps)) and steps[0][same].stride == steps[1][same].stride:
            same += 1
        return steps[0][same : same + 1], steps[1][same : same + 1]
    lossy = [[change for change in branch.changes if not change.exact][:1] for branch in (first, second)]
    for position, branch in enumerate((first, second)):
        if not lossy[position] and lossy[1 - position]:
            wanted = lossy[1 - position][0].stride
            lossy[position] = [change for change in branch.changes if change.stride == wanted][:1]
    return lossy[0], lossy[1]
