"""The graph of an imported network, made from its layers alone: what the text must elaborate to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.graph import Graph, Input, Node, Origin, TensorType, Value, Weight
from striate.importing.naming import Names
from striate.importing.network import Network
from striate_dsl.source import Source, Span

Array = np.ndarray[Any, np.dtype[Any]]


def graph_of(network: Network, names: Names, called: Mapping[int, str], model: str) -> tuple[Graph, dict[str, Array]]:
    """Return the graph of a network and the arrays of those weights that the file has, both by the names of the graph.

    Args:
        network: the network.
        names: the names of inputs, outputs and instances.
        called: the name of every layer's value, by number.
        model: the name of the model.
    """
    span = Span(Source(model, ""), 0, 0)
    origin = Origin(span)
    values = dict(names.inputs)
    nodes: list[Node] = []
    weights: dict[str, Weight] = {}
    arrays: dict[str, Array] = {}
    for place, layer in enumerate(network.layers):
        name = called[layer.outputs[0]]
        path = names.instances.get(place, name)
        for spec in layer.specs:
            full = f"{path}.{spec.role}"
            weights.setdefault(full, Weight(full, spec.shape, spec.initializer, spec.trainable))
            if spec.role in layer.weights:
                arrays.setdefault(full, np.ascontiguousarray(layer.weights[spec.role].array, dtype=np.float32))
        made = tuple(Value(name if index == 0 else f"{name}:{index}", kind) for index, kind in enumerate(layer.types))
        values.update((number, item.name) for number, item in zip(layer.outputs, made, strict=True))
        nodes.append(
            Node(
                name,
                layer.record.name,
                tuple(values[number] for number in layer.inputs),
                layer.attributes,
                {spec.role: f"{path}.{spec.role}" for spec in layer.specs},
                made,
                origin,
            )
        )
    inputs = tuple(
        Input(Value(names.inputs[item.value.number], TensorType(item.value.sizes)), item.contract, origin)
        for item in network.inputs
    )
    outputs = {name: values[value.number] for name, (_, value) in zip(names.outputs, network.outputs, strict=True)}
    return Graph(model, inputs, tuple(nodes), outputs, weights, tuple(network.conditions)), arrays
