"""From a graph to a text and back: every graph that a file can give is the graph of the text that is made of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, reject, settings

from striate.elaborate import model_names
from striate.graph import Graph, Input, Node, Origin, Value, Weight, fingerprint
from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.ops import OpRecord, Sample
from striate.project.linking import parse_linked
from striate.writing import text_of
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.reading import read_source
from striate_dsl.source import Source, Span
from tests.engine.dims.random_networks import flows
from tests.engine.expand.random_files import files
from tests.engine.ops.configurations import ACCEPTED, infer, sample_id
from tests.engine.passes.networks import networks

ROOT = Path(__file__).parents[3]


def back(graph: Graph) -> None:
    """Write a graph as text, read that, and compare."""
    again = load_source(Source("again.cnn", text_of(graph))).graph
    assert fingerprint(again) == fingerprint(graph)
    assert again.weights == graph.weights
    asked, wanted = ({item.condition() for item in each.constraints} for each in (again, graph))
    assert asked == wanted


@given(files())
@settings(max_examples=60)
def test_random_files(text):
    back(load_source(Source("random.cnn", text)).graph)


@given(networks())
@settings(max_examples=150)
def test_graphs_wired_at_random(graph):
    back(graph)


@given(flows())
@settings(max_examples=60)
def test_random_windows_and_branches_of_open_sizes(piece):
    text = f"model Net {{ input image: 4 x H x W; {piece.text}; output out }}"
    try:
        graph = load_source(Source("net.cnn", text)).graph
    except DiagnosticError:  # of no size at all
        reject()
    back(graph)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_every_sample_of_every_layer(record, sample):
    back(alone(record, sample))


def alone(record: OpRecord, sample: Sample) -> Graph:
    """Return the graph of a sample's layer and nothing else."""
    layer = infer(record, sample.arguments, sample.inputs)
    span = Span(Source("sample", ""), 0, 0)
    inputs = tuple(Input(Value(f"x{place}", kind), {}, Origin(span)) for place, kind in enumerate(layer.inputs))
    weights = {
        f"it.{spec.role}": Weight(f"it.{spec.role}", spec.shape, spec.initializer, spec.trainable)
        for spec in record.weights(layer.attributes, layer.inputs)
    }
    made = tuple(Value(f"it:{place}" if place else "it", kind) for place, kind in enumerate(layer.outputs))
    roles = {name.rpartition(".")[2]: name for name in weights}
    node = Node(
        "it", record.name, tuple(item.value.name for item in inputs), layer.attributes, roles, made, Origin(span)
    )
    outputs = {f"out{place}": value.name for place, value in enumerate(made)}
    return Graph("Net", inputs, (node,), outputs, weights, tuple(layer.check.open))


@pytest.mark.parametrize(
    "condition", ["W % 2 == 0", "(H + 3) % 5 == 0 and W >= 2 * H", "3 * (W // 4) == H - 1", "H * H < W", "H == W"]
)
def test_conditions_on_open_sizes(condition):
    text = f"model Net {{ input a: 2 x (2 * H + 1); input b: 4 x H x W where {condition}; a -> relu; output out }}"
    graph = load_source(Source("net.cnn", text)).graph
    assert graph.constraints
    back(graph)


def models():
    for path in [
        *sorted((ROOT / "plugins/striate_plugins/zoo").glob("*.cnn")),
        *sorted((ROOT / "examples").glob("*.cnn")),
    ]:
        file = parse_linked(read_source(path), HostCatalogue()).file
        assert file is not None
        for name in model_names(file):
            yield pytest.param(path, name, id=f"{path.stem}-{name}")


@pytest.mark.parametrize(("path", "name"), [*models()])
def test_every_network_of_the_zoo_and_the_examples(path, name):
    graph = load_source(read_source(path), name).graph
    back(replace(graph, tasks=()))
    if graph.tasks:
        with pytest.raises(DiagnosticError, match="cannot be written so that it stays the same network"):
            text_of(graph)
