"""Dilated convolutions one after the other whose rates share a factor: the result sees a grid, not the image."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.subject import Network, Subject, Use

_Rates = tuple[int, ...]
"""The dilation per axis; nothing where no axis is dilated."""
_NONE: _Rates = ()


def _rates(node: Node) -> _Rates | None:
    """Return the dilation of a convolution per axis, where it has an effect; None for other layers."""
    if node.op != "conv":
        return None
    kernel, dilation = node.attributes["kernel"], node.attributes["dilation"]
    if max(kernel) == 1 and max(node.attributes["stride"]) == 1:
        return None  # looks at one pixel only, as an activation does
    rates = tuple(rate if size > 1 else 1 for rate, size in zip(dilation, kernel, strict=True))
    return _NONE if set(rates) == {1} else rates


def _keeps_pixels(network: Network, node: Node) -> bool:
    """Whether a layer of one input leaves every pixel where it is."""
    if node.op == "conv":
        return _rates(node) is None
    shape = network.graph.types[node.inputs[0]].shape
    return len(shape) > 1 and node.outputs[0].type.shape[1:] == shape[1:] and "kernel" not in node.attributes


def _runs(network: Network) -> Iterator[tuple[Node, _Rates, _Rates]]:
    """Yield the second convolution of every run whose rates have a common factor, with the two rates."""
    last: dict[str, _Rates] = {}
    told: set[str] = set()
    for node in network.graph.nodes:
        value, rates = node.outputs[0].name, _rates(node)
        before = last.get(node.inputs[0], _NONE) if node.inputs else _NONE
        if rates is None:
            if before != _NONE and _keeps_pixels(network, node):
                last[value] = before
                if node.inputs[0] in told:
                    told.add(value)
            continue
        shared = any(gcd(one, other) > 1 for one, other in zip(before, rates, strict=False))
        if shared and node.inputs[0] not in told:
            yield node, before, rates
        if shared:
            told.add(value)
        if rates != _NONE:
            last[value] = rates


def _gridding(subject: Subject) -> Iterator[Finding]:
    seen = set()
    for network in subject.networks:
        if not any(max(node.attributes["dilation"]) > 1 for node in network.graph.nodes if node.op == "conv"):
            continue
        for node, before, rates in _runs(network):
            span = node.origin.span
            if span.source is not subject.file.span.source or span in seen:
                continue
            seen.add(span)
            factor = max(gcd(one, other) for one, other in zip(before, rates, strict=False))
            yield Finding(
                span,
                f"dilation {max(rates)} after dilation {max(before)}: both are multiples of {factor}, so both look at "
                f"the same every {_ordinal(factor)} pixel",
                notes=Use(network, node).notes,
                help="use rates without a common factor, e.g. 1, 2, 5",
            )


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


LINTS = (
    Lint(
        "W0106",
        "dilation gridding",
        "consecutive dilations with a common factor look at the same sparse grid, and what lies between has no "
        "influence: the output shows the grid",
        "Wang et al., Understanding convolution for semantic segmentation, 2018, section 3.2",
        _gridding,
    ),
)
