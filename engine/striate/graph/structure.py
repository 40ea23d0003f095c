"""Questions about the shape of a graph, answered by networkx: order, users, ancestors, paths.

The only module that imports networkx, and only when a question is asked: checking a file needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.graph.model import Graph

if TYPE_CHECKING:
    import networkx as nx


def digraph(graph: Graph) -> nx.MultiDiGraph[str]:
    """Return the graph as a networkx multigraph.

    Vertices are inputs and nodes by name (attribute `node` holds the `Node` of the latter); an edge carries the
    `value` that flows and the `position` at which its user takes it.
    """
    import networkx as nx

    network: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=graph.name)
    producer = {item.value.name: item.value.name for item in graph.inputs}
    network.add_nodes_from(producer)
    for node in graph.nodes:
        network.add_node(node.name, node=node)
        producer.update((value.name, node.name) for value in node.outputs)
    for node in graph.nodes:
        for position, value in enumerate(node.inputs):
            network.add_edge(producer[value], node.name, value=value, position=position)
    return network


def live_nodes(graph: Graph) -> frozenset[str]:
    """Return the names of the inputs and nodes that an output depends on."""
    import networkx as nx

    network = digraph(graph)
    producer = {value.name: node.name for node in graph.nodes for value in node.outputs}
    live: set[str] = set()
    for value in graph.outputs.values():
        end = producer.get(value, value)
        live |= {end} | nx.ancestors(network, end)
    return frozenset(live)


def find_cycle(graph: Graph) -> tuple[str, ...]:
    """Return the names along one cycle, or nothing where the graph has none (as every legal graph)."""
    import networkx as nx

    try:
        edges = nx.find_cycle(digraph(graph))
    except nx.NetworkXNoCycle:
        return ()
    return tuple(edge[0] for edge in edges)


def execution_order(graph: Graph) -> tuple[str, ...]:
    """Return node names in an order that respects the edges and otherwise keeps the order of the text."""
    import networkx as nx

    position = {node.name: index for index, node in enumerate(graph.nodes)}
    ordered = nx.lexicographical_topological_sort(digraph(graph), key=lambda name: position.get(name, -1))
    return tuple(name for name in ordered if name in position)
