"""The names of an imported network: those of the file where the language can have them, its own for the rest.

A layer is called like its node, or like its weights (`layer1.0.conv1` of `layer1.0.conv1.weight`); names that say
nothing but the operator (`Conv_12`) are left to the language, which counts them itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from striate.elaborate.expressions import SIZES
from striate.importing.network import Layer, Network
from striate_dsl.lexer import FOREIGN_WORDS, RESERVED

LONGEST = 120
"""Characters of a name that is kept."""


@dataclass(slots=True)
class Names:
    """The names of one network.

    Attributes:
        inputs: by number of the value.
        layers: the name wished for each layer, None where the language may choose.
        instances: the name of the instance that owns a layer's weights, by the place of the layer, for those that
            share them; the others own theirs.
        outputs: in the order of the network.
    """

    inputs: dict[int, str] = field(default_factory=dict)
    layers: list[str | None] = field(default_factory=list)
    instances: dict[int, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def names_of(network: Network) -> Names:
    """Return the names of a network; no two values have the same one."""
    names, taken = Names(), set[str]()
    for item in network.inputs:
        written = (_legal(item.name) or "image").replace(".", "_")  # only layers have paths
        names.inputs[item.value.number] = _unique(written, taken)
    shared = _shared(network.layers)
    for place, layer in enumerate(network.layers):
        wish = node_name(layer)
        if wish is None and place not in shared:
            wish = weight_path(layer)
        names.layers.append(None if wish is None else _unique(wish, taken))
    instances: dict[int, str] = {}
    for place, first in shared.items():
        if first not in instances:
            instances[first] = _unique(weight_path(network.layers[first]) or f"shared{len(instances) + 1}", taken)
        names.instances[place] = instances[first]
    names.outputs = _outputs(network, taken)
    return names


def _outputs(network: Network, taken: set[str]) -> list[str]:
    """Return the names of the outputs, which may be those of values that they stand for."""
    found: list[str] = []
    for name, _ in network.outputs:
        written = (_legal(name) or f"output{len(found) + 1}").replace(".", "_")
        found.append(_unique(written, set(found)))
    return found


def node_name(layer: Layer) -> str | None:
    """Return a node's name as the language can have it; None where it says nothing but the operator."""
    written = layer.node
    if not written or _says_nothing(written, layer):
        return None
    if "/" in written:
        written = _from_modules(written, layer.operator)
    return _legal(written)


def _says_nothing(written: str, layer: Layer) -> bool:
    if re.fullmatch(rf"{re.escape(layer.record.name)}_?\d+_*", written):
        return False  # the language's own
    bare = written.strip("/").lower()
    if bare.startswith("node_"):
        return True
    return re.fullmatch(rf"{re.escape(layer.operator.lower())}[_-]?\d*", bare) is not None


def _from_modules(written: str, operator: str) -> str:
    """Return the path of a module as its weights have it: `layer1.0.conv1` of `/layer1/layer1.0/conv1/Conv`."""
    parts = [part for part in written.split("/") if part]
    last = parts[-1] if parts else ""
    if len(parts) > 1 and re.fullmatch(rf"{re.escape(operator)}(_\d+)?", last):
        parts.pop()
        if _is_container(parts, operator):
            parts.append(last.lower())
    kept: list[str] = []
    for part in parts:
        if kept and part.startswith(f"{kept[-1]}."):
            kept.pop()
        kept.append(part)
    return ".".join(kept)


def _is_container(parts: Sequence[str], operator: str) -> bool:
    """Whether the module whose node this is holds other modules as well, as far as its name tells: `layer1.0`."""
    return parts[-1].rpartition(".")[2].isdigit() and operator in ("Add", "Mul", "Concat", "Sub", "Div", "Sigmoid")


def weight_path(layer: Layer) -> str | None:
    """Return what the names of a layer's weights have in common; None where it has none, or they have nothing."""
    names = [item.names[0] for item in layer.weights.values() if item.names]
    if not names:
        return None
    paths = {name.rpartition(".")[0] for name in names}
    path = paths.pop()
    return _legal(path) if path and not paths else None


def _shared(layers: Sequence[Layer]) -> dict[int, int]:
    """Return, for every layer that shares its weights with others, the first that has them, by place."""
    groups: dict[object, list[int]] = {}
    for place, layer in enumerate(layers):
        if layer.weights and all(item.names for item in layer.weights.values()):
            key = (layer.record.name, tuple((role, item.names) for role, item in sorted(layer.weights.items())))
            groups.setdefault(key, []).append(place)
    shared: dict[int, int] = {}
    for places in groups.values():
        first = layers[places[0]]
        alike = [place for place in places if _is_same(first, layers[place])]
        if len(alike) > 1:
            shared.update((place, places[0]) for place in alike)
    return shared


def _is_same(first: Layer, other: Layer) -> bool:
    return first.attributes == other.attributes and all(
        np.array_equal(item.array, other.weights[role].array) for role, item in first.weights.items()
    )


def _legal(written: str) -> str | None:
    """Return a name as a dotted path of identifiers and numbers; None where nothing is left of it."""
    if not written.isascii() and not any(letter.isascii() and letter.isalnum() for letter in written):
        return None
    parts = [part for part in re.sub(r"[^A-Za-z0-9_.]", "_", written).split(".") if part.strip("_")]
    legal = [_part(part, first=place == 0) for place, part in enumerate(parts)]
    if legal and legal[-1] in SIZES and len(legal) > 1:
        legal[-1] += "_"
    name = ".".join(legal)
    return name if 0 < len(name) <= LONGEST else None


def _part(part: str, *, first: bool) -> str:
    if part.isdigit() and not first:
        return str(int(part))
    named = part if part[0].isalpha() or part[0] == "_" else f"n{part}"
    return f"{named}_" if named in RESERVED or named in FOREIGN_WORDS or named == "in" else named


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}.again{number}" if name.rpartition(".")[2].isdigit() else f"{name}_{number}"
    taken.add(found)
    return found


def model_name(written: str, stem: str) -> str:
    """Return the name of the model: the graph's where it looks like one, otherwise one made of the file's name."""
    if re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,60}", written) and written not in RESERVED and written not in FOREIGN_WORDS:
        return written
    words = re.findall(r"[A-Za-z0-9]+", stem)[:8]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    name = name if name[:1].isalpha() else f"Net{name}"
    return f"{name}_" if name in RESERVED or name in FOREIGN_WORDS else name[:60]
