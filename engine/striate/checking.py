"""Checking a file: parse it, build every model, read every recipe, and collect what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from striate.elaborate import elaborate, model_names, visible_models
from striate.elaborate.linked import LinkedFile
from striate.elaborate.profiles import NO_PROFILE, check_profiles
from striate.host.catalogue import HostCatalogue
from striate.host.records import LossRecord
from striate.lint import Loss, Network, Subject, lint
from striate.lint.allow import silence
from striate.model import chosen_profile, several_models
from striate.project.linking import parse_linked
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.names import nearest
from striate_dsl.reading import read_source
from striate_dsl.source import Source, Span
from striate_dsl.syntax import CallExpression, File, Name, Section, Setting

if TYPE_CHECKING:
    from striate.dims.domain import Domain
    from striate.graph import Graph


@dataclass(slots=True)
class Checked:
    """What a check found in one file, and the input sizes that each of its models takes."""

    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    domains: dict[str, Domain] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there are errors."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def check_file(
    path: Path, model: str | None = None, overrides: Mapping[str, str] | None = None, profile: str | None = None
) -> Checked:
    """Read and check a file; a file that cannot be read is a finding like any other."""
    try:
        source = read_source(path)
    except DiagnosticError as error:
        return Checked(str(path), list(error.diagnostics))
    return check_source(source, model, overrides, profile)


def check_source(
    source: Source, model: str | None = None, overrides: Mapping[str, str] | None = None, profile: str | None = None
) -> Checked:
    """Check a text: all its models, or the one named, as they are or with a profile.

    A mistake inside a block shows up in every model that uses the block; it is reported once. A text without errors is
    linted as well; what its comments allow is left out.
    """
    catalogue = HostCatalogue()
    result = parse_linked(source, catalogue)
    checked = Checked(source.name, list(result.diagnostics))
    if result.file is None:
        return checked
    findings: list[Diagnostic] = []
    graphs: dict[str, Graph] = {}
    try:
        findings += _check_models(result.file, model, overrides, profile, catalogue, checked, graphs)
        findings += _check_sections(result.file, catalogue)
    except DiagnosticError as error:  # two plugins provide a name of the file
        findings += error.diagnostics
    checked.diagnostics += _each_once([*findings, *catalogue.warnings()])
    whole = not checked.failed
    if whole:
        checked.diagnostics += lint(Subject(result.file, _networks(result.file, graphs, catalogue)))
    checked.diagnostics = silence(checked.diagnostics, source, complete=whole and not (model or overrides or profile))
    return checked


def _check_models(
    file: File,
    model: str | None,
    overrides: Mapping[str, str] | None,
    profile: str | None,
    catalogue: HostCatalogue,
    checked: Checked,
    graphs: dict[str, Graph],
) -> Iterator[Diagnostic]:
    chosen = chosen_profile(file, profile)
    names = (model,) if model else model_names(file)
    if overrides and len(names) != 1:
        raise DiagnosticError(several_models(file))
    for name in names:
        built = elaborate(file, name, catalogue, overrides, chosen.arguments(file, name))
        yield from built.diagnostics
        if built.domain is not None and built.graph is not None:
            checked.domains[name] = built.domain
            graphs[name] = built.graph


def _networks(file: File, graphs: Mapping[str, Graph], catalogue: HostCatalogue) -> list[Network]:
    """Return the models' graphs with the losses of their recipes, as lints look at them."""
    if not any(isinstance(item, Section) and item.kind == "train" for item in file.definitions):
        return [Network(graph) for graph in graphs.values()]
    from striate.train.sections import sections_of

    return [
        Network(graph, [loss for section in sections_of(file, name) for loss in _losses(section.settings, catalogue)])
        for name, graph in graphs.items()
    ]


def _losses(settings: tuple[Setting, ...], catalogue: HostCatalogue) -> Iterator[Loss]:
    for setting in settings:
        value = setting.value.function if isinstance(setting.value, CallExpression) else setting.value
        if [part.text for part in setting.key] == ["loss"] and isinstance(value, Name):
            record = catalogue.find(LossRecord, value.text)
            if record is not None:
                yield Loss(record.name, record.applies, value.span)


def _check_sections(file: File, catalogue: HostCatalogue) -> Iterator[Diagnostic]:
    """Check recipes and export contracts, and that the models they are for exist."""
    known = visible_models(file)
    complete = not isinstance(file, LinkedFile) or file.complete
    sections = [item for item in file.definitions if isinstance(item, Section)]
    for section in sections:
        if not complete or section.kind not in ("train", "export") or section.name is None:
            continue
        if section.name.text not in known:
            near = nearest(section.name.text, known)
            yield Diagnostic(
                "E0310",
                f"there is no model {section.name.text}",
                section.name.span,
                notes=(f"models in this file: {', '.join(known) or 'none'}",),
                help=f"did you mean {near}?" if near else None,
            )
    if any(section.kind in ("train", "profile") for section in sections):
        from striate.train.recipe import KEYS, check_recipes

        profiles, findings = check_profiles(file, KEYS)
        yield from findings
        for profile in (NO_PROFILE, *profiles):
            yield from check_recipes(file, catalogue, profile.recipe)
    if any(section.kind == "export" for section in sections):
        yield from _check_exports(file, model_names(file))


def _check_exports(file: File, models: Iterable[str]) -> Iterator[Diagnostic]:
    from striate.onnx.contract import read_contract

    for model in models:
        try:
            read_contract(file, model)
        except DiagnosticError as error:
            yield from error.diagnostics


def _each_once(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings without repetition: a mistake in a block shows up in every model that uses the block."""
    seen: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for item in findings:
        seen.setdefault((item.code, item.span, item.message), item)
    return list(seen.values())
