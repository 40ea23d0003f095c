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
from striate.elaborate.budget import LimitError
from striate.elaborate.contract import read_contract
from striate.elaborate.elaborator import Elaborator
from striate.elaborate.expressions import evaluate, truth, type_name, unknown_name
from striate.elaborate.faults import Fault, UnknownValueError, fault, meant, renaming, suggestion, trail_notes
from striate.elaborate.missing import no_head
from striate.elaborate.network import OpenCondition
from striate.elaborate.objects import flowing_values, is_stated, read_objects
from striate.elaborate.parameters import fill_parameters
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import UNKNOWN, Given, ValueRef
from striate.graph import Graph, Origin, Task, TensorType, Value
from striate.graph import Input as GraphInput
from striate.host.catalogue import NameClashError
from striate.ops.arguments import Choice, quote_value
from striate_dsl.diagnostics import LONGEST_TEXT, Diagnostic, Edit, Fix
from striate_dsl.limits import OPEN_SIZES
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from striate_dsl.syntax import (
    Argument,
    Assert,
    Attribute,
    Binary,
    Block,
    CallExpression,
    Expression,
    Head,
    Identifier,
    Input,
    Model,
    Name,
    Unary,
)

TOTALS = ("params", "macs", "receptive_field", "out")
"""What an `assert` may ask of the whole network."""


@dataclass(frozen=True, slots=True)
class _Contract:
    """A contract that needs the whole network, with what was visible at its place."""

    statement: Assert
    scope: Scope
    current: ValueRef | None


def opened(name: str, shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Return an image's size with a symbol for each fixed size but the channels'; a flat input stays as it is."""
    return (
        *shape[:1],
        *(_open_symbol(name, axis) if isinstance(size, int) else size for axis, size in enumerate(shape[1:])),
    )


def _open_symbol(name: str, axis: int) -> Dim:
    return symbol(open_name(name, axis))


def open_name(name: str, axis: int) -> str:
    """Return the symbol that stands for a fixed size of an input, e.g. `image.0` for its height."""
    return f"{name}.{axis}"


class ModelStatements:
    """Runs inputs, heads and contracts for an elaborator, and keeps what they declare."""

    def __init__(
        self, elaborator: Elaborator, sizes: Mapping[str, int] | None = None, *, open_sizes: bool = False
    ) -> None:
        """Take numbers for the symbols of the inputs, or, with `open_sizes`, leave every image size open.

        Contracts are not looked at where sizes are left open that the file fixes.
        """
        self.elaborator = elaborator
        self.sizes = sizes or {}
        self.open_sizes = open_sizes
        self.declared: list[Input] = []
        self.written: list[TensorType] = []
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
        written = tuple(self._size(size, scope) for size in statement.sizes)
        self.declared.append(statement)
        self.written.append(TensorType(written))
        shape = opened(statement.name.text, written) if self.open_sizes else written
        value = ValueRef(statement.name.text, TensorType(shape))
        self.elaborator.bind(scope, statement.name, value)
        environment = self.elaborator.environment(scope, None)
        told = len(self.elaborator.diagnostics)
        contract = read_contract(statement.settings, shape[0], environment, self.elaborator.report)
        origin = Origin(statement.span)
        made = GraphInput(Value(value.name, TensorType(shape)), contract, origin)
        self.inputs.append(made)
        self.elaborator.network.names.add(value.name)
        self.elaborator.network.inputs[value.name] = TensorType(shape)
        if statement.condition is not None:
            self.elaborator.network.conditions.extend(self._conditions(statement.condition, scope))
        if self.elaborator.observer is not None:
            environment = self.elaborator.environment(scope, None)
            self.elaborator.observer.input_declared(statement, made, scope, environment)
        # With several inputs a line must say which one it starts from.
        return value if len(self.inputs) == 1 else None if len(self.elaborator.diagnostics) == told else UNKNOWN

    def _size(self, size: Expression, scope: Scope) -> Dim:
        self._declare_symbols(size, scope)
        value = evaluate(size, self.elaborator.environment(scope, None))
        if isinstance(value, Expr):
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            written = quote_value(value) if isinstance(value, (int, float)) else type_name(value)
            raise fault(
                "E0325",
                f"a size must be a whole number of at least 1 or a capital letter, not {written}",
                size.span,
                help=f"there is no parameter {size.text}; a size left open is written in capitals, e.g. H"
                if isinstance(size, Name)
                else None,
                fixes=_capital(size) if isinstance(value, Choice) else (),
            )
        return value

    def _declare_symbols(self, size: Expression, scope: Scope) -> None:
        if isinstance(size, Name) and size.text[0].isupper() and size.text not in scope.names:
            number = self.sizes.get(size.text)
            scope.names[size.text] = Binding(symbol(size.text) if number is None else number, size.span)
            self.symbols.append(size.text)
            if len(self.symbols) > OPEN_SIZES.value:
                raise LimitError(_too_many_symbols(size.span))
        elif isinstance(size, Binary):
            self._declare_symbols(size.left, scope)
            self._declare_symbols(size.right, scope)

    def _conditions(self, condition: Expression, scope: Scope) -> list[OpenCondition]:
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
            given = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
            who = f"{given} does not fulfil" if given else "no size fulfils"
            raise fault("E0325", f"{who} {condition.span.text}", condition.span)
        return [] if settled else [OpenCondition(constraint, Origin(condition.span))]

    # ------------------------------------------------------------------------------------------ heads

    def _head(self, head: Head, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        if scope.trail:
            raise fault("E0311", "head belongs in a model, not in a block", head.span)
        catalogue, written = self.elaborator.catalogue, "".join(head.callee.span.text.split())
        name = self.elaborator.visible(scope).renamed.get(written, written)
        try:
            record = catalogue.head(name)
        except NameClashError as error:
            raise Fault(error.at(head.callee.span)) from None
        if record is None:
            raise no_head(name, head.callee.span, catalogue)
        if current is None:
            help = "begin with an input, e.g. input image: 3 x 224 x 224, or start from a named value"
            raise fault("E0304", f"no value flows into head {name}", head.callee.span, help=help)
        positional, named = self.elaborator.evaluate_arguments(head.arguments or (), scope, current)
        block = self._head_block(record.name, record.block, record.source)
        taken = record.objects in {parameter.name.text for parameter in block.parameters}
        stated = None if taken else named.pop(record.objects, None)
        path = scope.site(head)
        observer = self.elaborator.observer
        if observer is not None:
            given = [*positional, *named.values(), *([stated] if stated is not None else [])]
            observer.head_begun(head, record.name, path, given, current, scope)
        result = self.elaborator.expand(block, head, positional, named, scope, current, path, path)
        if observer is not None:
            observer.head_ended(path, result)
        if head.alias is not None:
            self.elaborator.bind(scope, head.alias, result)
        output = record.outputs[0]
        if output in self.elaborator.outputs:
            raise fault("E0303", f"output {output} is named twice", head.span)
        self.elaborator.outputs[output] = (result, head.span)
        arguments = {key: given.value for key, given in named.items()}
        if taken:
            stated = self._parameter(block, record.objects, head, positional, named, current)
        objects = None
        if stated is not None and is_stated(stated.value):
            objects = read_objects(stated.value, flowing_values([*positional, *named.values()], current), stated.span)
        self.tasks.append(Task(record.task, arguments, (output,), objects))
        return result

    def _parameter(
        self, block: Block, name: str, head: Head, positional: list[Given], named: dict[str, Given], current: ValueRef
    ) -> Given:
        """Return what a parameter of a head's block comes to, and its place: the head where it is a default."""
        scope = Scope(block.body)
        environment = self.elaborator.environment(scope, current)
        fill_parameters(block.name.text, block.parameters, head.span, positional, named, scope, environment)
        index = [parameter.name.text for parameter in block.parameters].index(name)
        written = named.get(name) or (positional[index] if index < len(positional) else None)
        argument = Argument(head.span, None, head.callee) if written is None else written.argument
        return written or Given(scope.names[name].value, head.span, argument)

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
            help = "end with output logits, or with a head"
            fixes = _output_line(model, last)
            raise fault("E0305", f"model {name} has no output", model.name.span, help=help, fixes=fixes)

    # ------------------------------------------------------------------------------------------ contracts

    def _assert(self, statement: Assert, scope: Scope, current: ValueRef | None) -> ValueRef | None:
        if self.open_sizes:
            return current
        self.elaborator.budget.step(statement.span)
        self.elaborator.budget.text(statement.condition.span)
        self._demand_known(statement, scope, current)
        if self.elaborator.observer is not None:
            environment = self.elaborator.environment(scope, current)
            self.elaborator.observer.contract_stated(statement, scope, current, environment)
        wanted = {name.text for name in _names(statement.condition)}
        if any(name in wanted and name not in scope.names for name in TOTALS):
            self._contracts.append(_Contract(statement, _snapshot(statement, scope), current))
        else:
            self._enforce(_Contract(statement, scope, current), {})
        return current

    def _demand_known(self, statement: Assert, scope: Scope, current: ValueRef | None) -> None:
        """Demand that no name of a contract is a misspelt one of the whole network, such as `parameters`.

        Raises:
            Fault: it is; the repair writes the name.
        """
        environment = self.elaborator.environment(scope, current)
        for name in _names(statement.condition):
            if name.text in TOTALS or name.text in scope.names or environment.lookup(name) is not None:
                continue
            known = [*environment.known_names(), *TOTALS]
            if name.text not in known and meant(name.text, known) in TOTALS:
                fixes = renaming(name.text, known, name.span)
                help = suggestion(name.text, known)
                raise fault("E0302", f"there is no {name.text} here", name.span, help=help, fixes=fixes)

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
        facts = tuple(f"{name} = {_readable(value)}" for name, value in values.items() if value is not None)
        self.elaborator.report(
            Diagnostic(
                "E0321",
                self._message(statement, scope, contract.current)
                if statement.message
                else f"not fulfilled: {statement.condition.span.text}",
                statement.condition.span,
                labels=(),
                notes=(*facts, *trail_notes(scope.trail)),
            )
        )

    def _message(self, statement: Assert, scope: Scope, current: ValueRef | None) -> str:
        assert statement.message is not None, "called for contracts with a message"
        environment = self.elaborator.environment(scope, current)

        def fill(match: re.Match[str]) -> str:
            place = statement.message.span if statement.message else statement.span
            name = Name(place, match[1])
            if environment.lookup(name) is None:
                raise unknown_name(name, environment)
            size = Attribute(place, name, Identifier(place, match[2])) if match[2] else name
            return _readable(evaluate(size, environment))

        return re.sub(r"\{(\w+)(?:\.(\w+))?\}", fill, statement.message.value[:LONGEST_TEXT])


def _capital(size: Expression) -> tuple[Fix, ...]:
    """Return the repair of a small letter where a size is left open."""
    if not isinstance(size, Name) or len(size.text) != 1 or size.span.text != size.text:
        return ()
    return (Fix(f"write {size.text.upper()}", (Edit(size.span, size.text.upper()),), "unsafe"),)


def _output_line(model: Model, last: ValueRef | None) -> tuple[Fix, ...]:
    """Return the repair of a model without an output: its last value is one."""
    if last is None or last.type is None or not model.body.statements:
        return ()
    name = "logits" if last.type.rank == 1 else "features"
    before = model.body.statements[-1].span
    line = before.source.line_text(before.line)
    margin = line[: len(line) - len(line.lstrip())]
    edit = Edit(Span(before.source, before.end, before.end), f"\n{margin}output {name}")
    return (Fix(f"write output {name} at the end", (edit,), "unsafe"),)


def _snapshot(statement: Assert, scope: Scope) -> Scope:
    """Return a scope as it is now: with all its names, of very many only those that a contract speaks of."""
    names = scope.names
    if len(names) > _MOST_KEPT:
        message = statement.message.value[:LONGEST_TEXT] if statement.message else ""
        spoken = {name.text for name in _names(statement.condition)} | set(re.findall(r"\w+", message))
        names = {name: names[name] for name in spoken if name in names}
    return replace(scope, names=dict(names))


_MOST_KEPT = 200


def _too_many_symbols(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0342",
        f"the inputs leave more than {OPEN_SIZES.value:,} sizes open",
        span,
        help=f"write numbers, or the same capital letter for sizes that are equal; {OPEN_SIZES.advice}",
    )


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
    return quote_value(value)
