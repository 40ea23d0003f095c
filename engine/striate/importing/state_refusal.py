"""Why weights are not taken: what is missing, left over or of another size, in a few lines; the table has all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from striate.elaborate.writing import written_value
from striate.graph import Graph
from striate.importing.state_choice import Choice
from striate.importing.state_matching import Match, Row, Status
from striate.importing.state_structure import Doubt
from striate.runtime.stored_tensor import StateFile
from striate_dsl.diagnostics import Diagnostic

_SHOWN = 6
"""Names of one kind that a message shows before it counts the rest."""

_PROBLEMS: tuple[Status, ...] = ("differs", "unusable", "missing", "unexpected")


def refusal(state: StateFile, graph: Graph, choice: Choice, *, partial: bool) -> Diagnostic | None:
    """Return why a match is not taken, None where it is.

    Args:
        state: the file.
        graph: the network.
        choice: which tensor is which weight.
        partial: whether weights without a tensor may start anew.
    """
    match = choice.match
    if match.found == 0:
        return _none(state, graph, choice)
    unusable = [row for row in match.rows if row.status == "unusable"]
    if unusable and match.counts.get("differs", 0) == match.counts.get("missing", 0) == 0:
        return _unusable(state, match, unusable)
    if unlike := _unlike(graph, match):
        return _other_parameters(state, graph, match, unlike)
    if match.complete or partial:
        return None
    return Diagnostic(
        "E0664",
        f"the weights in {state.path} do not fit {graph.name}: {_counted(match)}",
        notes=(*_listed(match), *_with_names(match), "nothing was written"),
        help=_advice(match),
    )


def _unlike(graph: Graph, match: Match) -> dict[str, str]:
    """Return the model parameters that these weights need and that the network has otherwise."""
    needed = match.convention.parameters if match.convention else ()
    return {
        name: value
        for name, value in needed
        if name in graph.arguments and not _equal(_written(graph.arguments[name]), value)
    }


def _written(value: Any) -> str:
    """Return an argument that a graph keeps as the language writes it; layers and blocks are kept as names."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        named = [f"{name} = {_written(item)}" for name, item in value.items() if name not in ("name", "positional")]
        return f"{value['name']}({', '.join([*map(_written, value['positional']), *named])})"
    return written_value(value)


def _equal(first: str, second: str) -> bool:
    try:
        return float(first) == float(second)
    except ValueError:
        return first == second


def _other_parameters(state: StateFile, graph: Graph, match: Match, unlike: Mapping[str, str]) -> Diagnostic:
    now = ", ".join(f"{name} = {_written(graph.arguments[name])}" for name in unlike)
    needed = ", ".join(f"{name} = {value}" for name, value in unlike.items())
    return Diagnostic(
        "E0664",
        f"the weights in {state.path} were trained with {needed}, and {graph.name} has {now}",
        notes=(*_with_names(match), "names and sizes fit, but the network would compute something else"),
        help=f"pass {' '.join(f'--set {name}={value}' for name, value in unlike.items())}",
    )


def _none(state: StateFile, graph: Graph, choice: Choice) -> Diagnostic:
    doubt = choice.doubt
    if doubt is None:
        return Diagnostic(
            "E0664",
            f"no tensor in {state.path} fits a weight of {graph.name}",
            notes=(*_listed(choice.match), "nothing was written"),
            help="choose the network that these weights were trained with",
        )
    if doubt.differs:
        return Diagnostic(
            "E0664",
            f"the weights in {state.path} are of another network than {graph.name}",
            notes=("their names are not known", doubt.reason, *_candidates(doubt), "nothing was written"),
            help="choose the network that these weights were trained with",
        )
    return Diagnostic(
        "E0665",
        f"the names in {state.path} are not known for {graph.name}, and order and sizes leave it open which is which",
        notes=(doubt.reason, *_candidates(doubt), "nothing was written"),
        help="write a name map and pass it with --names (docs/weights.md), or choose another network",
    )


def _candidates(doubt: Doubt) -> list[str]:
    lines = []
    if doubt.ours:
        lines.append(f"in the network: {_some(doubt.ours)}")
    if doubt.theirs:
        lines.append(f"in the file: {_some(doubt.theirs)}")
    return lines


def _unusable(state: StateFile, match: Match, rows: Sequence[Row]) -> Diagnostic:
    first = rows[0]
    more = f" ({len(rows) - 1} more like it)" if len(rows) > 1 else ""
    return Diagnostic(
        "E0668",
        f"{match.prefix}{first.key} in {state.path} cannot be a weight: {first.reason}{more}",
        notes=("weights are float64, float32, float16 or bfloat16", "nothing was written"),
        help="take the weights from before they were quantised or packed",
    )


def _counted(match: Match) -> str:
    words = {
        "differs": "of another size",
        "unusable": "not usable",
        "missing": "missing",
        "unexpected": "unexpected",
    }
    return ", ".join(f"{match.counts[status]:,} {words[status]}" for status in _PROBLEMS if match.counts.get(status, 0))


def _listed(match: Match) -> list[str]:
    lines = []
    for status in _PROBLEMS:
        rows = [row for row in match.rows if row.status == status]
        lines += [row_text(row) for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(f"and {len(rows) - _SHOWN:,} more {status}")
    return lines


def row_text(row: Row) -> str:
    """Return a problem in one line."""
    if row.status == "differs":
        return f"differs: {row.weight} is {size_text(row.shape)}, {row.key} is {size_text(row.stored)}"
    if row.status == "unusable":
        return f"unusable: {row.key}: {row.reason}"
    if row.status == "missing":
        looked = f", expected as {row.expected}" if row.expected and row.expected != row.weight else ""
        return f"missing: {row.weight} ({size_text(row.shape)}{looked})"
    return f"{row.status}: {row.key} ({size_text(row.stored)})"


def size_text(shape: tuple[int, ...] | None) -> str:
    """Return a size for people."""
    return " x ".join(map(str, shape)) if shape else "a single number"


def _with_names(match: Match) -> list[str]:
    if match.how == "structure":
        return []
    name = "the network's own" if match.convention is None else f"those of {match.convention.about}"
    under = f", under {match.prefix.rstrip('.')}" if match.prefix else ""
    return [f"the names are taken to be {name}{under}"]


def _advice(match: Match) -> str:
    wrong = [row for row in match.rows if row.status in ("differs", "missing")]
    if not wrong:
        return "pass --partial to leave out what the network has no weight for"
    if len({row.weight.rpartition(".")[0] for row in wrong if row.weight}) == 1:
        layer = str(wrong[0].weight).rpartition(".")[0]
        return f"pass --partial to let {layer} start anew (another number of classes, for example), or set its size"
    return "choose the network that these weights were trained with, or pass --partial to take what fits"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
