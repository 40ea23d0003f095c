"""Graphs of one layer, made from a record's sample: every layer can be written in every precision."""

from __future__ import annotations

from striate.graph import Graph, Initializer, Input, Node, Origin, Value, Weight
from striate.ops import OpRecord, Sample
from striate_dsl.source import Source, Span
from tests.engine.ops.configurations import Layer, infer

ORIGIN = Origin(Span(Source("one.cnn", "layer"), 0, 5))


def one_layer_graph(record: OpRecord, sample: Sample) -> tuple[Layer, Graph]:
    """Return a layer and the graph that consists of it, with all its values as outputs."""
    layer = infer(record, sample.arguments, sample.inputs)
    inputs = tuple(Input(Value(f"in{place}", kind), {}, ORIGIN) for place, kind in enumerate(layer.inputs))
    outputs = tuple(Value(f"layer{place or ''}", kind) for place, kind in enumerate(layer.outputs))
    specs = record.weights(layer.attributes, layer.inputs)
    weights = {f"layer.{spec.role}": Weight(f"layer.{spec.role}", spec.shape, Initializer("zeros")) for spec in specs}
    roles = {spec.role: f"layer.{spec.role}" for spec in specs}
    names = tuple(item.value.name for item in inputs)
    node = Node("layer", record.name, names, dict(layer.attributes), roles, outputs, ORIGIN)
    table = {f"out{place or ''}": value.name for place, value in enumerate(outputs)}
    return layer, Graph("One", inputs, (node,), table, weights)
