"""The nodes of a graph in an order in which every value is made before it is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Set

from onnx import GraphProto, NodeProto

from striate.importing.findings import broken, shown


def in_order(graph: GraphProto, given: Set[str]) -> list[NodeProto]:
    """Return the nodes, in the file's order wherever that is possible.

    Args:
        graph: the graph.
        given: the values that are there from the start.

    Raises:
        DiagnosticError: E0611, two nodes make one value, a value is made by none, or nodes wait for each other.
    """
    makers = _makers(graph, given)
    waiting, users = [0] * len(graph.node), [[] for _ in graph.node]  # type: list[int], list[list[int]]
    for place, node in enumerate(graph.node):
        for name in {item for item in node.input if item and item not in given}:
            if name not in makers:
                raise broken(
                    f"node {shown(node.name) or place} ({shown(node.op_type)}) uses {shown(name)}, which nothing makes",
                    "it is neither an input, an initializer, nor what another node makes",
                )
            waiting[place] += 1
            users[makers[name]].append(place)
    done = _sorted(waiting, users)
    if len(done) < len(graph.node):
        left = next(place for place, count in enumerate(waiting) if count)
        raise broken(f"nodes wait for each other in a circle, among them {shown(graph.node[left].name) or left}")
    return [graph.node[place] for place in done]


def _makers(graph: GraphProto, given: Set[str]) -> dict[str, int]:
    makers: dict[str, int] = {}
    for place, node in enumerate(graph.node):
        for name in node.output:
            if name and (name in makers or name in given):
                raise broken(f"two nodes or tensors are called {shown(name)}")
            if name:
                makers[name] = place
    return makers


def _sorted(waiting: list[int], users: list[list[int]]) -> list[int]:
    """Return the places of nodes, each behind those it waits for; leaves the counts of the others above 0."""
    if not any(user <= place for place, each in enumerate(users) for user in each):
        waiting[:] = [0] * len(waiting)
        return list(range(len(waiting)))
    ready = deque(place for place, count in enumerate(waiting) if not count)
    done = []
    while ready:
        place = ready.popleft()
        done.append(place)
        for user in users[place]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return done
