"""The blocks, models, variants and sections of a file by name, and the way from a variant to its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.elaborate.elaborator import Elaborator
from striate.elaborate.faults import fault, suggestion
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Label, Severity
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Argument, Block, File, Identifier, Language, Model, Name, Section, Variant


@dataclass(slots=True)
class Definitions:
    """What a file defines."""

    file: File
    blocks: dict[str, Block] = field(default_factory=dict)
    models: dict[str, Model | Variant] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelChain:
    """A model and the argument lists that lead to it, from the model's nearest variant to the user's overrides."""

    name: str
    model: Model
    arguments: tuple[tuple[Argument, ...], ...]

    def evaluate(self, elaborator: Elaborator, scope: Scope) -> dict[str, Given]:
        """Return the model's arguments by name; a later list wins over an earlier one."""
        known = [parameter.name.text for parameter in self.model.parameters]
        merged: dict[str, Given] = {}
        for arguments in self.arguments:
            positional, named = elaborator.evaluate_arguments(arguments, scope, None)
            if len(positional) > len(known):
                raise fault("E0209", f"{self.model.name.text} takes {len(known)} arguments", positional[-1].span)
            merged.update(zip(known, positional, strict=False))
            merged.update(named)
        return {name: _named(name, given) for name, given in merged.items()}


def _named(name: str, given: Given) -> Given:
    if given.argument.name is not None:
        return given
    label = Identifier(given.span, name)
    return Given(given.value, given.span, Argument(given.span, label, given.argument.value))


def collect(file: File, findings: Diagnostics) -> Definitions:
    """Return a file's definitions by name; a name given twice is reported and the first one is kept."""
    definitions = Definitions(file)
    names: dict[str, Span] = {}
    for definition in file.definitions:
        if isinstance(definition, Section):
            definitions.sections.append(definition)
            if definition.kind in ("search", "profile"):
                findings.add(_not_here(definition.span, Severity.WARNING))
        elif isinstance(definition, (Block, Model, Variant)):
            name = definition.name
            if name.text in names:
                findings.add(_twice(name, names[name.text]))
                continue
            names[name.text] = name.span
            if isinstance(definition, Block):
                definitions.blocks[name.text] = definition
            else:
                definitions.models[name.text] = definition
        elif not isinstance(definition, Language):
            findings.add(_not_here(definition.span))
    return definitions


def model_chain(definitions: Definitions, name: str, overrides: Mapping[str, str]) -> ModelChain:
    """Follow variants down to their model.

    Raises:
        Fault: there is no such model, variants go round in a circle, or an override is no expression.
    """
    arguments: list[tuple[Argument, ...]] = []
    asked, seen = name, []
    place = definitions.file.span
    while True:
        definition = definitions.models.get(name)
        if definition is None:
            known = ", ".join(definitions.models) or "none"
            raise fault(
                "E0310",
                f"there is no model {name}",
                place,
                notes=(f"models in this file: {known}",),
                help=suggestion(name, definitions.models),
            )
        if isinstance(definition, Model):
            break
        if name in seen:
            raise fault("E0310", f"model {name} is a variant of itself", definition.span)
        seen.append(name)
        arguments.insert(0, definition.arguments)
        place = definition.base.span
        name = definition.base.text if isinstance(definition.base, Name) else definition.base.span.text
    if overrides:
        arguments.append(_parse_overrides(asked, overrides))
    return ModelChain(asked, definition, tuple(arguments))


def _parse_overrides(model: str, overrides: Mapping[str, Any]) -> tuple[Argument, ...]:
    """Read the user's overrides as the argument list of an unnamed variant, so that messages can quote them."""
    written = ", ".join(f"{name} = {value}" for name, value in overrides.items())
    result = parse(Source("<arguments>", f"model Overridden = {model}({written})\n"))
    if result.file is None or result.diagnostics:
        raise fault(
            "E0322",
            f"cannot read the model arguments {written}",
            Span(Source("<arguments>", written), 0, len(written)),
            notes=tuple(item.message for item in result.diagnostics)[:1],
            help="write them as in a file, e.g. classes = 10",
        )
    definition = result.file.definitions[0]
    assert isinstance(definition, Variant), "the text above is a variant"
    return definition.arguments


def _twice(name: Identifier, first: Span) -> Diagnostic:
    return Diagnostic(
        "E0309",
        f"{name.text} is defined twice",
        name.span,
        labels=(Label(first, "first defined here"),),
        help="rename one of them",
    )


def _not_here(span: Span, severity: Severity = Severity.ERROR) -> Diagnostic:
    word = span.text.split()[0]
    return Diagnostic(
        "E0324" if severity is Severity.ERROR else "W0101",
        f"{word} is not supported by this version of striate"
        + ("" if severity is Severity.ERROR else ": it has no effect"),
        span,
        severity=severity,
        help="put the blocks that this file needs into the file itself" if word == "use" else None,
    )
