"""From a layer call to a node: arguments bound and converted, sizes checked, weights made.

Everything a record refuses becomes a finding at the argument or branch it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from striate.dims.constraints import Constraint
from striate.dims.extent import is_simple, is_too_large
from striate.elaborate.faults import fault, trail_notes, unknown_arguments
from striate.elaborate.network import LayerCall, Network, OpenCondition
from striate.elaborate.values import UNKNOWN, BlockRef, Given, LayerRef, ValueRef
from striate.graph import Node, Origin, TensorType, Value, Weight
from striate.ops.arguments import ArgumentError, Choice
from striate.ops.problems import Check, LayerError
from striate.ops.record import OpRecord, Types, WeightSpec
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Label
from striate_dsl.source import Span

Ruled = tuple[dict[str, Any], Types, tuple[WeightSpec, ...], tuple[Constraint, ...]]
"""What the rules of a record give: settled attributes, output sizes, weights, conditions on open sizes."""

MOST_REMEMBERED = 20_000
"""Layer calls whose rules need not run again."""

_PLAIN = frozenset({int, float, bool, str, Choice})  # not tuples: (1, 1) equals (1, true), which is refused

# By the identity of the record, which is kept beside what its rules gave so that no other record can take its place.
_RULED: dict[tuple[object, ...], tuple[OpRecord, Ruled]] = {}


def bind_arguments(
    record: OpRecord, span: Span, positional: Sequence[Given], named: dict[str, Given]
) -> dict[str, Given]:
    """Assign positional and named arguments to the record's arguments.

    Raises:
        Fault: too many, unknown, or given twice.
    """
    known = record.argument_names
    bound: dict[str, Given] = {}
    if len(positional) > len(known):
        extra = positional[len(known)]
        raise fault(
            "E0209",
            f"{record.name} takes {len(known)} arguments, this is one too many",
            extra.span,
            notes=(record.signature,),
        )
    bound.update(zip(known, positional, strict=False))
    if named:
        places = {name: _key(given) for name, given in named.items()}
        unknown = unknown_arguments(record.name, "argument", places, known, record.signature)
        if unknown is not None:
            raise unknown
        for name, given in named.items():
            if name in bound:
                first = Label(bound[name].span, "first here")
                raise fault("E0209", f"{name} is given twice", places[name], labels=(first,))
            bound[name] = given
    missing = [name for name in record.required_names if name not in bound]
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
    inputs = tuple([item.value.type for item in layer.incoming if item.value.type is not None])
    if len(inputs) < len(layer.incoming):
        _convert(layer)
        return UNKNOWN
    if network.sizes_only:
        inputs = tuple(_any_features(kind) for kind in inputs)
    attributes, outputs, specs, conditions = _rules(layer, inputs, network)
    origin = Origin(layer.call.span, layer.scope.trail)
    weights = {}
    for spec in specs:
        name = f"{layer.weight_path}.{spec.role}"
        weight = Weight(name, spec.shape, spec.initializer, spec.trainable)
        _share(layer, weight, network)
        weights[spec.role] = name
    path = _free_name(layer, network)
    values = _values(path, outputs)
    network.nodes.append(
        Node(
            path,
            layer.record.name,
            tuple([item.value.name for item in layer.incoming]),
            attributes,
            weights,
            values,
            origin,
        )
    )
    network.calls.append(layer.call)
    network.records.setdefault(layer.record.name, layer.record)
    if conditions:
        network.conditions.extend(OpenCondition(constraint, origin) for constraint in conditions)
    first = ValueRef(values[0].name, values[0].type)
    if len(values) == 1:
        return first
    return replace(first, further=tuple(ValueRef(value.name, value.type) for value in values[1:]))


def _rules(layer: LayerCall, inputs: Types, network: Network) -> Ruled:
    """Run a record's rules, or remember what they gave for the same arguments and sizes.

    Networks repeat themselves, and an editor asks again after every key: most calls have been seen.
    """
    written = tuple([(name, given.value.__class__, given.value) for name, given in layer.arguments.items()])
    if not all(kind in _PLAIN for _, kind, _ in written):
        return _run_rules(layer, inputs, network)
    key = (id(layer.record), network.sizes_only, inputs, written)
    known = _RULED.get(key)
    if known is None:
        if len(_RULED) >= MOST_REMEMBERED:
            _RULED.clear()
        known = _RULED[key] = (layer.record, _run_rules(layer, inputs, network))
    return known[1]


def _run_rules(layer: LayerCall, inputs: Types, network: Network) -> Ruled:
    attributes = _convert(layer)
    check = Check()
    try:
        attributes = layer.record.settle(attributes, inputs)
        outputs = layer.record.shape(attributes, inputs, check)
        specs = () if network.sizes_only else layer.record.weights(attributes, inputs)
    except LayerError as error:
        raise _words().refused_by_rule(layer, error.problem, network) from None
    except Exception as error:
        if layer.record.name in BUILTIN:
            raise
        raise _words().failed_rule(layer, error) from error
    if layer.record.name not in BUILTIN:
        _hold_to_types(layer, outputs, specs)
    _demand_simple(layer, outputs)
    return attributes, outputs, specs, tuple(check.open)


def _hold_to_types(layer: LayerCall, outputs: Any, specs: Any) -> None:
    """Refuse what a plugin's rules may not give; those of striate's own layers are tested."""
    if not isinstance(outputs, tuple) or not outputs or not all(isinstance(item, TensorType) for item in outputs):
        raise _words().broken_rule(layer, "its shape rule gave no tuple of TensorTypes")
    if not isinstance(specs, tuple | list) or not all(isinstance(item, WeightSpec) for item in specs):
        raise _words().broken_rule(layer, "its weights are no tuple of WeightSpecs")


def _demand_simple(layer: LayerCall, outputs: Types) -> None:
    """Refuse sizes that grow without end, and those of which nothing could be said any more."""
    for kind in outputs:
        for size in kind.shape:
            if is_simple(size):
                continue
            raise _words().endless_size(layer, large=is_too_large(size))


def _any_features(kind: TensorType) -> TensorType:
    """Put 1 for features that depend on the input size: without weights, a dense layer takes any number of them."""
    flat = kind.rank == 1 and not isinstance(kind.shape[0], int)
    return TensorType((1,)) if flat else kind


def _values(path: str, outputs: tuple[TensorType, ...]) -> tuple[Value, ...]:
    if len(outputs) == 1:
        return (Value(path, outputs[0]),)
    return tuple(Value(path if index == 0 else f"{path}:{index}", kind) for index, kind in enumerate(outputs))


def _choice(value: Any) -> Any:
    """Return the plain name where a layer or block is named, as in `gelu(form = tanh)`: layers take no layers."""
    if isinstance(value, LayerRef):
        return Choice(value.written or value.record.name)
    return Choice(value.block.name.text) if isinstance(value, BlockRef) else value


def _convert(layer: LayerCall) -> dict[str, Any]:
    settled = {}
    for argument in layer.record.arguments:
        given = layer.arguments.get(argument.name)
        try:
            settled[argument.name] = argument.kind.convert(argument.default if given is None else _choice(given.value))
        except ArgumentError as error:
            raise _words().refused_value(layer, argument, error) from None
    return settled


def _words() -> ModuleType:
    from striate.elaborate import layer_faults  # noqa: PLC0415  # costs start-up time, and most files are sound

    return layer_faults


def _share(layer: LayerCall, wanted: Weight, network: Network) -> None:
    """Add a weight, or take the one that is there; only uses of one instance may share."""
    shared = layer.weight_path != layer.path
    existing = network.weights.setdefault(wanted.name, wanted)
    if existing is wanted:
        if shared:
            network.shared.add(wanted.name)
        return
    if not shared or wanted.name not in network.shared:
        raise fault(
            "E0303",
            f"{layer.weight_path} is the name of two layers' weights: of an instance's, and of another layer's",
            layer.call.callee.span,
            notes=trail_notes(layer.scope.trail),
            help="give one of them another name, with as or let",
        )
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


def _key(given: Given) -> Span:
    name = given.argument.name
    return given.span if name is None else name.span
