"""Checking a file: parse it, build every model, read every recipe, and collect what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from striate.elaborate import Elaboration, elaborate, model_names, visible_models
from striate.elaborate.budget import Budget
from striate.elaborate.linked import LinkedFile, renamed_in
from striate.elaborate.models import demand_few_layers
from striate.elaborate.profiles import NO_PROFILE, check_profiles
from striate.elaborate.settings import RecipeEnvironment, placed_settings
from striate.host.catalogue import HostCatalogue
from striate.host.records import LossRecord
from striate.lint import Loss, Network, Subject, lint
from striate.lint.allow import silence
from striate.lint.channels import MULTIPLES
from striate.model import chosen_profile, several_models
from striate.project.linking import parse_linked
from striate_dsl.amounts import capped
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Edit, Fix, Severity
from striate_dsl.limits import FINDINGS, PAIRS
from striate_dsl.names import nearest
from striate_dsl.parser import ParseResult
from striate_dsl.paths import dotted_text
from striate_dsl.reading import read_source
from striate_dsl.source import Source, Span
from striate_dsl.syntax import CallExpression, Expression, File, Section, Setting

if TYPE_CHECKING:
    from striate.dims.domain import Domain
    from striate.graph import Graph, TensorType


Built = Callable[[File, HostCatalogue], Iterable[Elaboration]]
"""Gives what came of every model of a file that is checked."""
CHARACTERS_PER_LAYER = 40
"""Characters of a text that are read while a layer is made."""


@dataclass(slots=True)
class Checked:
    """What a check found in one file, and the input sizes that each of its models takes.

    `outputs` has the output sizes of the models for which sizes were asked about, e.g. `{"UNet": {"masks": …}}`.
    `parses` is False where the text has errors of syntax, which `misspelt` counts; `effort` says what the check has
    cost, in characters that could have been read instead.
    """

    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    domains: dict[str, Domain] = field(default_factory=dict)
    outputs: dict[str, dict[str, TensorType]] = field(default_factory=dict)
    parses: bool = True
    misspelt: int = 0
    effort: int = 0

    @property
    def failed(self) -> bool:
        """Whether there are errors."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def check_file(
    path: Path,
    model: str | None = None,
    overrides: Mapping[str, str] | None = None,
    profile: str | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Checked:
    """Read and check a file; a file that cannot be read is a finding like any other."""
    try:
        source = read_source(path)
    except DiagnosticError as error:
        return Checked(str(path), list(error.diagnostics))
    return check_source(source, model, overrides, profile, sizes)


def check_source(
    source: Source,
    model: str | None = None,
    overrides: Mapping[str, str] | None = None,
    profile: str | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Checked:
    """Check a text: all its models, or the one named, as they are or with a profile, for all input sizes or for some.

    A mistake inside a block shows up in every model that uses the block; it is reported once. Where the syntax has
    errors, the rest is checked as if those with a safe repair had it, unless one model or profile is asked for; a
    definition with others is left out. A text without errors is linted as well; what its comments allow is left out.
    """
    catalogue = HostCatalogue()
    result = parse_linked(source, catalogue)
    special = bool(model or overrides or profile or sizes)
    if special and result.file is None:
        return _parsed(source, result)

    asked = _Asked(sizes or {}, special)

    def built(file: File, catalogue: HostCatalogue) -> Iterator[Elaboration]:
        chosen = chosen_profile(file, profile)
        names = (model,) if model else model_names(file)
        if overrides and len(names) != 1:
            raise DiagnosticError(several_models(file))
        budget = asked.budget
        if len(names) > 1:
            arguments = {name: chosen.arguments(file, name) for name in names}
            budget.forecast = lambda: demand_few_layers(file, arguments, catalogue, overrides or {})
        for name in names:
            yield elaborate(file, name, catalogue, overrides, chosen.arguments(file, name), sizes, budget=budget)

    return _check(source, result, catalogue, built, asked)


def check_parsed(
    source: Source, result: ParseResult, catalogue: HostCatalogue, built: Built, *, linted: bool
) -> Checked:
    """Check a text that has been parsed and linked, as `check_source` does, with models from elsewhere.

    Args:
        source: the text.
        result: what parsing and linking gave.
        catalogue: layers and records; it may have been used before.
        built: elaborates the models of the file, or has them already.
        linted: whether a text without errors is linted, for which the graphs must have been made of this very text.
    """
    return _check(source, result, catalogue, built, _Asked(linted=linted))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The sizes asked about, whether only some of the file is looked at and linted, and what its models may take."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    special: bool = False
    linted: bool = True
    budget: Budget = field(default_factory=Budget)


def _check(source: Source, result: ParseResult, catalogue: HostCatalogue, built: Built, asked: _Asked) -> Checked:
    checked = _parsed(source, result)
    file = result.file or result.mended
    if file is None:
        return checked
    findings: list[Diagnostic] = []
    graphs: dict[str, Graph] = {}
    try:
        findings += _check_models(file, built(file, catalogue), asked.sizes, checked, graphs)
        checked.effort += CHARACTERS_PER_LAYER * asked.budget.made
        findings += islice(_check_sections(file, catalogue, whole=result.file is not None), FINDINGS.value)
        findings += _check_weights(file, graphs, catalogue)
    except DiagnosticError as error:  # two plugins provide a name of the file
        findings += error.diagnostics
    if result.file is None:
        findings = _elsewhere(findings, result.diagnostics, source)
        sound = model_names(result.partial) if result.partial else ()
        checked.domains = {name: domain for name, domain in checked.domains.items() if name in sound}
    checked.diagnostics += _each_once([*findings, *catalogue.warnings()])
    whole = asked.linted and not checked.failed
    if whole:
        checked.diagnostics += lint(Subject(file, _networks(file, graphs, catalogue)))
    checked.diagnostics = capped(
        silence(checked.diagnostics, source, complete=whole and not asked.special), FINDINGS.value
    )
    return checked


def _parsed(source: Source, result: ParseResult) -> Checked:
    """Return what parsing alone has found."""
    parses = result.file is not None
    misspelt = 0 if parses else sum(item.severity is Severity.ERROR for item in result.diagnostics)
    return Checked(source.name, list(result.diagnostics), parses=parses, misspelt=misspelt, effort=len(source.text))


def _elsewhere(findings: Iterable[Diagnostic], told: Iterable[Diagnostic], source: Source) -> list[Diagnostic]:
    """Return the findings that are not about a line of which something has been told already."""
    lines = {line for item in told if item.span for line in range(item.span.line, item.span.end_line + 1)}
    return [item for item in findings if not (item.span and item.span.source is source and item.span.line in lines)]


def _check_models(
    file: File,
    elaborations: Iterable[Elaboration],
    sizes: Mapping[str, int],
    checked: Checked,
    graphs: dict[str, Graph],
) -> Iterator[Diagnostic]:
    symbols: set[str] = set()
    names: list[str] = []
    for built in elaborations:
        name = built.model
        names.append(name)
        symbols.update(built.symbols)
        yield from built.diagnostics
        if built.graph is not None and sizes.keys() & set(built.symbols):
            types = built.graph.types
            checked.outputs[name] = {output: types[value] for output, value in built.graph.outputs.items()}
        if built.domain is not None and built.graph is not None:
            checked.domains[name] = built.domain
            graphs[name] = built.graph
    yield from _no_such_symbols(sizes, symbols, names)


def _no_such_symbols(sizes: Mapping[str, int], symbols: set[str], models: Iterable[str]) -> Iterator[Diagnostic]:
    """Report sizes asked about that no model leaves open."""
    for name in sizes:
        if name not in symbols:
            near = nearest(name, symbols)
            known = f"sizes left open: {', '.join(sorted(symbols))}" if symbols else "all input sizes are fixed"
            yield Diagnostic(
                "E0323",
                f"no input of {' or '.join(models) or 'a model'} has a size called {name}",
                notes=(known,),
                help=f"did you mean {near}?" if near else f"leave the size open in the input line: {name} in its place",
            )


def _networks(file: File, graphs: Mapping[str, Graph], catalogue: HostCatalogue) -> list[Network]:
    """Return the models' graphs with what recipes and export sections ask of them, as lints look at them."""
    kinds = {item.kind for item in file.definitions if isinstance(item, Section)}
    return [
        Network(
            graph,
            list(_recipe_losses(file, name, catalogue)) if "train" in kinds else (),
            catalogue.layer,
            _tensor_cores(file, name) if "export" in kinds else None,
        )
        for name, graph in graphs.items()
    ]


def _recipe_losses(file: File, model: str, catalogue: HostCatalogue) -> Iterator[Loss]:
    from striate.train.sections import sections_of

    for section in sections_of(file, model):
        yield from _losses(section.settings, catalogue, renamed_in(file))


def _tensor_cores(file: File, model: str) -> str | None:
    """Return the arithmetic of tensor cores that an export of a model asks for, the one with the widest rows."""
    from striate.onnx.contract import read_contracts

    asked = {contract.tensor_cores for contract in read_contracts(file, model)}
    return max((name for name in asked if name), key=MULTIPLES.__getitem__, default=None)


def _losses(settings: tuple[Setting, ...], catalogue: HostCatalogue, renamed: Mapping[str, str]) -> Iterator[Loss]:
    for setting in settings:
        if [part.text for part in setting.key] == ["loss"] and setting.value is not None:
            yield from _losses_in(setting.value, catalogue, renamed)


def _losses_in(value: Expression, catalogue: HostCatalogue, renamed: Mapping[str, str]) -> Iterator[Loss]:
    """Yield the loss that an expression names, or of a sum those that it names."""
    name = value.function if isinstance(value, CallExpression) else value
    written = dotted_text(name)
    if isinstance(value, CallExpression) and written == "sum":
        for item in value.arguments:
            yield from _losses_in(item.value, catalogue, renamed) if item.name is None else ()
    elif written is not None:
        record = catalogue.find(LossRecord, renamed.get(written, written))
        if record is not None:
            yield Loss(record.name, record.applies, name.span)


def _check_sections(file: File, catalogue: HostCatalogue, *, whole: bool) -> Iterator[Diagnostic]:
    """Check recipes and export contracts, and that the models they are for exist."""
    known = visible_models(file)
    sections = [item for item in file.definitions if isinstance(item, Section)]
    for section in sections:
        if section.kind not in ("train", "export", "search") or section.name is None:
            continue
        if section.name.text not in known and not (isinstance(file, LinkedFile) and file.may_have(section.name.text)):
            near = nearest(section.name.text, known)
            fixes = (Fix(f"write {near}", (Edit(section.name.span, near),), "unsafe"),) if near else ()
            yield Diagnostic(
                "E0310",
                f"there is no model {section.name.text}",
                section.name.span,
                notes=(f"models in this file: {', '.join(known) or 'none'}",),
                help=f"did you mean {near}?" if near else None,
                fixes=fixes,
            )
    if any(section.kind in ("train", "profile") for section in sections):
        from striate.train.recipe import KEYS, check_recipes

        profiles, findings = check_profiles(file, KEYS)
        yield from findings
        if len(profiles) * sum(section.kind == "train" for section in sections) > PAIRS.value:
            yield _too_many_pairs(sections)
            profiles = []
        for profile in (NO_PROFILE, *profiles):
            yield from check_recipes(file, catalogue, profile.recipe)
    if any(section.kind == "search" for section in sections):
        from striate.search.checking import check_searches  # noqa: PLC0415  # only files with a search need it

        yield from check_searches(file, catalogue, whole=whole)
    if any(section.kind == "export" for section in sections):
        yield from _check_exports(file, model_names(file), catalogue)


def _check_weights(file: File, graphs: Mapping[str, Graph], catalogue: HostCatalogue) -> Iterator[Diagnostic]:
    """Report initialisers and regularisers that mean no weight of any model that their recipe is for."""
    keys = {"init", "regularize"}
    for section in file.definitions:
        if (
            isinstance(section, Section)
            and section.kind == "train"
            and keys & {_first(item) for item in section.settings}
        ):
            from striate.train.sections import sections_of
            from striate.train.weight_parts import idle_parts

            models = [graph for name, graph in graphs.items() if section in sections_of(file, name)]
            yield from idle_parts(file, section, models, catalogue)


def _first(setting: Setting) -> str:
    return setting.key[0].text


def _too_many_pairs(sections: list[Section]) -> Diagnostic:
    recipes = [section for section in sections if section.kind == "train"]
    profiles = [section for section in sections if section.kind == "profile"]
    return Diagnostic(
        "E0341",
        f"{len(recipes)} recipes with {len(profiles)} profiles are more than {PAIRS.value:,} pairs",
        profiles[-1].span,
        help=f"give those that do not belong together files of their own; {PAIRS.advice}",
    )


def _check_exports(file: File, models: Iterable[str], catalogue: HostCatalogue) -> Iterator[Diagnostic]:
    from striate.onnx.contract import contract_sections, read_contracts

    for model in models:
        try:
            contracts = read_contracts(file, model)
        except DiagnosticError as error:
            yield from error.diagnostics
            continue
        if any(contract.passes for contract in contracts):
            for section in contract_sections(file, model):
                yield from _check_passes(section, catalogue, renamed_in(file))


def _check_passes(section: Section, catalogue: HostCatalogue, renamed: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield a finding for each pass in an export section that no plugin provides, or several do."""
    from striate.host.provided import demand_provided  # noqa: PLC0415  # only where a section names passes
    from striate.host.work_records import PassRecord  # noqa: PLC0415  # the same
    from striate.onnx.contract import ENTRIES

    value, setting = placed_settings(section.settings, RecipeEnvironment()).get("passes", ((), None))
    place = setting.value.span if setting is not None and setting.value is not None else section.span
    for name in ENTRIES["passes"].kind.convert(value):
        try:
            demand_provided(catalogue, PassRecord, renamed.get(name, name))
        except DiagnosticError as error:
            yield from (replace(item, span=place) for item in error.diagnostics)


def _each_once(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings without repetition: a mistake in a block shows up in every model that uses the block."""
    seen: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for item in findings:
        seen.setdefault((item.code, item.span, item.message), item)
    return list(seen.values())
