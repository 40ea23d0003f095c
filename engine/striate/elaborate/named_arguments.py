"""Names among the arguments of a layer: values of the network, which become further inputs, and choices."""

from __future__ import annotations

from typing import Any

from striate.elaborate.expressions import type_name
from striate.elaborate.faults import fault
from striate.elaborate.missing import no_value
from striate.elaborate.network import Incoming
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, LayerRef, ValueRef
from striate.ops.arguments import Choice, Optional
from striate.ops.record import OpRecord
from striate_dsl.syntax import Expression, ListLiteral, Name, TupleLiteral


def take_values(record: OpRecord, arguments: dict[str, Given], scope: Scope) -> list[Incoming]:
    """Return the values that a call names as arguments (`like = skip`), and put their places among the inputs there.

    Raises:
        Fault: something else stands where a value belongs.
    """
    taken: list[Incoming] = []
    for argument in record.value_arguments:
        given = arguments.get(argument.name)
        if given is None:
            continue
        written = given.argument.value
        if isinstance(given.value, Choice) and isinstance(argument.kind, Optional) and given.value.name == "none":
            continue
        if not isinstance(given.value, ValueRef):
            if isinstance(written, Name) and isinstance(given.value, Choice):
                raise no_value(written, scope)
            raise fault(
                "E0306", f"{record.name}: {argument.name} takes a named value, not {type_name(given.value)}", given.span
            )
        taken.append(Incoming(given.value, given.span))
        arguments[argument.name] = Given(len(taken), given.span, given.argument)
    return taken


def read_choices(record: OpRecord, arguments: dict[str, Given]) -> dict[str, Given]:
    """Return arguments with the names of their kinds' own choices read as such.

    `axis = width` is the axis, whatever else is called `width` there; so is `mode = linear`, though it is a layer.
    """
    choices = record.choices
    return {
        name: Given(_chosen(given.argument.value, given.value, choices[name]), given.span, given.argument)
        if name in choices
        else given
        for name, given in arguments.items()
    }


def _chosen(written: Expression, value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(written, Name) and written.text in names:
        return Choice(written.text)
    if isinstance(written, (ListLiteral, TupleLiteral)) and isinstance(value, (list, tuple)):
        return [_chosen(item, each, names) for item, each in zip(written.items, value, strict=True)]
    return Choice(value.record.name) if isinstance(value, LayerRef) else value
