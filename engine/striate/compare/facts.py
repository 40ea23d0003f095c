"""What is compared of a network: layers with their costs, weights, inputs, outputs, sizes and sections, as text.

Where the text of the file stands plays no part: two files that differ in comments or form have equal facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.analysis.costs import graph_macs, node_costs
from striate.analysis.receptive import Field, receptive_field
from striate.dims import Dim, format_dim
from striate.graph import Graph, format_shape
from striate.ops.arguments import format_value
from striate.ops.record import OpRecord

if TYPE_CHECKING:
    from striate.dims.domain import Domain

Lookup = Callable[[str], OpRecord | None]
Settings = Mapping[str, str]

UNKNOWN_FIELD = "all"
"""The receptive field of what sees the whole input."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer.

    Attributes:
        name: its path.
        op: the layer.
        arguments: its settled arguments as text.
        inputs: the values that flow in, by name.
        input_sizes: their sizes.
        size: the size of its output.
        parameters: trainable entries of its weights that no earlier layer has.
        macs: multiply-adds for one image.
        receptive_field: what one output pixel sees of the input, e.g. height x width, or `all`.
        stride: pixels of the input from one output pixel to the next, or nothing where that has no meaning.
        weights: names of its weights by role.
    """

    name: str
    op: str
    arguments: Settings
    inputs: tuple[str, ...]
    input_sizes: tuple[str, ...]
    size: str
    parameters: int
    macs: str
    receptive_field: str
    stride: str
    weights: Settings


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """One network.

    Attributes:
        model: its name.
        parameters: the model's parameters by name.
        inputs: sizes and pixel contracts, keys such as `image` and `image.mean`.
        layers: in execution order.
        outputs: names of values by the outputs' names.
        tasks: what heads say about outputs.
        weights: sizes by name.
        totals: numbers and sizes of the whole network.
        domain: the legal input sizes in sentences.
        sections: recipes and export contracts by their titles, e.g. `train` and `train as long`.
    """

    model: str
    parameters: Settings
    inputs: Settings
    layers: tuple[LayerFacts, ...]
    outputs: Settings
    tasks: tuple[str, ...]
    weights: Mapping[str, tuple[int, ...]]
    totals: Settings
    domain: tuple[str, ...]
    sections: Mapping[str, Settings]


def network_facts(graph: Graph, lookup: Lookup, domain: Domain, sections: Mapping[str, Settings]) -> NetworkFacts:
    """Return what is compared of a network.

    Args:
        graph: the network.
        lookup: the records of its layers.
        domain: the input sizes that it takes.
        sections: its recipes and export contracts, settled.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    layers = tuple(_layers(graph, lookup))
    return NetworkFacts(
        graph.name,
        {name: _text(value) for name, value in graph.arguments.items()},
        _inputs(graph),
        layers,
        dict(graph.outputs),
        tuple(f"{task.name}({_listed(task.arguments)}) of {', '.join(task.outputs)}" for task in graph.tasks),
        {name: weight.shape for name, weight in graph.weights.items()},
        _totals(graph, lookup, layers),
        tuple(domain.sentences()),
        sections,
    )


def _layers(graph: Graph, lookup: Lookup) -> Iterable[LayerFacts]:
    costs, fields = node_costs(graph, lookup), receptive_field(graph, lookup)
    strides: dict[int, str] = {}
    for node in graph.nodes:
        cost, value = costs[node.name], node.outputs[0]
        found, extent = fields.fields[value.name], fields.of(value.name)
        if id(found) not in strides:
            strides[id(found)] = "" if isinstance(found, str) else _stride(found)
        yield LayerFacts(
            node.name,
            node.op,
            {name: _text(item) for name, item in node.attributes.items()},
            node.inputs,
            tuple(format_shape(graph.types[name]) for name in node.inputs),
            format_shape(value.type),
            cost.parameters,
            _number(cost.macs),
            extent if isinstance(extent, str) else " x ".join(map(str, extent)),
            strides[id(found)],
            dict(node.weights),
        )


def _stride(field: Field) -> str:
    """Return the pixels of the input between two neighbours, per axis where they differ."""
    numbers = range(field.count)
    axes = [sorted({track.jump for tracks in field.axes.values() for track in tracks[axis]}) for axis in numbers]
    texts = [" and ".join(map(str, jumps)) for jumps in axes]
    return texts[0] if len(set(texts)) == 1 else " x ".join(texts)


def _inputs(graph: Graph) -> dict[str, str]:
    found = {}
    for item in graph.inputs:
        found[item.value.name] = format_shape(item.value.type)
        found |= {f"{item.value.name}.{key}": _text(value) for key, value in item.contract.items()}
    return found


def _totals(graph: Graph, lookup: Lookup, layers: tuple[LayerFacts, ...]) -> dict[str, str]:
    by_name = {layer.name: layer for layer in layers}
    producer = {value.name: node.name for node in graph.nodes for value in node.outputs}
    first = next(iter(graph.outputs.values()), "")
    last = by_name.get(producer.get(first, ""))
    statistics = sum(weight.size for weight in graph.weights.values() if not weight.trainable)
    totals = {
        "layers": f"{len(layers):,}",
        "parameters": f"{graph.parameters:,}",
        "statistics": f"{statistics:,}",
        "MACs": _number(graph_macs(graph, lookup)),
    }
    if last is not None:
        totals |= {"receptive field": last.receptive_field, "stride": last.stride or "none"}
    return totals | {f"output {name}": format_shape(graph.types[value]) for name, value in graph.outputs.items()}


def _number(value: Dim) -> str:
    return f"{value:,}" if isinstance(value, int) else format_dim(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and value and all(item == value[0] for item in value):
        return format_value(value[0])
    return format_value(value)


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_text(value)}" for name, value in settings.items())
