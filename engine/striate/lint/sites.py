"""The calls of a file by their place, and the edits that change one: an argument set, a step taken out or put in.

An edit is given only where the text makes it plain what to write; otherwise there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from striate.elaborate.writing import argument_edit, written_argument
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Edit
from striate_dsl.source import Span
from striate_dsl.syntax import (
    Argument,
    Block,
    Body,
    Call,
    File,
    Flow,
    For,
    If,
    Model,
    Repeat,
    Statement,
    step_end,
)


@dataclass(eq=False, slots=True)
class Site:
    """A call, the flow it is a step of, and whether that flow is a whole branch of a merge layer."""

    call: Call
    flow: Flow
    index: int
    branch: bool


class Sites:
    """The layer and block calls of a file."""

    def __init__(self, file: File) -> None:
        self._source = file.span.source
        self._sites = {(site.call.span.start, site.call.span.end): site for site in _sites(file)}

    def find(self, span: Span, op: str | None = None) -> Site | None:
        """Return the call at a place; with `op`, only if the layer is called by its own name there."""
        site = self._sites.get((span.start, span.end)) if span.source is self._source else None
        if site is None or (op is not None and site.call.callee.span.text != op):
            return None
        return site


def argument(call: Call, name: str) -> Argument | None:
    """Return what a call of a built-in layer gives for an argument, by name or by position."""
    return written_argument(call, _known(call), name)


def set_argument(call: Call, name: str, text: str) -> Edit | None:
    """Return the edit that gives an argument another value, or adds it."""
    return argument_edit(call, _known(call), name, text)


def _known(call: Call) -> list[str]:
    record = BUILTIN.get(call.callee.span.text)
    return [item.name for item in record.arguments] if record else []


def remove_step(site: Site) -> Edit | None:
    """Return the edit that takes a step out of its line; a line with nothing else goes as a whole.

    A name that the step has goes to the step before.
    """
    steps, call = site.flow.steps, site.call
    source = call.span.source
    if site.index > 0 and (call.alias is None or steps[site.index - 1].alias is None):
        return Edit(Span(source, step_end(steps[site.index - 1]), call.span.end), "")
    if call.alias is not None:
        return None
    if len(steps) > 1:
        return Edit(Span(source, call.span.start, steps[1].span.start), "")
    return None if site.branch else remove_line(call.span)


def remove_line(span: Span) -> Edit | None:
    """Return the edit that takes out a statement that has its lines for itself."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end == -1 else end + 1
    if text[start : span.start].strip() or text[span.end : end].strip():
        return None
    return Edit(Span(span.source, start, end), "")


def statements_in(statements: Sequence[Statement]) -> Iterator[tuple[Statement, bool]]:
    """Yield statements and those in their bodies; the second entry is whether it is a branch of a merge layer."""
    for statement in statements:
        yield statement, False
        yield from _inside(statement)


def _inside(statement: Statement) -> Iterator[tuple[Statement, bool]]:
    if isinstance(statement, Flow):
        for step in statement.steps:
            if step.body is not None:
                merge = isinstance(step, Call)
                for inner in step.body.statements:
                    yield inner, merge
                    yield from _inside(inner)
        return
    for body in _bodies(statement):
        yield from statements_in(body.statements)


def _bodies(statement: Statement) -> tuple[Body, ...]:
    if isinstance(statement, Repeat | For):
        return (statement.body,)
    if isinstance(statement, If):
        return (statement.then,) if statement.otherwise is None else (statement.then, statement.otherwise)
    return ()


def _sites(file: File) -> Iterator[Site]:
    for definition in file.definitions:
        if isinstance(definition, Block | Model):
            for statement, branch in statements_in(definition.body.statements):
                if isinstance(statement, Flow):
                    for index, step in enumerate(statement.steps):
                        if isinstance(step, Call):
                            yield Site(step, statement, index, branch)
