"""Evaluating the arguments of a call, and giving the parameters of a block or model their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from striate.elaborate.expressions import Environment, evaluate
from striate.elaborate.faults import fault, unknown_arguments
from striate.elaborate.repairs.steps import demand_no_comparison, given_twice
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import Given
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Binary, Expression, Parameter


def read_arguments(arguments: tuple[Argument, ...], environment: Environment) -> tuple[list[Given], dict[str, Given]]:
    """Return positional and named arguments with their values.

    Raises:
        Fault: one is given twice, or one without a name comes behind one with a name.
    """
    positional: list[Given] = []
    named: dict[str, Given] = {}
    for argument in arguments:
        if isinstance(argument.value, Binary):
            demand_no_comparison(argument, environment.lookup)
        given = Given(evaluate(argument.value, environment), argument.value.span, argument)
        if argument.name is None:
            if named:
                raise fault("E0209", "arguments without a name come before those with one", argument.span)
            positional.append(given)
        elif argument.name.text in named:
            raise given_twice(argument, arguments)
        else:
            named[argument.name.text] = given
    return positional, named


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
    known = {parameter.name.text: None for parameter in parameters}

    def signature() -> str:
        return f"{name}({', '.join(parameter.span.text for parameter in parameters)})"

    if len(positional) > len(known):
        extra = positional[len(known)]
        message = f"{name} takes {len(known)} arguments, this is one too many"
        raise fault("E0209", message, extra.span, notes=(signature(),))
    given = dict(zip(known, positional, strict=False))
    places = {key: item.argument.name.span if item.argument.name else item.span for key, item in named.items()}
    unknown = unknown_arguments(name, "parameter", places, known, signature())
    if unknown is not None:
        raise unknown
    for key, item in named.items():
        if key in given:
            raise fault("E0209", f"{key} is given twice", places[key])
        given[key] = item
    for parameter in parameters:
        key, written = parameter.name.text, given.get(parameter.name.text)
        if written is None and parameter.default is None:
            help = f"write {name}({key} = …), or give the parameter a default"
            raise fault("E0210", f"{name} needs {key}", span, notes=(signature(),), help=help)
        value = _default(parameter.default, environment) if written is None and parameter.default else None
        inner.names[key] = Binding(value if written is None else written.value, parameter.name.span, written)


def _default(written: Expression, environment: Environment) -> Any:
    environment.spend(written.span.end - written.span.start, written.span)
    return evaluate(written, environment)
