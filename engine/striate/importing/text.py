"""A network as the text of a `.cnn` file: chains of layers, branches, and names where values are needed again.

What is written is the shortest that means the same: arguments at their defaults are left out, and so are names that
the language gives by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from striate.dims import Dim, Expr, format_dim
from striate.importing.arguments import positional, written_arguments
from striate.importing.branching import with_branches
from striate.importing.naming import Names
from striate.importing.network import Layer, Network
from striate.importing.steps import Branching, Item, Rounds, Step

WIDTH = 100
"""Characters up to which layers are written behind each other in one line."""

_BREAKS = frozenset({"conv", "deconv", "dense", "maxpool", "avgpool"})
"""Layers that begin a line of their own."""


@dataclass(frozen=True, slots=True)
class Style:
    """How much the text says: whether every layer is named, and whether branches and blocks are looked for."""

    name_all: bool = False
    branches: bool = True
    blocks: bool = True


def uses_of(network: Network) -> Counter[int]:
    """Return how often every value is used: by layers, and as an output of the network."""
    uses = Counter(number for layer in network.layers for number in layer.inputs)
    uses.update(value.number for _, value in network.outputs)
    return uses


@dataclass(slots=True)
class _Body:
    """The lines of one body, and the value that flows at its end."""

    current: int | None
    lines: list[str] = field(default_factory=list)

    def add(self, step: str, *, flowing: bool, fresh: bool) -> None:
        """Add a step to the line that flows, or as a line of its own."""
        joined = f"{self.lines[-1]} -> {step}" if self.lines else step
        if flowing and not fresh and self.lines and len(joined) <= WIDTH and not self.lines[-1].endswith("{"):
            self.lines[-1] = joined
        else:
            self.lines.append(step)


class ModelText:
    """The text of a file with one model.

    Args:
        network: the network.
        names: the names of its values.
        model: the name of the model.
        known: whether a word is the name of a layer.
        style: how it is written.
    """

    def __init__(self, network: Network, names: Names, model: str, known: Callable[[str], bool], style: Style) -> None:
        self._network, self._names, self._model, self._style = network, names, model, style
        self._known = known
        self._uses = uses_of(network)
        self._words = {*names.inputs.values(), *names.instances.values(), *(name for name in names.layers if name)}
        self.called = dict(names.inputs)
        self._lets: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def text(self) -> str:
        """Return the text; from then on `called` has the name of every value."""
        return "\n".join([f"model {self._model} {{", *(f"  {line}" for line in self._lines()), "}", ""])

    def _lines(self) -> Iterator[str]:
        """Yield the lines of the model's body."""
        for item in self._network.inputs:
            yield f"input {self._names.inputs[item.value.number]}: {_sizes(item.value.sizes)}"
        steps = [self._step(place, layer) for place, layer in enumerate(self._network.layers)]
        yield from (f"let {path} = {call}" for path, call in self._lets.items())
        yield ""
        items: Sequence[Item] = with_branches(steps, self._uses) if self._style.branches else steps
        self._name(items)
        inputs = self._network.inputs
        body = _Body(inputs[0].value.number if len(inputs) == 1 else None)
        self._write(items, body)
        yield from body.lines
        yield ""
        yield from self._outputs(body.current)

    # ------------------------------------------------------------------------------------ steps

    def _step(self, place: int, layer: Layer) -> Step:
        """Return a layer as a step; the values it names are filled in when they have names."""
        path = self._names.instances.get(place)
        named: dict[str, int] = {}

        def note(position: int) -> str:
            return f"\0{layer.inputs[position]}\0"

        arguments = written_arguments(layer, note, self._is_free)
        named = {name: layer.inputs[int(layer.attributes[name])] for name, text in arguments if text.startswith("\0")}
        callee, required = layer.record.name, len(layer.record.required_names)
        if path is not None:
            call = f"{callee}({', '.join(positional(layer, arguments))})" if arguments else callee
            self._lets.setdefault(path, call)
            callee, arguments = path, []
        return Step(
            callee, layer.inputs, layer.outputs, arguments, required, layer.record.merge, self._names.layers[place],
            callee.rpartition(".")[2], named,
        )  # fmt: skip

    def _is_free(self, word: str) -> bool:
        return word not in self._words and not self._known(word)

    # ------------------------------------------------------------------------------------ names

    def _name(self, items: Sequence[Item]) -> None:
        """Give a name to every value: that of the file, or the one that the language gives its layer."""
        order = list(_flat(items))
        asked = {step.wish for step in order if step.wish}
        for step in order:
            self._counts[step.base] += 1
            number = self._counts[step.base]
            automatic = f"{step.base}_{number}" if step.base[-1].isdigit() else f"{step.base}{number}"
            while automatic in asked and automatic != step.wish:
                automatic += "_"
            name = step.wish or automatic
            self.called[step.outputs[0]] = name
            self._words.add(name)
            if name == automatic and not self._style.name_all:
                step.wish = None
            else:
                step.wish = name
            for index, number in enumerate(step.outputs[1:], start=2):
                self.called[number] = f"{name.replace('.', '_')}_part{index}"
        self._needed = self._asked_for(items)

    def _asked_for(self, items: Sequence[Item]) -> set[int]:
        """Return the values that the text refers to by name."""
        inputs = self._network.inputs
        asked: set[int] = set()
        last = self._follow(items, inputs[0].value.number if len(inputs) == 1 else None, asked)
        standing = [value.number for _, value in self._network.outputs]
        if len(standing) > 1 or standing != [last] or self._outputs_clash():
            asked.update(standing)
        return asked

    def _outputs_clash(self) -> bool:
        return any(name in self._words for name in self._names.outputs)

    def _follow(self, items: Sequence[Item], current: int | None, asked: set[int]) -> int | None:
        for item in items:
            if isinstance(item, Branching):
                if item.start != current:
                    asked.add(item.start)
                for branch in item.branches:
                    self._follow(branch, item.start, asked)
                current = item.step.outputs[0]
                continue
            step = item.step if isinstance(item, Rounds) else item
            if step.inputs[0] != current:
                asked.add(step.inputs[0])
            asked.update(step.inputs[1:])
            current = step.outputs[0]
        return current

    # ------------------------------------------------------------------------------------ lines

    def _write(self, items: Sequence[Item], body: _Body) -> None:
        for item in items:
            if isinstance(item, Branching):
                self._branching(item, body)
            elif isinstance(item, Step):
                lead = "" if item.inputs[0] == body.current else f"{self.called[item.inputs[0]]} -> "
                fresh = bool(lead) or item.callee in _BREAKS
                body.add(f"{lead}{self._call(item)}{self._behind(item)}", flowing=not lead, fresh=fresh)
                body.current = item.outputs[0]

    def _branching(self, item: Branching, body: _Body) -> None:
        step = item.step
        lead = "" if item.start == body.current else f"{self.called[item.start]} -> "
        body.lines.append(f"{lead}{self._call(step, merged=False)} {{")
        for branch in item.branches:
            inner = _Body(item.start)
            self._write(branch, inner)
            lines = inner.lines or ["in"]
            if len(lines) > 1:
                lines = ["{", *(f"  {line}" for line in lines), "}"]
            body.lines += [f"  {line}" for line in lines]
        body.lines.append(f"}}{self._behind(step)}")
        body.current = step.outputs[0]

    def _call(self, step: Step, *, merged: bool = True) -> str:
        texts = [self.called[number] for number in step.inputs[1:]] if step.merge and merged else []
        texts += self._arguments(step)
        if texts:
            return f"{step.callee}({', '.join(texts)})"
        return f"{step.callee}()" if step.callee in self._words and self._known(step.callee) else step.callee

    def _arguments(self, step: Step) -> list[str]:
        texts = []
        for index, (name, text) in enumerate(step.arguments):
            shown = self.called[step.named[name]] if name in step.named else text
            texts.append(shown if index < step.required and not step.merge else f"{name} = {shown}")
        return texts

    def _behind(self, step: Step) -> str:
        first = self.called[step.outputs[0]]
        if len(step.outputs) > 1:
            return f" as ({', '.join(self.called[number] for number in step.outputs)})"
        return f" as {first}" if step.wish or step.outputs[0] in self._needed else ""

    def _outputs(self, current: int | None) -> Iterator[str]:
        for name, (_, value) in zip(self._names.outputs, self._network.outputs, strict=True):
            known = self.called[value.number]
            if (known == name and (value.number in self._needed or value.number in self._names.inputs)) or (
                current == value.number and name not in self._words
            ):
                yield f"output {name}"
            else:
                yield f"output {known} as {name}"


def _flat(items: Sequence[Item]) -> Iterator[Step]:
    """Yield the steps in the order in which the text calls them; a merge layer stands before its body."""
    for item in items:
        if isinstance(item, Branching):
            yield item.step
            for branch in item.branches:
                yield from _flat(branch)
        else:
            yield item.step if isinstance(item, Rounds) else item


def _sizes(sizes: Sequence[Dim]) -> str:
    return " x ".join(f"({format_dim(size)})" if _is_sum(size) else format_dim(size) for size in sizes)


def _is_sum(size: Dim) -> bool:
    return isinstance(size, Expr) and not format_dim(size).isidentifier()
