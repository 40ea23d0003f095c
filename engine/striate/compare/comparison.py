"""Comparing two networks: layers are matched, and everything that differs is named."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from striate.compare.difference import (
    Change,
    LayerDifference,
    NetworkDifference,
    Status,
    changed_settings,
)
from striate.compare.facts import LayerFacts, NetworkFacts
from striate.compare.matching import match
from striate.compare.weights import weight_changes


def compare(old: NetworkFacts, new: NetworkFacts) -> NetworkDifference:
    """Return what differs between two networks."""
    pairs = match(old, new)
    both = [(old.layers[left], new.layers[right]) for left, right in pairs]
    # Another layer may have the name of a removed one now: what was fed by that one is fed by something else.
    names = {layer.name: f"{layer.name} (removed)" for layer in old.layers}
    names |= {left.name: right.name for left, right in both}
    in_order = _in_order(pairs)
    differences = {
        right: _layer(old.layers[left], new.layers[right], names, stays=(left, right) in in_order)
        for left, right in pairs
    }
    found = NetworkDifference(
        old,
        new,
        tuple(_arranged(old, new, dict(pairs), differences)),
        {title: changes for title, changes in _settings(old, new, names) if changes},
        changed_settings(old.totals, new.totals),
        weight_changes(old, new, both),
    )
    if found.is_empty:  # how a network is written may differ where the network does not
        return found
    return replace(found, settings={**_titled("parameters", old.parameters, new.parameters), **found.settings})


def _titled(title: str, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, tuple[Change, ...]]:
    changes = changed_settings(old, new)
    return {title: changes} if changes else {}


def _layer(old: LayerFacts, new: LayerFacts, names: Mapping[str, str], *, stays: bool) -> LayerDifference:
    own = [Change("layer", old.op, new.op)] if old.op != new.op else []
    own += changed_settings(old.arguments, new.arguments)
    inputs = tuple(names.get(name, name) for name in old.inputs)
    if inputs != new.inputs:
        own.append(Change("inputs", ", ".join(inputs), ", ".join(new.inputs)))
    if dict(old.weights).keys() != dict(new.weights).keys() and not own:
        own.append(Change("weights", ", ".join(old.weights), ", ".join(new.weights)))
    sizes = changed_settings(_measures(old), _measures(new))
    shared = _shared_differently(old, new)
    return LayerDifference(_status(old, new, own or shared, sizes, stays=stays), old, new, (*own, *shared, *sizes))


def _status(old: LayerFacts, new: LayerFacts, own: Sequence[Change], sizes: Sequence[Change], *, stays: bool) -> Status:
    if own:
        return "changed"
    if old.name != new.name:
        return "renamed"
    if not stays:
        return "moved"
    return "sizes" if sizes else "same"


def _shared_differently(old: LayerFacts, new: LayerFacts) -> list[Change]:
    """Return whose weights a layer has, where that differs by more than the layer's own name."""
    before, after = _owner(old), _owner(new)
    return [] if before == after else [Change("weights", before or "its own", after or "its own")]


def _owner(layer: LayerFacts) -> str:
    """Return the path of the instance whose weights a layer has, nothing where they are its own."""
    path = next(iter(layer.weights.values()), "").rpartition(".")[0]
    return "" if path == layer.name else path


def _measures(layer: LayerFacts) -> dict[str, str]:
    return {
        "size": layer.size,
        "parameters": f"{layer.parameters:,}",
        "MACs": layer.macs,
        "receptive field": layer.receptive_field,
        "stride": layer.stride,
    }


def _settings(
    old: NetworkFacts, new: NetworkFacts, names: Mapping[str, str]
) -> Iterator[tuple[str, tuple[Change, ...]]]:
    yield "inputs", changed_settings(old.inputs, new.inputs)
    outputs = {name: names.get(value, value) for name, value in old.outputs.items()}
    order = [Change("order", ", ".join(old.outputs), ", ".join(new.outputs))]
    changed = changed_settings(outputs, new.outputs)
    yield "outputs", changed or (tuple(order) if list(old.outputs) != list(new.outputs) else ())
    yield "tasks", _lines("task", old.tasks, new.tasks)
    yield "domain", _lines("sizes", old.domain, new.domain)
    for title in dict.fromkeys([*old.sections, *new.sections]):
        yield title, changed_settings(old.sections.get(title, {}), new.sections.get(title, {}))


def _lines(what: str, old: Sequence[str], new: Sequence[str]) -> tuple[Change, ...]:
    return (Change(what, "; ".join(old) or None, "; ".join(new) or None),) if tuple(old) != tuple(new) else ()


def _arranged(
    old: NetworkFacts, new: NetworkFacts, pairs: Mapping[int, int], found: Mapping[int, LayerDifference]
) -> Iterator[LayerDifference]:
    """Yield the layers of the second side in order; removed ones behind the layer that stood before them."""
    removed: dict[int, list[LayerDifference]] = {}
    behind = -1
    for place, layer in enumerate(old.layers):
        if place in pairs:
            behind = pairs[place]
        else:
            removed.setdefault(behind, []).append(LayerDifference("removed", layer, None))
    yield from removed.get(-1, ())
    for place, layer in enumerate(new.layers):
        yield found.get(place) or LayerDifference("added", None, layer)
        yield from removed.get(place, ())


def _in_order(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the pairs that stay in their order while others move; the same ones whichever side is asked first."""
    forward = _longest_rising([right for _, right in pairs])
    turned = sorted((right, left) for left, right in pairs)
    backward = _longest_rising([left for _, left in turned])
    return {pairs[index] for index in forward} & {(turned[index][1], turned[index][0]) for index in backward}


def _longest_rising(places: Sequence[int]) -> set[int]:
    """Return the indices of a longest run of rising places."""
    ends: list[int] = []
    indices: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        at = bisect_left(ends, place)
        before.append(indices[at - 1] if at else -1)
        if at == len(ends):
            ends.append(place)
            indices.append(index)
        else:
            ends[at], indices[at] = place, index
    kept: set[int] = set()
    index = indices[-1] if indices else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept
