"""From a layer call to a node: arguments bound and converted, sizes checked, weights made.

Everything a record refuses becomes a finding at the argument or branch it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.dims.constraints import Constraint
from striate.elaborate.faults import Fault, fault, renaming, suggestion, trail_notes
from striate.elaborate.scope import Scope
from striate.elaborate.values import UNKNOWN, Given, ValueRef
from striate.graph import Node, Origin, TensorType, Value, Weight, format_shape
from striate.ops.arguments import ArgumentError, Choice
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import OpRecord
from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from striate_dsl.source import Span
from striate_dsl.syntax import Call


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """A condition on the input size and the place that makes it."""

    constraint: Constraint
    origin: Origin


@dataclass(slots=True)
class Network:
    """The nodes, weights and conditions made so far."""

    nodes: list[Node] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    weights: dict[str, Weight] = field(default_factory=dict)
    conditions: list[OpenCondition] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A value that flows into a layer and the text it comes from (None for the value that flows along the line)."""

    value: ValueRef
    span: Span | None


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A layer call with everything evaluated; `span` is what findings point at when no argument is to blame."""

    record: OpRecord
    call: Call
    incoming: Sequence[Incoming]
    arguments: dict[str, Given]
    scope: Scope
    path: str
    weight_path: str

    @property
    def written(self) -> str:
        return self.call.callee.span.text


def bind_arguments(
    record: OpRecord, span: Span, positional: Sequence[Given], named: dict[str, Given]
) -> dict[str, Given]:
    """Assign positional and named arguments to the record's arguments.

    Raises:
        Fault: too many, unknown, or given twice.
    """
    known = [argument.name for argument in record.arguments]
    bound: dict[str, Given] = {}
    if len(positional) > len(known):
        extra = positional[len(known)]
        raise fault(
            "E0209",
            f"{record.name} takes {len(known)} arguments, this is one too many",
            extra.span,
            notes=(record.signature,),
        )
    for name, given in zip(known, positional, strict=False):
        bound[name] = given
    for name, given in named.items():
        if name not in known:
            near = suggestion(name, known)
            raise fault(
                "E0208",
                f"{record.name} has no argument {name}",
                _key(given),
                notes=(record.signature,),
                help=near,
                fixes=renaming(name, known, _key(given)),
            )
        if name in bound:
            raise fault("E0209", f"{name} is given twice", _key(given), labels=(Label(bound[name].span, "first here"),))
        bound[name] = given
    missing = [item.name for item in record.arguments if item.required and item.name not in bound]
    if missing:
        raise fault(
            "E0210",
            f"{record.name} needs {' and '.join(missing)}",
            span,
            notes=(record.signature,),
            help=f"{missing[0]}: {next(item.summary for item in record.arguments if item.name == missing[0])}",
        )
    return bound


def add_layer(layer: LayerCall, network: Network) -> ValueRef:
    """Check a layer, add its node to the network and return its value; an unknown input gives an unknown value.

    Raises:
        Fault: an argument has no legal value, or the sizes do not fit.
    """
    attributes = _convert(layer)
    if any(item.value.type is None for item in layer.incoming):
        return UNKNOWN
    inputs = tuple(item.value.type for item in layer.incoming if item.value.type is not None)
    check = Check()
    try:
        attributes = layer.record.settle(attributes, inputs)
        outputs = layer.record.shape(attributes, inputs, check)
        specs = layer.record.weights(attributes, inputs)
    except LayerError as error:
        raise _fault_of(layer, error.problem) from None
    origin = Origin(layer.call.span, layer.scope.trail)
    weights = {}
    for spec in specs:
        name = f"{layer.weight_path}.{spec.role}"
        weight = Weight(name, spec.shape, spec.initializer, spec.trainable)
        _share(layer, weight, network.weights.setdefault(name, weight))
        weights[spec.role] = name
    path = _free_name(layer, network)
    values = _values(path, outputs)
    network.nodes.append(
        Node(
            path,
            layer.record.name,
            tuple(item.value.name for item in layer.incoming),
            attributes,
            weights,
            values,
            origin,
        )
    )
    network.conditions.extend(OpenCondition(constraint, origin) for constraint in check.open)
    return ValueRef(values[0].name, values[0].type)


def _values(path: str, outputs: tuple[TensorType, ...]) -> tuple[Value, ...]:
    return tuple(Value(path if index == 0 else f"{path}:{index}", kind) for index, kind in enumerate(outputs))


def _convert(layer: LayerCall) -> dict[str, Any]:
    settled = {}
    for argument in layer.record.arguments:
        given = layer.arguments.get(argument.name)
        try:
            settled[argument.name] = argument.kind.convert(argument.default if given is None else given.value)
        except ArgumentError as error:
            place = layer.call.callee.span if given is None else given.span
            unknown = given is not None and isinstance(given.value, Choice)
            raise fault(
                "E0211",
                f"{layer.written}: {argument.name} {error}",
                place,
                notes=(layer.record.signature, *trail_notes(layer.scope.trail)),
                help=f"{place.text} is not the name of a value here" if unknown else None,
            ) from None
    return settled


def _share(layer: LayerCall, wanted: Weight, existing: Weight) -> None:
    if wanted.shape != existing.shape:
        raise fault(
            "E0317",
            f"{layer.written}: the shared weight {wanted.name} has size {existing.shape}, "
            f"here it would need {wanted.shape}",
            layer.call.callee.span,
            notes=trail_notes(layer.scope.trail),
            help="an instance made with let can only be used on values of the same size per sample",
        )


def _free_name(layer: LayerCall, network: Network) -> str:
    if layer.path in network.names:
        raise fault(
            "E0303",
            f"{layer.path} is the name of two layers",
            layer.call.callee.span,
            help="give one of them another name with as",
        )
    network.names.add(layer.path)
    return layer.path


def _fault_of(layer: LayerCall, problem: Problem) -> Fault:
    given = layer.arguments.get(problem.argument) if problem.argument else None
    span = given.span if given else layer.call.callee.span
    label = ""
    labels: tuple[Label, ...] = ()
    if problem.position is not None:
        span, label, labels = _blame(layer, problem.position)
    fixes = _fixes(layer, problem)
    return Fault(
        Diagnostic(
            problem.code,
            f"{layer.written}: {problem.message}",
            span,
            label,
            labels=labels,
            notes=(*problem.notes, *trail_notes(layer.scope.trail)),
            help=problem.help,
            fixes=fixes,
        )
    )


def _blame(layer: LayerCall, position: int) -> tuple[Span, str, tuple[Label, ...]]:
    """Point at the value that does not fit, and at the first one, with their sizes."""
    culprit, first = layer.incoming[position], layer.incoming[0]
    callee = layer.call.callee.span
    label = f"this gives {_size(culprit)}"
    if first.span is None or first.span == culprit.span:
        return culprit.span or callee, f"{label}, what flows in is {_size(first)}", ()
    return culprit.span or callee, label, (Label(first.span, f"this gives {_size(first)}"),)


def _size(incoming: Incoming) -> str:
    return format_shape(incoming.value.type) if incoming.value.type else "an unknown size"


def _fixes(layer: LayerCall, problem: Problem) -> tuple[Fix, ...]:
    if problem.before:
        start = layer.call.span.start
        edit = Edit(Span(layer.call.span.source, start, start), f"{problem.before} -> ")
        return (Fix(f"{problem.before} -> {layer.written}", (edit,), "unsafe"),)
    edits = []
    for name, text in problem.repair:
        given = layer.arguments.get(name)
        if given is not None:
            edits.append(Edit(given.span, text))
        elif layer.call.arguments and layer.call.body is None:
            end = layer.call.arguments[-1].span.end
            edits.append(Edit(Span(layer.call.span.source, end, end), f", {name} = {text}"))
    if not edits:
        return ()
    return (Fix("; ".join(f"{name} = {text}" for name, text in problem.repair), tuple(edits), "unsafe"),)


def _key(given: Given) -> Span:
    name = given.argument.name
    return given.span if name is None else name.span
