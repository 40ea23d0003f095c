"""Cutting a graph into groups, from the first cut to the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from striate.fusion.chains import take_chains
from striate.fusion.cutting import Cutting
from striate.fusion.epilogues import take_epilogues, take_prologues
from striate.fusion.group import Group, Kind, Plan
from striate.fusion.machine import MACHINES, Machine
from striate.fusion.slices import lay_out
from striate.graph import Graph
from striate.ops.record import OpRecord

Lookup = Callable[[str], OpRecord]
Level = Literal["layers", "epilogues", "chains"]
"""How far layers are united: not at all, each product with what lies around it, or products in a row as well."""


def partition(graph: Graph, lookup: Lookup, level: Level = "chains", machine: Machine = MACHINES["h200"]) -> Plan:
    """Return a graph cut into groups.

    Args:
        graph: a graph for evaluation, without dropout and the like (`DropInferenceNoops`).
        lookup: from a layer's name to its record.
        level: how far layers are united.
        machine: the processor whose memory and registers chains must fit.
    """
    cutting = Cutting(graph, {node.op: lookup(node.op) for node in graph.nodes})
    if level != "layers":
        take_epilogues(cutting)
        take_prologues(cutting)
    if level == "chains":
        take_chains(cutting, machine)
    slices = {} if level == "layers" else lay_out(cutting)
    groups = tuple(_group(cutting, which) for which in cutting.ordered())
    return Plan(graph, groups, slices, cutting.roles)


def _group(cutting: Cutting, which: int) -> Group:
    nodes, hearts = cutting.nodes(which), cutting.hearts(which)
    inputs, outputs = cutting.borders(which)
    return Group(_kind(cutting, which), nodes, inputs, outputs, tuple(heart.name for heart in hearts))


def _kind(cutting: Cutting, which: int) -> Kind:
    products = [heart for heart in cutting.hearts(which) if cutting.roles[heart.name] != "pool"]
    if len(products) > 1:
        return "chain"
    if products:
        return "depthwise" if cutting.roles[products[0].name] == "depthwise" else "product"
    if cutting.hearts(which):
        return "pool"
    roles = {cutting.roles[node.name] for node in cutting.nodes(which)}
    if roles <= {"entrywise", "merge"}:
        return "pointwise"
    if roles == {"concat"}:
        return "buffer"
    return "view" if roles == {"view"} else "other"
