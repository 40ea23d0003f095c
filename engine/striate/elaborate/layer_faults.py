"""What to say of a layer call that is refused: the place to blame, the values that met there, the repairs.

Imported when the first call is refused: a file without mistakes never waits for it.
"""

from __future__ import annotations

from traceback import extract_tb

from striate.elaborate.faults import Fault, fault, trail_notes
from striate.elaborate.network import Incoming, LayerCall, Network
from striate.elaborate.repairs.arguments import repairs_of
from striate.elaborate.repairs.habits import pooled_before_flatten, without_input_channels
from striate.elaborate.repairs.merging import explain_merge
from striate.elaborate.repairs.values import repairs_in_call
from striate.graph import format_shape
from striate.ops.arguments import Argument, ArgumentError, Choice
from striate.ops.problems import Problem
from striate_dsl.diagnostics import Diagnostic, Fix, Label
from striate_dsl.limits import SIZE_TERMS
from striate_dsl.source import Span


def refused_value(layer: LayerCall, argument: Argument, error: ArgumentError) -> Fault:
    """Return the fault of an argument whose kind does not take the value."""
    given = layer.arguments.get(argument.name)
    place = layer.call.callee.span if given is None else given.span
    unknown = given is not None and isinstance(given.value, Choice)
    fixes = () if given is None else repairs_in_call(layer, argument, given)
    return fault(
        "E0211",
        f"{layer.written}: {argument.name} {error}",
        place,
        notes=(layer.record.signature, *trail_notes(layer.scope.trail)),
        help=_advice(fixes, place) if unknown else fixes[0].title if fixes else None,
        fixes=fixes,
    )


def _advice(fixes: tuple[Fix, ...], place: Span) -> str:
    """Return what to say about a plain name that is no legal choice."""
    near = fixes[0].edits[0].replacement if fixes else None
    return f"did you mean {near}?" if near else f"{place.text} is not the name of a value here"


def refused_by_rule(layer: LayerCall, problem: Problem, network: Network) -> Fault:
    """Return the fault of what a record's rules refuse, with the repairs that they and the network make possible."""
    given = layer.arguments.get(problem.argument) if problem.argument else None
    span = given.span if given else layer.call.callee.span
    label = ""
    labels: tuple[Label, ...] = ()
    habits = _habits(layer, problem, network)
    fixes = (*habits, *repairs_of(layer, problem))
    notes, help = problem.notes, habits[0].title if habits else problem.help
    if problem.position is not None:
        span, label, labels = _blame(layer, problem.position, problem.other)
        if problem.axis is not None:
            found = explain_merge(layer, problem, network)
            labels, notes = (*labels, *found.labels), (*notes, *found.notes)
            fixes, help = (*fixes, *found.fixes), help or found.help
    return Fault(
        Diagnostic(
            problem.code,
            f"{layer.written}: {problem.message}",
            span,
            label,
            labels=labels,
            notes=(*notes, *trail_notes(layer.scope.trail)),
            help=help,
            fixes=fixes,
        )
    )


def _habits(layer: LayerCall, problem: Problem, network: Network) -> tuple[Fix, ...]:
    """Return the repairs of what people are used to write elsewhere."""
    if problem.code == "E0202":
        return without_input_channels(layer)
    return pooled_before_flatten(layer, network) if problem.code == "E0207" and layer.incoming else ()


def _blame(layer: LayerCall, position: int, other: int) -> tuple[Span, str, tuple[Label, ...]]:
    """Point at the value that does not fit, and at the one it does not fit to, with their sizes."""
    culprit, first = layer.incoming[position], layer.incoming[other]
    callee = layer.call.callee.span
    label = f"this gives {_size(culprit)}"
    if first.span is None or first.span == culprit.span:
        return culprit.span or callee, f"{label}, what flows in is {_size(first)}", ()
    return culprit.span or callee, label, (Label(first.span, f"this gives {_size(first)}"),)


def endless_size(layer: LayerCall, *, large: bool) -> Fault:
    """Return the fault of a size beyond the largest number (`large`), or of one with too many terms to reason about."""
    what = "larger than 2^63" if large else "too complicated"
    return fault(
        "E0343",
        f"{layer.written}: a size gets {what}",
        layer.call.callee.span,
        notes=(f"the sizes that flow in: {', '.join(map(_size, layer.incoming))}", *trail_notes(layer.scope.trail)),
        help=None if large else f"fix sizes in the input line; {SIZE_TERMS.advice}",
    )


def _size(incoming: Incoming) -> str:
    return format_shape(incoming.value.type) if incoming.value.type else "an unknown size"


def failed_rule(layer: LayerCall, error: Exception) -> Fault:
    """Return the finding about a plugin's layer whose rule has raised what only a mistake in it can raise."""
    lines = str(error).strip().splitlines()
    told = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = extract_tb(error.__traceback__)
    return fault(
        "E0720",
        f"the rules of the layer {layer.record.name} failed: {told}",
        layer.call.span,
        notes=(f"raised in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}",) if frames else (),
        help=_OF_A_PLUGIN.format(layer.record.name),
    )


def broken_rule(layer: LayerCall, problem: str) -> Fault:
    """Return the finding about a plugin's layer whose rules give what they may not give."""
    return fault(
        "E0721", f"{layer.record.name}: {problem}", layer.call.span, help=_OF_A_PLUGIN.format(layer.record.name)
    )


_OF_A_PLUGIN = "tell its author: striate plugins which {} says which plugin provides it"
