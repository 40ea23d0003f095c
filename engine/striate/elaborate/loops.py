"""`repeat` and `for`: a body run once per round, each round's value flowing into the next."""

from __future__ import annotations

from typing import Any

from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import evaluate, type_name
from striate.elaborate.faults import fault
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Label
from striate_dsl.syntax import Body, Flow, For, Repeat


class Loops:
    """Runs loops for an elaborator."""

    def __init__(self, elaborator: Elaborator) -> None:
        self.elaborator = elaborator
        elaborator.handle(Repeat, self._repeat)
        elaborator.handle(For, self._for)

    def _repeat(self, loop: Repeat, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        environment = self.elaborator.environment(scope, current)
        count = evaluate(loop.count, environment)
        rounds = count if isinstance(count, range) else None
        if rounds is None and isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            rounds = range(count)
        if rounds is None:
            written = count if isinstance(count, (int, float)) else type_name(count)
            raise fault("E0318", f"repeat needs a whole number of at least 0, not {written}", loop.count.span)
        self._demand(loop.body, rounds)
        for index, number in enumerate(rounds):
            if loop.variable is not None:
                scope.names[loop.variable.text] = Binding(number, loop.variable.span)
            current = self._round(loop.body, scope, current, index)
        return current

    def _for(self, loop: For, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        items = evaluate(loop.iterable, self.elaborator.environment(scope, current))
        if not isinstance(items, (list, tuple, range)):
            raise fault("E0318", f"for goes over a list or a range, not {type_name(items)}", loop.iterable.span)
        self._demand(loop.body, items)
        for index, item in enumerate(items):
            for variable, value in zip(loop.variables, _unpack(loop, item, index), strict=True):
                scope.names[variable.text] = Binding(value, variable.span)
            current = self._round(loop.body, scope, current, index)
        return current

    def _demand(self, body: Body, items: list[Any] | tuple[Any, ...] | range) -> None:
        """Demand the steps that the rounds take at least: themselves, and the calls on the body's own lines."""
        rounds = items.stop - items.start if isinstance(items, range) else len(items)  # len() ends at 2^63
        calls = sum(len(statement.steps) for statement in body.statements if isinstance(statement, Flow))
        self.elaborator.demand_steps(max(rounds, 0) * (1 + calls), body.span)

    def _round(self, body: Body, scope: Scope, current: ValueRef | None, index: int) -> ValueRef | None:
        self.elaborator.count_step(body.span)
        outer = scope.iterations
        scope.iterations = (*outer, index)
        try:
            return self.elaborator.run_body(body, scope, current)
        finally:
            scope.iterations = outer


def _unpack(loop: For, item: Any, index: int) -> tuple[Any, ...]:
    if not loop.unpack:
        return (item,)
    if not isinstance(item, (list, tuple)) or len(item) != len(loop.variables):
        found = f"{len(item)} values" if isinstance(item, (list, tuple)) else type_name(item)
        raise fault(
            "E0318",
            f"entry {index} of the list has {found}, but {len(loop.variables)} names wait for it",
            loop.iterable.span,
            labels=(Label(loop.variables[0].span.to(loop.variables[-1].span), "these names"),),
        )
    return tuple(item)
