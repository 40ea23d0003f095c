"""The statements that belong to models: inputs, heads and contracts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from striate.analysis.costs import graph_macs
from striate.analysis.receptive import receptive_field
from striate.dims import Dim, Expr, format_dim, symbol
from striate.dims.constraints import AtLeast, Constraint, Equal
from striate.elaborate.contract import read_contract
from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import evaluate, truth, type_name, unknown_name
from striate.elaborate.faults import Fault, UnknownValueError, fault, suggestion, trail_notes
from striate.elaborate.layers import OpenCondition
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import ValueRef
from striate.graph import Graph, Origin, Task, TensorType, Value
from striate.graph import Input as GraphInput
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.parser import parse
from striate_dsl.source import Source
from striate_dsl.syntax import (
    Assert,
    Attribute,
    Binary,
    Block,
    CallExpression,
    Expression,
    Head,
    Input,
    Model,
    Name,
    Unary,
)

_TOTALS = ("params", "macs", "receptive_field", "out")


@dataclass(frozen=True, slots=True)
class _Contract:
    """A contract that needs the whole network, with what was visible at its place."""

    statement: Assert
    scope: Scope
    current: ValueRef | None


class ModelStatements:
    """Runs inputs, heads and contracts for an elaborator, and keeps what they declare."""

    def __init__(self, elaborator: Elaborator) -> None:
        self.elaborator = elaborator
        self.inputs: list[GraphInput] = []
        self.tasks: list[Task] = []
        self.symbols: list[str] = []
        self._contracts: list[_Contract] = []
        self._heads: dict[str, Block] = {}
        elaborator.handle(Input, self._input)
        elaborator.handle(Head, self._head)
        elaborator.handle(Assert, self._assert)

    # ------------------------------------------------------------------------------------------ inputs

    def _input(self, statement: Input, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        if scope.trail:
            raise fault("E0311", "input belongs in a model, not in a block", statement.span)
        shape = tuple(self._size(size, scope) for size in statement.sizes)
        value = ValueRef(statement.name.text, TensorType(shape))
        self.elaborator.bind(scope, statement.name, value)
        contract = read_contract(statement.settings, shape[0], self.elaborator.environment(scope, None))
        origin = Origin(statement.span)
        self.inputs.append(GraphInput(Value(value.name, TensorType(shape)), contract, origin))
        self.elaborator.network.names.add(value.name)
        if statement.condition is not None:
            conditions = self._conditions(statement.condition, scope)
            self.elaborator.network.conditions.extend(OpenCondition(item, origin) for item in conditions)
        # With several inputs a line must say which one it starts from.
        return value if len(self.inputs) == 1 else None

    def _size(self, size: Expression, scope: Scope) -> Dim:
        self._declare_symbols(size, scope)
        value = evaluate(size, self.elaborator.environment(scope, None))
        if isinstance(value, Expr):
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            written = value if isinstance(value, (int, float)) else type_name(value)
            raise fault(
                "E0325",
                f"a size must be a whole number of at least 1 or a capital letter, not {written}",
                size.span,
                help=f"there is no parameter {size.text}; a size left open is written in capitals, e.g. H"
                if isinstance(size, Name)
                else None,
            )
        return value

    def _declare_symbols(self, size: Expression, scope: Scope) -> None:
        if isinstance(size, Name) and size.text[0].isupper() and size.text not in scope.names:
            scope.names[size.text] = Binding(symbol(size.text), size.span)
            self.symbols.append(size.text)
        elif isinstance(size, Binary):
            self._declare_symbols(size.left, scope)
            self._declare_symbols(size.right, scope)

    def _conditions(self, condition: Expression, scope: Scope) -> list[Constraint]:
        """Turn `H % 32 == 0 and W >= 64` into conditions on open sizes."""
        if isinstance(condition, Binary) and condition.operator == "and":
            return [*self._conditions(condition.left, scope), *self._conditions(condition.right, scope)]
        environment = self.elaborator.environment(scope, None)
        if not isinstance(condition, Binary) or condition.operator not in ("==", "<", "<=", ">", ">="):
            raise fault(
                "E0325",
                "a condition on sizes is a comparison with ==, <, <=, > or >=, joined by and",
                condition.span,
                help="for example: where H % 32 == 0 and H >= 64",
            )
        left, right = evaluate(condition.left, environment), evaluate(condition.right, environment)
        for side, value in ((condition.left, left), (condition.right, right)):
            if isinstance(value, bool) or not isinstance(value, (int, Expr)):
                raise fault("E0325", f"a condition compares whole numbers and sizes, not {type_name(value)}", side.span)
        constraint = _comparison(condition.operator, left, right)
        settled = constraint.decide()
        if settled is False:
            raise fault("E0325", f"no size fulfils {condition.span.text}", condition.span)
        return [] if settled else [constraint]

    # ------------------------------------------------------------------------------------------ heads

    def _head(self, head: Head, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        if scope.trail:
            raise fault("E0311", "head belongs in a model, not in a block", head.span)
        catalogue, name = self.elaborator.catalogue, head.callee.span.text
        record = catalogue.head(name)
        if record is None:
            raise fault(
                "E0301",
                f"there is no task head {name}",
                head.callee.span,
                notes=(f"heads: {', '.join(sorted(catalogue.head_names()))}",),
                help=suggestion(name, catalogue.head_names()),
            )
        if current is None:
            raise fault("E0304", f"no value flows into head {name}", head.callee.span)
        positional, named = self.elaborator.evaluate_arguments(head.arguments or (), scope, current)
        block = self._head_block(record.name, record.block, record.source)
        path = scope.site(head)
        result = self.elaborator.expand(block, head, positional, named, scope, current, path, path)
        output = record.outputs[0]
        if output in self.elaborator.outputs:
            raise fault("E0303", f"output {output} is named twice", head.span)
        self.elaborator.outputs[output] = (result, head.span)
        arguments = {key: given.value for key, given in named.items()}
        self.tasks.append(Task(record.task, arguments, (output,)))
        return result

    def _head_block(self, name: str, text: str, source: str) -> Block:
        if name not in self._heads:
            result = parse(Source(source, text))
            blocks = [item for item in result.file.definitions if isinstance(item, Block)] if result.file else []
            if len(blocks) != 1 or result.diagnostics:
                raise ValueError(f"the block of head {name} ({source}) is not a file with exactly one block")
            self._heads[name] = blocks[0]
        return self._heads[name]

    def finish(self, model: Model, last: ValueRef | None) -> None:
        """Check that the model has inputs and outputs.

        Raises:
            Fault: one of them is missing.
        """
        name = model.name.text
        if not self.inputs and not self.elaborator.diagnostics.has_errors:
            raise fault(
                "E0304",
                f"model {name} has no input",
                model.name.span,
                help="begin with e.g. input image: 3 x 224 x 224",
            )
        if not self.elaborator.outputs and not self.elaborator.diagnostics.has_errors:
            raise fault(
                "E0305", f"model {name} has no output", model.name.span, help="end with output logits, or with a head"
            )

    # ------------------------------------------------------------------------------------------ contracts

    def _assert(self, statement: Assert, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        wanted = {name.text for name in _names(statement.condition)}
        if wanted & set(_TOTALS) - set(scope.names):
            snapshot = replace(scope, names=dict(scope.names))
            self._contracts.append(_Contract(statement, snapshot, current))
        else:
            self._enforce(_Contract(statement, scope, current), {})
        return current

    def check_contracts(self, graph: Graph) -> None:
        """Check the contracts that need the whole network."""
        if not self._contracts:
            return
        first = next(iter(graph.outputs.values()))
        lookup = self.elaborator.catalogue.layer
        totals: dict[str, Any] = {
            "params": graph.parameters,
            "macs": graph_macs(graph, lookup),
            "out": ValueRef(first, graph.types[first]),
            "receptive_field": receptive_field(graph, lookup).largest(first),
        }
        for contract in self._contracts:
            try:
                self._enforce(contract, totals)
            except Fault as error:
                self.elaborator.report(error.diagnostic)
            except UnknownValueError:
                pass

    def _enforce(self, contract: _Contract, totals: Mapping[str, Any]) -> None:
        statement, scope = contract.statement, contract.scope
        for name, value in totals.items():
            scope.names.setdefault(name, Binding(value, statement.span))
        environment = self.elaborator.environment(scope, contract.current)
        if truth(evaluate(statement.condition, environment), statement.condition, environment):
            return
        values = {name.text: environment.lookup(name) for name in _names(statement.condition)}
        facts = tuple(f"{name} = {_readable(value)}" for name, value in values.items() if not callable(value))
        self.elaborator.report(
            Diagnostic(
                "E0321",
                self._message(statement, scope)
                if statement.message
                else f"not fulfilled: {statement.condition.span.text}",
                statement.condition.span,
                labels=(),
                notes=(*facts, *trail_notes(scope.trail)),
            )
        )

    def _message(self, statement: Assert, scope: Scope) -> str:
        assert statement.message is not None, "called for contracts with a message"
        environment = self.elaborator.environment(scope, None)

        def fill(match: re.Match[str]) -> str:
            name = Name(statement.message.span if statement.message else statement.span, match[1])
            value = environment.lookup(name)
            if value is None:
                raise unknown_name(name, environment)
            return _readable(value)

        return re.sub(r"\{(\w+)\}", fill, statement.message.value)


def _comparison(operator: str, left: Dim, right: Dim) -> Constraint:
    if operator == "==":
        return Equal(left, right)
    if operator in ("<", "<="):
        left, right, operator = right, left, operator.replace("<", ">")
    return AtLeast(left - right, 1 if operator == ">" else 0)


def _names(expression: Expression) -> list[Name]:
    """Return the plain names in a contract's condition."""
    if isinstance(expression, Name):
        return [expression]
    if isinstance(expression, Binary):
        return [*_names(expression.left), *_names(expression.right)]
    if isinstance(expression, Unary):
        return _names(expression.operand)
    if isinstance(expression, Attribute):
        return _names(expression.base)
    if isinstance(expression, CallExpression):
        return [name for argument in expression.arguments for name in _names(argument.value)]
    return []


def _readable(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Expr):
        return format_dim(value)
    if isinstance(value, ValueRef) and value.type is not None:
        return " x ".join(format_dim(size) for size in value.type.shape)
    return str(value)
