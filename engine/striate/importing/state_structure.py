"""Matching without names: by the order in which a network can run, the kinds of layers and their sizes.

Layers with weights of the same kinds and sizes are alike. What is alike can only be told apart by order: the file's,
taken as an order in which its layers run, must be one in which the network can run too, and of two layers that are
alike one must come before the other on every path. Otherwise there is more than one answer, and none is given.

A norm belongs to the layer right before it, on both sides, so the norm of a shortcut is not taken for that of the main
path; where the two sides do not agree on this, norms stand for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from striate.graph import Graph
from striate.importing.state_matching import Match, Row, Status, is_counter
from striate.runtime.stored_tensor import StoredTensor

_NUMBERS = re.compile(r"(\d+)")

Signature = tuple[tuple[str, tuple[int, ...]], ...]
"""Roles and sizes of a layer's weights."""

Kind = tuple[Signature, ...]
"""The signatures of a layer and of the norm behind it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why there is no single answer: what the network has, what the file has for it, and a reason in words.

    `differs` where there is none at all, since the two have other layers.
    """

    reason: str
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    differs: bool = False


def match_structure(graph: Graph, tensors: Mapping[str, StoredTensor], prefix: str) -> Match | Doubt:
    """Hold a file against a network by order, kinds and sizes; names are only used to find each layer's tensors.

    Args:
        graph: the network.
        tensors: the file's tensors, counters included.
        prefix: what stands before the names in the file.
    """
    present = {name[len(prefix) :]: item for name, item in tensors.items() if name.startswith(prefix)}
    counters = sum(is_counter(name) for name in present)
    ours = _grouped({name: weight.shape for name, weight in graph.weights.items()})
    theirs = _grouped({name: item.shape for name, item in present.items() if not is_counter(name)})
    theirs = {name: theirs[name] for name in _in_order(list(theirs))}
    plain = _pair(graph, {name: (name,) for name in ours}, {name: (name,) for name in theirs}, ours, theirs)
    chosen = plain
    if isinstance(plain, Doubt):
        chosen = _pair(graph, _units(ours, _followed(graph, ours)), _units(theirs, _behind(theirs)), ours, theirs)
    if isinstance(chosen, Doubt):
        return chosen if isinstance(plain, dict) else plain
    return Match(_rows(graph, chosen, present), None, prefix, counters, how="structure")


def _rows(graph: Graph, chosen: Mapping[str, str], present: Mapping[str, StoredTensor]) -> tuple[Row, ...]:
    rows = []
    for name, weight in graph.weights.items():
        layer, _, leaf = name.rpartition(".")
        key = f"{chosen[layer]}.{leaf}" if chosen[layer] else leaf
        refusal = present[key].refusal
        status: Status = "unusable" if refusal else "matched" if key == name else "renamed"
        rows.append(Row(status, name, key, weight.shape, present[key].shape, reason=refusal))
    return tuple(rows)


def _pair(
    graph: Graph,
    ours: Mapping[str, tuple[str, ...]],
    theirs: Mapping[str, tuple[str, ...]],
    kinds: Mapping[str, Signature],
    their_kinds: Mapping[str, Signature],
) -> dict[str, str] | Doubt:
    """Pair units, each a layer or a layer with its norm, and return their layer for each of ours."""
    mine = _classes({unit: tuple(kinds[layer] for layer in layers) for unit, layers in ours.items()})
    other = _classes({unit: tuple(their_kinds[layer] for layer in layers) for unit, layers in theirs.items()})
    if doubt := _different(mine, other):
        return doubt
    chosen = {unit: match for kind, units in mine.items() for unit, match in zip(units, other[kind], strict=True)}
    if any(len(units) > 1 for units in mine.values()):
        order = {unit: place for place, unit in enumerate(theirs)}
        doubt = _parallel(graph, mine, other) or _disorder(graph, chosen, order)
        if doubt is not None:
            return doubt
    return {
        layer: match for unit, layers in ours.items() for layer, match in zip(layers, theirs[chosen[unit]], strict=True)
    }


def _followed(graph: Graph, layers: Mapping[str, Signature]) -> dict[str, str]:
    """Return the layer whose values each norm of the network takes, where it is the only one to take them."""
    place, _ = _places(graph)
    layer_at = {node: layer for layer, node in place.items()}
    users: dict[str, int] = {}
    for node in graph.nodes:
        for value in node.inputs:
            users[value] = users.get(value, 0) + 1
    makers = {output.name: node.name for node in graph.nodes for output in node.outputs}
    found = {}
    for layer, signature in layers.items():
        inputs = graph.by_name[place[layer]].inputs
        before = layer_at.get(makers.get(inputs[0], "")) if len(inputs) == 1 and users[inputs[0]] == 1 else None
        if before is not None and _normalises(signature, layers[before]):
            found[layer] = before
    return found


def _behind(layers: Mapping[str, Signature]) -> dict[str, str]:
    """Return the layer that stands right before each norm of a file."""
    return {layer: before for before, layer in pairwise(layers) if _normalises(layers[layer], layers[before])}


def _normalises(norm: Signature, layer: Signature) -> bool:
    """Whether a layer is a batch norm of as many channels as another one, that is none, gives."""
    parts, other = dict(norm), dict(layer)
    mean, kernel = parts.get("running_mean"), other.get("weight", ())
    return mean is not None and "running_mean" not in other and len(kernel) > 1 and mean == kernel[:1]


def _units(layers: Mapping[str, Signature], before: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return each layer that is no part of another's unit, with the norm behind it."""
    norms = {layer: norm for norm, layer in before.items()}
    return {layer: (layer, norms[layer]) if layer in norms else (layer,) for layer in layers if layer not in before}


def _grouped(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Signature]:
    """Return kinds and sizes of the weights of every layer, by its name."""
    layers: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for name, shape in shapes.items():
        layer, _, leaf = name.rpartition(".")
        layers.setdefault(layer, []).append((leaf, shape))
    return {layer: tuple(sorted(parts)) for layer, parts in layers.items()}


def _classes(units: Mapping[str, Kind]) -> dict[Kind, list[str]]:
    classes: dict[Kind, list[str]] = {}
    for unit, kind in units.items():
        classes.setdefault(kind, []).append(unit)
    return classes


def _different(ours: Mapping[Kind, list[str]], theirs: Mapping[Kind, list[str]]) -> Doubt | None:
    for kind in {**ours, **theirs}:
        mine, other = ours.get(kind, []), theirs.get(kind, [])
        if len(mine) != len(other):
            sizes = ", ".join(f"{leaf} {' x '.join(map(str, shape))}" for leaf, shape in kind[0])
            return Doubt(
                f"the network has {_layers(len(mine))} with {sizes}, the file {len(other)}",
                tuple(mine),
                tuple(other),
                True,
            )
    return None


def _layers(count: int) -> str:
    return "one layer" if count == 1 else f"{count} layers"


def _in_order(names: Sequence[str]) -> list[str]:
    """Return layers in the file's own order, or in that of the numbers in their names where the file is sorted."""
    if list(names) != sorted(names):
        return list(names)
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in _parts(name)])


def _parts(name: str) -> list[str]:
    """Return a name's texts and numbers in turn, so that texts only meet texts when they are compared."""
    return _NUMBERS.split(name)


def _parallel(graph: Graph, ours: Mapping[Kind, list[str]], theirs: Mapping[Kind, list[str]]) -> Doubt | None:
    """Find two alike layers of which neither runs before the other."""
    before = _reached(graph)
    place, bit = _places(graph)
    for signature, layers in ours.items():
        for first, second in pairwise(layers):
            if not before[place[second]] >> bit[first] & 1:
                return Doubt(
                    f"{first} and {second} are alike, and neither runs before the other",
                    (first, second),
                    tuple(theirs[signature]),
                )
    return None


def _disorder(graph: Graph, chosen: Mapping[str, str], order: Mapping[str, int]) -> Doubt | None:
    """Find a layer that would run before one it needs, if the file's order is an order of running."""
    before = _reached(graph)
    place, bit = _places(graph)
    names = sorted(chosen, key=bit.__getitem__)
    latest: list[tuple[int, str]] = [(order[chosen[name]], name) for name in names]
    for at, (position, name) in enumerate(latest):
        for earlier, other in latest[:at]:
            if earlier > position and before[place[name]] >> bit[other] & 1:
                return Doubt(
                    f"{other} runs before {name} in the network, but {chosen[other]} stands behind {chosen[name]}",
                    (other, name),
                    (chosen[other], chosen[name]),
                )
    return None


def _places(graph: Graph) -> tuple[dict[str, str], dict[str, int]]:
    """Return the first node that uses each layer's weights, and the layer's number."""
    place: dict[str, str] = {}
    for node in graph.nodes:
        for weight in node.weights.values():
            place.setdefault(weight.rpartition(".")[0], node.name)
    return place, {layer: number for number, layer in enumerate(place)}


def _reached(graph: Graph) -> dict[str, int]:
    """Return for each node the layers with weights that run before it, as bits."""
    place, bit = _places(graph)
    layers: dict[str, int] = {}
    for layer, user in place.items():
        layers[user] = layers.get(user, 0) | 1 << bit[layer]
    values = {item.value.name: 0 for item in graph.inputs}
    before = {}
    for node in graph.nodes:
        bits = 0
        for value in node.inputs:
            bits |= values[value]
        before[node.name] = bits
        for output in node.outputs:
            values[output.name] = bits | layers.get(node.name, 0)
    return before
