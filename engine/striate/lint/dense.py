"""A dense layer on a whole map that holds most of the network's parameters."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.subject import Network, Place, Subject
from striate.ops.record import OpRecord
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span

_SHARE = 0.5
_LEAST = 1_000_000


def _is_between(record: OpRecord) -> bool:
    return record.inference == "same" or record.role == "activation" or record.name == "sigmoid"


def _flattened_map(network: Network, dense: Node) -> Node | None:
    """Return the flatten of a map larger than 1 x 1 that a dense layer works on."""
    node = network.producers.get(dense.inputs[0])
    while node is not None and _is_between(network.record(node)):
        node = network.producers.get(node.inputs[0])
    if node is None or node.op != "flatten":
        return None
    shape = network.input_shape(node)
    return node if len(shape) == 3 and tuple(shape[1:]) != (1, 1) else None


def _large_dense(subject: Subject) -> Iterator[Finding]:
    for place in subject.places("dense"):
        for use in place.uses:
            graph, node = use.network.graph, use.node
            size = graph.weights[node.weights["weight"]].size
            if size <= _LEAST or size <= _SHARE * graph.parameters:
                continue
            flatten = _flattened_map(use.network, node)
            if flatten is None:
                continue
            channels, *sizes = use.network.input_shape(flatten)
            pooled = size // graph.types[node.inputs[0]].shape[0] * channels  # type: ignore[operator]  # weights are known
            yield Finding(
                place.span,
                f"{size:,} of the {graph.parameters:,} parameters are in this layer, on a flattened map of "
                f"{channels} x {' x '.join(map(str, sizes))}",
                notes=use.notes,
                help=f"global_avgpool before flatten leaves {pooled:,} here",
                fix=_pooled(subject, place, flatten),
            )
            break


def _pooled(subject: Subject, place: Place, flatten: Node) -> Fix | None:
    span = flatten.origin.span
    if span.source is not place.span.source or subject.sites.find(span, "flatten") is None:
        return None
    edit = Edit(Span(span.source, span.start, span.start), "global_avgpool -> ")
    return Fix("global_avgpool -> flatten", (edit,), "unsafe")


LINTS = (
    Lint(
        "W0114",
        "dense layer that holds most parameters",
        "a dense layer on a flattened map overfits, fixes the size of the input and fills the memory; the mean of each "
        "channel does as well with a fraction of the weights",
        "Lin, Chen and Yan, Network in network, 2014, section 3.2",
        _large_dense,
    ),
)
