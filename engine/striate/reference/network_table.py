"""A network as a table of its outermost calls, the way a paper prints it: its rows, their outputs and their costs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from striate.analysis.costs import Lookup, elements
from striate.elaborate import Elaboration
from striate.graph import Graph
from striate.reference.page import Table
from striate.view.columns import COLUMNS
from striate.view.conditions import conditions
from striate.view.rows import added, layer_rows
from striate.view.tree import Group, build_tree
from striate.view.wording import Wording

_COLUMNS = ("layers", "output", "parameters", "MACs", "receptive field")


def network_table(built: Elaboration, graph: Graph, lookup: Lookup) -> Table:
    """Return the table of a network: alike calls behind each other are one row while the image keeps its size.

    Layers that have no weights and do not change how much flows (activations, dropout, flatten) are left out.
    """
    wording = Wording.of(built.domain)
    groups = build_tree(layer_rows(graph, lookup, conditions({}, 1, "fp32", None, None)))
    told = _telling(groups, graph)
    return Table(_COLUMNS, tuple(_row(list(run), wording) for _, run in groupby(told, _look)))


def _telling(groups: tuple[Group, ...], graph: Graph) -> Iterator[Group]:
    """Yield the groups that cost something, or change how much flows."""
    before = elements(graph.inputs[0].value.type)
    for group in groups:
        if group.parameters or group.macs != 0 or elements(group.output) != before:
            yield group
        before = elements(group.output)


def _look(group: Group) -> tuple[object, ...]:
    """Return what the calls of one row have in common."""
    return group.label, _detail(group), group.output.shape[1:]


def _detail(group: Group) -> str:
    """Return the kernel and the like of a layer."""
    return str(COLUMNS["detail"].value(group) or "")


def _row(run: list[Group], wording: Wording) -> tuple[str, ...]:
    count, last = sum(group.count for group in run), run[-1]
    label = f"{f'{count} x ' if count > 1 else ''}{last.label} {_detail(last)}".strip()
    parameters, macs = sum(group.parameters for group in run), added(group.macs for group in run)
    return (
        label,
        wording.size(last.output, spaced=True),
        f"{parameters:,}" if parameters else "",
        wording.count(macs, full=True) if macs != 0 else "",
        str(COLUMNS["field"].value(last)),
    )
