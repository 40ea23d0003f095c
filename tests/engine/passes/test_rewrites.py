"""What holds of every pass: the input stays as it is, names and origins are kept, and the function is the same."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings

from striate.graph import Graph, fingerprint, format_graph
from striate.graph.verifier import verify
from striate.lower.torch import Program, initialise
from striate.ops.registry import BUILTIN
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from tests.engine.passes.networks import networks

PASSES = (DropInferenceNoops(BUILTIN.__getitem__), RemoveDeadNodes())


def evaluated(graph: Graph) -> dict[str, torch.Tensor]:
    """Compute the outputs in evaluation mode, on an input and weights that are the same for every graph."""
    program = initialise(Program(graph, BUILTIN.__getitem__), seed=3).eval()
    generator = torch.Generator().manual_seed(1)
    inputs = tuple(
        torch.randn(2, *map(int, item.value.type.shape), generator=generator)  # type: ignore[call-overload]
        for item in graph.inputs
    )
    with torch.inference_mode():
        values = program.run(inputs)
    return {name: values[value] for name, value in graph.outputs.items()}


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.name)
@given(graph=networks())
@settings(max_examples=40, deadline=None)
def test_a_pass_keeps_its_promises(each, graph):
    before = format_graph(graph)
    original = copy.deepcopy(graph.nodes)
    result = run_passes(graph, [each], verify=True)
    assert format_graph(graph) == before
    assert [node.attributes for node in graph.nodes] == [node.attributes for node in original]
    verify(result.graph)
    assert list(result.graph.outputs) == list(graph.outputs)
    for node in result.graph.nodes:
        assert node.origin is graph.by_name[node.name].origin
        assert node.outputs == graph.by_name[node.name].outputs
    assert result.modified == (fingerprint(result.graph) != fingerprint(graph))


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.name)
@given(graph=networks())
@settings(max_examples=25, deadline=None)
def test_a_pass_keeps_the_function(each, graph):
    expected, actual = evaluated(graph), evaluated(each.run(graph).graph)
    assert expected.keys() == actual.keys()
    for name, values in expected.items():
        assert torch.equal(values, actual[name])


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.name)
@given(graph=networks())
@settings(max_examples=25, deadline=None)
def test_a_second_time_a_pass_finds_nothing(each, graph):
    assert not each.run(each.run(graph).graph).modified
