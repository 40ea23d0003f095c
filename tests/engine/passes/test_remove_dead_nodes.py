"""What no output needs goes, with its weights; inputs and shared weights stay."""

from __future__ import annotations

from striate.passes import RemoveDeadNodes, run_passes
from tests.engine.passes.networks import Network


def test_nodes_without_use_go_with_their_weights():
    network = Network()
    network.input("image", 3, 4, 5)
    network.input("unused", 3, 4, 5)
    network.add("a", "conv", "image", channels=2, kernel=1)
    network.add("dead", "conv", "a", channels=7, kernel=1)
    network.add("deader", "relu", "dead")
    graph, modified = run_passes(network.graph("a"), [RemoveDeadNodes()], verify=True)
    assert modified
    assert list(graph.by_name) == ["a"]
    assert list(graph.weights) == ["a.weight", "a.bias"]
    assert [item.value.name for item in graph.inputs] == ["image", "unused"]


def test_a_weight_that_a_living_node_shares_stays():
    network = Network()
    network.input("image", 3, 4, 5)
    network.add("a", "conv", "image", channels=3, kernel=1)
    network.add("b", "conv", "image", channels=3, kernel=1, share="a")
    graph, _ = run_passes(network.graph("b"), [RemoveDeadNodes()], verify=True)
    assert list(graph.weights) == ["a.weight", "a.bias"]


def test_a_graph_in_which_all_is_needed_is_returned_as_it_is():
    network = Network()
    network.add("a", "relu", network.input("image", 3, 4, 5))
    graph = network.graph("a")
    assert RemoveDeadNodes().run(graph).graph is graph
