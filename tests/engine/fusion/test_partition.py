"""Cutting a graph into groups: nothing is lost, nothing waits for itself, and memory is asked for less."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import striate
from striate.fusion import MACHINES, group_traffic, partition
from striate.fusion.cutting import Cutting
from striate.ops import BUILTIN
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from tests.engine.fusion.drawn import mixed_networks
from tests.engine.passes.networks import Network

LEVELS = ("layers", "epilogues", "chains")
lookup = BUILTIN.__getitem__


@settings(deadline=None)
@given(mixed_networks(), st.sampled_from(LEVELS))
def test_every_node_is_in_one_group_and_groups_can_run_in_order(graph, level):
    plan = partition(graph, lookup, level)
    assert sorted(node.name for group in plan.groups for node in group.nodes) == sorted(graph.by_name)
    there = {item.value.name for item in graph.inputs}
    for group in plan.groups:
        assert set(group.inputs) <= there, group
        there |= set(group.outputs)
    assert set(graph.outputs.values()) <= there


@settings(deadline=None)
@given(mixed_networks(), st.sampled_from(LEVELS))
def test_what_a_group_reads_and_leaves_is_what_crosses_its_border(graph, level):
    for group in partition(graph, lookup, level).groups:
        inside = {node.name for node in group.nodes}
        made = {value.name for node in group.nodes for value in node.outputs}
        outside = [node for node in graph.nodes if node.name not in inside]
        wanted = {name for node in outside for name in node.inputs} | set(graph.outputs.values())
        assert set(group.outputs) == made & wanted
        assert set(group.inputs) == {name for node in group.nodes for name in node.inputs} - made


@settings(deadline=None)
@given(mixed_networks(8), st.data())
def test_sets_may_be_united_if_nothing_waits_for_itself_then(graph, data):
    cutting = Cutting(graph, {node.op: BUILTIN[node.op] for node in graph.nodes})
    owner = {node.name: node.name for node in graph.nodes}

    def is_acyclic(one, other):
        whole = nx.DiGraph()
        named = {name: ("both" if each in (one, other) else each) for name, each in owner.items()}
        for node in graph.nodes:
            for name in node.inputs:
                if name in cutting.makers and named[cutting.makers[name].name] != named[node.name]:
                    whole.add_edge(named[cutting.makers[name].name], named[node.name])
        return nx.is_directed_acyclic_graph(whole)

    for _ in range(6):
        one, other = (data.draw(st.sampled_from(graph.nodes)) for _ in range(2))
        if owner[one.name] == owner[other.name]:
            continue
        legal = cutting.can_unite(cutting.set_of(one), cutting.set_of(other))
        assert legal == is_acyclic(owner[one.name], owner[other.name])
        if legal:
            cutting.unite(cutting.set_of(one), cutting.set_of(other))
            gone, kept = owner[other.name], owner[one.name]
            owner = {name: kept if each == gone else each for name, each in owner.items()}


@settings(deadline=None)
@given(mixed_networks())
def test_uniting_more_never_moves_more(graph):
    moved = []
    for level in LEVELS:
        plan = partition(graph, lookup, level)
        moved.append(sum(each.moved for each in group_traffic(plan, lookup).values()))
    assert moved == sorted(moved, reverse=True)


def test_a_residual_block_is_three_kernels():
    network = Network()
    image = network.input("image", 256, 14, 14)
    last = image
    for number, (channels, kernel) in enumerate(((64, 1), (64, 3), (256, 1))):
        last = network.add(f"conv{number}", "conv", last, channels=channels, kernel=kernel, pad=kernel // 2)
        last = network.add(f"bn{number}", "bn", last)
        if number < 2:
            last = network.add(f"relu{number}", "relu", last)
    total = network.add("add", "add", last, image)
    plan = partition(network.graph(network.add("out", "relu", total)), lookup, "epilogues")
    assert [[node.name for node in group.nodes] for group in plan.groups] == [
        ["conv0", "bn0", "relu0"],
        ["conv1", "bn1", "relu1"],
        ["conv2", "bn2", "add", "out"],
    ]
    assert plan.groups[2].inputs == ("relu1", "image")


def test_a_chain_must_fit_the_processor():
    def chains(channels):
        network = Network()
        last = network.add("wide", "conv", network.input("image", 64, 14, 14), channels=channels, kernel=3, pad=1)
        out = network.add("narrow", "conv", network.add("relu", "relu", last), channels=64, kernel=1)
        return [group.kind for group in partition(network.graph(out), lookup, "chains").groups]

    assert chains(128) == ["chain"]
    assert chains(2048) == ["product", "product"]


def test_a_dense_block_grows_in_one_buffer():
    network = Network()
    grown = network.input("image", 8, 6, 6)
    grown = network.add("stem", "conv", grown, channels=8, kernel=3, pad=1)
    for number in range(3):
        new = network.add(f"conv{number}", "conv", grown, channels=4, kernel=3, pad=1)
        grown = network.add(f"grown{number}", "concat", grown, new)
    plan = partition(network.graph(network.add("end", "conv", grown, channels=2, kernel=1)), lookup, "epilogues")
    assert {name: (place.buffer, place.start) for name, place in plan.slices.items()} == {
        "stem": ("grown0", 0),
        "conv0": ("grown0", 8),
        "grown0": ("grown1", 0),
        "conv1": ("grown1", 12),
        "grown1": ("grown2", 0),
        "conv2": ("grown2", 16),
    }
    traffic = group_traffic(plan, lookup)
    assert all(traffic[group.name].moved == 0 for group in plan.groups if group.kind == "buffer")


def _megabytes(name, model, level):
    """Return the megabytes of values in 16-bit numbers that one image takes to and from memory."""
    loaded = striate.load(f"plugins/striate_plugins/zoo/{name}.cnn", model)
    find = loaded.catalogue.lookup
    graph = run_passes(loaded.graph, [DropInferenceNoops(find), RemoveDeadNodes()]).graph
    plan = partition(graph, find, level, MACHINES["h200"])
    return 2 * sum(each.moved for each in group_traffic(plan, find).values()) / 1e6


@pytest.mark.parametrize(
    ("name", "model", "level", "bound"),
    [
        ("resnet", "ResNet50", "epilogues", 58),  # the limits that the choice of groups is held to
        ("resnet", "ResNet50", "chains", 46),
        ("mobilenet_v2", "MobileNetV2", "epilogues", 27.5),
    ],
)
def test_the_bytes_per_image_keep_to_their_bounds(name, model, level, bound):
    assert _megabytes(name, model, level) <= bound
