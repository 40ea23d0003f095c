"""What a pass is, and how passes are run one after the other.

A pass takes a graph and returns another one that computes the same; it never changes the graph it was given, and every
node it keeps keeps its name and its origin. With `verify` these promises are checked around every pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from striate.graph import Graph, format_graph
from striate.graph.verifier import GraphError
from striate.graph.verifier import verify as verify_graph


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds of a graph; `problems` yields one sentence for every place where it does not."""

    name: str
    problems: Callable[[Graph], Iterable[str]]


class Rewritten(NamedTuple):
    """What a pass returns: the graph, and whether it differs from the one that went in."""

    graph: Graph
    modified: bool


class GraphPass(ABC):
    """One rewrite. Options are fields of the subclass.

    Attributes:
        name: the name on the command line and in messages, the same as the module's.
        requires: what must hold of the graph that goes in.
        ensures: what holds of the graph that comes out.
    """

    name: ClassVar[str]

    @property
    def requires(self) -> tuple[Condition, ...]:
        """What must hold of the graph that goes in, beyond what the graph's verifier asks of every graph."""
        return ()

    @property
    def ensures(self) -> tuple[Condition, ...]:
        """What holds of the graph that comes out, beyond what the graph's verifier asks of every graph."""
        return ()

    @abstractmethod
    def run(self, graph: Graph) -> Rewritten:
        """Return the rewritten graph; the given one stays as it is."""


class PassError(Exception):
    """A pass broke its contract: a fault of striate or of a plugin's pass, never of the user's file."""


AfterPass = Callable[[GraphPass, Rewritten], None]


def run_passes(
    graph: Graph, passes: Sequence[GraphPass], *, verify: bool = False, after: AfterPass | None = None
) -> Rewritten:
    """Run passes in order.

    Args:
        graph: the graph to begin with.
        passes: the passes.
        verify: check the graph and every pass's contract before and after it.
        after: called after every pass with the pass and what it returned, e.g. to print the graph.

    Raises:
        PassError: with `verify`, a pass broke its contract.
        GraphError: with `verify`, the graph that goes in breaks the rules of all graphs.
    """
    if verify:
        verify_graph(graph)
    modified = False
    for each in passes:
        result = _run_verified(each, graph) if verify else each.run(graph)
        graph, modified = result.graph, modified or result.modified
        if after is not None:
            after(each, result)
    return Rewritten(graph, modified)


def _run_verified(each: GraphPass, graph: Graph) -> Rewritten:
    _hold(each, "requires", each.requires, graph)
    before = format_graph(graph)
    result = each.run(graph)
    problems = [] if format_graph(graph) == before else ["it changed the graph that it was given"]
    problems += _broken_promises(graph, result)
    if problems:
        raise PassError(f"pass {each.name} broke its contract:\n" + "\n".join(f"  {item}" for item in problems))
    try:
        verify_graph(result.graph)
    except GraphError as error:
        raise PassError(f"pass {each.name} broke the graph: {error}") from error
    _hold(each, "ensures", each.ensures, result.graph)
    return result


def _hold(each: GraphPass, verb: str, conditions: Iterable[Condition], graph: Graph) -> None:
    for condition in conditions:
        problems = list(condition.problems(graph))
        if problems:
            lines = "\n".join(f"  {item}" for item in problems)
            raise PassError(f"pass {each.name} {verb} {condition.name!r}, which does not hold:\n{lines}")


def _broken_promises(before: Graph, result: Rewritten) -> Iterator[str]:
    after = result.graph
    if after.inputs != before.inputs:
        yield "inputs are no longer the same"
    if _interface(after) != _interface(before):
        yield "outputs no longer have the same names and sizes"
    if not result.modified and format_graph(after) != format_graph(before):
        yield "it changed the graph and said that it did not"
    for name in after.by_name.keys() & before.by_name.keys():
        if after.by_name[name].origin != before.by_name[name].origin:
            yield f"node {name!r} lost its origin"
    for name in after.weights.keys() & before.weights.keys():
        if after.weights[name] != before.weights[name]:
            yield f"weight {name!r} changed"


def _interface(graph: Graph) -> list[tuple[str, object]]:
    return [(name, graph.types.get(value)) for name, value in graph.outputs.items()]
