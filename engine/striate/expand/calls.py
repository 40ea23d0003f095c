"""Layer calls as they are written out: every settled argument by name, with its origin, and instances that share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from striate.elaborate.network import LayerCall
from striate.expand.literals import IsFree, UnwritableError, settled_text
from striate.expand.origins import Origins, place
from striate.graph import Node
from striate.ops.arguments import Optional
from striate.ops.shape_arguments import NamedValue


@dataclass(frozen=True, slots=True)
class WrittenLayer:
    """One layer as it is written out: its node, its arguments as text with their origins, and the place of its call."""

    node: Node
    arguments: Mapping[str, tuple[str, str]]
    place: str


class Calls:
    """Writes layer calls; the same settled value is worked out once."""

    def __init__(self, origins: Origins, is_free: IsFree, *, comments: bool) -> None:
        self._origins = origins
        self._is_free = is_free
        self._comments = comments
        self._texts: dict[tuple[str, str, Any], str] = {}
        self._instances: dict[str, WrittenLayer] = {}

    def layer(self, layer: LayerCall, node: Node, named: Callable[[str], str]) -> WrittenLayer:
        """Return a layer with its arguments; `named` gives the name by which a value is written.

        Raises:
            UnwritableError: one of them has no text.
        """
        arguments = {}
        for argument in layer.record.arguments:
            if argument.name not in node.attributes:
                raise UnwritableError(f"{layer.record.name} does not keep its argument {argument.name}")
            value = node.attributes[argument.name]
            if isinstance(argument.kind, NamedValue | Optional) and _names_value(argument.kind) and value is not None:
                text = named(node.inputs[value])
            else:
                text = self._text(layer, argument.name, argument.kind, value)
            origin = self._origins.argument(layer, argument.name, text) if self._comments else ""
            arguments[argument.name] = (text, origin)
        return WrittenLayer(node, arguments, place(layer.call.span))

    def _text(self, layer: LayerCall, name: str, kind: Any, value: Any) -> str:
        key = (layer.record.name, name, value)
        try:
            found = self._texts.get(key)
        except TypeError:  # a value that cannot be a key, e.g. a list
            return settled_text(kind, value, self._is_free)
        if found is None:
            found = settled_text(kind, value, self._is_free)
            if '"' not in found and not found.isidentifier():  # a plain name may stand for something later
                self._texts[key] = found
        return found

    def instance(self, written: WrittenLayer, path: str) -> tuple[bool, list[str]]:
        """Return whether the instance at a path is new, and the arguments that this use of it must give anew.

        Raises:
            UnwritableError: another layer has its weights.
        """
        first = self._instances.setdefault(path, written)
        if first.node.op != written.node.op:
            raise UnwritableError(f"the weights {path} are those of {first.node.op} and of {written.node.op}")
        changed = [name for name, (text, _) in written.arguments.items() if first.arguments[name][0] != text]
        return first is written, changed


def _names_value(kind: NamedValue | Optional) -> bool:
    return isinstance(kind.kind if isinstance(kind, Optional) else kind, NamedValue)


def call_arguments(written: WrittenLayer) -> list[tuple[str, str]] | None:
    """Return the arguments of a call as an entry has them; None where there are none."""
    arguments = [(f"{name} = {text}", origin) for name, (text, origin) in written.arguments.items()]
    return arguments or None
