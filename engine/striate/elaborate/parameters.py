"""Giving the parameters of a block or model their values: written arguments first, then defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from striate.elaborate.expressions import Environment, evaluate
from striate.elaborate.faults import fault, renaming, suggestion
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import Given
from striate_dsl.source import Span
from striate_dsl.syntax import Parameter


def fill_parameters(
    name: str,
    parameters: tuple[Parameter, ...],
    span: Span,
    positional: Sequence[Given],
    named: Mapping[str, Given],
    inner: Scope,
    environment: Environment,
) -> None:
    """Bind every parameter in the block's or model's own scope; a default may use the parameters before it.

    Args:
        name: the block or model, for messages.
        parameters: its parameters.
        span: the place that uses it, for a missing argument.
        positional: evaluated arguments without a name.
        named: evaluated arguments by name.
        inner: the new scope, filled here.
        environment: what defaults see: the new scope itself.

    Raises:
        Fault: an argument too many, unknown, given twice, or missing.
    """
    known = [parameter.name.text for parameter in parameters]
    signature = f"{name}({', '.join(parameter.span.text for parameter in parameters)})"
    if len(positional) > len(known):
        extra = positional[len(known)]
        raise fault("E0209", f"{name} takes {len(known)} arguments", extra.span, notes=(signature,))
    given = dict(zip(known, positional, strict=False))
    for key, item in named.items():
        place = item.argument.name.span if item.argument.name else item.span
        if key not in known:
            near = suggestion(key, known)
            raise fault(
                "E0208",
                f"{name} has no parameter {key}",
                place,
                notes=(signature,),
                help=near,
                fixes=renaming(key, known, place),
            )
        if key in given:
            raise fault("E0209", f"{key} is given twice", place)
        given[key] = item
    for parameter in parameters:
        key, written = parameter.name.text, given.get(parameter.name.text)
        if written is None and parameter.default is None:
            raise fault("E0210", f"{name} needs {key}", span, notes=(signature,))
        value = evaluate(parameter.default, environment) if written is None and parameter.default else None
        inner.names[key] = Binding(value if written is None else written.value, parameter.name.span)
