"""A network as the text of a `.cnn` file: blocks, chains of layers, branches, and names where values are needed again.

What is written is the shortest that means the same: arguments at their defaults are left out, and so are names that
the language gives by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from striate.expand.contracts import pixel_settings
from striate.importing.arguments import positional, written_arguments
from striate.importing.blocks import Definition, uses_of, with_blocks, with_rounds
from striate.importing.body import BodyText, needed_names
from striate.importing.branching import with_branches
from striate.importing.naming import Names
from striate.importing.network import Layer, Network
from striate.importing.sizes import condition_text, size_text
from striate.importing.steps import Item, Step


@dataclass(frozen=True, slots=True)
class Style:
    """How much the text says: whether every layer is named, and whether branches and blocks are looked for."""

    name_all: bool = False
    branches: bool = True
    blocks: bool = True


class ModelText:
    """The text of a file with one model.

    Args:
        network: the network.
        names: the names of its values.
        model: the name of the model.
        known: whether a word is the name of a layer.
        style: how it is written.

    Attributes:
        called: the name of every value of the network, once the text has been made.
    """

    def __init__(self, network: Network, names: Names, model: str, known: Callable[[str], bool], style: Style) -> None:
        self._network, self._names, self._model, self._style = network, names, model, style
        self._known = known
        ends = [value.number for _, value in network.outputs]
        self._standing = [*dict.fromkeys([*ends, *(number for head in network.heads for number in head.values)])]
        self._words = {*names.inputs.values(), *names.instances.values(), *(name for name in names.layers if name)}
        self._lets: dict[str, str] = {}
        self.called: dict[int, str] = dict(names.inputs)

    def text(self) -> str:
        """Return the text; from then on `called` has the name of every value."""
        steps = [self._step(place, layer) for place, layer in enumerate(self._network.layers)]
        for step in steps:
            if step.wish:
                self.called[step.outputs[0]] = step.wish
        definitions: list[Definition] = []
        if self._style.blocks and not self._style.name_all:
            steps, definitions = with_blocks(steps, self._standing, [self._model], self._network.blocks)
        lines = [line for each in definitions for line in [*self._block(each), ""]]
        lines += [f"model {self._model} {{", *(f"  {line}" for line in self._body(steps)), "}", ""]
        return "\n".join(lines)

    # ------------------------------------------------------------------------------------ bodies

    def _body(self, steps: Sequence[Step]) -> Iterator[str]:
        for item in self._network.inputs:
            line = f"input {self._names.inputs[item.value.number]}: {' x '.join(map(size_text, item.value.sizes))}"
            if item.conditions:
                line += f" where {' and '.join(map(condition_text, item.conditions))}"
            contract = pixel_settings(item.contract, self._is_free)
            yield from (
                [f"{line} {{", *(f"  {key} = {text}" for key, text in contract.items()), "}"] if contract else [line]
            )
        yield from (f"let {path} = {call}" for path, call in self._lets.items())
        yield ""
        inputs = self._network.inputs
        inflow = inputs[0].value.number if len(inputs) == 1 else None
        standing = self._standing
        items = self._items(steps, standing)
        body = BodyText(items, inflow, self._names.inputs, self._words, self._known, name_all=self._style.name_all)
        asked = needed_names(items, inflow, standing if self._named_outputs(items, body) else ())
        yield from body.lines(asked)
        for number, name in body.called.items():
            self.called.setdefault(number, name)  # a layer within a block has its path
        yield ""
        yield from self._outputs(body, asked)
        current = body.last
        for head in self._network.heads:
            if head.flow != current:
                yield body.called[head.flow]
            yield head.text(body.called, self._is_free)
            current = None  # what a head gives has another name

    def _named_outputs(self, items: Sequence[Item], body: BodyText) -> bool:
        """Whether outputs must be values with names: all but a single one that flows out at the end."""
        clash = any(name in body.words for name in self._names.outputs)
        return clash or self._standing != [body.last]

    def _block(self, block: Definition) -> Iterator[str]:
        parameters = ", ".join(
            item.name if item.default is None else f"{item.name} = {item.default}" for item in block.parameters
        )
        items = self._items(block.steps, [block.result])
        body = BodyText(items, block.inflow, {}, {item.name for item in block.parameters}, self._known, name_all=False)
        yield f"block {block.name}{f'({parameters})' if parameters else ''} {{"
        asked = needed_names(items, block.inflow, ())
        if block.inflow in asked:
            yield f"  in as {body.name_inflow('x')}"
        yield from (f"  {line}" for line in body.lines(asked))
        yield "}"

    def _items(self, steps: Sequence[Step], standing: Sequence[int]) -> Sequence[Item]:
        """Return steps as items: rounds and branches put together."""
        rounds = with_rounds(steps, uses_of(steps, standing))
        return self._branched(rounds, uses_of(rounds, standing))

    def _branched(self, steps: Sequence[Step], uses: Mapping[int, int]) -> Sequence[Item]:
        return with_branches(steps, uses) if self._style.branches else steps

    # ------------------------------------------------------------------------------------ steps

    def _step(self, place: int, layer: Layer) -> Step:
        """Return a layer as a step."""
        path = self._names.instances.get(place)
        arguments = written_arguments(layer, lambda position: f"\0{layer.inputs[position]}", self._is_free)
        named = {name: layer.inputs[int(layer.attributes[name])] for name, text in arguments if text.startswith("\0")}
        record = layer.record
        if path is not None:
            call = f"{record.name}({', '.join(positional(layer, arguments))})" if arguments else record.name
            self._lets.setdefault(path, call)
        return Step(
            callee=path or record.name,
            inputs=layer.inputs,
            outputs=layer.outputs,
            arguments=[] if path else arguments,
            required=len(record.required_names),
            merge=record.merge,
            wish=self._names.layers[place],
            base=(path or record.name).rpartition(".")[2],
            named=named,
            record=None if path else record,
        )

    def _is_free(self, word: str) -> bool:
        return word not in self._words and not self._known(word)

    # ------------------------------------------------------------------------------------ outputs

    def _outputs(self, body: BodyText, asked: set[int]) -> Iterator[str]:
        for name, (theirs, value) in zip(self._names.outputs, self._network.outputs, strict=True):
            yield from (f"# {line}" for line in self._network.remarks.get(theirs, ()))
            known = body.called.get(value.number)
            referable = value.number in asked or value.number in self._names.inputs
            flows = body.last == value.number and name not in body.words
            yield f"output {name}" if (known == name and referable) or flows else f"output {known} as {name}"
