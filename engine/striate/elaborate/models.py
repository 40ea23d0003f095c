"""From a file and a model's name to a typed graph, with everything that is wrong with it.

The one public function is `elaborate`; it never raises for a mistake in the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from striate.dims.domain import Domain, solve
from striate.elaborate.catalogue import Catalogue
from striate.elaborate.definitions import Definitions, ModelChain, collect, collect_all, model_chain
from striate.elaborate.elaborator import Elaborator, StepLimitError
from striate.elaborate.faults import Fault, trail_notes
from striate.elaborate.layers import Network, OpenCondition
from striate.elaborate.linked import LinkedFile, reachable
from striate.elaborate.loops import Loops
from striate.elaborate.model_statements import ModelStatements
from striate.elaborate.parameters import fill_parameters
from striate.elaborate.scope import Scope
from striate.elaborate.values import plain
from striate.graph import Graph
from striate_dsl.collection import collection_paused
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.source import Source
from striate_dsl.syntax import Argument, File, Identifier

CALL_DEPTH = 10_000
"""Python calls within calls while a model is built; a level of nesting takes about six."""

_NO_SUCH_NAME = frozenset({"E0301", "E0302", "E0310"})


@dataclass(frozen=True, slots=True)
class Elaboration:
    """What came of a model: its graph (None where there are errors), its findings, and the sizes it takes."""

    model: str
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]
    domain: Domain | None


def model_names(file: File) -> tuple[str, ...]:
    """Return the models and variants of a file in order, and those from used files that its sections are for."""
    definitions = collect(file, Diagnostics())
    named = (section.name.text for section in definitions.sections if section.kind != "profile" and section.name)
    return tuple(dict.fromkeys([*definitions.own, *(name for name in named if name in definitions.models)]))


def visible_models(file: File) -> tuple[str, ...]:
    """Return the names of all models and variants that a file sees, those of used files included."""
    return tuple(collect(file, Diagnostics()).models)


def elaborate(
    file: File,
    model: str,
    catalogue: Catalogue,
    overrides: Mapping[str, str] | None = None,
    profile: tuple[Argument, ...] = (),
) -> Elaboration:
    """Build the graph of one model of a file.

    Args:
        file: the parsed file, with the files it uses.
        model: the name of a model or variant that the file sees.
        catalogue: the layers and heads that plugins and striate provide.
        overrides: model parameters as expressions in the language, e.g. `{"classes": "10"}`.
        profile: model parameters from a profile of the file; `overrides` win over them.
    """
    findings = Diagnostics()
    collected = collect_all(file, findings)
    try:
        chain = model_chain(collected, model, overrides or {}, profile)
    except Fault as error:
        built = Elaboration(model, None, (*findings, error.diagnostic), None)
    else:
        with collection_paused(), _room_for_nesting():
            built = _Run(collected, chain, catalogue, findings).result()
    return replace(built, diagnostics=_independent(built.diagnostics, file))


def _independent(findings: tuple[Diagnostic, ...], file: File) -> tuple[Diagnostic, ...]:
    """Leave out complaints about names that a file may have from one that could not be read: that has been told."""
    torn = {item.span.source for item in reachable(file) if isinstance(item, LinkedFile) and not item.complete}
    if not torn:
        return findings
    return tuple(
        item for item in findings if item.code not in _NO_SUCH_NAME or item.span is None or item.span.source not in torn
    )


@contextmanager
def _room_for_nesting() -> Iterator[None]:
    """Let bodies within bodies within blocks nest as deep as the limits of the language allow in any sensible file."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, CALL_DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@dataclass(slots=True)
class _Run:
    """One elaboration: the model's statements are run, then contracts, outputs and sizes are looked at."""

    collected: Mapping[Source, Definitions]
    chain: ModelChain
    catalogue: Catalogue
    findings: Diagnostics
    elaborator: Elaborator = field(init=False)

    def __post_init__(self) -> None:
        nothing = Definitions(next(iter(self.collected.values())).file)
        self.elaborator = Elaborator(self.collected, nothing, self.catalogue)

    def result(self) -> Elaboration:
        elaborator, model = self.elaborator, self.chain.model
        scope = Scope(model.body, sites=elaborator.sites.of(model.body))
        Loops(elaborator)
        statements = ModelStatements(elaborator)
        try:
            arguments = self.chain.evaluate(elaborator, scope)
            environment = elaborator.environment(scope, None)
            fill_parameters(self.chain.name, model.parameters, model.name.span, [], arguments, scope, environment)
            last = elaborator.run_body(model.body, scope, None)
            statements.finish(model, last)
        except Fault as error:
            elaborator.report(error.diagnostic)
        except StepLimitError:
            pass
        except RecursionError:
            elaborator.report(_too_deep(model.name))
        bound = (item.name.text for item in model.parameters if item.name.text in scope.names)
        parameters = {name: scope.names[name].value for name in bound}
        graph = self._graph(statements, parameters)
        domain = self._domain(graph, statements) if graph else None
        if graph is not None and domain is not None:
            statements.check_contracts(graph)
        self.findings.extend(elaborator.diagnostics)
        failed = self.findings.has_errors
        return Elaboration(self.chain.name, None if failed else graph, tuple(self.findings), domain)

    def _graph(self, statements: ModelStatements, parameters: Mapping[str, Any]) -> Graph | None:
        elaborator = self.elaborator
        outputs = {name: value.name for name, (value, _) in elaborator.outputs.items()}
        if self.findings.has_errors or elaborator.diagnostics.has_errors or "" in outputs.values():
            return None
        network: Network = elaborator.network
        return Graph(
            name=self.chain.name,
            inputs=tuple(statements.inputs),
            nodes=tuple(network.nodes),
            outputs=outputs,
            weights=network.weights,
            constraints=tuple(condition.constraint for condition in network.conditions),
            tasks=tuple(statements.tasks),
            arguments={name: plain(value) for name, value in parameters.items()},
        )

    def _domain(self, graph: Graph, statements: ModelStatements) -> Domain | None:
        conditions = self.elaborator.network.conditions
        domain = solve([condition.constraint for condition in conditions], statements.symbols)
        if domain.unsatisfiable is None:
            return domain
        guilty = next(item for item in conditions if item.constraint is domain.unsatisfiable)
        self.elaborator.report(_no_size_fits(guilty))
        return None


def _too_deep(name: Identifier) -> Diagnostic:
    return Diagnostic(
        "E0319",
        f"model {name.text} nests blocks and bodies too deep to be built",
        name.span,
        help="write nested bodies as blocks, or lines one after the other",
    )


def _no_size_fits(condition: OpenCondition) -> Diagnostic:
    reason = condition.constraint.reason
    problem = reason() if callable(reason) else None
    return Diagnostic(
        problem.code if problem else "E0203",
        problem.message if problem else "no input size fulfils this condition together with those before it",
        condition.origin.span,
        notes=(
            *(problem.notes if problem else ()),
            f"no input size fulfils {condition.constraint} together with the conditions before it",
            *trail_notes(condition.origin.trail),
        ),
        help=problem.help if problem else None,
    )
