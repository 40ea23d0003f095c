"""Names of call sites: the parts of a node's path, a function of the text of one body alone.

Within one block or model, the second `conv` written is `conv2`, whether or not the first one runs: so a variant that
skips a line, or a loop that runs more often, renames nothing. `as` gives a site its own name; the others keep theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from striate_dsl.syntax import Attribute, Body, Call, Flow, For, Group, Head, If, Let, Name, Repeat, Statement

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def base_name(callee: Name | Attribute) -> str:
    """Return a callee's name as names of nodes have it: `DenseLayer` gives `dense_layer`."""
    text = callee.text if isinstance(callee, Name) else callee.name.text
    return _WORD.sub("_", text).lower()


def site_names(body: Body) -> Mapping[int, str]:
    """Return the name of every layer, block and head call in a body by the identity of its syntax node."""
    calls = list(_calls(body.statements))
    taken = {call.alias.text for call in calls if not isinstance(call, Head) and call.alias}
    counts: dict[str, int] = {}
    names: dict[int, str] = {}
    for call in calls:
        base = "head" if isinstance(call, Head) else base_name(call.callee)
        counts[base] = number = counts.get(base, 0) + 1
        alias = None if isinstance(call, Head) else call.alias
        names[id(call)] = alias.text if alias else _numbered(base, number, taken)
    return names


def _numbered(base: str, number: int, taken: set[str]) -> str:
    if base == "head" and number == 1:
        return base
    name = f"{base}_{number}" if base[-1].isdigit() else f"{base}{number}"
    while name in taken:
        name += "_"
    return name


def _calls(statements: tuple[Statement, ...]) -> Iterator[Call | Head]:
    for statement in statements:
        if isinstance(statement, Flow):
            for step in statement.steps:
                if isinstance(step, Group):
                    yield from _calls(step.body.statements)
                    continue
                yield step
                if step.body is not None:
                    yield from _calls(step.body.statements)
        elif isinstance(statement, (Repeat, For)):
            yield from _calls(statement.body.statements)
        elif isinstance(statement, If):
            yield from _calls(statement.then.statements)
            if statement.otherwise is not None:
                yield from _calls(statement.otherwise.statements)
        elif isinstance(statement, Head):
            yield statement


def defined_later(body: Body, name: str) -> Call | Group | Let | None:
    """Return the place in a body that gives a name with `as` or `let`, for messages about its use before that."""
    for statement in _statements(body.statements):
        if isinstance(statement, Let) and statement.name.text == name:
            return statement
        if isinstance(statement, Flow):
            for step in statement.steps:
                if step.alias is not None and step.alias.text == name:
                    return step
    return None


def _statements(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in statements:
        yield statement
        if isinstance(statement, Flow):
            for step in statement.steps:
                if step.body is not None:
                    yield from _statements(step.body.statements)
        elif isinstance(statement, (Repeat, For)):
            yield from _statements(statement.body.statements)
        elif isinstance(statement, If):
            yield from _statements(statement.then.statements)
            if statement.otherwise is not None:
                yield from _statements(statement.otherwise.statements)
