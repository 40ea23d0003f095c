"""One node that is being converted: what its converter asks about the inputs, and how it adds layers.

Axes of ONNX count the batch, those of the language do not: `position` is the one place where one becomes the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from onnx import TensorProto

from striate.dims import Dim
from striate.importing.findings import UnsupportedError
from striate.importing.folding import is_open
from striate.importing.network import BATCH, Array, Layer, Network, Stored, Value
from striate.importing.node import NodeView
from striate.importing.reading import FLOATS, kind_name
from striate.ops.arguments import Choice
from striate.ops.axes import named_axes


@dataclass(slots=True)
class Call:
    """A node with its inputs.

    Attributes:
        node: the node.
        network: where layers are added.
        given: its inputs: a value, a constant, or None for one that is left out.
        single: of how many inputs of the file each is the only use: whether a node's value goes to this one alone.
        images: the number that the file gives the batch axis, None where it is open.
        batched: whether the first axis of every tensor is the batch.
        merged: which axis is the batch together with one of the language; None where the batch has its own or there
            is none.
        placed: whether the converter has said where the batch of its results is; otherwise it is where that of the
            inputs is.
        made: the layers added for this node.
    """

    node: NodeView
    network: Network
    given: Sequence[Value | Stored | None]
    single: Callable[[int], bool]
    images: int | None
    batched: bool
    wanted: int
    merged: int | None = None
    placed: bool = False
    made: list[Layer] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read axes as if the batch were the first, and one with another axis as if there were none."""
        if self.values and self.batched:
            first = self.values[0]
            self.merged = first.batch if first.merged else None
            self.batched = not first.merged
            self.node.batch = 0 if first.merged else first.batch

    # ------------------------------------------------------------------------------------ inputs

    @property
    def values(self) -> list[Value]:
        """The inputs that are no constants."""
        return [item for item in self.given if isinstance(item, Value)]

    def value(self, place: int = 0) -> Value:
        """Return an input that is no constant.

        Raises:
            UnsupportedError: it is one, or missing.
        """
        item = self.given[place] if place < len(self.given) else None
        if isinstance(item, Value):
            return item
        raise UnsupportedError(f"input {place + 1} is {'missing' if item is None else 'a constant'}")

    def stored(self, place: int) -> Stored | None:
        """Return a constant input; None where it is left out.

        Raises:
            UnsupportedError: it is computed from the network's input.
        """
        item = self.given[place] if place < len(self.given) else None
        if isinstance(item, Value):
            raise UnsupportedError(f"input {place + 1} is computed from the input, not stored")
        if item is not None and is_open(item.array):
            raise UnsupportedError(f"input {place + 1} depends on the size of the input")
        return item

    def whole(self, place: int) -> Array:
        """Return a constant input of whole numbers that must be there."""
        item = self.stored(place)
        if item is None:
            raise UnsupportedError(f"input {place + 1} is missing")
        return item.array.astype(np.int64)

    def weight(self, place: int) -> Stored:
        """Return a constant input that must be there, as float32."""
        item = self.stored(place)
        if item is None:
            raise UnsupportedError(f"input {place + 1} is missing")
        return Stored(item.names, item.array.astype(np.float32))

    def number(self, place: int, default: float | None = None) -> float | None:
        """Return a constant input that is one number."""
        item = self.stored(place)
        if item is None:
            return default
        if item.array.size != 1:
            raise UnsupportedError(f"input {place + 1} has {item.array.size} numbers, not one")
        return as_number(item.array)

    # ------------------------------------------------------------------------------------ axes

    @property
    def lead(self) -> int:
        """How many axes the batch takes in ONNX: 1 or 0."""
        return int(self.batched)

    def rank(self, value: Value) -> int:
        """Return the number of axes that ONNX counts."""
        return self.lead + len(value.sizes) - value.flat

    def shape(self, value: Value) -> tuple[Dim, ...]:
        """Return the sizes that ONNX counts."""
        sizes = () if value.flat else value.sizes
        at = value.batch
        if self.merged is not None:
            return (*sizes[:at], BATCH * sizes[at], *sizes[at + 1 :])
        return (*sizes[:at], BATCH, *sizes[at:]) if self.batched else sizes

    def position(self, value: Value, axis: int) -> int:
        """Return the place in `value.sizes` of an axis as ONNX counts it.

        Raises:
            UnsupportedError: it is the batch axis, or there is no such axis.
        """
        place = self.node.axis(self.rank(value), axis) - self.lead
        if place < 0 or value.flat or place == self.merged:
            raise UnsupportedError("it works along the batch axis, across the images")
        return place

    def placing(self, made: Value, batch: int) -> Value:
        """Return a result whose batch is another axis than that of the inputs."""
        self.placed = True
        return replace(made, batch=batch, merged=self.values[0].merged)

    def leaving_out(self, made: Value, axes: Iterable[int]) -> Value:
        """Return a result that has not some axes of the first value, as ONNX counts them: the batch moves up."""
        value = self.values[0]
        rank = self.rank(value)
        before = sum(axis % rank < value.batch for axis in axes) if rank else 0
        return self.placing(made, value.batch - before)

    def batch_first(self, array: Array) -> Array:
        """Return a stored tensor of as many axes as a value with the axis in front that lies on the batch."""
        return np.moveaxis(array, self.node.batch, 0) if self.batched and array.ndim else array

    def axis_name(self, value: Value, axis: int) -> Choice:
        """Return the name that the language gives an axis.

        Raises:
            UnsupportedError: it has none.
        """
        return name_of(len(value.sizes), self.position(value, axis))

    def demand_float(self, *values: Value) -> None:
        """Refuse values of whole numbers or truths, with which ONNX computes otherwise than with fractions."""
        for value in values or self.values:
            if value.kind not in FLOATS:
                raise UnsupportedError(f"it computes with {kind_name(value.kind)}; the network has float32 only")

    # ------------------------------------------------------------------------------------ layers

    def layer(
        self,
        name: str,
        inputs: Value | Sequence[Value],
        weights: Mapping[str, Stored] | None = None,
        *,
        kind: int | None = None,
        **arguments: Any,
    ) -> Value:
        """Add a layer of one value and return that value."""
        return self.layers(name, inputs, weights, kind=kind, **arguments)[0]

    def parameter(self, stored: Stored) -> Value:
        """Add a stored tensor as a value, the same for every image; its kind is that of what it meets."""
        kind = next((item.kind for item in self.values), TensorProto.FLOAT)
        weight = Stored(stored.names, np.asarray(stored.array).astype(np.float32))
        flow = self.network.inputs[0].value
        return self.layer("parameter", flow, {"weight": weight}, kind=kind, sizes=list(stored.array.shape))

    def layers(
        self,
        name: str,
        inputs: Value | Sequence[Value],
        weights: Mapping[str, Stored] | None = None,
        *,
        kind: int | None = None,
        **arguments: Any,
    ) -> list[Value]:
        """Add a layer and return all its values."""
        given = [inputs] if isinstance(inputs, Value) else list(inputs)
        number = given[0].kind if kind is None else kind
        layer = self.network.add(name, given, arguments, weights or {}, number)
        self.made.append(layer)
        return self.network.results(layer, number)


def as_number(array: Array) -> float:
    """Return a constant of one number as the shortest decimal that means it in its own precision."""
    item = array.reshape(-1)[0]
    number = float(str(item)) if isinstance(item, np.floating) and np.isfinite(item) else float(item)
    return number + 0.0  # -0.0 is written as 0.0


def name_of(rank: int, position: int) -> Choice:
    """Return the name of an axis of a value; raises `UnsupportedError` where it has none."""
    names = named_axes(rank)
    if position < len(names):
        return Choice(names[position])
    if position == rank - 1:
        return Choice("last")
    raise UnsupportedError(f"the language has no name for axis {position + 1} of {rank}")
