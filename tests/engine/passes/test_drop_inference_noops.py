"""Dropout and identity go; what they passed on, and the outputs' names, stay."""

from __future__ import annotations

import pytest

from striate.ops.registry import BUILTIN
from striate.passes import DropInferenceNoops, run_passes
from tests.engine.passes.networks import Network

DROP = DropInferenceNoops(BUILTIN.__getitem__)


@pytest.fixture
def network() -> Network:
    built = Network()
    built.input("image", 3, 4, 5)
    return built


def test_users_read_the_input_of_what_was_dropped(network):
    network.add("a", "relu", "image")
    network.add("b", "dropout", "a", rate=0.5)
    network.add("c", "identity", "b")
    network.add("d", "add", "c", "a")
    graph, modified = run_passes(network.graph(out="d"), [DROP], verify=True)
    assert modified
    assert [(node.name, node.inputs) for node in graph.nodes] == [("a", ("image",)), ("d", ("a", "a"))]


def test_an_output_that_is_dropped_keeps_its_name(network):
    network.add("a", "relu", "image")
    network.add("b", "dropout", "a")
    graph, _ = run_passes(network.graph(logits="b", features="a"), [DROP], verify=True)
    assert graph.outputs == {"logits": "a", "features": "a"}


def test_an_output_may_turn_out_to_be_an_input(network):
    network.add("a", "identity", "image")
    graph, _ = run_passes(network.graph(out="a"), [DROP], verify=True)
    assert graph.nodes == ()
    assert graph.outputs == {"out": "image"}


def test_a_graph_without_such_layers_is_returned_as_it_is(network):
    network.add("a", "relu", "image")
    graph = network.graph("a")
    result = DROP.run(graph)
    assert result.graph is graph
    assert not result.modified
