"""Batch norms that exporters write as arithmetic with stored numbers, one per channel: (in - mean) * scale + offset."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from striate.importing.network import Array, Layer, Network, Stored

_EPS = 1e-5


@dataclass(slots=True)
class _Chain:
    """Layers that end in one value: `scale` times the value `source`, plus `offset`."""

    source: int
    scale: Array
    offset: Array
    names: tuple[str, ...]
    layers: list[Layer]


def join_norms(network: Network) -> None:
    """Put sums and products with stored numbers for each channel together as one `bn`, where they are at least two.

    Its statistics are mean 0 and variance 1 - eps, so that it computes scale and offset and nothing else.
    """
    uses = Counter(number for layer in network.layers for number in layer.inputs)
    uses.update(value.number for _, value in network.outputs)
    stored = _stored(network)
    for layer in network.layers:
        if layer.record.name == "broadcast" and layer.outputs[0] in stored and uses[layer.outputs[0]] == 1:
            uses.subtract(layer.inputs[1:])  # a value that says how often numbers are repeated is not computed with
    chains: dict[int, _Chain] = {}
    for layer in network.layers:
        step = _step(layer, stored)
        if step is None:
            continue
        source, scale, offset, names = step
        before = chains.pop(source, None) if uses[source] == 1 else None
        chain = before or _Chain(source, np.ones_like(scale), np.zeros_like(scale), (), [])
        chain.scale, chain.offset = chain.scale * scale, chain.offset * scale + offset
        chain.names += tuple(name for name in names if name not in chain.names)
        chain.layers.append(layer)
        chains[layer.outputs[0]] = chain
    _replace(network, [chain for chain in chains.values() if len(chain.layers) > 1])


def _replace(network: Network, chains: list[_Chain]) -> None:
    ends = {id(chain.layers[-1]): chain for chain in chains}
    inner = {id(layer) for chain in chains for layer in chain.layers[:-1]}
    layers = []
    for layer in network.layers:
        if id(layer) in ends:
            layers.append(_norm(network, layer, ends[id(layer)]))
        elif id(layer) not in inner:
            layers.append(layer)
    used = {number for layer in layers for number in layer.inputs} | {value.number for _, value in network.outputs}
    kept = []
    for layer in reversed(layers):
        if layer.record.name in ("parameter", "broadcast") and used.isdisjoint(layer.outputs):
            continue
        kept.append(layer)
        used.update(layer.inputs)
    network.layers[:] = [*reversed(kept)]


def _norm(network: Network, last: Layer, chain: _Chain) -> Layer:
    record = network.lookup("bn")
    types = last.types
    attributes = record.settle({"eps": _EPS, "momentum": 0.1}, types)
    count = len(chain.scale)
    arrays = {
        "weight": chain.scale,
        "bias": chain.offset,
        "running_mean": np.zeros(count, np.float32),
        "running_var": np.full(count, 1 - _EPS, np.float32),
    }
    weights = {role: Stored((), array.astype(np.float32)) for role, array in arrays.items()}
    return Layer(
        record,
        (chain.source,),
        {"eps": _EPS},
        attributes,
        last.outputs,
        types,
        record.weights(attributes, types),
        weights,
        types,
        last.node,
        last.operator,
    )


def _stored(network: Network) -> dict[int, tuple[Array, tuple[str, ...]]]:
    """Return the stored values that are one number for each channel, repeated or not."""
    found: dict[int, tuple[Array, tuple[str, ...]]] = {}
    for layer in network.layers:
        if layer.record.name == "parameter":
            weight = layer.weights["weight"]
            if weight.array.ndim >= 2 and weight.array.size == weight.array.shape[0]:
                found[layer.outputs[0]] = weight.array.reshape(-1).astype(np.float64), weight.names
        elif layer.record.name == "broadcast" and layer.inputs[0] in found:
            found[layer.outputs[0]] = found[layer.inputs[0]]
    return found


def _step(
    layer: Layer, stored: dict[int, tuple[Array, tuple[str, ...]]]
) -> tuple[int, Array, Array, tuple[str, ...]] | None:
    """Return a layer as a source, what it is multiplied by and what is added; None where it is something else."""
    if len(layer.inputs) != 2 or layer.record.name not in ("add", "sub", "mul", "div"):
        return None
    first, second = layer.inputs
    if (first in stored) == (second in stored) or (first in stored and layer.record.name in ("sub", "div")):
        return None
    source, other = (second, first) if first in stored else (first, second)
    numbers, names = stored[other]
    channels = layer.types[0].shape[0]
    if channels != len(numbers) or layer.types[0].rank < 2:
        return None
    one, none = np.ones_like(numbers), np.zeros_like(numbers)
    if layer.record.name == "div" and not numbers.all():
        return None
    scale, offset = {
        "add": (one, numbers),
        "sub": (one, -numbers),
        "mul": (numbers, none),
        "div": (one / np.where(numbers == 0, 1, numbers), none),
    }[layer.record.name]
    return source, scale, offset, names
