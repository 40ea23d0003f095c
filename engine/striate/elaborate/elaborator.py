"""Running the statements of a body: flows, branches, loops, choices, names; what comes out is a `Network`.

Every statement takes the value that flows in and gives one on. A mistake is reported and makes the value unknown;
everything else in the file is still looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from striate.elaborate.catalogue import Catalogue
from striate.elaborate.environment import ScopeEnvironment, Visible
from striate.elaborate.expressions import evaluate, truth, type_name
from striate.elaborate.faults import Fault, UnknownValueError, fault, trail_notes
from striate.elaborate.layers import Incoming, LayerCall, Network, add_layer, bind_arguments
from striate.elaborate.missing import no_value, unknown_layer
from striate.elaborate.parameters import fill_parameters
from striate.elaborate.scope import Binding, Scope, SiteTable
from striate.elaborate.values import UNKNOWN, BlockRef, Bound, Given, Instance, LayerRef, ValueRef
from striate.graph import Frame
from striate.ops.arguments import Choice
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Label
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
    Output,
    Statement,
)

MAX_STEPS = 1_000_000
"""Layer calls and loop rounds that one model may take to elaborate."""

MAX_DEPTH = 100
"""Blocks within blocks."""

Target = LayerRef | BlockRef | Bound | Instance


Rule = Callable[[Any, Scope, ValueRef | None], ValueRef | None]
"""Runs one kind of statement: takes the value that flows in, gives the value on."""


class StepLimitError(Exception):
    """The model takes more steps than `MAX_STEPS`; raised through all statements."""


class Elaborator:
    """Elaborates bodies of one file, and of the files it uses, into one network."""

    def __init__(self, files: Mapping[Source, Visible], nothing: Visible, catalogue: Catalogue) -> None:
        """Take what every file sees, and what a text sees that is none of them (the block of a plugin's head)."""
        self._files = files
        self._nothing = nothing
        self.catalogue = catalogue
        self.network = Network()
        self.diagnostics = Diagnostics()
        self.outputs: dict[str, tuple[ValueRef, Span]] = {}
        self.sites = SiteTable()
        self._steps = 0
        self._reported: set[tuple[str, Span | None]] = set()
        self._rules: dict[type, Rule] = {
            Flow: self._flow,
            If: self._if,
            Let: self._let,
            Output: self._output,
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
            self.report(error.diagnostic)
        except UnknownValueError:
            pass
        return UNKNOWN

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a finding; the same finding at the same place is told once, however often a block is used."""
        key = (diagnostic.code, diagnostic.span)
        if key not in self._reported:
            self._reported.add(key)
            self.diagnostics.add(diagnostic)

    def handle(self, kind: type, rule: Rule) -> None:
        """Add the rule for a kind of statement: loops, and what belongs to models only."""
        self._rules[kind] = rule

    def visible(self, scope: Scope) -> Visible:
        """Return what the file sees in which a scope's text stands: a block means its own file's names."""
        return self._files.get(scope.home, self._nothing)

    def environment(self, scope: Scope, current: ValueRef | None) -> ScopeEnvironment:
        """Return what expressions see at a place."""
        return ScopeEnvironment(self, scope, current)

    def _flow(self, flow: Flow, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        for index, step in enumerate(flow.steps):
            if isinstance(step, Group):
                current = self.run_body(step.body, scope, current)
            else:
                try:
                    self._demand_free(scope, step.alias)
                    current = self._step(step, scope, current, first=index == 0)
                except Fault as error:
                    self.report(error.diagnostic)
                    current = UNKNOWN
                except UnknownValueError:
                    current = UNKNOWN
            if step.alias is not None and (current is not UNKNOWN or step.alias.text not in scope.names):
                self.bind(scope, step.alias, current)
        return current

    def _if(self, choice: If, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        environment = self.environment(scope, current)
        if truth(evaluate(choice.condition, environment), choice.condition, environment):
            return self.run_body(choice.then, scope, current)
        return current if choice.otherwise is None else self.run_body(choice.otherwise, scope, current)

    def _let(self, definition: Let, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        value = evaluate(definition.value, self.environment(scope, current))
        if isinstance(value, (LayerRef, BlockRef)):
            value = Bound(value, (), {})
        if isinstance(value, Bound):
            name = ".".join([definition.name.text, *map(str, scope.iterations)])
            value = Instance(_join(scope.weight_path, name), value)
        self.bind(scope, definition.name, value)
        return current

    def _output(self, statement: Output, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        for name in statement.names:
            binding = scope.names.get(name.text)
            value = binding.value if binding else current
            if binding is None and len(statement.names) > 1:
                raise no_value(Name(name.span, name.text), scope)
            if not isinstance(value, ValueRef):
                what = type_name(value) if binding else "nothing, because no value flows in here"
                raise fault("E0305", f"output {name.text} is {what}", name.span)
            if name.text in self.outputs:
                first = self.outputs[name.text][1]
                raise fault(
                    "E0303", f"output {name.text} is named twice", name.span, labels=(Label(first, "first here"),)
                )
            self.outputs[name.text] = (value, name.span)
        return current

    def bind(self, scope: Scope, name: Identifier, value: Any) -> None:
        """Give a name to a value in a scope; the same place may do so again in a loop's next round.

        Raises:
            Fault: the name is taken.
        """
        self._demand_free(scope, name)
        scope.names[name.text] = Binding(value, name.span)

    def _demand_free(self, scope: Scope, name: Identifier | None) -> None:
        earlier = scope.names.get(name.text) if name else None
        if name is not None and earlier is not None and earlier.span != name.span:
            raise fault(
                "E0303",
                f"{name.text} is already a name here",
                name.span,
                labels=(Label(earlier.span, "first named here"),),
                help="every name stands for one thing; choose another",
            )

    # ------------------------------------------------------------------------------------------ steps

    def _step(self, call: Call, scope: Scope, current: ValueRef | None, *, first: bool) -> ValueRef:
        self.count_step(call.span)
        target = self.resolve(call.callee, scope, current)
        if isinstance(target, ValueRef):
            if not first or call.arguments is not None or call.body is not None:
                raise fault(
                    "E0306",
                    f"{call.callee.span.text} is a value of the network, not a layer",
                    call.callee.span,
                    help=f"to merge it write add({call.callee.span.text}) or concat({call.callee.span.text})",
                )
            return target
        positional, named = self.evaluate_arguments(call.arguments or (), scope, current)
        path = _join(scope.path, scope.site(call))
        if isinstance(target, Instance):
            return self.apply(target.applied, call, positional, named, scope, current, path, target.path)
        weight_path = _join(scope.weight_path, scope.site(call))
        return self.apply(target, call, positional, named, scope, current, path, weight_path)

    def resolve(self, callee: Name | Attribute, scope: Scope, current: ValueRef | None) -> Target | ValueRef:
        """Return what a step's name stands for: a named value, an instance, a layer or a block.

        Raises:
            Fault: nothing of that name, or a number.
        """
        if isinstance(callee, Attribute):
            name = "".join(callee.span.text.split())
            block = self.visible(scope).blocks.get(name)
            if block is not None:
                return BlockRef(block)
            raise unknown_layer(name, callee.span, scope, self)
        target = self.environment(scope, current).lookup(callee)
        if isinstance(target, (ValueRef, LayerRef, BlockRef, Bound, Instance)):
            return target
        if target is None or isinstance(target, Choice):
            name = callee.text if target is None else target.name
            record = self.catalogue.layer(name)
            if record is not None:
                return LayerRef(record)
            raise unknown_layer(name, callee.span, scope, self)
        raise fault("E0306", f"{callee.text} is {type_name(target)}, not a layer", callee.span)

    def evaluate_arguments(
        self, arguments: tuple[Argument, ...], scope: Scope, current: ValueRef | None
    ) -> tuple[list[Given], dict[str, Given]]:
        """Return positional and named arguments with their values; `in` is the value that flows into the call."""
        environment = self.environment(scope, current)
        positional: list[Given] = []
        named: dict[str, Given] = {}
        for argument in arguments:
            given = Given(evaluate(argument.value, environment), argument.value.span, argument)
            if argument.name is None:
                if named:
                    raise fault("E0209", "arguments without a name come before those with one", argument.span)
                positional.append(given)
            elif argument.name.text in named:
                raise fault("E0209", f"{argument.name.text} is given twice", argument.name.span)
            else:
                named[argument.name.text] = given
        return positional, named

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
                raise fault("E0307", f"{record.name} takes no body; only merge layers do", call.body.span)
            incoming = [Incoming(self._flowing(call, current), None)]
        arguments = bind_arguments(record, call.callee.span, positional, named)
        return add_layer(LayerCall(record, call, incoming, arguments, scope, path, weight_path), self.network)

    def _merged(self, call: Call, positional: list[Given], scope: Scope, current: ValueRef | None) -> list[Incoming]:
        """Return the values a merge layer merges: its branches or what flows in, then the named ones, in order."""
        if call.body is not None:
            incoming = self._branches(call.body, scope, current)
        else:
            incoming = [] if current is None else [Incoming(current, None)]
        for given in positional:
            if not isinstance(given.value, ValueRef):
                if isinstance(given.argument.value, Name):
                    raise no_value(given.argument.value, scope)
                raise fault(
                    "E0306", f"{call.callee.span.text} merges named values, not {type_name(given.value)}", given.span
                )
            incoming.append(Incoming(given.value, given.span))
        return incoming

    def _branches(self, body: Body, scope: Scope, current: ValueRef | None) -> list[Incoming]:
        incoming = []
        for statement in body.statements:
            value = self.run(statement, scope, current)
            if not isinstance(statement, (Let, Assert)) and value is not None:
                incoming.append(Incoming(value, statement.span))
        return incoming

    def _flowing(self, call: Call, current: ValueRef | None) -> ValueRef:
        if current is None:
            raise fault(
                "E0304",
                f"no value flows into {call.callee.span.text}",
                call.callee.span,
                help="start from an input, e.g. image -> " + call.callee.span.text,
            )
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
            raise fault("E0307", f"{block.name.text} is a block and takes no body", call.body.span)
        trail = (*scope.trail, Frame(block.name.text, call.span))
        if len(trail) > MAX_DEPTH:
            raise fault(
                "E0319",
                f"blocks are nested more than {MAX_DEPTH} deep",
                call.span,
                notes=trail_notes(trail[-3:]),
                help=f"does {block.name.text} use itself without an end?",
            )
        inner = Scope(block.body, {}, path, weight_path, trail, (), self.sites.of(block.body))
        fill_parameters(
            block.name.text,
            block.parameters,
            call.callee.span,
            positional,
            named,
            inner,
            self.environment(inner, current),
        )
        result = self.run_body(block.body, inner, current)
        if result is None:
            raise fault("E0304", f"no value flows into {block.name.text}", call.callee.span)
        return result

    # ------------------------------------------------------------------------------------------ the rest

    def count_step(self, span: Span) -> None:
        """Count a layer call or loop round.

        Raises:
            StepLimitError: that was one too many.
        """
        self.demand_steps(1, span)
        self._steps += 1

    def demand_steps(self, number: int, span: Span) -> None:
        """Demand that so many steps are left.

        Raises:
            StepLimitError: they are not; told before the time is spent on them.
        """
        if self._steps + number > MAX_STEPS:
            self.report(
                Diagnostic(
                    "E0320",
                    f"the model takes more than {MAX_STEPS:,} steps to build",
                    span,
                    help="a step is a layer call or a round of a loop; is a repeat count too large?",
                )
            )
            raise StepLimitError


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
