"""What names and expressions stand for while a file is elaborated, beside numbers, texts and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from striate.graph import TensorType
from striate.ops.arguments import Choice
from striate.ops.record import OpRecord
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Block
from striate_dsl.value_class import value_class


@value_class
class ValueRef:
    """A value of the network at elaboration time; `type` is None where it could not be worked out.

    Everything computed from an unknown value is unknown, silently: its cause has been reported. The value that flows
    on from a layer of several is the first one; `further` are the others, until it is given a name.
    """

    name: str
    type: TensorType | None
    further: tuple[ValueRef, ...] = ()

    def alone(self) -> ValueRef:
        """Return the value without those that were made with it."""
        return ValueRef(self.name, self.type) if self.further else self

    def __str__(self) -> str:
        return "a value of the network"


UNKNOWN = ValueRef("", None)
"""The result of a layer that could not be made."""


@value_class
class LayerRef:
    """A layer named in an expression, e.g. `act = relu`; `written` is the name as it stands there."""

    record: OpRecord
    written: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.record.name


@value_class
class BlockRef:
    """A block named in an expression, e.g. `unit = Bottleneck`."""

    block: Block

    def __str__(self) -> str:
        return self.block.name.text


@value_class
class UsedFile:
    """A file with a name of its own, `use "blocks.cnn" as x`: the blocks in it are written `x.Name`."""

    alias: str
    blocks: Mapping[str, Block]

    def __str__(self) -> str:
        return self.alias


@value_class
class Bound:
    """A layer or block with some arguments already evaluated, e.g. `act = leaky_relu(0.1)`."""

    target: LayerRef | BlockRef
    positional: tuple[Given, ...]
    named: Mapping[str, Given]

    def __str__(self) -> str:
        return f"{self.target}(…)"


@value_class
class Instance:
    """`let tower = Tower(64)`: applied several times, its weights are shared under its own name."""

    path: str
    applied: Bound

    def __str__(self) -> str:
        return str(self.applied)


@value_class
class Given:
    """An evaluated argument and the place of its text."""

    value: Any
    span: Span
    argument: Argument


@value_class
class CallValue:
    """A call in a recipe whose meaning is a plugin's, e.g. `sgd(lr = 0.05)`; a plain name has no arguments."""

    name: str
    span: Span
    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}(…)"


def entries_in(value: Any, most: int) -> int:
    """Return how many entries a list has, those of lists in it included; counting ends behind `most`."""
    if not any(isinstance(item, (list, tuple)) for item in value):
        return len(value)
    found, waiting = 0, [value]
    while waiting and found <= most:
        inner = waiting.pop()
        found += len(inner)
        waiting.extend(item for item in inner if isinstance(item, (list, tuple)))
    return found


def plain(value: Any) -> Any:
    """Return a parameter's value as plain data: layers and blocks by name, lists and numbers as they are."""
    if isinstance(value, (Choice, LayerRef, BlockRef)):
        return _name(value)
    if isinstance(value, Bound):
        named = {name: plain(given.value) for name, given in value.named.items()}
        return {"name": plain(value.target), "positional": [plain(item.value) for item in value.positional], **named}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return [value.start, value.stop] if isinstance(value, range) else value


def _name(value: Choice | LayerRef | BlockRef) -> str:
    if isinstance(value, Choice):
        return value.name
    return value.record.name if isinstance(value, LayerRef) else value.block.name.text
