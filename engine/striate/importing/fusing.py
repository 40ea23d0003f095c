"""Layers that exporters write as several operators, put together again: silu, hardswish, mish, unit length.

Only what is one layer exactly is put together, and only where nothing else uses the values in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.importing.affine import join_norms
from striate.importing.network import Layer, Network
from striate.importing.turning import cancel_turns

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Fused:
    """What several layers are: one layer of this name, with these arguments, of the value `source`."""

    name: str
    arguments: Mapping[str, Any]
    source: int
    inner: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Makers:
    """Which layer makes a value, for values that are used once."""

    layers: dict[int, Layer]
    uses: Mapping[int, int]

    def only(self, number: int, name: str, **attributes: Any) -> Layer | None:
        """Return the layer of this name that makes a value, if nothing else uses it and its attributes are these."""
        layer = self.layers.get(number)
        if layer is None or layer.record.name != name or self.uses[number] != 1 or len(layer.outputs) != 1:
            return None
        return layer if all(layer.attributes[key] == value for key, value in attributes.items()) else None


Pattern = Callable[[Layer, Makers], Fused | None]


def fuse(network: Network) -> None:
    """Put layers of a network together where they are one of the language, and cancel permutations."""
    cancel_turns(network)
    join_norms(network)
    uses = Counter(number for layer in network.layers for number in layer.inputs)
    uses.update(value.number for _, value in network.outputs)
    makers = Makers({number: layer for layer in network.layers for number in layer.outputs}, uses)
    gone: set[int] = set()
    for place, layer in enumerate(network.layers):
        for pattern in PATTERNS.get(layer.record.name, ()):
            found = pattern(layer, makers)
            if found is None or any(id(item) in gone for item in found.inner):
                continue
            gone.update(id(item) for item in found.inner)
            network.layers[place] = made = network.again(layer, found.name, found.source, found.arguments)
            makers.layers[layer.outputs[0]] = made
            break
    network.layers[:] = [layer for layer in network.layers if id(layer) not in gone]
    _prune(network)


def _prune(network: Network) -> None:
    """Leave out layers whose values nobody uses: what was read another way than it was written."""
    used = {value.number for _, value in network.outputs}
    kept = []
    for layer in reversed(network.layers):
        if not used.isdisjoint(layer.outputs):
            kept.append(layer)
            used.update(layer.inputs)
    network.layers[:] = reversed(kept)


def _pairs(layer: Layer) -> Iterator[tuple[int, int]]:
    """Yield the two inputs of a layer in both orders."""
    if len(layer.inputs) == 2:
        first, second = layer.inputs
        yield first, second
        yield second, first


def _gated(gate: str, name: str) -> Pattern:
    """Return the pattern of a value times a function of itself."""

    def pattern(layer: Layer, makers: Makers) -> Fused | None:
        for value, other in _pairs(layer):
            inner = makers.only(other, gate)
            if inner is not None and inner.inputs == (value,) and not _differs(inner):
                return Fused(name, {}, value, (inner,))
        return None

    return pattern


def _differs(layer: Layer) -> bool:
    return layer.record.name == "hardsigmoid" and layer.attributes["form"] != "torch"


def _mish(layer: Layer, makers: Makers) -> Fused | None:
    for value, other in _pairs(layer):
        outer = makers.only(other, "tanh")
        inner = makers.only(outer.inputs[0], "softplus", beta=1.0) if outer else None
        if outer is not None and inner is not None and inner.inputs == (value,):
            return Fused("mish", {}, value, (outer, inner))
    return None


def _unit_length(layer: Layer, makers: Makers) -> Fused | None:
    value, other = layer.inputs
    bound = makers.only(other, "clip", high=_LARGEST)
    root = makers.only(bound.inputs[0], "sqrt") if bound else None
    total = makers.only(root.inputs[0], "reduce_sum", keep=True) if root else None
    squares = makers.only(total.inputs[0], "square") if total else None
    if not (bound and root and total and squares) or squares.inputs != (value,) or bound.attributes["low"] < 0:
        return None
    (axis, *more) = total.attributes["axis"]
    if more:
        return None
    return Fused("l2norm", {"eps": bound.attributes["low"], "axis": axis}, value, (bound, root, total, squares))


PATTERNS: Mapping[str, tuple[Pattern, ...]] = {
    "mul": (_gated("sigmoid", "silu"), _gated("hardsigmoid", "hardswish"), _mish),
    "div": (_unit_length,),
}
"""What is looked for, by the layer that comes last."""
