"""Counts the layers of a model without making them: a lower bound, found in a fraction of the time.

Loops multiply, and a block used again with the same arguments is counted once. A choice that depends on sizes counts
as its smaller side; what cannot be worked out counts nothing. So whatever is refused here would be refused later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.elaborate.budget import TOO_MANY_LAYERS, LimitError, too_many_layers
from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import evaluate, truth
from striate.elaborate.faults import Fault, UnknownValueError
from striate.elaborate.parameters import fill_parameters
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import UNKNOWN, BlockRef, Bound, Given, Instance, LayerRef, ValueRef
from striate.graph import Frame
from striate.ops.arguments import Choice
from striate_dsl.limits import BLOCK_DEPTH
from striate_dsl.source import Span
from striate_dsl.syntax import Block, Body, Call, Flow, For, Group, Identifier, If, Let, Name, Repeat, Statement

MOST_LOOKS = 60_000
"""Calls and rounds that are looked at before the count is given up."""


class _GivenUpError(Exception):
    """The count takes too long; what has been counted is left aside."""


@dataclass(slots=True)
class LayerCount:
    """Counts with an elaborator's eyes (its names, files and catalogue) up to a number of layers.

    `undecided` is set where a choice could not be worked out, so that there may be many more layers.
    """

    elaborator: Elaborator
    most: int
    undecided: bool = False
    _looks: int = 0
    _blocks: dict[tuple[object, ...], int] = field(default_factory=dict)
    _passed_on: dict[int, list[str] | None] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def of_model(self, body: Body, scope: Scope) -> int:
        """Return how many layers a model's body makes at least, its parameters bound in `scope`; 0 if given up.

        Raises:
            LimitError: more than `most`; it names the innermost place that makes too many.
        """
        try:
            return self._body(body, scope)
        except (_GivenUpError, RecursionError):
            return 0
        except LimitError as error:
            if error.diagnostic is None or error.diagnostic.code != TOO_MANY_LAYERS:
                return 0  # steps are refused where they are taken
            raise

    def _body(self, body: Body, scope: Scope) -> int:
        total = 0
        for statement in body.statements:
            total += self._statement(statement, scope)
            if total > self.most:
                raise LimitError(too_many_layers(statement.span))
        return total

    def _statement(self, statement: Statement, scope: Scope) -> int:
        try:
            if isinstance(statement, Flow):
                return sum(self._step(step, scope) for step in statement.steps)
            if isinstance(statement, (Repeat, For)):
                return self._loop(statement, scope)
            if isinstance(statement, If):
                return self._choice(statement, scope)
            if isinstance(statement, Let):
                self._let(statement, scope)
        except (Fault, UnknownValueError):
            _forget(statement, scope)
        return 0

    # ------------------------------------------------------------------------------------------ steps

    def _step(self, step: Call | Group, scope: Scope) -> int:
        self._look()
        inside = self._body(step.body, scope) if step.body is not None else 0
        if step.alias is not None:
            scope.names[step.alias.text] = Binding(UNKNOWN, step.alias.span)
        return inside + (self._call(step, scope) if isinstance(step, Call) else 0)

    def _call(self, call: Call, scope: Scope) -> int:
        target = self._target(call, scope)
        given: tuple[Sequence[Given], dict[str, Given]] = ((), {})
        if isinstance(target, Instance):
            target = target.applied
        if isinstance(target, Bound):
            given, target = (target.positional, dict(target.named)), target.target
        if isinstance(target, LayerRef):
            return 1
        if not isinstance(target, BlockRef):
            return 0
        positional, named = self.elaborator.evaluate_arguments(call.arguments or (), scope, UNKNOWN)
        return self._block(target.block, [*given[0], *positional], {**given[1], **named}, call.span, scope)

    def _target(self, call: Call, scope: Scope) -> Any:
        """Return what a step's name stands for; a plain name that stands for nothing else is a layer."""
        if not isinstance(call.callee, Name):
            return self.elaborator.resolve(call.callee, scope, UNKNOWN)
        found = self.elaborator.environment(scope, UNKNOWN).lookup(call.callee)
        if found is None or isinstance(found, Choice):
            name = call.callee.text if found is None else found.name
            return self.elaborator.environment(scope, UNKNOWN).called(name, call.callee.span)
        return found

    def _block(self, block: Block, positional: list[Given], named: dict[str, Given], place: Span, scope: Scope) -> int:
        if len(scope.trail) >= BLOCK_DEPTH.value:
            return 0
        inner = Scope(block.body, {}, trail=(*scope.trail, Frame(block.name.text, place)))
        environment = self.elaborator.environment(inner, UNKNOWN)
        fill_parameters(block.name.text, block.parameters, place, positional, named, inner, environment)
        key = (id(block.body), *(self._key(binding.value) for binding in inner.names.values()))
        if key not in self._blocks:
            self._blocks[key] = 0  # a block that uses itself without an end is refused elsewhere
            self._blocks[key] = self._body(block.body, inner)
        return self._blocks[key]

    # ------------------------------------------------------------------------------------------ loops and choices

    def _loop(self, loop: Repeat | For, scope: Scope) -> int:
        written = loop.count if isinstance(loop, Repeat) else loop.iterable
        value = evaluate(written, self.elaborator.environment(scope, UNKNOWN))
        items: Sequence[Any] = range(max(0, value)) if isinstance(value, int) else value
        if not isinstance(items, (list, tuple, range)):
            return 0
        rounds = max(0, items.stop - items.start) if isinstance(items, range) else len(items)
        total = number = 0
        alike, state = self._is_straight(loop.body, scope), None
        while number < rounds:
            last = self._round(loop, scope, items[number])
            total, number = total + last, number + 1
            before, state = state, self._state(loop, scope)
            if alike or (state is not None and state == before):
                total, number = total + last * (rounds - number), rounds
            if total > self.most:
                raise LimitError(too_many_layers(loop.span))
        return total

    def _is_straight(self, body: Body, scope: Scope) -> bool:
        """Whether a body holds nothing but layers: then every round makes as many, whatever their arguments are."""
        return all(
            isinstance(statement, Flow)
            and all(
                isinstance(step, Call)
                and (step.body is None or self._is_straight(step.body, scope))
                and isinstance(self._target(step, scope), (LayerRef, ValueRef))
                for step in statement.steps
            )
            for statement in body.statements
        )

    def _round(self, loop: Repeat | For, scope: Scope, item: Any) -> int:
        self._look()
        if isinstance(loop, Repeat):
            bound = [(loop.variable, item)] if loop.variable else []
        elif loop.unpack:
            bound = list(zip(loop.variables, item, strict=False)) if isinstance(item, (list, tuple)) else []
        else:
            bound = [(loop.variables[0], item)]
        for variable, value in bound:
            scope.names[variable.text] = Binding(value, variable.span)
        return self._body(loop.body, scope)

    def _choice(self, choice: If, scope: Scope) -> int:
        environment = self.elaborator.environment(scope, UNKNOWN)
        try:
            holds = truth(evaluate(choice.condition, environment), choice.condition, environment)
        except (Fault, UnknownValueError):
            self.undecided = True
            sides = [self._body(body, scope) if body else 0 for body in (choice.then, choice.otherwise)]
            _forget(choice, scope)
            return min(sides)
        taken = choice.then if holds else choice.otherwise
        return 0 if taken is None else self._body(taken, scope)

    def _let(self, definition: Let, scope: Scope) -> None:
        value = evaluate(definition.value, self.elaborator.environment(scope, UNKNOWN))
        scope.names[definition.name.text] = Binding(value, definition.name.span)

    # ------------------------------------------------------------------------------------------ the rest

    def _state(self, loop: Repeat | For, scope: Scope) -> tuple[object, ...] | None:
        """Return what a round leaves to the next one, None where rounds differ by their variable."""
        if id(loop) not in self._passed_on:
            variables = [loop.variable] if isinstance(loop, Repeat) else loop.variables
            used = any(item and re.search(rf"\b{item.text}\b", loop.body.span.text) for item in variables)
            self._passed_on[id(loop)] = None if used else [item.text for item in _named(loop.body.statements)]
        names = self._passed_on[id(loop)]
        if names is None:
            return None
        return tuple(self._key(scope.names[name].value) for name in names if name in scope.names)

    def _key(self, value: Any) -> object:
        if isinstance(value, (int, float, str, Choice)):
            return type(value), value
        if isinstance(value, ValueRef):
            return ValueRef
        self._kept.append(value)  # so that its identity stays its own
        return id(value)

    def _look(self) -> None:
        self._looks += 1
        if self._looks > MOST_LOOKS:
            raise _GivenUpError


def _forget(statement: Statement, scope: Scope) -> None:
    """Leave the names that a statement may or may not give without a value."""
    for name in _named((statement,)):
        scope.names[name.text] = Binding(UNKNOWN, name.span)


def _named(statements: Sequence[Statement]) -> Iterator[Identifier]:
    """Yield the names that statements give, at any depth."""
    for statement in statements:
        if isinstance(statement, Let):
            yield statement.name
        elif isinstance(statement, Flow):
            for step in statement.steps:
                if step.alias is not None:
                    yield step.alias
                if step.body is not None:
                    yield from _named(step.body.statements)
        elif isinstance(statement, (Repeat, For)):
            yield from _named(statement.body.statements)
        elif isinstance(statement, If):
            yield from _named(statement.then.statements)
            yield from _named(statement.otherwise.statements if statement.otherwise else ())
