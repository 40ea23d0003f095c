"""Where a settled value was given: followed through parameters of blocks, variants, profiles and loops, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from striate.elaborate.linked import reachable
from striate.elaborate.network import LayerCall
from striate.elaborate.scope import Binding, Scope
from striate.elaborate.values import Given, ValueRef
from striate.expand.literals import UnwritableError, literal
from striate.expand.rendering import expression_text
from striate_dsl.source import Span
from striate_dsl.syntax import (
    Argument,
    Block,
    Call,
    Expression,
    File,
    For,
    Head,
    Let,
    Model,
    Name,
    Repeat,
    Section,
    Variant,
)

OVERRIDES = "<arguments>"
"""The name of the text in which the user's overrides stand."""


def place(span: Span) -> str:
    """Return file and line, the file without its folder."""
    return f"{PurePath(span.file).name}:{span.line}"


class Origins:
    """Knows the definitions of all files that take part."""

    def __init__(self, file: File) -> None:
        self._owners = [
            (item.span, _owner(item))
            for each in reachable(file)
            for item in each.definitions
            if isinstance(item, (Block, Model, Variant, Section))
        ]

    def argument(self, layer: LayerCall, name: str, text: str) -> str:
        """Return where an argument of a layer call got the value that is now written as `text`."""
        given = layer.arguments.get(name)
        if given is None:
            return f"default of {layer.record.name}"
        return self._given(given, layer.call, layer.scope, text)

    def parameter(self, name: str, scope: Scope, text: str) -> str:
        """Return where a parameter of a block or model got its value."""
        return self._binding(scope.names[name], scope, text)

    def loop(self, loop: Repeat | For, index: int) -> str:
        """Return which round of which loop this is."""
        return f"round {index} of the loop at {place(loop.span)}"

    def setting(self, span: Span) -> str:
        """Return where a setting of a recipe, contract or profile stands."""
        owner = self._owner_at(span)
        return f"{owner}, {place(span)}" if owner.startswith("profile ") else place(span)

    def _given(self, given: Given, call: Call | Head, scope: Scope, text: str) -> str:
        if _belongs(given.argument, call):
            return self._expression(given.argument.value, scope, text)
        return place(given.span)  # from a `let`, or an argument such as `act = conv(8, 1)`

    def _expression(self, expression: Expression, scope: Scope, text: str) -> str:
        if isinstance(expression, Name) and expression.text in scope.names:
            return self._binding(scope.names[expression.text], scope, text)
        written, where = expression_text(expression), place(expression.span)
        told = where if written == text else f"{written}, {where}"
        further = [
            f"{name}: {self._binding(scope.names[name], scope, _text(scope.names[name].value))}"
            for name in dict.fromkeys(item.text for item in _names(expression))
            if name in scope.names and not isinstance(scope.names[name].value, ValueRef)
        ]
        return f"{told} ({'; '.join(further)})" if further else told

    def _binding(self, binding: Binding, scope: Scope, text: str) -> str:
        maker = binding.maker
        if isinstance(maker, Given):
            if scope.caller is not None and scope.call is not None:
                return self._given(maker, scope.call, scope.caller, text)
            return self._model_argument(maker, text)
        if isinstance(maker, (Repeat, For)):
            return self.loop(maker, binding.round)
        if isinstance(maker, Let):
            return self._expression(maker.value, scope, text)
        if isinstance(binding.value, ValueRef):
            return place(binding.span)
        owner = scope.trail[-1].block if scope.trail else self._owner_at(binding.span)
        return f"default of {owner}, {place(binding.span)}"

    def _model_argument(self, given: Given, text: str) -> str:
        if given.span.file == OVERRIDES:
            return "--set"
        written = expression_text(given.argument.value)
        shown = "" if written == text else f"{written}, "
        return f"{shown}{self._owner_at(given.span)}, {place(given.span)}"

    def _owner_at(self, span: Span) -> str:
        return next((owner for whole, owner in self._owners if _inside(span, whole)), "the file")


def _text(value: Any) -> str:
    """Return a value's text, nothing where it has none."""
    try:
        return literal(value, lambda _: True)
    except UnwritableError:
        return ""


def _owner(item: Block | Model | Variant | Section) -> str:
    if isinstance(item, Section):
        return f"{item.kind} {item.name.text}" if item.name else item.kind
    return f"variant {item.name.text}" if isinstance(item, Variant) else item.name.text


def _inside(span: Span, whole: Span) -> bool:
    return span.source is whole.source and whole.start <= span.start and span.end <= whole.end


def _belongs(argument: Argument, call: Call | Head) -> bool:
    return any(item is argument for item in call.arguments or ())


def _names(expression: Expression) -> Iterator[Name]:
    """Yield the plain names in an expression."""
    waiting: list[object] = [expression]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Name):
            yield item
        elif isinstance(item, tuple):
            waiting.extend(reversed(item))
        elif (fields := getattr(item, "__dataclass_fields__", None)) and not isinstance(item, Span):
            waiting.extend(getattr(item, name) for name in reversed(fields) if name != "span")
