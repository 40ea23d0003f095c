"""Permutations that exporters of networks with channels last put around every convolution, moved along and cancelled.

A value is held as a permutation of another one for as long as layers allow it: functions of one entry, sums of values
that are turned alike, joins and reductions along one axis. Where a layer needs the axes as they are, a permutation is
written. The network is taken as it was if nothing is gained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.importing.call import name_of
from striate.importing.findings import UnsupportedError
from striate.importing.network import Layer, Network, Stored, Value
from striate.ops.axes import named_axes

Places = tuple[int, ...]
"""For each axis of a turned value, which axis of the other one it is."""

_ENTRYWISE = frozenset(
    {"relu", "relu6", "leaky_relu", "threshold", "clip", "elu", "selu", "celu", "silu", "swish", "mish", "gelu", "tanh",
     "hardswish", "softsign", "softplus", "step", "exp", "sqrt", "abs", "square", "sigmoid", "log_sigmoid",
     "hardsigmoid", "linear", "log", "neg", "reciprocal", "erf", "ceil", "floor", "round", "sign", "power", "scale",
     "offset", "dropout", "identity"}
)  # fmt: skip
_MERGING = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "average", "pow"})
_REDUCING = frozenset({"reduce_mean", "reduce_sum", "reduce_max", "reduce_min"})
_TURNING = frozenset({"permute", "transpose"})


def cancel_turns(network: Network) -> None:
    """Move permutations along and leave out those that cancel, if fewer are left then."""
    before = _count(network.layers)
    if before < 2:
        return
    turner = _Turner(network)
    layers, conditions, outputs = list(network.layers), list(network.conditions), list(network.outputs)
    network.layers, network.conditions = [], []
    try:
        for layer in layers:
            turner.take(layer)
        network.outputs = [(name, turner.plain(value.number, like=value)) for name, value in outputs]
        gained = _count(network.layers) < before
    except UnsupportedError:
        gained = False
    if not gained:
        network.layers, network.conditions, network.outputs = layers, conditions, outputs


def _count(layers: Sequence[Layer]) -> int:
    return sum(layer.record.name in _TURNING for layer in layers)


@dataclass(slots=True)
class _Turner:
    network: Network
    known: dict[int, Value] = field(default_factory=dict)
    turned: dict[int, tuple[Value, Places]] = field(default_factory=dict)
    fixed: dict[int, Layer] = field(default_factory=dict)
    written: dict[tuple[int, Places], Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known.update({item.value.number: item.value for item in self.network.inputs})

    # ------------------------------------------------------------------------------------ values

    def plain(self, number: int, like: Value | None = None) -> Value:
        """Return a value of the old network with its own axes, by a permutation where it is held turned."""
        if number not in self.turned:
            found = self.known[number]
        else:
            base, places = self.turned[number]
            key = base.number, places
            if key not in self.written:
                self.written[key] = self._permuted(base, places)
            found = self.written[key]
        return found if like is None else Value(found.number, like.sizes, like.kind, like.flat)

    def _permuted(self, base: Value, places: Places) -> Value:
        rank = len(base.sizes)
        moved = [place for place in range(rank) if places[place] != place]
        if len(moved) == 2:
            first, second = (name_of(rank, place) for place in moved)
            return self._add("transpose", [base], {"first": first, "second": second})
        return self._add("permute", [base], {"order": [name_of(rank, place) for place in places]})

    def _add(
        self,
        name: str,
        inputs: Sequence[Value],
        arguments: Mapping[str, Any],
        weights: Mapping[str, Stored] | None = None,
        source: Layer | None = None,
    ) -> Value:
        layer = self.network.add(name, inputs, arguments, weights or {}, inputs[0].kind)
        if source is not None:
            layer.node, layer.operator, layer.further = source.node, source.operator, source.further
        return self.network.results(layer, inputs[0].kind)[0]

    # ------------------------------------------------------------------------------------ layers

    def take(self, layer: Layer) -> None:
        """Add a layer of the old network to the new one."""
        name, out = layer.record.name, layer.outputs[0]
        if name == "parameter" or (name == "broadcast" and layer.inputs[0] in self.fixed):
            self.fixed[out] = layer
        if name in _TURNING:
            self._turn(layer)
        elif not self._carried(layer):
            inputs = [self.plain(number) for number in layer.inputs]
            made = self.network.add(name, inputs, layer.arguments, layer.weights, inputs[0].kind)
            made.node, made.operator, made.further = layer.node, layer.operator, layer.further
            for number, value in zip(layer.outputs, self.network.results(made, inputs[0].kind), strict=True):
                self.known[number] = value

    def _turn(self, layer: Layer) -> None:
        base, before = self.turned.get(layer.inputs[0]) or (self.known[layer.inputs[0]], None)
        order = _places_of(layer)
        places = order if before is None else tuple(before[place] for place in order)
        if places == tuple(range(len(places))):
            self.known[layer.outputs[0]] = base
        else:
            self.turned[layer.outputs[0]] = base, places

    def _carried(self, layer: Layer) -> bool:
        """Add a layer before the permutation of its inputs, if it may go there; tell whether it does."""
        alike = {self.turned[number][1] for number in layer.inputs if number in self.turned}
        if len(alike) != 1 or len(layer.outputs) != 1 or layer.weights:
            return False
        (places,) = alike
        name = layer.record.name
        if name in _ENTRYWISE and len(layer.inputs) == 1:
            return self._keep(layer, places, [self.turned[layer.inputs[0]][0]], layer.arguments)
        if name in _MERGING:
            bases = self._bases(layer, places)
            return bases is not None and self._keep(layer, places, bases, layer.arguments)
        if name == "concat" and all(number in self.turned for number in layer.inputs):
            axis = places[_position(layer.attributes["axis"], len(places))]
            bases = [self.turned[number][0] for number in layer.inputs]
            return self._keep(layer, places, bases, {"axis": name_of(len(places), axis)})
        return name in _REDUCING and self._reduced(layer, places)

    def _keep(self, layer: Layer, places: Places, bases: Sequence[Value], arguments: Mapping[str, Any]) -> bool:
        made = self._add(layer.record.name, bases, arguments, source=layer)
        self.turned[layer.outputs[0]] = made, places
        return True

    def _bases(self, layer: Layer, places: Places) -> list[Value] | None:
        """Return what the inputs of a merge layer are turned from, stored ones turned back; None for other inputs."""
        if not all(number in self.turned or number in self.fixed for number in layer.inputs):
            return None
        like = next(self.turned[number][0] for number in layer.inputs if number in self.turned)
        return [
            self.turned[number][0] if number in self.turned else self._turned_back(number, places, like)
            for number in layer.inputs
        ]

    def _turned_back(self, number: int, places: Places, like: Value) -> Value:
        """Return a stored value, repeated where the old network repeats it, in the order of axes before turning."""
        layer = self.fixed[number]
        repeated = layer.record.name == "broadcast"
        weight = (self.fixed[layer.inputs[0]] if repeated else layer).weights["weight"]
        inverse = tuple(int(place) for place in np.argsort(places))
        array = np.ascontiguousarray(weight.array.transpose(inverse))
        flow = self.network.inputs[0].value
        made = self._add("parameter", [flow], {"sizes": list(array.shape)}, {"weight": Stored(weight.names, array)})
        if not repeated:
            return made
        sizes = [size for size in like.sizes if isinstance(size, int)]
        if len(sizes) == len(like.sizes):
            return self._add("broadcast", [made], {"sizes": sizes})
        return self._add("broadcast", [made, like], {"like": 1})

    def _reduced(self, layer: Layer, places: Places) -> bool:
        """Reduce before turning; where the axes are left out, only if the others stand in their order then."""
        rank, named = len(places), layer.attributes["axis"]
        if any(name in ("space", "all") for name in named):
            return False
        axes = sorted(places[_position(name, rank)] for name in named)
        left = [place for place in places if place not in axes]
        keep = layer.attributes["keep"]
        if not keep and left != sorted(left):
            return False
        arguments = {"axis": [name_of(rank, axis) for axis in axes], "keep": keep}
        made = self._add(layer.record.name, [self.turned[layer.inputs[0]][0]], arguments, source=layer)
        if keep:
            self.turned[layer.outputs[0]] = made, places
        else:
            self.known[layer.outputs[0]] = made
        return True


def _position(name: Any, rank: int) -> int:
    return rank - 1 if name == "last" else named_axes(rank).index(name)


def _places_of(layer: Layer) -> Places:
    rank = len(layer.given[0].shape)
    if layer.record.name == "permute":
        return tuple(_position(name, rank) for name in layer.attributes["order"])
    first, second = (_position(layer.attributes[key], rank) for key in ("first", "second"))
    places = list(range(rank))
    places[first], places[second] = places[second], places[first]
    return tuple(places)
