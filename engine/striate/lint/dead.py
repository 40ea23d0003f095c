"""Layers and inputs that no output depends on."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.subject import Network, Subject
from striate_dsl.source import Span


def _spans(node: Node) -> tuple[Span, ...]:
    """Return the places a node comes from: the block instances around it, outermost first, and its own call."""
    return (*(frame.span for frame in node.origin.trail), node.origin.span)


def _is_live(network: Network, node: Node) -> bool:
    return any(value.name in network.live for value in node.outputs)


def _dead_layers(subject: Subject) -> Iterator[Finding]:
    """Report the last layer of every dead line, and a block whose layers are all dead as a whole.

    A place that is needed in one model or one use of a block is not dead.
    """
    dead = {
        id(network): [node for node in network.graph.nodes if not _is_live(network, node)]
        for network in subject.networks
    }
    if any(dead.values()):
        needed = {
            span
            for network in subject.networks
            for node in network.graph.nodes
            if _is_live(network, node)
            for span in _spans(node)
        }
        seen: set[Span] = set()
        for network in subject.networks:
            for span in _ends(network, dead[id(network)], needed):
                if span not in seen and span.source is subject.file.span.source:
                    seen.add(span)
                    yield _no_output(network, span)
    yield from _unused_inputs(subject)


def _ends(network: Network, dead: list[Node], needed: set[Span]) -> Iterator[Span]:
    places = {node.name: next((span for span in _spans(node) if span not in needed), None) for node in dead}
    for node in dead:
        place = places[node.name]
        users = [user for value in node.outputs for user in network.users.get(value.name, ())]
        if place is not None and not any(places.get(user.name) for user in users):
            yield place


def _no_output(network: Network, span: Span) -> Finding:
    return Finding(
        span,
        f"no output of {network.graph.name} depends on this",
        help="merge it, name it as an output, or remove it",
    )


def _unused_inputs(subject: Subject) -> Iterator[Finding]:
    used: dict[Span, bool] = {}
    names: dict[Span, str] = {}
    for network in subject.networks:
        for item in network.graph.inputs:
            name, span = item.value.name, item.origin.span
            names[span] = name
            used[span] = used.get(span, False) or bool(network.users.get(name)) or name in network.outputs
    for span, is_used in used.items():
        if not is_used and span.source is subject.file.span.source:
            yield Finding(span, f"input {names[span]} is not used", help="remove it, or start a line from it")


LINTS = (
    Lint(
        "W0112",
        "layers that reach no output",
        "they take time and memory in training and are left out of the export, so they cannot be what was meant",
        "Aho, Lam, Sethi and Ullman, Compilers, 2006, section 9.1.6 (dead code)",
        _dead_layers,
    ),
)
