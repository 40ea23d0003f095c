"""What names and expressions stand for while a file is elaborated, beside numbers, texts and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.graph import TensorType
from striate.ops.arguments import Choice
from striate.ops.record import OpRecord
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Block


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A value of the network at elaboration time; `type` is None where it could not be worked out.

    Everything computed from an unknown value is unknown, silently: its cause has been reported.
    """

    name: str
    type: TensorType | None


UNKNOWN = ValueRef("", None)
"""The result of a layer that could not be made."""


@dataclass(frozen=True, slots=True)
class LayerRef:
    """A layer named in an expression, e.g. `act = relu`."""

    record: OpRecord


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block named in an expression, e.g. `unit = Bottleneck`."""

    block: Block


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file with a name of its own, `use "blocks.cnn" as x`: the blocks in it are written `x.Name`."""

    alias: str
    blocks: Mapping[str, Block]


@dataclass(frozen=True, slots=True)
class Bound:
    """A layer or block with some arguments already evaluated, e.g. `act = leaky_relu(0.1)`."""

    target: LayerRef | BlockRef
    positional: tuple[Given, ...]
    named: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Instance:
    """`let tower = Tower(64)`: applied several times, its weights are shared under its own name."""

    path: str
    applied: Bound


@dataclass(frozen=True, slots=True)
class Given:
    """An evaluated argument and the place of its text."""

    value: Any
    span: Span
    argument: Argument


@dataclass(frozen=True, slots=True)
class CallValue:
    """A call in a recipe whose meaning is a plugin's, e.g. `sgd(lr = 0.05)`; a plain name has no arguments."""

    name: str
    span: Span
    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


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
