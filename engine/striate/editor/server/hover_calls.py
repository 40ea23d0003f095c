"""What a call does in the models that run over it: sizes by formula with their numbers, parameters, costs, paths."""

from __future__ import annotations

from collections.abc import Iterable

from striate.dims import Dim, format_dim
from striate.editor.server.builds import Build
from striate.editor.server.instances import Run, spread
from striate.graph import Node, TensorType, format_shape
from striate.ops.geometry import axis_names
from striate.ops.record import OpRecord
from striate.view.numbers import full_number, short_number

MOST_SHOWN = 3
"""Runs over one call that are shown in full."""


def layer_uses(runs: list[Run], record: OpRecord) -> str:
    """Return what a layer's call computes, for its first few instances in full and the others in short."""
    made = [(run, node) for run in runs if (node := _node_of(run)) is not None and node.op == record.name]
    shown = [_layer_use(run.build, node, record) for run, node in made[:MOST_SHOWN]]
    rest = made[MOST_SHOWN:]
    if rest:
        sizes = spread([node.outputs[0].type for _, node in rest])
        shown.append(f"and {len(rest)} more: {sizes}")
    return "\n\n".join(shown)


def block_uses(runs: list[Run]) -> str:
    """Return what a block's call makes: sizes, layers, parameters, for its first few instances."""
    shown = [text for run in runs[:MOST_SHOWN] if (text := _block_use(run))]
    rest = runs[MOST_SHOWN:]
    if rest:
        sizes = spread([run.visit.result.type for run in rest if run.visit.result.type is not None])
        shown.append(f"and {len(rest)} more: {sizes}")
    return "\n\n".join(shown)


def model_totals(build: Build) -> str:
    """Return the layers, parameters and multiply-adds of a model."""
    graph = build.graph
    macs: Dim = 0
    for node in graph.nodes:
        macs = macs + _macs(build, node)
    return ", ".join([f"{len(graph.nodes)} layers", f"{full_number(graph.parameters)} parameters", _macs_text(macs)])


def _node_of(run: Run) -> Node | None:
    visit, nodes = run.visit, run.build.graph.nodes
    return nodes[visit.stop - 1] if visit.first < visit.stop <= len(nodes) else None


def _layer_use(build: Build, node: Node, record: OpRecord) -> str:
    inputs = tuple(build.types[name] for name in node.inputs)
    shapes = ", ".join(map(format_shape, inputs))
    lines = [f"**{build.model}** `{node.name}`", f"{shapes} → {format_shape(node.outputs[0].type)}"]
    lines += _formulas(record, node, inputs)
    facts = [_parameters_text(build, [node])] if node.weights else []
    macs = _macs(build, node)
    facts += [_macs_text(macs)] if macs != 0 else []
    if build.fields is not None:
        seen = build.fields.of(node.outputs[0].name)
        facts.append("sees the whole input" if isinstance(seen, str) else f"sees {' x '.join(map(str, seen))}")
    return "  \n".join([*lines, ", ".join(facts)] if facts else lines)


def _formulas(record: OpRecord, node: Node, inputs: tuple[TensorType, ...]) -> list[str]:
    """Return the output size of every axis by its formula; axes with the same one share a line."""
    output = node.outputs[0].type
    names = axis_names(output.rank - 1) if 2 <= output.rank <= 4 else ()
    axes: dict[str, list[str]] = {}
    for axis, name in enumerate(names):
        formula = record.formula(node.attributes, inputs, axis)
        if formula:
            axes.setdefault(f"{formula} = {format_dim(output.shape[axis + 1])}", []).append(name)
    return [f"{', '.join(same)}: `{formula}`" for formula, same in axes.items()]


def _block_use(run: Run) -> str:
    build, visit = run.build, run.visit
    if visit.result.type is None:
        return ""
    nodes = build.graph.nodes[visit.first : visit.stop]
    before = format_shape(visit.incoming.type) + " → " if visit.incoming and visit.incoming.type else ""
    facts = [f"{len(nodes)} layer{'s' * (len(nodes) != 1)}", _parameters_text(build, nodes)]
    head = f"**{build.model}** `{visit.path}`"
    return "  \n".join([head, before + format_shape(visit.result.type), ", ".join(facts)])


def _parameters_text(build: Build, nodes: Iterable[Node]) -> str:
    names = {name for node in nodes for name in node.weights.values()}
    weights = (build.graph.weights[name] for name in names)
    return f"{full_number(sum(weight.size for weight in weights if weight.trainable))} parameters"


def _macs(build: Build, node: Node) -> Dim:
    record = build.catalogue.layer(node.op)
    if record is None:
        return 0
    inputs = tuple(build.types[name] for name in node.inputs)
    return record.macs(node.attributes, inputs, tuple(value.type for value in node.outputs))


def _macs_text(macs: Dim) -> str:
    return f"{short_number(macs, gap=' ')} MACs" if isinstance(macs, int) else f"{format_dim(macs)} MACs"
