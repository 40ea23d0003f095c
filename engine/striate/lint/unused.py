"""What is named and never used: values, instances and constants, blocks, parameters. Decided on the text alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from striate.elaborate.linked import LinkedFile
from striate.elaborate.sites import is_automatic
from striate.lint.names import nodes_in, used_names
from striate.lint.record import Finding, Lint
from striate.lint.sites import remove_line
from striate.lint.subject import Subject
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Block, Call, Definition, Group, Identifier, Let, Model, given_names


def _unused_values(subject: Subject) -> Iterator[Finding]:
    yield from _unused_names(subject)
    for definition in subject.file.definitions:
        if not isinstance(definition, Block | Model):
            continue
        used = subject.names[definition.name.text]
        for node in nodes_in(definition.body):
            for name in _given_by(node):
                if name.text in used or name.text.startswith("_") or _names_weights(node, name):
                    continue
                yield Finding(
                    name.span,
                    f"{name.text} is never used",
                    help=f"remove it, or write _{name.text} if only its name matters",
                    fix=_without(node, name),
                )


def _unused_names(subject: Subject) -> Iterator[Finding]:
    """Find the names that a file has for things of plugins, which do not come along when others use the file."""
    file = subject.file
    used = set[str]().union(*(_used_in(subject, item) for item in file.definitions))
    for item in file.renamed if isinstance(file, LinkedFile) else ():
        if item.name.text not in used and not item.name.text.startswith("_"):
            line = remove_line(item.statement.span)
            fix = Fix(f"remove {item.statement.span.text}", (line,), "safe") if line else None
            yield Finding(item.name.span, f"{item.name.text} is never used", help=f"it is {item.target}", fix=fix)


def _given_by(node: Any) -> tuple[Identifier, ...]:
    if isinstance(node, Let):
        return (node.name,)
    return given_names(node) if isinstance(node, Call | Group) else ()


def _names_weights(node: Let | Call | Group, name: Identifier) -> bool:
    """Whether a name is there for the weights: a path, or the kind of name that the layer would have by itself."""
    if "." in name.text:
        return True
    return isinstance(node, Call) and is_automatic(name.text, node.callee.span.text)


def _without(node: Let | Call | Group, name: Identifier) -> Fix | None:
    if isinstance(node, Let):
        line = remove_line(node.span)
        return Fix(f"remove let {name.text}", (line,), "safe") if line else None
    if node.several is not None:
        spared = Edit(name.span, f"_{name.text}")
        return Fix(f"write _{name.text}: its value is there to be left", (spared,), "unsafe")
    edit = Edit(Span(name.span.source, node.span.end, name.span.end), "")
    return Fix(f"remove as {name.text}; the layer's weights get another name", (edit,), "unsafe")


def _unused_blocks(subject: Subject) -> Iterator[Finding]:
    """A file without models is a collection of blocks for other files, so all of them are used."""
    definitions = subject.file.definitions
    if not any(isinstance(item, Model) for item in definitions):
        return
    names = [(item, _used_in(subject, item)) for item in definitions]
    for block in definitions:
        if not isinstance(block, Block) or block.name.text.startswith("_"):
            continue
        if not any(block.name.text in used for item, used in names if item is not block):
            yield Finding(block.name.span, f"block {block.name.text} is never used", help="remove it, or use it")


def _used_in(subject: Subject, definition: Definition) -> set[str]:
    if isinstance(definition, Block | Model):
        return subject.names[definition.name.text] | used_names(definition.parameters)
    return used_names(definition)


def _unused_parameters(subject: Subject) -> Iterator[Finding]:
    for definition in subject.file.definitions:
        if not isinstance(definition, Block | Model):
            continue
        used = _used_in(subject, definition)
        for parameter in definition.parameters:
            if parameter.name.text not in used and not parameter.name.text.startswith("_"):
                kind = "block" if isinstance(definition, Block) else "model"
                yield Finding(
                    parameter.name.span,
                    f"{kind} {definition.name.text} never uses its parameter {parameter.name.text}",
                    help="remove it, or use it: whoever sets it expects an effect",
                )


_REFERENCE = "Aho, Lam, Sethi and Ullman, Compilers, 2006, section"

LINTS = (
    Lint(
        "W0109",
        "value never used",
        "a name is given to be used: mostly another name was meant where this one is missing",
        f"{_REFERENCE} 9.2.5 (live variables)",
        _unused_values,
    ),
    Lint(
        "W0110",
        "block never used",
        "a block that no model uses is never elaborated, so nothing in it is checked",
        f"{_REFERENCE} 8.7.2 (unreachable code)",
        _unused_blocks,
    ),
    Lint(
        "W0111",
        "parameter never used",
        "setting it changes nothing, which whoever sets it will not notice",
        f"{_REFERENCE} 9.2.5 (live variables)",
        _unused_parameters,
    ),
)
