"""Running the statements of a body: flows, branches, loops, choices, names; what comes out is a `Network`.

Every statement takes the value that flows in and gives one on. A mistake is reported and makes the value unknown;
everything else in the file is still looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from striate.elaborate.budget import Budget
from striate.elaborate.catalogue import Catalogue
from striate.elaborate.environment import ScopeEnvironment, Visible
from striate.elaborate.expressions import evaluate, truth, type_name
from striate.elaborate.faults import Fault, UnknownValueError, fault, trail_notes
from striate.elaborate.layers import add_layer, bind_arguments
from striate.elaborate.missing import no_value, unknown_layer
from striate.elaborate.named_arguments import read_choices, take_values
from striate.elaborate.naming import demand_no_size
from striate.elaborate.network import Incoming, LayerCall, Network
from striate.elaborate.observer import Observer
from striate.elaborate.parameters import fill_parameters, read_arguments
from striate.elaborate.repairs.steps import (
    body_of_a_layer,
    nothing_flows_in,
    taken_name,
    value_as_step,
)
from striate.elaborate.scope import Binding, Scope, SiteTable
from striate.elaborate.several import named_values
from striate.elaborate.values import UNKNOWN, BlockRef, Bound, Given, Instance, LayerRef, ValueRef
from striate.graph import Frame
from striate.ops.arguments import Choice
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.limits import BLOCK_DEPTH
from striate_dsl.paths import dotted_text
from striate_dsl.source import Source, Span
from striate_dsl.syntax import (
    Argument,
    Assert,
    Attribute,
    Block,
    Body,
    Call,
    Flow,
    Group,
    Head,
    Identifier,
    If,
    Let,
    Name,
    Statement,
    given_names,
)

Target = LayerRef | BlockRef | Bound | Instance


Rule = Callable[[Any, Scope, ValueRef | None], ValueRef | None]
"""Runs one kind of statement: takes the value that flows in, gives the value on."""


class Elaborator:
    """Elaborates bodies of one file, and of the files it uses, into one network."""

    def __init__(
        self,
        files: Mapping[Source, Visible],
        nothing: Visible,
        catalogue: Catalogue,
        budget: Budget,
        observer: Observer | None = None,
    ) -> None:
        """Take what every file sees, what other texts (a head's block) see, what is left and who listens."""
        self.budget = budget
        self._files = files
        self._nothing = nothing
        self.catalogue = catalogue
        self.network = Network()
        self.diagnostics = Diagnostics()
        self.outputs: dict[str, tuple[ValueRef, Span]] = {}
        self.sites = SiteTable(files)
        self.observer = observer
        self._latest: ScopeEnvironment | None = None
        self._deepest = BLOCK_DEPTH.value
        self._reported: set[tuple[str, Span | None]] = set()
        self._rules: dict[type, Rule] = {
            Flow: self._flow,
            If: self._if,
            Let: self._let,
        }

    # ------------------------------------------------------------------------------------------ statements

    def run_body(self, body: Body, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        """Run statements one after the other and return the last value."""
        for statement in body.statements:
            current = self.run(statement, scope, current)
        return current

    def run(self, statement: Statement, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        """Run one statement; a mistake in it is reported and gives an unknown value."""
        try:
            return self._rules[type(statement)](statement, scope, current)
        except Fault as error:
            self.report_all(error)
        except UnknownValueError:
            pass
        return UNKNOWN

    def report_all(self, error: Fault) -> None:
        """Add everything that is wrong with a statement."""
        for diagnostic in (error.diagnostic, *error.further):
            self.report(diagnostic)

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a finding; the same finding at the same place is told once, however often a block is used.

        Raises:
            LimitError: so many have been told that nobody reads on.
        """
        key = (diagnostic.code, diagnostic.span)
        known = key in self._reported
        self.budget.finding(told=known)
        if not known:
            self._reported.add(key)
            self.diagnostics.add(diagnostic)

    def handle(self, kind: type, rule: Rule) -> None:
        """Add the rule for a kind of statement: loops, and what belongs to models only."""
        self._rules[kind] = rule

    def visible(self, scope: Scope) -> Visible:
        """Return what the file sees in which a scope's text stands: a block means its own file's names."""
        return self._files.get(scope.home, self._nothing)

    def environment(self, scope: Scope, current: ValueRef | None) -> ScopeEnvironment:
        """Return what expressions see at a place; the same object as long as that is the same place."""
        latest = self._latest
        if latest is None or latest.scope is not scope or latest.current is not current:
            self._latest = latest = ScopeEnvironment(self, scope, current)
        return latest

    def _flow(self, flow: Flow, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        for index, step in enumerate(flow.steps):
            if isinstance(step, Group):
                current = self.run_body(step.body, scope, current)
            else:
                try:
                    for name in given_names(step):
                        self._demand_free(scope, name)
                    current = self._step(step, scope, current, first=index == 0)
                except Fault as error:
                    self.report_all(error)
                    current = UNKNOWN
                except UnknownValueError:
                    current = UNKNOWN
            for name, value in named_values(step, current, self.report):
                if value is not UNKNOWN or name.text not in scope.names:
                    self.bind(scope, name, value)
                if self.observer is not None and value is not None and value is not UNKNOWN:
                    self.observer.value_named(name, value, _join(scope.path, scope.named(name)))
        if self.observer is not None:
            self.observer.line_ended(flow, current)
        return current

    def _if(self, choice: If, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        self.budget.step(choice.condition.span)
        environment = self.environment(scope, current)
        if truth(evaluate(choice.condition, environment), choice.condition, environment):
            return self.run_body(choice.then, scope, current)
        return current if choice.otherwise is None else self.run_body(choice.otherwise, scope, current)

    def _let(self, definition: Let, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        self.budget.step(definition.name.span)
        self.budget.text(definition.value.span)
        value = evaluate(definition.value, self.environment(scope, current))
        if isinstance(value, (LayerRef, BlockRef)):
            value = Bound(value, (), {})
        if isinstance(value, Bound):
            name = ".".join([definition.name.text, *map(str, scope.iterations)])
            value = Instance(_join(scope.weight_path, name), value)
        self.bind(scope, definition.name, value, definition)
        return current

    def bind(self, scope: Scope, name: Identifier, value: Any, maker: Let | None = None) -> None:
        """Give a name to a value in a scope; the same place may do so again in a loop's next round.

        Raises:
            Fault: the name is taken, or means the size of a value.
        """
        self._demand_free(scope, name)
        demand_no_size(scope, name, value)
        scope.names[name.text] = Binding(value, name.span, maker)

    def _demand_free(self, scope: Scope, name: Identifier | None) -> None:
        earlier = scope.names.get(name.text) if name else None
        if name is not None and earlier is not None and earlier.span != name.span:
            raise taken_name(name, earlier.span, scope.names)

    # ------------------------------------------------------------------------------------------ steps

    def _step(self, call: Call, scope: Scope, current: ValueRef | None, *, first: bool) -> ValueRef:
        self.budget.step(call.callee.span)
        target = self._target(call, scope, current, first=first)
        if isinstance(target, ValueRef):
            return target
        positional, named = self.evaluate_arguments(call.arguments or (), scope, current)
        site = scope.site(call)
        path, weight_path = _join(scope.path, site), _join(scope.weight_path, site)
        if isinstance(target, Instance):
            weight_path, target = target.path, target.applied
        first_node = len(self.network.nodes)
        result = self.apply(target, call, positional, named, scope, current, path, weight_path)
        if self.observer is not None:
            self.observer.call_ended(call, path, current, result, first_node)
        return result

    def _target(self, call: Call, scope: Scope, current: ValueRef | None, *, first: bool) -> Target | ValueRef:
        """Return what a step is; behind an arrow and with brackets a layer is meant, also where a value is named so."""
        target = self.resolve(call.callee, scope, current)
        if not isinstance(target, ValueRef) or (first and call.arguments is None and call.body is None):
            return target
        found = self.environment(scope, current).called(call.callee.span.text, call.callee.span)
        if found is not None:
            return found
        raise value_as_step(call, target, current)

    def resolve(self, callee: Name | Attribute, scope: Scope, current: ValueRef | None) -> Target | ValueRef:
        """Return what a step's name stands for: a named value, an instance, a layer or a block.

        Raises:
            Fault: nothing of that name, or a number.
        """
        if isinstance(callee, Attribute):
            callee = Name(callee.span, "".join(callee.span.text.split()))
        target = self.environment(scope, current).lookup(callee)
        if isinstance(target, (ValueRef, LayerRef, BlockRef, Bound, Instance)):
            return target
        if target is None or isinstance(target, Choice):
            name = callee.text if target is None else target.name
            found = self.environment(scope, current).called(name, callee.span)
            if found is not None:
                return found
            raise unknown_layer(name, callee.span, scope, self)
        raise fault("E0306", f"{callee.text} is {type_name(target)}, not a layer", callee.span)

    def evaluate_arguments(
        self, arguments: tuple[Argument, ...], scope: Scope, current: ValueRef | None
    ) -> tuple[list[Given], dict[str, Given]]:
        """Return positional and named arguments with their values; `in` is the value that flows into the call."""
        if not arguments:
            return [], {}
        self.budget.step(arguments[0].span)
        self.budget.text(arguments[0].span.to(arguments[-1].span))
        return read_arguments(arguments, self.environment(scope, current))

    def apply(
        self,
        target: Target,
        call: Call,
        positional: list[Given],
        named: dict[str, Given],
        scope: Scope,
        current: ValueRef | None,
        path: str,
        weight_path: str,
    ) -> ValueRef:
        """Apply a layer or block to the value that flows in."""
        if isinstance(target, Bound):
            positional, named = [*target.positional, *positional], {**target.named, **named}
            target = target.target
        if isinstance(target, BlockRef):
            return self.expand(target.block, call, positional, named, scope, current, path, weight_path)
        assert isinstance(target, LayerRef), "an instance is unwrapped by its step"
        record = target.record
        if record.merge:
            incoming = self._merged(call, positional, scope, current)
            positional = []
        else:
            if call.body is not None:
                raise body_of_a_layer(record.name, call.body)
            incoming = [Incoming(self._flowing(call, current), None)]
        arguments = read_choices(record, bind_arguments(record, call.callee.span, positional, named))
        incoming += take_values(record, arguments, scope)
        layer = LayerCall(record, call, incoming, arguments, scope, path, weight_path)
        value = add_layer(layer, self.network)
        if value is not UNKNOWN:
            self.budget.layer(call.callee.span)
            self.budget.name(path, call.callee.span)
            if self.observer is not None:
                self.observer.layer_made(layer, self.network.nodes[-1])
        return value

    def _merged(self, call: Call, positional: list[Given], scope: Scope, current: ValueRef | None) -> list[Incoming]:
        """Return the values a merge layer merges: its branches or what flows in, then the named ones, in order."""
        if call.body is not None:
            incoming = self._branches(call.body, scope, current)
        else:
            incoming = [] if current is None else [Incoming(current, None)]
        for given in positional:
            if not isinstance(given.value, ValueRef):
                path = dotted_text(given.argument.value)
                if path is not None:
                    raise no_value(Name(given.span, path), scope)
                raise fault(
                    "E0306", f"{call.callee.span.text} merges named values, not {type_name(given.value)}", given.span
                )
            incoming.append(Incoming(given.value, given.span))
        return incoming

    def _branches(self, body: Body, scope: Scope, current: ValueRef | None) -> list[Incoming]:
        incoming = []
        watcher = self.observer
        if watcher is not None:
            watcher.merge_begun(current)
        for statement in body.statements:
            if isinstance(statement, (Let, Assert)):
                self.run(statement, scope, current)
                continue
            if watcher is not None:
                watcher.branch_begun()
            value = self.run(statement, scope, current)
            if watcher is not None:
                watcher.branch_ended(value)
            if value is not None:
                incoming.append(Incoming(value, statement.span))
        return incoming

    def _flowing(self, call: Call, current: ValueRef | None) -> ValueRef:
        if current is None:
            raise nothing_flows_in(call, list(self.network.inputs))
        return current

    # ------------------------------------------------------------------------------------------ blocks

    def expand(
        self,
        block: Block,
        call: Call | Head,
        positional: list[Given],
        named: dict[str, Given],
        scope: Scope,
        current: ValueRef | None,
        path: str,
        weight_path: str,
    ) -> ValueRef:
        """Run a block's body with its parameters given and return its last value."""
        if isinstance(call, Call) and call.body is not None:
            raise body_of_a_layer(block.name.text, call.body, "is a block and takes no body")
        trail = (*scope.trail, Frame(block.name.text, call.span))
        if len(trail) > self._deepest:
            raise fault(
                "E0319",
                f"blocks are nested more than {self._deepest} deep",
                call.span,
                notes=trail_notes(trail[-3:]),
                help=f"does {block.name.text} use itself without an end? {BLOCK_DEPTH.advice}",
            )
        self.budget.name(path, call.callee.span)
        inner = Scope(block.body, {}, path, weight_path, trail, (), self.sites.of(block.body), None, scope, call)
        if self.observer is not None:
            self.observer.scope_opened(inner)
        fill_parameters(
            block.name.text,
            block.parameters,
            call.callee.span,
            positional,
            named,
            inner,
            self.environment(inner, current),
        )
        if self.observer is not None:
            self.observer.block_begun(block, inner)
        result = self.run_body(block.body, inner, current)
        if result is None:
            raise fault("E0304", f"no value flows into {block.name.text}", call.callee.span)
        if self.observer is not None:
            self.observer.block_ended()
        return result


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
