"""What a rule for an ATen operator works with: the network, and the converters of ONNX for what both say alike.

ATen and ONNX agree on most operators up to how arguments are written. A rule that says so (`walk.onnx("Conv", …)`) has
the axes of the batch, open sizes and reshapes settled in one place; what ONNX has no word for becomes layers directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import helper

from striate.dims import Dim, Expr
from striate.importing.call import Call
from striate.importing.converters import CONVERTERS
from striate.importing.findings import UnsupportedError
from striate.importing.network import Layer, Network, Stored, Value
from striate.importing.node import NodeView

OPSET = 22
"""The operator set in which rules speak of ONNX's operators."""

Given = Mapping[str, Any]
"""The arguments of an operator by name, as its schema has them, defaults filled in."""

Rule = Callable[["Walk", Given], Any]
"""Adds the layers of one node; returns a value, several, or whatever else the operator gives."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A value whose batch axis is not the first one here; only what brings it back to the front can be done with it.

    `order` says for each axis here which one of the value it is, counting the batch as 0.
    """

    value: Value
    order: tuple[int, ...]


@dataclass(slots=True)
class Walk:
    """The network while nodes are read one after the other.

    Attributes:
        network: where layers are added.
        images: the number of images that the program fixes, None where it is open.
        made: the layers added for the node at hand.
    """

    network: Network
    images: int | None
    made: list[Layer] = field(default_factory=list)

    def call(self, operator: str, given: Sequence[Any], attributes: Mapping[str, Any], outputs: int = 1) -> Call:
        """Return the call of one of ONNX's operators; numbers and lists of them are constants."""
        items = [_item(each) for each in given]
        names = [f"input{place}" if item is not None else "" for place, item in enumerate(items)]
        known = {key: value for key, value in attributes.items() if value is not None}
        proto = helper.make_node(operator, names, [f"output{place}" for place in range(outputs)], **known)

        def array(place: int) -> Any:
            item = items[place]
            return item.array if isinstance(item, Stored) else None

        view = NodeView(proto, OPSET, lambda tensor: np.empty(0), array)
        return Call(view, self.network, items, lambda place: False, self.images, True, outputs)

    def onnx(self, operator: str, *given: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Add what one of ONNX's operators becomes, and return its value, or a list of several.

        Raises:
            UnsupportedError: it has no counterpart in the language, for these.
        """
        call = self.call(operator, given, attributes, outputs)
        made = CONVERTERS[operator](call)
        if left := call.node.unread():
            raise UnsupportedError(f"its {left[0]} is not read")
        self.made += call.made
        return made

    def layer(
        self, name: str, inputs: Value | Sequence[Value], weights: Mapping[str, Stored] | None = None, **arguments: Any
    ) -> Value:
        """Add a layer of one value and return that value."""
        for value in [inputs] if isinstance(inputs, Value) else inputs:
            _demand_plain(value)
        call = self.call("Identity", [], {})
        made = call.layer(name, inputs, weights, **arguments)
        self.made += call.made
        return made

    def shape(self, item: Value | Stored | Turned) -> tuple[Dim, ...]:
        """Return the sizes of a tensor as torch counts them, the batch among them."""
        if isinstance(item, Stored):
            return tuple(item.array.shape)
        value = item.value if isinstance(item, Turned) else item
        sizes = self.call("Identity", [value], {}).shape(value)
        return tuple(sizes[place] for place in item.order) if isinstance(item, Turned) else sizes

    def rank(self, item: Value | Stored | Turned) -> int:
        """Return the number of axes as torch counts them."""
        return len(self.shape(item))

    def axis(self, item: Value | Stored | Turned, axis: int) -> int:
        """Return an axis counted from the front."""
        return axis % max(self.rank(item), 1)


def _demand_plain(value: Value) -> None:
    if value.form or not value.is_plain:
        raise UnsupportedError(value.form or "the batch is not its first axis")


def _item(given: Any) -> Value | Stored | None:
    if given is None or isinstance(given, (Value, Stored)):
        return given
    if isinstance(given, Turned):
        raise UnsupportedError("the batch is not its first axis")
    if isinstance(given, (int, float, bool)):
        return Stored((), np.asarray(given, dtype=np.float32 if isinstance(given, float) else np.int64))
    if isinstance(given, Expr) or (isinstance(given, list) and any(isinstance(item, Expr) for item in given)):
        entries = given if isinstance(given, list) else [given]
        made = np.empty(len(entries), dtype=object)
        made[:] = entries
        return Stored((), made)
    if isinstance(given, (list, tuple)):
        kind = np.float32 if any(isinstance(item, float) for item in given) else np.int64
        return Stored((), np.asarray(given, dtype=kind))
    raise UnsupportedError(f"its argument is a {type(given).__name__}")


def tensor(item: Any, what: str = "input") -> Value:
    """Return what must be a value of the network with the batch in front.

    Raises:
        UnsupportedError: it is something else.
    """
    if isinstance(item, Value):
        return item
    if isinstance(item, Turned):
        raise UnsupportedError("the batch is not its first axis")
    raise UnsupportedError(f"its {what} is {'missing' if item is None else 'a constant'}")


def flowing(given: Given) -> Value:
    """Return the value that an operator works on, which schemas call `self` or `input`; raises like `tensor`."""
    return tensor(given["self"] if "self" in given else given["input"])


def numbers(item: Any, count: int) -> list[int]:
    """Return whole numbers, one for each of so many axes, of a list or of one for all.

    Raises:
        UnsupportedError: they depend on the size of the input.
    """
    listed = list(item) if isinstance(item, (list, tuple)) else [item]
    if not all(isinstance(number, int) for number in listed):
        raise UnsupportedError("a number depends on the size of the input")
    return listed * count if len(listed) == 1 else listed
