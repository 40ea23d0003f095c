"""The blocks, models, variants and sections that a file sees by name, and the way from a variant to its model.

A file sees its own definitions and those of the files it uses, but not what these use in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from striate.elaborate.elaborator import Elaborator
from striate.elaborate.faults import Fault, fault, renaming, suggestion
from striate.elaborate.linked import LinkedFile, Renamed, Used, reachable
from striate.elaborate.scope import Scope
from striate.elaborate.values import Given, UsedFile
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Label, Severity
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Argument, Attribute, Block, File, Identifier, Model, Name, Section, Variant


@dataclass(slots=True)
class Definitions:
    """What a file defines, and what it sees of the files it uses.

    Attributes:
        file: the file.
        blocks: its blocks and those it uses by name, `x.Name` where they are brought in `as x`.
        models: its models and variants and those it uses, likewise.
        sections: its own sections.
        own: the models of the file itself.
        files: the files that have a name here, by `use … as`.
        renamed: the things of plugins that have a name here, likewise, with their whole names.
    """

    file: File
    blocks: dict[str, Block] = field(default_factory=dict)
    models: dict[str, Model | Variant] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    files: dict[str, UsedFile] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Argued:
    """An argument list that a variant, a profile or the user gives a model, and the file whose names it may use."""

    arguments: tuple[Argument, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class ModelChain:
    """A model and the argument lists that lead to it, from the model's nearest variant to the user's overrides."""

    name: str
    model: Model
    arguments: tuple[Argued, ...]

    def evaluate(self, elaborator: Elaborator, scope: Scope) -> dict[str, Given]:
        """Return the model's arguments by name; a later list wins over an earlier one."""
        known = [parameter.name.text for parameter in self.model.parameters]
        merged: dict[str, Given] = {}
        for argued in self.arguments:
            place = replace(scope, source=argued.source)
            positional, named = elaborator.evaluate_arguments(argued.arguments, place, None)
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
    """Return the definitions that a file sees by name; a name given twice is reported and the first one is kept."""
    definitions = Definitions(file)
    names: dict[str, Span] = {}
    for definition in file.definitions:
        if isinstance(definition, Section):
            definitions.sections.append(definition)
        elif isinstance(definition, (Block, Model, Variant)):
            name = definition.name
            if name.text in names:
                findings.add(_twice(name, names[name.text]))
                continue
            names[name.text] = name.span
            _add(definitions, name.text, definition)
            if not isinstance(definition, Block):
                definitions.own.append(name.text)
    for used in file.uses if isinstance(file, LinkedFile) else ():
        _bring_in(definitions, used, names, findings)
    for item in file.renamed if isinstance(file, LinkedFile) else ():
        _rename(definitions, item, names, findings)
    return definitions


def collect_all(file: File, findings: Diagnostics) -> dict[Source, Definitions]:
    """Return what every file sees that one needs, by its text, the file itself first.

    Of the other files only names given twice are reported: sections do not come along with `use`.
    """
    collected = {file.span.source: collect(file, findings)}
    for other in reachable(file):
        if other.span.source not in collected:
            further = Diagnostics()
            collected[other.span.source] = collect(other, further)
            findings.extend(item for item in further if item.severity is Severity.ERROR)
    return collected


def _add(definitions: Definitions, name: str, definition: Block | Model | Variant) -> None:
    if isinstance(definition, Block):
        definitions.blocks[name] = definition
    else:
        definitions.models[name] = definition


def _bring_in(definitions: Definitions, used: Used, names: dict[str, Span], findings: Diagnostics) -> None:
    """Add the definitions of a used file; the same one may come in twice, two different ones of a name may not."""
    alias = used.statement.alias
    blocks: dict[str, Block] = {}
    for definition in used.file.definitions:
        if not isinstance(definition, (Block, Model, Variant)):
            continue
        if isinstance(definition, Block):
            blocks.setdefault(definition.name.text, definition)
        name = used.prefix + definition.name.text
        first = names.setdefault(name, definition.name.span)
        if first == definition.name.span:
            _add(definitions, name, definition)
        elif first.source is not definition.span.source and alias is None:
            findings.add(_clash(used, name, first, definition.name.span))
    if alias is not None:
        first = names.setdefault(alias.text, alias.span)
        if first != alias.span:
            findings.add(_twice(alias, first))
        definitions.files.setdefault(alias.text, UsedFile(alias.text, blocks))


def _rename(definitions: Definitions, item: Renamed, names: dict[str, Span], findings: Diagnostics) -> None:
    """Add a name that the file has for a plugin's thing; the same one may be given twice, two things may not."""
    name = item.name
    first = names.setdefault(name.text, name.span)
    if definitions.renamed.setdefault(name.text, item.target) != item.target or (
        first != name.span and name.text in {*definitions.blocks, *definitions.models, *definitions.files}
    ):
        findings.add(_twice(name, first))


def model_chain(
    collected: Mapping[Source, Definitions],
    name: str,
    overrides: Mapping[str, str],
    profile: tuple[Argument, ...] = (),
) -> ModelChain:
    """Follow variants down to their model, each name as the file means it that writes it.

    Args:
        collected: the definitions of every file that takes part, the main file first.
        name: the model or variant.
        overrides: model parameters as expressions, which win over all others.
        profile: arguments from a profile of the main file, which win over those of variants.

    Raises:
        Fault: there is no such model, variants go round in a circle, or an override is no expression.
    """
    arguments: list[Argued] = []
    asked, seen = name, set()
    main = definitions = next(iter(collected.values()))
    place = definitions.file.span
    while True:
        definition = definitions.models.get(name)
        if definition is None:
            raise _no_model(name, place, definitions)
        if isinstance(definition, Model):
            break
        if definition.name.span in seen:
            raise fault("E0310", f"model {name} is a variant of itself", definition.span)
        seen.add(definition.name.span)
        definitions = collected[definition.span.source]
        arguments.insert(0, Argued(definition.arguments, definition.span.source))
        place = definition.base.span
        name = dotted(definition.base)
    if profile:
        arguments.append(Argued(profile, main.file.span.source))
    if overrides:
        arguments.append(Argued(_parse_overrides(asked, overrides), main.file.span.source))
    return ModelChain(asked, definition, tuple(arguments))


def lineage(file: File, model: str) -> list[str]:
    """Return the names that a model and those it is a variant of have in a file, nearest first.

    One that only a used file can name ends the list.
    """
    definitions = collect(file, Diagnostics())
    names: list[str] = []
    while model in definitions.models and model not in names:
        names.append(model)
        definition = definitions.models[model]
        if isinstance(definition, Model):
            break
        base = _base_of(file, definition)
        model = next((name for name, item in definitions.models.items() if item is base), "")
    return names


def base_model(file: File, model: str) -> Model | None:
    """Return the model that a name stands for in a file, or that it is a variant of."""
    definition: Model | Variant | None = collect(file, Diagnostics()).models.get(model)
    seen: list[Variant] = []
    while isinstance(definition, Variant) and definition not in seen:
        seen.append(definition)
        definition = _base_of(file, definition)
    return definition if isinstance(definition, Model) else None


def _base_of(file: File, variant: Variant) -> Model | Variant | None:
    """Return what a variant's base stands for in the file that wrote it."""
    home = next((item for item in reachable(file) if item.span.source is variant.span.source), file)
    return collect(home, Diagnostics()).models.get(dotted(variant.base))


def dotted(name: Name | Attribute) -> str:
    """Return a plain or dotted name without the blanks that may stand around its dots."""
    return name.text if isinstance(name, Name) else "".join(name.span.text.split())


def _no_model(name: str, place: Span, definitions: Definitions) -> Fault:
    known = ", ".join(definitions.models) or "none"
    return fault(
        "E0310",
        f"there is no model {name}",
        place,
        notes=(f"models in this file: {known}",),
        help=suggestion(name, definitions.models),
        fixes=renaming(name, definitions.models, place),
    )


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


def _clash(used: Used, name: str, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        "E0309",
        f"{name} comes from two files",
        used.statement.span,
        label=f"brings in another {name}",
        labels=(Label(first, "defined here"), Label(second, "and here")),
        help=f"give the file a name, and write that before its names: {used.statement.span.text} as other",
    )
