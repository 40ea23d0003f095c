"""Loops that do not repeat: a constant number of rounds of 0 or 1."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.names import used_names
from striate.lint.record import Finding, Lint
from striate.lint.sites import statements_in
from striate.lint.subject import Subject
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Block, Expression, Model, Number, Range, Repeat


def _rounds(count: Expression) -> int | float | None:
    """Return how often a loop runs, where the text says it as a number."""
    if isinstance(count, Number):
        return count.value
    if isinstance(count, Range) and isinstance(count.start, Number) and isinstance(count.stop, Number):
        return max(count.stop.value - count.start.value, 0)
    return None


def _idle_repeats(subject: Subject) -> Iterator[Finding]:
    for definition in subject.file.definitions:
        if not isinstance(definition, Block | Model):
            continue
        for statement, _ in statements_in(definition.body.statements):
            rounds = _rounds(statement.count) if isinstance(statement, Repeat) else None
            if not isinstance(statement, Repeat) or rounds not in (0, 1):
                continue
            head = Span(statement.span.source, statement.span.start, statement.count.span.end)
            yield Finding(
                head,
                "this repeats nothing: the body runs once" if rounds else "the body never runs",
                help="remove the repeat and keep its body" if rounds else "remove it, or repeat at least twice",
                fix=_unwrapped(statement) if rounds else None,
            )


def _unwrapped(loop: Repeat) -> Fix | None:
    """Return the repair that leaves the body as a group; its layers lose the number of the round from their names."""
    if loop.variable is not None and loop.variable.text in used_names(loop.body):
        return None
    edit = Edit(Span(loop.span.source, loop.span.start, loop.body.span.start), "")
    return Fix("keep the body alone; weights in it lose the .0 of their names", (edit,), "unsafe")


LINTS = (
    Lint(
        "W0113",
        "repeat of 0 or 1",
        "a constant count of 0 or 1 is a loop in name only, mostly a number left over from an experiment",
        "Fowler, Refactoring, 2018, chapter 3 (speculative generality)",
        _idle_repeats,
    ),
)
