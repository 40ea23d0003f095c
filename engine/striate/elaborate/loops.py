"""`repeat` and `for`: a body run once per round, each round's value flowing into the next."""

from __future__ import annotations

from typing import Any

from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import evaluate, type_name
from striate.elaborate.faults import Fault, fault
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import ValueRef
from striate.ops.arguments import quote_value
from striate_dsl.diagnostics import Edit, Fix, Label
from striate_dsl.source import Span
from striate_dsl.syntax import Binary, Expression, For, Name, Number, Repeat


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
            written = quote_value(count) if isinstance(count, (int, float)) else type_name(count)
            message = f"repeat needs a whole number of at least 0, not {written}"
            raise fault("E0318", message, loop.count.span, fixes=_whole_division(loop.count))
        self._demand(rounds, loop.count.span)
        for index, number in enumerate(rounds):
            if loop.variable is not None:
                scope.names[loop.variable.text] = Binding(number, loop.variable.span, loop, index)
            current = self._round(loop, scope, current, index)
        return current

    def _for(self, loop: For, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        items = evaluate(loop.iterable, self.elaborator.environment(scope, current))
        if not isinstance(items, (list, tuple, range)):
            raise _no_list(loop.iterable, items)
        self._demand(items, loop.iterable.span)
        for index, item in enumerate(items):
            for variable, value in zip(loop.variables, _unpack(loop, item, index), strict=True):
                scope.names[variable.text] = Binding(value, variable.span, loop, index)
            current = self._round(loop, scope, current, index)
        return current

    def _demand(self, items: list[Any] | tuple[Any, ...] | range, span: Span) -> None:
        """Have the rounds looked at before they are run."""
        rounds = items.stop - items.start if isinstance(items, range) else len(items)  # len() ends at 2^63
        self.elaborator.budget.rounds(rounds, span)

    def _round(self, loop: Repeat | For, scope: Scope, current: ValueRef | None, index: int) -> ValueRef | None:
        self.elaborator.budget.step(loop.body.span)
        outer = scope.iterations
        scope.iterations = (*outer, index)
        if self.elaborator.observer is not None:
            self.elaborator.observer.round_begun(loop, index, scope)
        try:
            return self.elaborator.run_body(loop.body, scope, current)
        finally:
            scope.iterations = outer


def _whole_division(count: Expression) -> tuple[Fix, ...]:
    """Return the repair of `depth / 2`: a division that gives whole numbers."""
    if not isinstance(count, Binary) or count.operator != "/":
        return ()
    written = f"{count.left.span.text} // {count.right.span.text}"
    return (Fix(f"write {written}", (Edit(count.span, written),), "unsafe"),)


def _no_list(iterable: Expression, value: Any) -> Fault:
    message = f"for goes over a list or a range, not {type_name(value)}"
    if isinstance(value, bool) or not isinstance(value, int) or not isinstance(iterable, (Name, Number)):
        return fault("E0318", message, iterable.span)
    written = f"0..{iterable.span.text}"
    fixes = (Fix(f"write {written}", (Edit(iterable.span, written),), "unsafe"),)
    return fault("E0318", message, iterable.span, help=f"for {value} rounds write {written}", fixes=fixes)


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
