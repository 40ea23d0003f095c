"""The network while it is read: layers with their written arguments and the arrays of their weights.

A layer is checked by its record's own rules when it is added, so that whatever is added has sizes; names are given at
the end (`naming.py`), and `finished.py` makes the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from onnx import TensorProto

from striate.dims import Dim, Expr, format_dim, symbol, symbols_of
from striate.dims.constraints import Constraint
from striate.graph import TensorType
from striate.importing.findings import UnsupportedError
from striate.importing.heads import HeadCall
from striate.ops.arguments import ArgumentError, convert_all
from striate.ops.problems import Check, LayerError
from striate.ops.record import OpRecord, WeightSpec

Array = np.ndarray[Any, np.dtype[Any]]

BATCH = symbol("the batch")
"""The size of the batch axis, whatever number a file gives it; no file can call a size so."""


Merged = Literal["", "outer", "inner"]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor that depends on the inputs.

    Attributes:
        number: which one, counted over the network.
        sizes: its sizes without the batch axis, as the language has them.
        kind: ONNX's number for its type; the network itself computes in float32.
        flat: whether ONNX has no axis for the one size of 1 that the language gives it.
        form: in which way ONNX has it otherwise, so that only converters that know of it may take it; mostly in none.
        batch: which axis of ONNX is the batch; the first one, but for values that a node has turned.
        merged: how that axis is the batch together with the axis that the language has there: "outer" where what all
            images have lies image by image, as windows do; "inner" where the batch runs faster, as in rows of steps.
    """

    number: int
    sizes: tuple[Dim, ...]
    kind: int
    flat: bool = False
    form: str = ""
    batch: int = 0
    merged: Merged = ""

    @property
    def is_plain(self) -> bool:
        """Whether the batch is an axis of its own, and the first."""
        return self.batch == 0 and not self.merged


PLANES = "its places count the pixels of one channel, those of ONNX count through the batch"
"""The form of the second value of a MaxPool."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A constant tensor and the names it has in the file: several where it was put together."""

    names: tuple[str, ...]
    array: Array


@dataclass(slots=True)
class Layer:
    """One layer: record, inputs and outputs by number, written arguments, settled attributes, weights by role.

    Attributes:
        node: the name of the ONNX node that it comes from, where it makes the node's value.
            given: the sizes of the inputs.
        further: what ONNX calls the outputs behind the first.
    """

    record: OpRecord
    inputs: tuple[int, ...]
    arguments: dict[str, Any]
    attributes: Mapping[str, Any]
    outputs: tuple[int, ...]
    types: tuple[TensorType, ...]
    specs: tuple[WeightSpec, ...]
    weights: dict[str, Stored]
    given: tuple[TensorType, ...]
    node: str = ""
    operator: str = ""
    further: tuple[str, ...] = ()


@dataclass(slots=True)
class Entrance:
    """An input of the network: its name in the file, its value, its pixel contract, and conditions on its sizes.

    The latter two are what the file states; what layers ask of sizes is not among them.
    """

    name: str
    value: Value
    contract: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[Constraint] = ()


@dataclass(slots=True)
class Network:
    """What has been read so far.

    `lookup` gives the record of a layer by name; `images` is the number of images that the file fixes, if it does.
    `heads` are the task heads behind the layers, whose own layers are not among these. `remarks` are lines of comment
    for outputs, by the name that the file gives them; `blocks` are names of blocks by those of their instances, where
    they cannot be made of these.
    """

    lookup: Callable[[str], OpRecord]
    layers: list[Layer] = field(default_factory=list)
    inputs: list[Entrance] = field(default_factory=list)
    outputs: list[tuple[str, Value]] = field(default_factory=list)
    conditions: list[Constraint] = field(default_factory=list)
    images: int | None = None
    heads: list[HeadCall] = field(default_factory=list)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    _values: int = 0

    def value(self, sizes: Sequence[Dim], kind: int, *, flat: bool = False) -> Value:
        """Return a new value."""
        self._values += 1
        return Value(self._values, tuple(sizes), kind, flat)

    def add(
        self,
        name: str,
        inputs: Sequence[Value],
        arguments: Mapping[str, Any],
        weights: Mapping[str, Stored] | None,
        kind: int,
    ) -> Layer:
        """Add a layer and return it.

        Args:
            name: the layer's name in the language.
            inputs: what flows in, then what is merged or named.
            arguments: the arguments that differ from the defaults, as written.
            weights: the arrays of all weights by role; None where the file has none, so that they start as in training.
            kind: the type of numbers that ONNX gives the result.

        Raises:
            UnsupportedError: the layer does not take these arguments, sizes or weights.
        """
        record = self.lookup(name)
        types = tuple(TensorType(value.sizes) for value in inputs)
        check = Check()
        try:
            attributes = record.settle(convert_all(record.arguments, arguments), types)
            outputs = record.shape(attributes, types, check)
            specs = record.weights(attributes, types)
        except (LayerError, ArgumentError) as error:
            raise UnsupportedError(f"{name} does not take it: {error}") from None
        if not all(is_plain(size) for each in outputs for size in each.shape):
            raise UnsupportedError("a size becomes too large, or cannot be told from the input's")
        if weights is not None:
            _fit(name, specs, weights)
        made = tuple(self.value(each.shape, kind) for each in outputs)
        layer = Layer(
            record,
            tuple(value.number for value in inputs),
            dict(arguments),
            attributes,
            tuple(value.number for value in made),
            outputs,
            specs,
            dict(weights or {}),
            types,
        )
        self.conditions += check.open
        self.layers.append(layer)
        return layer

    def again(self, layer: Layer, name: str, source: int, arguments: Mapping[str, Any]) -> Layer:
        """Return a layer of another name that makes the value of `layer`, of the size of that, from another value.

        The layer has no weights and keeps the size of its input.
        """
        record = self.lookup(name)
        types = layer.types
        attributes = record.settle(convert_all(record.arguments, arguments), types)
        return Layer(
            record,
            (source,),
            dict(arguments),
            attributes,
            layer.outputs,
            types,
            (),
            {},
            types,
            layer.node,
            layer.operator,
        )

    def source(self, value: Value, names: Sequence[str]) -> Value | None:
        """Return what flows into the layer that makes a value, if that is one of these and keeps the type."""
        layer = self.maker(value)
        if layer is None or layer.record.name not in names:
            return None
        return Value(layer.inputs[0], layer.given[0].shape, value.kind)

    def maker(self, value: Value) -> Layer | None:
        """Return the layer that makes a value; None of an input."""
        return self.maker_of(value.number)

    def maker_of(self, number: int) -> Layer | None:
        """Return the layer that makes a value, by its number."""
        return next((layer for layer in reversed(self.layers) if number in layer.outputs), None)

    def sized(self, space: tuple[Dim, ...]) -> Value | None:
        """Return the value made first that has these sizes behind its channels; its type does not matter."""
        return next((value for value in self._all() if value.sizes[1:] == space), None)

    def whole(self, sizes: tuple[Dim, ...]) -> Value | None:
        """Return the value made first that has these sizes; its type does not matter."""
        return next((value for value in self._all() if value.sizes == sizes), None)

    def _all(self) -> Iterator[Value]:
        yield from (item.value for item in self.inputs)
        for layer in self.layers:
            yield from self.results(layer, TensorProto.FLOAT)

    def add_bias(self, layer: Layer, bias: Stored) -> None:
        """Give a layer with the argument `bias` one that it did not have."""
        layer.arguments["bias"] = True
        layer.attributes = {**layer.attributes, "bias": True}
        layer.specs = layer.record.weights(layer.attributes, layer.given)
        layer.weights["bias"] = bias

    def scale_channels(self, layer: Layer, weight: Stored, bias: Stored) -> None:
        """Give a norm with the argument `affine` a scale and an offset for each channel."""
        layer.arguments["affine"] = True
        layer.attributes = {**layer.attributes, "affine": True}
        layer.specs = layer.record.weights(layer.attributes, layer.given)
        layer.weights.update(weight=weight, bias=bias)

    def results(self, layer: Layer, kind: int) -> list[Value]:
        """Return the values that a layer makes."""
        return [Value(number, each.shape, kind) for number, each in zip(layer.outputs, layer.types, strict=True)]


def is_plain(size: Dim) -> bool:
    """Whether a size is a number that fits, or an expression without the batch."""
    if isinstance(size, int):
        return 0 < size < 2**40
    return not has_batch(size)


def has_batch(size: Dim) -> bool:
    """Whether the number of images takes part in a size."""
    return isinstance(size, Expr) and "the batch" in symbols_of(size)


def _fit(name: str, specs: Sequence[WeightSpec], weights: Mapping[str, Stored]) -> None:
    """Hold arrays against the sizes that a record wants."""
    for spec in specs:
        found = weights[spec.role].array.shape if spec.role in weights else None
        if found != spec.shape:
            raise UnsupportedError(
                f"{name} would need a {spec.role} of the size {_sizes(spec.shape)}, not "
                f"{'none' if found is None else _sizes(found)}"
            )


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def text_of(sizes: Sequence[Dim]) -> str:
    """Return sizes as a reason quotes them."""
    return " x ".join(format_dim(size) for size in sizes)
