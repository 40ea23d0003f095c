"""Hears what an elaboration makes and writes it down as one body: every layer by its path, every value by its maker.

Branches of merge layers stay branches, up to `DEEPEST` within each other; below, they are lines whose results are
merged by name. Blocks, loops and names of values leave comments. A layer whose weights are an instance's is made with
`let`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from striate.elaborate.catalogue import Catalogue
from striate.elaborate.environment import ScopeEnvironment
from striate.elaborate.network import LayerCall
from striate.elaborate.observer import Observer
from striate.elaborate.scope import Scope
from striate.elaborate.sites import is_automatic
from striate.elaborate.values import Given, ValueRef, plain
from striate.expand.calls import Calls, WrittenLayer, call_arguments
from striate.expand.contracts import pixel_settings, settled_expression, settled_message
from striate.expand.lines import Entry, Frame
from striate.expand.literals import UnwritableError, literal
from striate.expand.origins import Origins, place
from striate.graph import Input as GraphInput
from striate.graph import Node, format_shape
from striate_dsl.source import Span
from striate_dsl.syntax import Assert, Block, Expression, For, Head, Identifier, Input, Repeat

DEEPEST = 40
"""Merge layers within branches of merge layers that are written with braces."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be written out, and where it stands."""

    reason: str
    span: Span


class Recorder(Observer):
    """An observer of one elaboration; `finish` gives the model's body when that has ended.

    Attributes:
        layers: the layers in order.
        scope: the model's scope, with its parameters.
        problems: what could not be written.
    """

    def __init__(self, origins: Origins, catalogue: Catalogue, *, comments: bool) -> None:
        self._catalogue = catalogue
        self._comments = comments
        self._origins = origins
        self._calls = Calls(origins, self._is_free, comments=comments)
        self._frames = [Frame(None)]
        self._braced: list[bool] = []
        self._in_head = False
        self._bound: set[str] = set()
        self._used: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._inputs = 0
        self.layers: list[WrittenLayer] = []
        self.scope: Scope | None = None
        self.problems: list[Problem] = []

    @property
    def frame(self) -> Frame:
        """The body that is being written."""
        return self._frames[-1]

    # ------------------------------------------------------------------------------------ inputs, outputs, contracts

    def input_declared(self, statement: Input, made: GraphInput, scope: Scope, environment: ScopeEnvironment) -> None:
        """Write an input with its sizes, condition and pixel contract."""
        self.scope = scope
        name = made.value.name
        sizes = [
            str(size) if isinstance(size, int) else _bracketed(self._settled(written, scope, environment))
            for size, written in zip(made.value.type.shape, statement.sizes, strict=True)
        ]
        text = f"input {name}: {' x '.join(sizes)}"
        if statement.condition is not None:
            text += f" where {self._settled(statement.condition, scope, environment)}"
        settings = Frame(None)
        for key, value in pixel_settings(made.contract, self._is_free).items():
            settings.add(Entry(f"{key} = {value}"))
        comment = self._told(place(statement.span))
        if settings.entries:
            self.frame.add_body(Entry(f"{text} {{", comment=comment), settings, Entry("}"))
        else:
            self.frame.add(Entry(text, comment=comment))
        self._bound.add(name)
        self._inputs += 1
        self.frame.current = name if self._inputs == 1 else None

    def output_named(self, name: str, value: ValueRef) -> None:
        """Write an output."""
        known = self._name_of(value)
        short = known == name if name in self._bound else self.frame.current == value.name
        self.frame.add(Entry(f"output {name}" if short else f"output {known} as {name}"))

    def contract_stated(
        self, statement: Assert, scope: Scope, current: ValueRef | None, environment: ScopeEnvironment
    ) -> None:
        """Write a contract, names in it settled."""
        if self._in_head:
            return
        if current is not None:
            self._start_from(current)
        condition = self._settled(statement.condition, scope, environment)
        message = f", {settled_message(statement, scope)}" if statement.message else ""
        self.frame.add(Entry(f"assert {condition}{message}", comment=self._told(place(statement.span))))

    def _settled(self, expression: Expression, scope: Scope, environment: ScopeEnvironment) -> str:
        try:
            return settled_expression(expression, scope, environment, self._name_of, self._is_free)
        except UnwritableError as error:
            self.problems.append(Problem(str(error), expression.span))
            return "true"

    # ------------------------------------------------------------------------------------ layers

    def layer_made(self, layer: LayerCall, node: Node) -> None:
        """Write a layer, or close the body of a merge layer."""
        merge = layer.record.merge and layer.call.body is not None
        braced = self._braced.pop() if merge else False
        try:
            written = self._calls.layer(layer, node, self._named)
            self.layers.append(written)
            for index, value in enumerate(node.outputs[1:], start=1):
                self._renamed[value.name] = f"{node.name}.further{index}"
            if self._in_head:
                self._note(Entry(node.op, call_arguments(written), f" as {node.name}").whole())
            elif braced:
                self._close_merge(layer, written)
            else:
                self._write_layer(layer, written)
        except UnwritableError as error:
            self.problems.append(Problem(str(error), layer.call.span))

    def _write_layer(self, layer: LayerCall, written: WrittenLayer) -> None:
        node = written.node
        callee, arguments = node.op, call_arguments(written)
        if node.weights and layer.weight_path != node.name:
            callee, arguments = layer.weight_path, self._instance(layer, written)
        elif arguments is None and callee in self._bound:
            arguments = []  # the brackets say that the layer is meant, not the value of its name
        lead, merged = self._incoming(node, layer.record.merge)
        if merged:
            arguments = [(name, "") for name in merged] + (arguments or [])
        behind, comment = self._behind(written)
        name = "" if "." in node.name or is_automatic(node.name, callee) else node.name
        self.frame.add(Entry(lead + callee, arguments, behind, comment, flow=True, name=name))
        self._made(node)

    def _instance(self, layer: LayerCall, written: WrittenLayer) -> list[tuple[str, str]] | None:
        """Write the instance that a layer belongs to if it is new; return the arguments that this use changes."""
        path = layer.weight_path
        new, changed = self._calls.instance(written, path)
        if new:
            arguments = call_arguments(written) or ([] if written.node.op in self._bound else None)
            self.frame.add(Entry(f"let {path} = {written.node.op}", arguments))
            self._bound.add(path)
        return [(f"{name} = {written.arguments[name][0]}", written.arguments[name][1]) for name in changed] or None

    def _incoming(self, node: Node, merge: bool) -> tuple[str, list[str]]:
        """Return what stands before a layer so that its input flows in, and the values that a merge layer names."""
        first, *others = node.inputs
        lead = "" if self.frame.current == first else f"{self._named(first)} -> "
        return lead, [self._named(name) for name in others] if merge else []

    def _behind(self, written: WrittenLayer) -> tuple[str, str]:
        """Return the name of a layer behind `as`, and the comment with its size and place."""
        node = written.node
        names = [node.name, *(self._renamed.get(value.name, value.name) for value in node.outputs[1:])]
        behind = names[0] if len(names) == 1 else f"({', '.join(names)})"
        return f" as {behind}", self._told(f"{format_shape(node.outputs[0].type)}, {written.place}")

    def _made(self, node: Node) -> None:
        self.frame.current = node.name
        self._bound.add(node.name)
        self._bound.update(self._renamed[value.name] for value in node.outputs[1:])

    # ------------------------------------------------------------------------------------ branches

    def merge_begun(self, current: ValueRef | None) -> None:
        """Open the body of a merge layer, unless it lies too deep."""
        braced = not self._in_head and sum(self._braced) < DEEPEST
        self._braced.append(braced)
        if braced:
            self._frames.append(Frame(current.name if current else None))

    def branch_begun(self) -> None:
        """Open a branch."""
        if self._braced[-1]:
            self._frames.append(Frame(self.frame.current))

    def branch_ended(self, value: ValueRef | None) -> None:
        """Close a branch: a step by itself where it is one, otherwise in braces."""
        if not self._braced[-1]:
            return
        if value is not None:
            self._start_from(value)
        branch = self._frames.pop()
        if value is None:
            return
        if not branch.statements:
            branch.add(Entry("in", flow=True))
        if branch.stands_alone:
            self.frame.entries += branch.entries
        else:
            self.frame.add_body(Entry("{"), branch, Entry("}"))

    def _close_merge(self, layer: LayerCall, written: WrittenLayer) -> None:
        branches = self._frames.pop()
        node = written.node
        named = sum(not _is_branch(layer, item.span) for item in layer.incoming)
        arguments = [(self._named(name), "") for name in node.inputs[len(node.inputs) - named :]]
        arguments += call_arguments(written) or []
        outer = branches.current
        lead = "" if outer is None or outer == self.frame.current else f"{self._named(outer)} -> "
        opening = Entry(lead + node.op, arguments or None, " {", flow=True)
        behind, comment = self._behind(written)
        name = "" if "." in node.name or is_automatic(node.name, node.op) else node.name
        self.frame.add_body(opening, branches, Entry("}", None, behind, comment, flow=True, name=name))
        self._made(node)

    # ------------------------------------------------------------------------------------ blocks, rounds, heads

    def block_begun(self, block: Block, scope: Scope) -> None:
        """Say in a comment which block follows, with its parameters."""
        if self._comments and not self._in_head and scope.call is not None:
            values = [f"{item.name.text} = {self.shown(scope, item.name.text)}" for item in block.parameters]
            self._note(f"{scope.path}: {block.name.text}({', '.join(values)}), {place(scope.call.span)}")

    def round_begun(self, loop: Repeat | For, index: int, scope: Scope) -> None:
        """Say in a comment which round follows, with its variables."""
        if self._comments and not self._in_head:
            variables = loop.variables if isinstance(loop, For) else [loop.variable] if loop.variable else []
            values = ", ".join(f"{item.text} = {self.shown(scope, item.text)}" for item in variables)
            self._note(f"{self._origins.loop(loop, index)}{': ' if values else ''}{values}")

    def value_named(self, name: Identifier, value: ValueRef, layer: str) -> None:
        """Say in a comment that a block or group gave a value this name; a layer shows it by its own."""
        if self._comments and not self._in_head and layer != value.name:
            self._note(f"{name.text} is {value.name}, {place(name.span)}")

    def head_begun(
        self, head: Head, name: str, path: str, given: Sequence[Given], current: ValueRef, scope: Scope
    ) -> None:
        """Write a head, and its layers as comments."""
        self._start_from(current)
        try:
            arguments = [self._head_argument(item) for item in given]
        except UnwritableError as error:
            self.problems.append(Problem(str(error), head.span))
            return
        comment = self._told(place(head.span))
        self.frame.add(Entry(f"head {name}", arguments or None, f" as {path}", comment))
        self._in_head = True

    def head_ended(self, path: str, value: ValueRef) -> None:
        """Go on behind a head."""
        self._in_head = False
        self._renamed[value.name] = path
        self._bound.add(path)
        self.frame.current = value.name

    def _head_argument(self, given: Given) -> tuple[str, str]:
        value = given.value
        text = self._name_of(value) if isinstance(value, ValueRef) else literal(value, self._is_free)
        name = given.argument.name
        return (f"{name.text} = {text}" if name else text), ""

    # ------------------------------------------------------------------------------------ words

    def _start_from(self, value: ValueRef) -> None:
        """Let a value flow, with a line of its own where another one does."""
        if self.frame.current != value.name:
            self.frame.add(Entry(self._name_of(value), flow=True))
            self.frame.current = value.name

    def _name_of(self, value: ValueRef) -> str:
        return self._named(value.name)

    def _named(self, value: str) -> str:
        """Return the name by which a value is written, and note that it is used."""
        self._used.add(value)
        return self._renamed.get(value, value)

    def finish(self) -> Frame:
        """Return the model's body. Names that only the original used are marked, so that no lint asks about them."""
        for entry in self.frame.entries:
            if entry.name and entry.name not in self._used and not entry.name.startswith("_"):
                entry.comment = f"allow W0109: {entry.comment}" if entry.comment else "allow W0109"
        return self.frame

    def _is_free(self, name: str) -> bool:
        return name not in self._bound and self._catalogue.known_layer(name) is None

    def shown(self, scope: Scope, name: str) -> str:
        """Return what a name stands for, as a comment says it."""
        value = scope.names[name].value
        if isinstance(value, ValueRef):
            return self._name_of(value)
        try:
            return literal(value, lambda _: True)
        except UnwritableError:
            shown: Any = plain(value)
            return str(shown["name"] if isinstance(shown, dict) else shown)

    def _told(self, comment: str) -> str:
        return comment if self._comments else ""

    def _note(self, text: str) -> None:
        if self._comments:
            self.frame.add(Entry("", comment=text))


def _bracketed(size: str) -> str:
    return size if size.isidentifier() else f"({size})"


def _is_branch(layer: LayerCall, span: Span | None) -> bool:
    """Whether a value comes from the body of a merge layer."""
    body = layer.call.body
    return body is not None and span is not None and body.span.start <= span.start and span.end <= body.span.end
