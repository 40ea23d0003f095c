"""One node of a file as folding and conversion see it: attributes, and numbers that are attributes or inputs.

Over the operator sets many attributes have become inputs (axes, sizes, scales); `numbers` reads either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto

from striate.importing.findings import UnsupportedError

Array = np.ndarray[Any, np.dtype[Any]]

_FIELDS = {
    AttributeProto.FLOAT: "f",
    AttributeProto.INT: "i",
    AttributeProto.STRING: "s",
    AttributeProto.TENSOR: "t",
    AttributeProto.FLOATS: "floats",
    AttributeProto.INTS: "ints",
    AttributeProto.STRINGS: "strings",
    AttributeProto.GRAPH: "g",
}


_HARMLESS: Mapping[str, frozenset[str]] = {
    "": frozenset({"consumed_inputs"}),
    "Resize": frozenset({"cubic_coeff_a", "nearest_mode", "extrapolation_value"}),
    "MaxPool": frozenset({"storage_order"}),  # of places, where they are wanted
    "BatchNormalization": frozenset({"is_test"}),
    "Dropout": frozenset({"ratio", "is_test", "seed"}),
    "LayerNormalization": frozenset({"stash_type"}),
    "RMSNormalization": frozenset({"stash_type"}),
    "GroupNormalization": frozenset({"stash_type"}),
    "Cast": frozenset({"saturate", "round_mode"}),
    "Pad": frozenset({"value"}),  # of mode = constant
}
"""Attributes that change nothing about what is computed, as far as the operator is read, by operator."""


def shortest(number: float) -> float:
    """Return the shortest decimal that float32 keeps as this number: 1e-05 of 9.99999974e-06."""
    return float(str(np.float32(number)))


def _plain(attribute: AttributeProto) -> Any:
    field_name = _FIELDS.get(attribute.type)
    if field_name is None:
        raise UnsupportedError(f"its attribute {attribute.name[:40]} is of a kind that is not read")
    value = getattr(attribute, field_name)
    if attribute.type == AttributeProto.FLOAT:
        return shortest(value)
    if attribute.type == AttributeProto.FLOATS:
        return [shortest(item) for item in value]
    if attribute.type == AttributeProto.STRING:
        return value.decode("utf-8", "replace")
    if attribute.type == AttributeProto.STRINGS:
        return [item.decode("utf-8", "replace") for item in value]
    return list(value) if attribute.type == AttributeProto.INTS else value


@dataclass(slots=True)
class NodeView:
    """A node; `batch` is the axis of its inputs that is the batch.

    `known` gives a constant input by place, None where it is left out or depends on the inputs.
    """

    proto: NodeProto
    opset: int
    array: Callable[[TensorProto], Array]
    known: Callable[[int], Array | None]
    batch: int = 0
    _attributes: dict[str, AttributeProto] = field(init=False)
    _asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._attributes = {item.name: item for item in self.proto.attribute}

    @property
    def operator(self) -> str:
        """ONNX's name for what the node computes."""
        return str(self.proto.op_type)

    @property
    def outputs(self) -> Sequence[str]:
        """The names of what it makes; empty for an output that nobody wants."""
        outputs: Sequence[str] = self.proto.output
        return outputs

    def has_input(self, place: int) -> bool:
        """Whether an input is given."""
        return place < len(self.proto.input) and bool(self.proto.input[place])

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute as a plain value.

        Raises:
            UnsupportedError: it is of a kind that is not read, or of another one than what it is by default.
        """
        self._asked.add(name)
        found = self._attributes.get(name)
        if found is None:
            return default
        value = _plain(found)
        if default is not None and not isinstance(value, (int, float) if isinstance(default, float) else type(default)):
            raise UnsupportedError(f"its attribute {name} is of another kind than {type(default).__name__}")
        return value

    def unread(self) -> list[str]:
        """Return the attributes that nobody has asked for, without those that change nothing."""
        harmless = _HARMLESS.get(self.operator, frozenset()) | _HARMLESS[""]
        return sorted(self._attributes.keys() - self._asked - harmless)

    def numbers(self, name: str, place: int) -> list[int] | None:
        """Return whole numbers that an attribute has, or in later operator sets an input; None where neither is given.

        Raises:
            UnsupportedError: they are not known when the file is read.
        """
        entries = self.entries(name, place)
        if entries is None:
            return None
        if any(not isinstance(item, (int, np.integer)) for item in entries):
            raise UnsupportedError(f"its {name} depends on the size of the input")
        return [int(item) for item in entries]

    def entries(self, name: str, place: int) -> list[Any] | None:
        """Return sizes like `numbers`, which may be open."""
        written = self.attribute(name)
        if written is not None:
            return list(written) if isinstance(written, list) else [written]
        if not self.has_input(place):
            return None
        array = self.known(place)
        if array is None:
            raise UnsupportedError(f"its {name} is computed from the input")
        return list(array.reshape(-1)) if array.dtype == object else array.reshape(-1).tolist()

    def axis(self, rank: int, axis: int) -> int:
        """Return an axis counted from the front, with the batch as the first where it is another one.

        Raises:
            UnsupportedError: there is none.
        """
        if not -rank <= axis < max(rank, 1):
            raise UnsupportedError(f"it speaks of axis {axis} of a tensor of {rank}")
        place = axis % rank if rank else 0
        if place > self.batch:
            return place
        return 0 if place == self.batch else place + 1
