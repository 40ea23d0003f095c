"""Names for the values of a step that gives several: `split(2) as (left, right)`."""

from __future__ import annotations

from collections.abc import Callable

from striate.elaborate.values import UNKNOWN, ValueRef
from striate.graph import format_shape
from striate_dsl.diagnostics import Diagnostic, Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Identifier, Names, Step, given_names


def named_values(
    step: Step, current: ValueRef | None, report: Callable[[Diagnostic], None]
) -> list[tuple[Identifier, ValueRef | None]]:
    """Return the names that a step gives, each with its value.

    Where there are more or fewer names than values, that is reported, and the values are unknown.
    """
    names = given_names(step)
    if step.several is None or current is None or current is UNKNOWN:
        alone = current.alone() if current is not None and current.further else current
        return [(name, alone) for name in names]
    values = (current, *current.further)
    if len(values) != len(names):
        report(_other_number(step.several, values))
        return [(name, UNKNOWN) for name in names]
    return [(name, value.alone()) for name, value in zip(names, values, strict=True)]


def _other_number(several: Names, values: tuple[ValueRef, ...]) -> Diagnostic:
    sizes = ", ".join(format_shape(value.type) for value in values if value.type is not None)
    made, named = _counted(len(values), "value"), _counted(len(several.names), "name")
    return Diagnostic(
        "E0215",
        f"{made} and {named}",
        several.span,
        notes=(f"the step before `as` gives {sizes}",),
        help=None if len(values) == 1 else "write a name for each; one that begins with _ need not be used",
        fixes=_fitted(several, len(values)),
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _fitted(several: Names, number: int) -> tuple[Fix, ...]:
    """Return the repair that takes names away, or adds some for values that are not used."""
    names = [name.text for name in several.names[:number]]
    more = (f"_{place}" for place in range(2, number + 2) if f"_{place}" not in names)
    names += [next(more) for _ in range(number - len(names))]
    text = names[0] if number == 1 else f"({', '.join(names)})"
    edit = Edit(Span(several.span.source, several.span.start, several.span.end), text)
    return (Fix(f"write as {text}", (edit,), "unsafe"),)
