"""The graph's rules, its structure by networkx, its text form."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from striate.graph import Graph, Node, format_graph
from striate.graph.structure import digraph, execution_order, find_cycle, live_nodes
from striate.graph.verifier import GraphError, verify

TEXT = """
model Net {
  input image: 3 x 8 x 8
  conv(4, 3, pad = 1) as stem -> relu as a
  conv(4, 1) -> add(a) -> bn
  a -> conv(9, 1) as unused
  bn
  output y
}"""


@pytest.fixture
def net(graph) -> Graph:
    return graph(TEXT.replace("  bn\n", "").replace("-> bn\n", "-> bn as last\n").replace("output y", "output last"))


def broken(net: Graph, **changes) -> str:
    with pytest.raises(GraphError) as caught:
        verify(dataclasses.replace(net, **changes))
    return str(caught.value)


def with_node(net: Graph, name: str, **changes) -> tuple[Node, ...]:
    return tuple(dataclasses.replace(node, **changes) if node.name == name else node for node in net.nodes)


def test_the_verifier_finds_every_kind_of_broken_graph(net):
    verify(net)
    assert "uses 'nothing' before any node makes it" in broken(net, nodes=with_node(net, "a", inputs=("nothing",)))
    assert "uses 'last' before" in broken(net, nodes=with_node(net, "a", inputs=("last",)))
    assert "is made twice" in broken(net, nodes=(*net.nodes, net.nodes[0]))
    assert "two nodes have the same name" in broken(net, nodes=(*net.nodes, net.nodes[0]))
    assert "output 'y' stands for 'gone'" in broken(net, outputs={"y": "gone"})
    assert "has no weight 'nowhere'" in broken(net, nodes=with_node(net, "stem", weights={"weight": "nowhere"}))
    assert "belongs to no node" in broken(net, nodes=with_node(net, "unused", weights={}))
    renamed = {**net.weights, "other": net.weights["stem.weight"]}
    assert "is filed under 'other'" in broken(net, weights=renamed)


def test_a_graph_cannot_be_changed(net):
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.nodes[0].name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.name = "other"


def test_networkx_sees_values_positions_and_nodes(net):
    network = digraph(net)
    assert network.nodes["stem"]["node"] is net.by_name["stem"]
    edges = [(u, data["value"], data["position"]) for u, _, data in network.in_edges("add1", data=True)]
    assert sorted(edges, key=lambda edge: edge[2]) == [("conv2", "conv2", 0), ("a", "a", 1)]


def test_live_nodes_reach_an_output(net):
    assert live_nodes(net) == {"image", "stem", "a", "conv2", "add1", "last"}


def test_execution_order_is_the_order_of_the_text(net):
    assert list(execution_order(net)) == [node.name for node in net.nodes]
    assert find_cycle(net) == ()


def test_a_cycle_is_found(net):
    turned = dataclasses.replace(net, nodes=with_node(net, "stem", inputs=("last",)))
    assert set(find_cycle(turned)) == {"stem", "a", "conv2", "add1", "last"} or len(find_cycle(turned)) >= 3


def test_the_text_form_has_a_line_per_node_weight_and_output(net):
    lines = format_graph(net).splitlines()
    assert lines[0] == "graph Net"
    assert lines[1] == "input image: 3 x 8 x 8"
    assert lines[2].startswith(
        "stem: 4 x 8 x 8 = conv(image) {channels=4, kernel=(3, 3), stride=(1, 1), pad=(1, 1, 1, 1)"
    )
    assert lines[2].endswith("weight=@stem.weight bias=@stem.bias")
    assert "statistic last.running_mean: 4" in lines
    assert lines[-1] == "output last = last"


def test_leaving_nodes_out_leaves_their_weights_out(net):
    kept = net.with_nodes(tuple(node for node in net.nodes if node.name != "unused"))
    verify(kept)
    assert net.parameters - kept.parameters == 4 * 9 + 9


def test_building_a_graph_does_not_import_networkx():
    code = (
        "import sys; from striate.host.catalogue import HostCatalogue; from striate.elaborate import elaborate\n"
        "from striate_dsl.parser import parse; from striate_dsl.source import Source\n"
        "file = parse(Source('n', 'model N { input i: 1 x 8 x 8; conv(4, 3); output y }')).file\n"
        "assert elaborate(file, 'N', HostCatalogue()).graph is not None\n"
        "heavy = {'torch', 'triton', 'onnx', 'numpy', 'networkx', 'pluggy', 'lightning', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
