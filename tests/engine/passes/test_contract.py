"""Running passes: the callback, the checks around a pass, and passes that break their contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from striate.graph import Graph, Origin
from striate.passes import Condition, GraphPass, PassError, Rewritten, run_passes
from striate_dsl.source import Source, Span
from tests.engine.passes.networks import Network


def network() -> Graph:
    built = Network()
    built.add("first", "conv", built.input("image", 3, 4, 5), channels=3, kernel=1)
    built.add("second", "relu", "first")
    return built.graph(out="second")


class Scripted(GraphPass):
    """A pass that does what a function says."""

    name = "scripted"

    def __init__(self, rewrite, requires=(), ensures=()):
        self.rewrite = rewrite
        self._requires, self._ensures = requires, ensures

    @property
    def requires(self):
        return self._requires

    @property
    def ensures(self):
        return self._ensures

    def run(self, graph):
        return self.rewrite(graph)


def unchanged(graph):
    return Rewritten(graph, False)


def renamed(graph):
    return Rewritten(replace(graph, name=graph.name + "x"), True)


def test_passes_run_in_order_and_report_whether_anything_changed():
    seen = []
    passes = [Scripted(renamed), Scripted(unchanged), Scripted(renamed)]
    result = run_passes(network(), passes, after=lambda each, after: seen.append((after.graph.name, after.modified)))
    assert seen == [("Handx", True), ("Handx", False), ("Handxx", True)]
    assert result.graph.name == "Handxx"
    assert result.modified
    graph = network()
    assert run_passes(graph, [Scripted(unchanged)]) == (graph, False)


def mutating(graph):
    graph.by_name["first"].attributes["groups"] = 3
    return Rewritten(graph, False)


def lying(graph):
    return Rewritten(renamed(graph).graph, False)


def without_origin(graph):
    elsewhere = Origin(Span(Source("other.cnn", "x"), 0, 1))
    return Rewritten(graph.with_nodes(tuple(replace(node, origin=elsewhere) for node in graph.nodes)), True)


def without_output(graph):
    return Rewritten(replace(graph, outputs={"other": "second"}), True)


def without_weight(graph):
    return Rewritten(replace(graph, weights={}), True)


def with_other_weight(graph):
    weights = {name: replace(weight, trainable=False) for name, weight in graph.weights.items()}
    return Rewritten(replace(graph, weights=weights), True)


def with_other_input(graph):
    return Rewritten(replace(graph, inputs=(replace(graph.inputs[0], contract={"color": "rgb"}),)), True)


@pytest.mark.parametrize(
    ("rewrite", "message"),
    [
        (mutating, "it changed the graph that it was given"),
        (lying, "it changed the graph and said that it did not"),
        (without_origin, "node 'first' lost its origin"),
        (without_output, "outputs no longer have the same names and sizes"),
        (with_other_weight, "weight 'first.weight' changed"),
        (with_other_input, "inputs are no longer the same"),
        (without_weight, "broke the graph: .*no weight 'first.weight'"),
    ],
)
def test_a_broken_promise_is_found_under_verify(rewrite, message):
    with pytest.raises(PassError, match=f"(?s)pass scripted.*{message}"):
        run_passes(network(), [Scripted(rewrite)], verify=True)


def test_without_verify_nothing_is_checked():
    assert run_passes(network(), [Scripted(without_weight)]).graph.weights == {}


@pytest.mark.parametrize("verb", ["requires", "ensures"])
def test_conditions_are_held_against_the_graph(verb):
    no_relu = Condition("no relu", lambda graph: [f"{node.name} is one" for node in graph.nodes if node.op == "relu"])
    with pytest.raises(PassError, match=f"pass scripted {verb} 'no relu', which does not hold:\n  second is one"):
        run_passes(network(), [Scripted(unchanged, **{verb: (no_relu,)})], verify=True)
