"""From a file and a model's name to a typed graph, with everything that is wrong with it.

The one public function is `elaborate`; it never raises for a mistake in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from striate.dims.constraints import Divisible, Equal, simplified
from striate.dims.domain import Domain, solve
from striate.elaborate.budget import TOO_MANY_LAYERS, Budget, LimitError, too_many_layers
from striate.elaborate.catalogue import Catalogue
from striate.elaborate.counting import LayerCount
from striate.elaborate.definitions import Definitions, ModelChain, collect, collect_all, model_chain
from striate.elaborate.elaborator import Elaborator
from striate.elaborate.faults import Fault, UnknownValueError, trail_notes
from striate.elaborate.linked import LinkedFile, reachable
from striate.elaborate.loops import Loops
from striate.elaborate.model_statements import ModelStatements
from striate.elaborate.nearest import SIZE_CODES, NearestSizes
from striate.elaborate.network import Network, OpenCondition
from striate.elaborate.observer import Observer
from striate.elaborate.outputs import Outputs
from striate.elaborate.parameters import fill_parameters
from striate.elaborate.rehearsal import Rehearsal
from striate.elaborate.scope import Scope
from striate.elaborate.values import plain
from striate.graph import Graph
from striate_dsl.collection import collection_paused
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Label
from striate_dsl.limits import CONDITIONS, LAYERS
from striate_dsl.nesting import room_for_nesting
from striate_dsl.source import Source
from striate_dsl.syntax import Argument, File, Identifier

MOST_OPPONENTS = 200
"""Earlier conditions that are looked at for one that contradicts a condition by itself."""

MOST_REBUILT = 3_000
"""Layers that are made once more to see which input sizes would do; larger networks get no such proposal."""

_NO_SUCH_NAME = frozenset({"E0301", "E0302", "E0310"})


@dataclass(frozen=True, slots=True)
class Elaboration:
    """What came of a model: its graph (None where there are errors), its findings, and the sizes it takes.

    `symbols` are the sizes that its inputs leave open, those given a number included.
    """

    model: str
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]
    domain: Domain | None
    symbols: tuple[str, ...] = ()


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
    sizes: Mapping[str, int] | None = None,
    observer: Observer | None = None,
    budget: Budget | None = None,
) -> Elaboration:
    """Build the graph of one model of a file.

    Args:
        file: the parsed file, with the files it uses.
        model: the name of a model or variant that the file sees.
        catalogue: the layers and heads that plugins and striate provide.
        overrides: model parameters as expressions in the language, e.g. `{"classes": "10"}`.
        profile: model parameters from a profile of the file; `overrides` win over them.
        sizes: numbers for symbols of the inputs, e.g. `{"H": 200}`; the others stay open.
        observer: hears of everything that is made, in order.
        budget: what is left for the models of a file, where several are built; nothing is built once it is spent.
    """
    findings = Diagnostics()
    budget = budget or Budget()
    if budget.spent:
        return Elaboration(model, None, (), None)
    collected = collect_all(file, findings)
    try:
        chain = model_chain(collected, model, overrides or {}, profile)
    except Fault as error:
        built = Elaboration(model, None, (*findings, error.diagnostic, *error.further), None)
    else:
        with collection_paused(), room_for_nesting():
            run = _Run(collected, chain, catalogue, findings, budget, sizes or {}, observer=observer)
            built = run.result()
            if any(item.code in SIZE_CODES for item in built.diagnostics):
                open_run = _Run(collected, chain, catalogue, Diagnostics(), Budget(MOST_REBUILT), {}, open_sizes=True)
                nearest = NearestSizes(run.statements, open_run.open_domain())
                built = replace(built, diagnostics=tuple(map(nearest.proposed, built.diagnostics)))
    return replace(built, diagnostics=_independent(built.diagnostics, file))


def demand_few_layers(
    file: File, models: Mapping[str, tuple[Argument, ...]], catalogue: Catalogue, overrides: Mapping[str, str]
) -> None:
    """Count the layers of several models ahead, without making them.

    Args:
        file: the parsed file.
        models: the names of the models, each with the arguments that a profile gives it.
        catalogue: the layers and heads that plugins and striate provide.
        overrides: model parameters as expressions in the language.

    Raises:
        LimitError: they have more than the models of a file may have; it names the first that is too much.
    """
    collected = collect_all(file, Diagnostics())
    total = 0
    for name, arguments in models.items():
        try:
            chain = model_chain(collected, name, overrides, arguments)
        except Fault:
            continue
        with room_for_nesting():
            total += _Run(collected, chain, catalogue, Diagnostics(), Budget(), {}).forecast()
        if total > LAYERS.value:
            raise LimitError(too_many_layers(next(iter(collected.values())).models[name].name.span))


def _independent(findings: tuple[Diagnostic, ...], file: File) -> tuple[Diagnostic, ...]:
    """Leave out complaints about names that a file may have from one that could not be read: that has been told.

    The name is in the text or in the message: where `unit = Basic` was given, the text says `unit(64)`.
    """
    torn = {item.span.source: item for item in reachable(file) if isinstance(item, LinkedFile) and item.lacks_names}
    if not torn:
        return findings
    return tuple(
        item
        for item in findings
        if item.code not in _NO_SUCH_NAME
        or item.span is None
        or item.span.source not in torn
        or not any(map(torn[item.span.source].may_have, (item.span.text, *item.message.split())))
    )


@dataclass(slots=True)
class _Run:
    """One elaboration: the model's statements are run, then contracts, outputs and sizes are looked at.

    With `open_sizes` no weights are made and every image size is a symbol, to see which sizes would do.
    """

    collected: Mapping[Source, Definitions]
    chain: ModelChain
    catalogue: Catalogue
    findings: Diagnostics
    budget: Budget
    sizes: Mapping[str, int]
    open_sizes: bool = False
    observer: Observer | None = None
    rehearsed: bool = False
    elaborator: Elaborator = field(init=False)
    statements: ModelStatements = field(init=False)

    def __post_init__(self) -> None:
        kind, observer = (Rehearsal, None) if self.rehearsed else (Elaborator, self.observer)
        self.elaborator = self._new_elaborator(kind, self.budget, observer)
        if self.budget.forecast is None and not self.rehearsed:
            self.budget.forecast = self.forecast
        self.elaborator.network.sizes_only = self.open_sizes
        if observer is not None:
            observer.begun(self.elaborator.network)
        Loops(self.elaborator)
        Outputs(self.elaborator)
        self.statements = ModelStatements(self.elaborator, self.sizes, open_sizes=self.open_sizes)

    def result(self) -> Elaboration:
        parameters = self._run()
        graph = self._graph(parameters)
        domain = self._domain(graph) if graph else None
        if graph is not None and domain is not None:
            try:
                self.statements.check_contracts(graph)
            except LimitError as error:
                self._stop(error)
        self.findings.extend(self.elaborator.diagnostics)
        failed = self.findings.has_errors
        symbols = tuple(self.statements.symbols)
        return Elaboration(self.chain.name, None if failed else graph, tuple(self.findings), domain, symbols)

    def _new_elaborator(self, kind: type[Elaborator], budget: Budget, observer: Observer | None = None) -> Elaborator:
        nothing = Definitions(next(iter(self.collected.values())).file)
        return kind(self.collected, nothing, self.catalogue, budget, observer)

    def _stop(self, error: LimitError) -> None:
        self.budget.spent = True
        if error.diagnostic is not None:
            self.elaborator.diagnostics.add(error.diagnostic)

    def forecast(self) -> int:
        """Return how many layers the model will have at least, without making them.

        Raises:
            LimitError: more than the models of a file may have.
        """
        elaborator, model = self._new_elaborator(Elaborator, Budget()), self.chain.model
        scope = Scope(model.body)
        try:
            arguments = self.chain.evaluate(elaborator, scope)
            environment = elaborator.environment(scope, None)
            fill_parameters(self.chain.name, model.parameters, model.name.span, [], arguments, scope, environment)
        except (Fault, UnknownValueError):
            return 0
        count = LayerCount(elaborator, self.budget.most_layers)
        layers = count.of_model(model.body, scope)
        return max(layers, self._rehearse()) if count.undecided else layers

    def _rehearse(self) -> int:
        """Count layers by running the model without making all of it, where sizes decide about them."""
        budget = Budget()
        run = replace(self, findings=Diagnostics(), budget=budget, rehearsed=True)
        run._run()
        found = next((item for item in run.elaborator.diagnostics if item.code == TOO_MANY_LAYERS), None)
        if found is not None:
            raise LimitError(found)
        return budget.made

    def open_domain(self) -> Domain | None:
        """Return which sizes the images may have, None where something else is wrong or depends on a fixed size."""
        self._run()
        if self.elaborator.diagnostics.has_errors or self.budget.spent:
            return None
        domain = solve([condition.constraint for condition in self.elaborator.network.conditions], ())
        return None if domain.is_empty() else domain

    def _run(self) -> dict[str, Any]:
        """Run the model's statements and return its parameters."""
        elaborator, model = self.elaborator, self.chain.model
        scope = Scope(model.body, sites=elaborator.sites.of(model.body))
        if elaborator.observer is not None:
            elaborator.observer.scope_opened(scope)
        try:
            arguments = self.chain.evaluate(elaborator, scope)
            environment = elaborator.environment(scope, None)
            fill_parameters(self.chain.name, model.parameters, model.name.span, [], arguments, scope, environment)
            last = elaborator.run_body(model.body, scope, None)
            self.statements.finish(model, last)
        except Fault as error:
            elaborator.report_all(error)
        except LimitError as error:
            self._stop(error)
        except RecursionError:
            elaborator.report(_too_deep(model.name))
        bound = (item.name.text for item in model.parameters if item.name.text in scope.names)
        return {name: scope.names[name].value for name in bound}

    def _graph(self, parameters: Mapping[str, Any]) -> Graph | None:
        elaborator = self.elaborator
        outputs = {name: value.name for name, (value, _) in elaborator.outputs.items()}
        if self.findings.has_errors or elaborator.diagnostics.has_errors or "" in outputs.values():
            return None
        network: Network = elaborator.network
        return Graph(
            name=self.chain.name,
            inputs=tuple(self.statements.inputs),
            nodes=tuple(network.nodes),
            outputs=outputs,
            weights=network.weights,
            constraints=tuple(condition.constraint for condition in network.conditions),
            tasks=tuple(self.statements.tasks),
            arguments={name: plain(value) for name, value in parameters.items()},
        )

    def _domain(self, graph: Graph) -> Domain | None:
        conditions = self.elaborator.network.conditions
        symbols = [name for name in self.statements.symbols if name not in self.sizes]
        beyond = _beyond(conditions)
        if beyond is not None:
            self.elaborator.report(_too_many_conditions(beyond))
            return None
        domain = solve([condition.constraint for condition in conditions], symbols)
        if domain.unsatisfiable is None:
            return domain
        guilty = next(item for item in conditions if item.constraint is domain.unsatisfiable)
        earlier = conditions[: conditions.index(guilty)]
        self.elaborator.report(_no_size_fits(guilty, _opponent(guilty, earlier)))
        return None


def _beyond(conditions: Sequence[OpenCondition]) -> OpenCondition | None:
    """Return the first condition on several symbols that is one too many, None where they can all be looked at."""
    if len(conditions) <= CONDITIONS.value:
        return None
    seen: set[object] = set()
    for item in conditions:
        if len(item.constraint.symbols()) > 1:
            seen.add(item.constraint)
            if len(seen) > CONDITIONS.value:
                return item
    return None


def _too_many_conditions(condition: OpenCondition) -> Diagnostic:
    return Diagnostic(
        "E0342",
        f"more than {CONDITIONS.value:,} conditions tie open sizes to each other",
        condition.origin.span,
        notes=trail_notes(condition.origin.trail),
        help=f"write numbers, or the same capital letter for sizes that are equal; {CONDITIONS.advice}",
    )


def _opponent(guilty: OpenCondition, earlier: Sequence[OpenCondition]) -> OpenCondition | None:
    """Return the condition that contradicts the guilty one by itself, None where it takes several."""
    if guilty.constraint.decide() is False:
        return None
    asked = guilty.constraint.symbols()
    near = [item for item in reversed(earlier) if asked & item.constraint.symbols()][:MOST_OPPONENTS]
    return next((item for item in near if solve([item.constraint, guilty.constraint], ()).is_empty()), None)


def _too_deep(name: Identifier) -> Diagnostic:
    return Diagnostic(
        "E0319",
        f"model {name.text} nests blocks and bodies too deep to be built",
        name.span,
        help="write nested bodies as blocks, or lines one after the other",
    )


def _in_words(condition: OpenCondition) -> str:
    """Return a condition as it is written behind `where`, or as it would be."""
    asked = simplified(condition.constraint)
    if asked.reason is None:
        return condition.origin.span.text
    if isinstance(asked, Divisible):
        offset = 0 if isinstance(asked.dim, int) else asked.dim.constant
        size = f"{asked.dim - offset}"
        return f"{size if size.isalnum() else f'({size})'} % {asked.by} == {-offset % asked.by}"
    return f"{asked.left} == {asked.right}" if isinstance(asked, Equal) else f"{asked.dim} >= {asked.bound}"


def _no_size_fits(condition: OpenCondition, opponent: OpenCondition | None) -> Diagnostic:
    reason = condition.constraint.reason
    problem = reason() if callable(reason) else None
    labels: tuple[Label, ...] = ()
    against = "the conditions before it"
    if opponent is not None:
        against = _in_words(opponent)
        labels = (Label(opponent.origin.span, f"this asks for {against}"),)
    if problem is None:
        # Only the conditions behind `where` have no layer to speak for them.
        return Diagnostic(
            "E0325",
            f"no size fulfils {condition.origin.span.text} together with {against}",
            condition.origin.span,
            labels=labels,
        )
    return Diagnostic(
        problem.code,
        problem.message,
        condition.origin.span,
        labels=labels,
        notes=(
            *problem.notes,
            f"no input size fulfils {_in_words(condition)} together with {against}",
            *trail_notes(condition.origin.trail),
        ),
        help=problem.help,
    )
