"""A graph as a network with names: the way back from what a text elaborates to, to what a text is written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from striate.dims.constraints import Constraint
from striate.elaborate.values import ValueRef
from striate.expand.literals import UnwritableError, written_value
from striate.graph import Graph, Node, TensorType
from striate.importing.findings import UnsupportedError
from striate.importing.heads import HeadCall, HeardHead
from striate.importing.naming import Names
from striate.importing.network import Array, Entrance, Layer, Network, Stored, Value
from striate.ops.problems import Check
from striate.ops.record import OpRecord


def network_of(
    graph: Graph,
    arrays: Mapping[str, Array],
    lookup: Callable[[str], OpRecord],
    heads: Sequence[HeardHead] = (),
) -> tuple[Network, Names]:
    """Return a graph as a network of layers, and its names, none of which the text may choose.

    Args:
        graph: the graph; what its tasks say is in `heads`.
        arrays: the arrays of its weights by name; for one that is missing, zeros that take no memory.
        lookup: from a layer's name to its record.
        heads: how its task heads were called; their layers are left to the calls.

    Raises:
        UnsupportedError: a layer has an argument that no text is converted to.
    """
    network, names = Network(lookup), Names()
    values: dict[str, Value] = {}
    for item in graph.inputs:
        value = network.value(item.value.type.shape, TensorProto.FLOAT)
        values[item.value.name] = value
        network.inputs.append(Entrance(item.value.name, value, dict(item.contract)))
        names.inputs[value.number] = item.value.name
    own = (node for node in graph.nodes if not any(head.owns(node.name) for head in heads))
    for place, node in enumerate(own):
        layer = _layer(graph, node, network, values, arrays)
        network.layers.append(layer)
        names.layers.append(node.name)
        owners = {path.removesuffix(f".{role}") for role, path in node.weights.items()}
        if owners and owners != {node.name}:
            names.instances[place] = owners.pop()
    network.conditions += graph.constraints
    asked = {condition for layer in network.layers for condition in _asked(layer)}
    stated = [condition for condition in graph.constraints if condition not in asked]
    network.inputs[-1].conditions = list(dict.fromkeys(stated))  # behind the last input every open size has its name
    for output, source in graph.outputs.items():
        if source in values:  # the others are made by heads
            network.outputs.append((output, values[source]))
            names.outputs.append(output)
    for head in heads:
        named = {item.name: values[item.name].number for _, item in head.arguments if isinstance(item, ValueRef)}
        network.heads.append(HeadCall(head.callee, head.path, values[head.flow].number, head.arguments, named))
    return network, names


def _layer(graph: Graph, node: Node, network: Network, values: dict[str, Value], arrays: Mapping[str, Array]) -> Layer:
    record = network.lookup(node.op)
    given = tuple(TensorType(values[name].sizes) for name in node.inputs)
    types = tuple(item.type for item in node.outputs)
    made = [network.value(each.shape, TensorProto.FLOAT) for each in types]
    values.update((item.name, value) for item, value in zip(node.outputs, made, strict=True))
    return Layer(
        record,
        tuple(values[name].number for name in node.inputs),
        _arguments(record, node.attributes),
        node.attributes,
        tuple(value.number for value in made),
        types,
        record.weights(node.attributes, given),
        {role: _stored(graph, name, arrays) for role, name in node.weights.items()},
        given,
    )


def _asked(layer: Layer) -> Sequence[Constraint]:
    check = Check()
    layer.record.shape(layer.attributes, layer.given, check)
    return check.open


def _arguments(record: OpRecord, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settled attributes as arguments: what is converted and settled to them."""
    try:
        return {item.name: written_value(item.kind, attributes[item.name]) for item in record.arguments}
    except UnwritableError as error:
        raise UnsupportedError(f"{record.name}: {error}") from None


def _stored(graph: Graph, name: str, arrays: Mapping[str, Array]) -> Stored:
    found = arrays.get(name)
    return Stored((name,), np.broadcast_to(np.float32(0), graph.weights[name].shape) if found is None else found)
