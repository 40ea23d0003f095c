"""Names of call sites: the parts of a node's path, a function of the text of one body alone.

Within one block or model, the second `conv` written is `conv2`, whether or not the first one runs: so a variant that
skips a line, or a loop that runs more often, renames nothing. `as` gives a site its own name, dotted or not; the others
keep theirs.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice

from striate_dsl.syntax import (
    Attribute,
    Body,
    Call,
    Flow,
    For,
    Group,
    Head,
    If,
    Let,
    Name,
    Repeat,
    Statement,
    given_names,
)

MOST_GIVEN = 20
"""Places that look as if they gave a name, and may be comments."""

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def base_name(callee: Name | Attribute, renamed: Mapping[str, str]) -> str:
    """Return a callee's name as names of nodes have it: `DenseLayer` gives `dense_layer`."""
    return _words(renamed.get(callee.text, callee.text) if isinstance(callee, Name) else callee.name.text)


def is_automatic(name: str, callee: str) -> bool:
    """Whether a name is of the form that a call of this layer or block gets by itself, e.g. `conv2` for `conv`."""
    return re.fullmatch(rf"{re.escape(_words(callee))}_?\d+_*", name) is not None


@lru_cache(maxsize=1024)
def _words(text: str) -> str:
    return _WORD.sub("_", text.rpartition(".")[2]).lower()


def site_names(body: Body, renamed: Mapping[str, str]) -> Mapping[int, str]:
    """Return the name of every layer, block and head call in a body by the identity of its syntax node.

    `renamed` are the names that the body's file has for things of plugins, with their whole names, by which call sites
    go: a file that gives a layer another name keeps the names of its weights.
    """
    calls = list(calls_in(body.statements))
    taken = {name.text for call in calls for name in given_names(call)}
    counts: dict[str, int] = {}
    names: dict[int, str] = {}
    for call in calls:
        base = "head" if isinstance(call, Head) else base_name(call.callee, renamed)
        counts[base] = number = counts.get(base, 0) + 1
        names[id(call)] = call.alias.text if call.alias else _numbered(base, number, taken)
    return names


def _numbered(base: str, number: int, taken: set[str]) -> str:
    if base == "head" and number == 1:
        return base
    name = f"{base}_{number}" if base[-1].isdigit() else f"{base}{number}"
    while name in taken:
        name += "_"
    return name


def calls_in(statements: tuple[Statement, ...]) -> Iterator[Call | Head]:
    """Yield every layer, block and head call in statements and in the bodies in them, in the order of the text."""
    for statement in statements:
        if isinstance(statement, Flow):
            for step in statement.steps:
                if isinstance(step, Group):
                    yield from calls_in(step.body.statements)
                    continue
                yield step
                if step.body is not None:
                    yield from calls_in(step.body.statements)
        elif isinstance(statement, (Repeat, For)):
            yield from calls_in(statement.body.statements)
        elif isinstance(statement, If):
            yield from calls_in(statement.then.statements)
            if statement.otherwise is not None:
                yield from calls_in(statement.otherwise.statements)
        elif isinstance(statement, Head):
            yield statement


def defined_later(body: Body, name: str) -> Call | Group | Let | Head | None:
    """Return the place in a body that gives a name with `as` or `let`, for messages about its use before that."""
    text = body.span.source.text
    pattern = re.compile(rf"\b(?:as|let)\s+(?:\([^()]*?)?({re.escape(name)})\b")
    for match in islice(pattern.finditer(text, body.span.start, body.span.end), MOST_GIVEN):
        found = _giver(body.statements, name, match.start(1))
        if found is not None:
            return found
    return None


def _giver(statements: tuple[Statement, ...], name: str, offset: int) -> Call | Group | Let | Head | None:
    """Return what gives a name at an offset of the text: nothing where the offset lies in a comment or a text."""
    while True:
        at = bisect_right(statements, offset, key=lambda statement: statement.span.start) - 1
        if at < 0:
            return None
        statement = statements[at]
        if isinstance(statement, Let):
            return statement if statement.name.text == name else None
        if isinstance(statement, Head) and any(given.span.start == offset for given in given_names(statement)):
            return statement
        if isinstance(statement, Flow):
            for step in statement.steps:
                if any(given.span.start == offset for given in given_names(step)):
                    return step
        inner = [body for body in _bodies(statement) if body.span.start < offset < body.span.end]
        if not inner:
            return None
        statements = inner[0].statements


def _bodies(statement: Statement) -> Iterator[Body]:
    if isinstance(statement, Flow):
        yield from (step.body for step in statement.steps if step.body is not None)
    elif isinstance(statement, (Repeat, For)):
        yield statement.body
    elif isinstance(statement, If):
        yield statement.then
        if statement.otherwise is not None:
            yield statement.otherwise
