"""What to say about steps, names and arguments that are in order by themselves but not where they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from striate.elaborate.faults import Fault, fault
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Edit, Fix, Label
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Binary, Body, Call, Identifier, Name


def value_as_step(call: Call, value: ValueRef, current: ValueRef | None) -> Fault:
    """Return the fault for a named value in the middle of a flow; values of one size are added."""
    name = call.callee.span.text
    fixes: tuple[Fix, ...] = ()
    if current is not None and current.type is not None and current.type == value.type and call.arguments is None:
        fixes = (Fix(f"write add({name})", (Edit(call.callee.span, f"add({name})"),), "unsafe"),)
    return fault(
        "E0306",
        f"{name} is a value of the network, not a layer",
        call.callee.span,
        help=f"to merge it write add({name}) or concat({name})",
        fixes=fixes,
    )


def body_of_a_layer(name: str, body: Body, kind: str = "takes no body; only merge layers do") -> Fault:
    """Return the fault for a body behind a layer or block that has no branches."""
    start = body.span.start
    fix = Fix(
        "run the lines one after the other: -> { … }", (Edit(Span(body.span.source, start, start), "-> "),), "unsafe"
    )
    return fault("E0307", f"{name} {kind}", body.span, help=fix.title, fixes=(fix,))


def nothing_flows_in(call: Call, inputs: Sequence[str]) -> Fault:
    """Return the fault for a layer that no value flows into: with several inputs, each line says where it starts."""
    name, span = call.callee.span.text, call.callee.span
    message = f"no value flows into {name}"
    if not inputs:
        return fault("E0304", message, span, help="begin with an input, e.g. input image: 3 x 224 x 224")
    here = Span(span.source, call.span.start, call.span.start)
    fix = Fix(f"write {inputs[0]} -> {name}", (Edit(here, f"{inputs[0]} -> "),), "unsafe")
    help = f"start from an input ({', '.join(inputs)}), e.g. {inputs[0]} -> {name}"
    return fault("E0304", message, span, help=help, fixes=(fix,))


def given_twice(argument: Argument, arguments: Sequence[Argument]) -> Fault:
    """Return the fault for an argument that a call gives twice by name; the repair keeps the first."""
    assert argument.name is not None, "an argument by position cannot be given twice"
    name = argument.name.text
    first = next(item for item in arguments if item.name is not None and item.name.text == name)
    before = arguments[arguments.index(argument) - 1]
    cut = Edit(Span(argument.span.source, before.span.end, argument.span.end), "")
    fix = Fix(f"keep {first.span.text}", (cut,), "unsafe")
    labels = (Label(first.span, "first here"),)
    return fault("E0209", f"{name} is given twice", argument.name.span, labels=labels, fixes=(fix,))


def taken_name(name: Identifier, first: Span, names: Collection[str]) -> Fault:
    """Return the fault for a name that stands for something else already."""
    number = next(number for number in range(2, len(names) + 3) if f"{name.text}_{number}" not in names)
    fix = Fix(f"call it {name.text}_{number}", (Edit(name.span, f"{name.text}_{number}"),), "unsafe")
    return fault(
        "E0303",
        f"{name.text} is already a name here",
        name.span,
        labels=(Label(first, "first named here"),),
        help="every name stands for one thing; choose another",
        fixes=(fix,),
    )


def demand_no_comparison(argument: Argument, lookup: Callable[[Name], Any]) -> None:
    """Demand that an argument is not `stride == 2`, where `stride` stands for nothing.

    Raises:
        Fault: it is; the repair writes `=`.
    """
    value = argument.value
    if argument.name is not None or not isinstance(value, Binary) or value.operator != "==":
        return
    if not isinstance(value.left, Name) or lookup(value.left) is not None:
        return
    written = f"{value.left.text} = {value.right.span.text}"
    fix = Fix(f"write {written}", (Edit(value.span, written),), "safe")
    message = "a value is given with `=`, not with `==`"
    raise fault("E0109", message, value.span, help=fix.title, fixes=(fix,))
