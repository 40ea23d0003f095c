"""Builds the nodes of syntax.py while the parser reduces: one method per alternative of grammar.lark, of the same name.

The parameters of a method are the parts of its alternative in their order, signs included (`_`); repeated parts arrive
as lists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal, cast

from striate_dsl import literals
from striate_dsl.complaints import (
    chained_operators,
    language_not_first,
    number_too_large,
    sizes_in_brackets,
    unknown_escapes,
)
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.lexer import Token
from striate_dsl.limits import FINDINGS
from striate_dsl.operators import Item, Ordering, Prefixed, binary
from striate_dsl.source import Source, Span
from striate_dsl.syntax import (
    Argument,
    Assert,
    Attribute,
    Block,
    Body,
    Boolean,
    Call,
    CallExpression,
    Conditional,
    Definition,
    Expression,
    File,
    Flow,
    For,
    Group,
    Head,
    Identifier,
    If,
    Index,
    Input,
    Language,
    Let,
    ListLiteral,
    Model,
    Name,
    Names,
    Number,
    Output,
    Parameter,
    Range,
    Repeat,
    Requires,
    Section,
    Setting,
    Statement,
    Step,
    Text,
    TupleLiteral,
    Use,
    Variant,
    step_end,
)

SectionKind = Literal["train", "export", "search", "profile"]
Callee = Name | Attribute


@dataclass(slots=True)
class Bracketed:
    """What stands between brackets, and the offset behind the closing one."""

    items: list[Any]
    end: int


def _is_cut(item: object) -> bool:
    """Whether an item only marks the place of a statement that recovery took out."""
    return type(item) is Token and item.kind == "CUT"


class Builder:
    """Makes the nodes of one file; what only the value of a literal shows goes to `findings`."""

    def __init__(self, source: Source, findings: Diagnostics, most: int = FINDINGS.default) -> None:
        self._source = source
        self._findings = findings
        self._most = most

    def _complain(self, *found: Diagnostic) -> None:
        self._findings.extend(found[: max(0, self._most - len(self._findings))])

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source, start, end)

    def _identifier(self, token: Token) -> Identifier:
        return Identifier(Span(self._source, token.start, token.end), token.text)

    def _path(self, tokens: list[Token]) -> tuple[Identifier, ...]:
        return tuple(self._identifier(token) for token in tokens)

    # ---------------------------------------------------------------------------------------- lists and brackets

    def first(self, item: Any) -> list[Any]:
        return [] if _is_cut(item) else [item]

    def after_separator(self, items: list[Any], _: Token, item: Any) -> list[Any]:
        if not _is_cut(item):
            items.append(item)
        return items

    def bracketed(self, _: Token, items: list[Any], *closing: Token) -> Bracketed:
        return Bracketed(items, closing[-1].end)

    def empty_brackets(self, _: Token, closing: Token) -> Bracketed:
        return Bracketed([], closing.end)

    def no_brackets(self) -> Bracketed:
        return Bracketed([], 0)

    # ---------------------------------------------------------------------------------------- definitions

    def file(self, definitions: list[Definition]) -> File:
        for late in definitions[1:]:
            if isinstance(late, Language):
                self._complain(language_not_first(late.span))
        return File(self._span(0, len(self._source.text)), tuple(definitions))

    def language(self, word: Token, version: Token) -> Language:
        return Language(self._span(word.start, version.end), self.number(version))

    def use(self, word: Token, target: Text | list[Token]) -> Use:
        return self._use(word, target, None)

    def use_as(self, word: Token, target: Text | list[Token], _: Token, alias: Token) -> Use:
        return self._use(word, target, self._identifier(alias))

    def _use(self, word: Token, target: Text | list[Token], alias: Identifier | None) -> Use:
        node = target if isinstance(target, Text) else self._path(target)
        end = alias.span.end if alias else node.span.end if isinstance(node, Text) else node[-1].span.end
        return Use(self._span(word.start, end), node, alias)

    def requires(self, word: Token, plugin: list[Token]) -> Requires:
        return Requires(self._span(word.start, plugin[-1].end), self._path(plugin), None, None)

    def requires_version(self, word: Token, plugin: list[Token], operator: Token, version: Token) -> Requires:
        return Requires(self._span(word.start, version.end), self._path(plugin), operator.text, version.text)

    def block(self, word: Token, name: Token, parameters: Bracketed, body: Body) -> Block:
        return Block(self._span(word.start, body.span.end), self._identifier(name), tuple(parameters.items), body)

    def model(self, word: Token, name: Token, parameters: Bracketed, body: Body) -> Model:
        return Model(self._span(word.start, body.span.end), self._identifier(name), tuple(parameters.items), body)

    def variant(self, word: Token, name: Token, _: Token, base: Callee, arguments: Bracketed | None = None) -> Variant:
        end = arguments.end if arguments else base.span.end
        items = tuple(arguments.items) if arguments else ()
        return Variant(self._span(word.start, end), self._identifier(name), base, items)

    def parameter(self, name: Token) -> Parameter:
        return Parameter(self._span(name.start, name.end), self._identifier(name), None)

    def parameter_default(self, name: Token, _: Token, default: Expression) -> Parameter:
        return Parameter(self._span(name.start, default.span.end), self._identifier(name), default)

    def section(self, word: Token, settings: Bracketed) -> Section:
        return self._section(word, None, None, settings)

    def section_named(self, word: Token, name: Token, settings: Bracketed) -> Section:
        return self._section(word, self._identifier(name), None, settings)

    def section_as(self, word: Token, name: Token, _: Token, alias: Token, settings: Bracketed) -> Section:
        return self._section(word, self._identifier(name), self._identifier(alias), settings)

    def _section(self, word: Token, name: Identifier | None, alias: Identifier | None, settings: Bracketed) -> Section:
        kind = cast(SectionKind, word.text)
        return Section(self._span(word.start, settings.end), kind, name, alias, tuple(settings.items))

    def setting(self, key: list[Token], _: Token, value: Expression) -> Setting:
        return Setting(self._span(key[0].start, value.span.end), self._path(key), value, None)

    def setting_group(self, key: list[Token], body: Bracketed) -> Setting:
        return Setting(self._span(key[0].start, body.end), self._path(key), None, tuple(body.items))

    # ---------------------------------------------------------------------------------------- statements

    def body(self, opening: Token, statements: list[Statement], closing: Token) -> Body:
        return Body(self._span(opening.start, closing.end), tuple(statements))

    def empty_body(self, opening: Token, closing: Token) -> Body:
        return Body(self._span(opening.start, closing.end), ())

    def flow(self, steps: list[Step]) -> Flow:
        return Flow(self._span(steps[0].span.start, step_end(steps[-1])), tuple(steps))

    def repeat(self, word: Token, count: Expression, body: Body) -> Repeat:
        return Repeat(self._span(word.start, body.span.end), None, count, body)

    def repeat_in(self, word: Token, variable: Token, _: Token, count: Expression, body: Body) -> Repeat:
        return Repeat(self._span(word.start, body.span.end), self._identifier(variable), count, body)

    def for_one(self, word: Token, variable: Token, _: Token, iterable: Expression, body: Body) -> For:
        return For(self._span(word.start, body.span.end), (self._identifier(variable),), False, iterable, body)

    def for_many(self, word: Token, _: Token, variables: list[Token], *rest: Any) -> For:
        *_signs, iterable, body = rest
        return For(self._span(word.start, body.span.end), self._path(variables), True, iterable, body)

    def if_then(self, word: Token, condition: Expression, then: Body) -> If:
        return If(self._span(word.start, then.span.end), condition, then, None)

    def if_else(self, word: Token, condition: Expression, then: Body, _: Token, otherwise: Body) -> If:
        return If(self._span(word.start, otherwise.span.end), condition, then, otherwise)

    def if_else_if(self, word: Token, condition: Expression, then: Body, _: Token, chained: If) -> If:
        return If(self._span(word.start, chained.span.end), condition, then, Body(chained.span, (chained,)))

    def let(self, word: Token, name: Identifier, _: Token, value: Expression) -> Let:
        return Let(self._span(word.start, value.span.end), name, value)

    def assertion(self, word: Token, condition: Expression) -> Assert:
        return Assert(self._span(word.start, condition.span.end), condition, None)

    def assertion_message(self, word: Token, condition: Expression, _: Token, message: Token) -> Assert:
        return Assert(self._span(word.start, message.end), condition, self.text(message))

    def input(self, word: Token, name: Token, _: Token, sizes: list[Expression]) -> Input:
        return self._input(word, name, sizes, None, None)

    def input_settings(self, word: Token, name: Token, _: Token, sizes: list[Expression], settings: Bracketed) -> Input:
        return self._input(word, name, sizes, None, settings)

    def input_where(
        self, word: Token, name: Token, _: Token, sizes: list[Expression], _where: Token, condition: Expression
    ) -> Input:
        return self._input(word, name, sizes, condition, None)

    def input_where_settings(
        self,
        word: Token,
        name: Token,
        _: Token,
        sizes: list[Expression],
        _where: Token,
        condition: Expression,
        settings: Bracketed,
    ) -> Input:
        return self._input(word, name, sizes, condition, settings)

    def _input(
        self,
        word: Token,
        name: Token,
        sizes: list[Expression],
        condition: Expression | None,
        settings: Bracketed | None,
    ) -> Input:
        if len(sizes) == 1 and isinstance(sizes[0], (TupleLiteral, ListLiteral)):
            self._complain(sizes_in_brackets(sizes[0]))
            sizes = list(sizes[0].items) or sizes
        end = settings.end if settings else (condition or sizes[-1]).span.end
        items = tuple(settings.items) if settings else ()
        return Input(self._span(word.start, end), self._identifier(name), tuple(sizes), condition, items)

    def output(self, word: Token, named: list[tuple[Identifier, Identifier | None]]) -> Output:
        names, aliases = zip(*named, strict=True)
        return Output(self._span(word.start, (aliases[-1] or names[-1]).span.end), names, aliases)

    def output_name(self, name: Identifier) -> tuple[Identifier, None]:
        return name, None

    def output_name_as(self, name: Identifier, _: Token, alias: Token) -> tuple[Identifier, Identifier]:
        return name, self._identifier(alias)

    def head(self, word: Token, callee: Callee, arguments: Bracketed | None = None) -> Head:
        if arguments is None:
            return Head(self._span(word.start, callee.span.end), callee, None, None)
        return Head(self._span(word.start, arguments.end), callee, tuple(arguments.items), None)

    # ---------------------------------------------------------------------------------------- steps of a flow

    def step(self, callee: Callee, arguments: Bracketed | None = None) -> Call:
        if arguments is None:
            return Call(callee.span, callee, None, None, None)
        return Call(self._span(callee.span.start, arguments.end), callee, tuple(arguments.items), None, None)

    def step_body(self, callee: Callee, body: Body) -> Call:
        return Call(callee.span.to(body.span), callee, None, body, None)

    def step_arguments_body(self, callee: Callee, arguments: Bracketed, body: Body) -> Call:
        return Call(callee.span.to(body.span), callee, tuple(arguments.items), body, None)

    def group(self, body: Body) -> Group:
        return Group(body.span, body, None)

    def named(self, step: Step | Head, _: Token, alias: Identifier) -> Step | Head:
        return replace(step, alias=alias)

    def named_several(self, step: Step, _: Token, opening: Token, names: list[Identifier], *closing: Token) -> Step:
        return replace(step, alias=names[0], several=Names(self._span(opening.start, closing[-1].end), tuple(names)))

    def identifier(self, token: Token) -> Identifier:
        return self._identifier(token)

    def longer_name(self, name: Identifier, _: Token, last: Token) -> Identifier:
        return Identifier(self._span(name.span.start, last.end), f"{name.text}.{last.text}")

    # ---------------------------------------------------------------------------------------- expressions

    def number(self, token: Token) -> Number:
        span = Span(self._source, token.start, token.end)
        value = literals.number(token.text)
        if value is None:
            self._complain(number_too_large(span))
            value = 0
        return Number(span, value)

    def text(self, token: Token) -> Text:
        if "\\" in token.text:
            self._complain(*islice(unknown_escapes(self._source, token), self._most))
        return Text(self._span(token.start, token.end), literals.text(token.text))

    def boolean(self, token: Token) -> Boolean:
        return Boolean(self._span(token.start, token.end), token.text == "true")

    def name(self, token: Token) -> Name:
        return Name(Span(self._source, token.start, token.end), token.text)

    def attribute(self, base: Expression, _: Token, name: Token) -> Attribute:
        return Attribute(self._span(base.span.start, name.end), base, self._identifier(name))

    def index(self, base: Expression, _: Token, index: Expression, closing: Token) -> Index:
        return Index(self._span(base.span.start, closing.end), base, index)

    def call(self, function: Expression, arguments: Bracketed) -> CallExpression:
        return CallExpression(self._span(function.span.start, arguments.end), function, tuple(arguments.items))

    def argument(self, value: Expression) -> Argument:
        return Argument(value.span, None, value)

    def argument_named(self, name: Token, _: Token, value: Expression) -> Argument:
        return Argument(Span(self._source, name.start, value.span.end), self._identifier(name), value)

    def parenthesised(self, opening: Token, value: Expression, closing: Token) -> Expression:
        """The value itself; its span takes in the brackets, so that spans of what contains it stay balanced."""
        return replace(value, span=self._span(opening.start, closing.end))

    def tuple_literal(self, opening: Token, items: list[Expression], _: Token, closing: Token) -> TupleLiteral:
        return TupleLiteral(self._span(opening.start, closing.end), tuple(items))

    def tuple_literal_last(
        self, opening: Token, items: list[Expression], _: Token, last: Expression, closing: Token
    ) -> TupleLiteral:
        return TupleLiteral(self._span(opening.start, closing.end), (*items, last))

    def list_literal(self, opening: Token, items: list[Expression], *closing: Token) -> ListLiteral:
        return ListLiteral(self._span(opening.start, closing[-1].end), tuple(items))

    def empty_list(self, opening: Token, closing: Token) -> ListLiteral:
        return ListLiteral(self._span(opening.start, closing.end), ())

    def prefixed(self, sign: Token, operand: Expression | Prefixed) -> Prefixed:
        return Prefixed(sign, operand)

    def operation_first(self, left: Item, operator: Token, right: Item) -> list[Item]:
        return [left, operator, right]

    def operation_next(self, items: list[Item], operator: Token, right: Item) -> list[Item]:
        items += (operator, right)
        return items

    def operation(self, items: Item | list[Item]) -> Expression:
        run = items if isinstance(items, list) else [items]
        return Ordering(self._source, self._binary, self._chained).order(run)

    def conditional(
        self, value: Item | list[Item], _if: Token, condition: Expression, _else: Token, otherwise: Expression
    ) -> Conditional:
        chosen = self.operation(value)
        return Conditional(chosen.span.to(otherwise.span), chosen, condition, otherwise)

    def _binary(self, token: Token, left: Expression, right: Expression) -> Expression:
        if token.kind == "RANGE":
            return Range(left.span.to(right.span), left, right)
        return binary(self._source, token, left, right)

    def _chained(self, first: Token, second: Token) -> None:
        self._complain(chained_operators(self._source, first, second))
