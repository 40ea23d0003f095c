"""Blocks and repetitions found again by the names of layers: `layer1.0.conv1` lies in `layer1.0`.

Layers of one path that stand together, with one value flowing in and one out, are an instance; instances that differ in
numbers at most are one block. Instances `layer1.0`, `layer1.1`, … that follow each other become rounds of a `repeat`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from striate.importing.steps import Step
from striate.ops.arguments import format_value

MOST_PARAMETERS = 6
"""Parameters of a block; instances that would need more are kept apart."""

_NUMBER = re.compile(r"-?[\d.]+(e[-+]?\d+)?|true|false|\((-?\d+, )*-?\d+,?\)")
"""Texts of arguments that a parameter may stand for."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a block; `default` is the text of its default, None where it must be given."""

    name: str
    default: str | None


@dataclass(slots=True)
class Definition:
    """A block: its parameters, its steps under names of their own, and the values that flow in and out."""

    name: str
    parameters: list[Parameter]
    steps: list[Step]
    inflow: int
    result: int


@dataclass(slots=True)
class _Group:
    """Steps of one path, by their places in the list, and the value that flows in."""

    path: str
    first: int
    last: int
    inflow: int


@dataclass(slots=True)
class _Finder:
    standing: Sequence[int]
    taken: set[str]
    known: Mapping[str, str]
    uses: Mapping[int, int] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def run(self, steps: list[Step]) -> list[Step]:
        while True:
            self.uses = uses_of(steps, self.standing)
            groups = self._innermost(steps)
            if not groups:
                return steps
            classes: dict[object, list[_Group]] = {}
            for group in groups:
                members = steps[group.first : group.last + 1]
                word = _base(group.path)
                form = _signature(members, group.path, group.inflow), word if word in self.known else ""
                classes.setdefault(form, []).append(group)
            calls: dict[int, tuple[_Group, Step]] = {}
            for alike in classes.values():
                worthwhile = len(alike) > 1 or _base(alike[0].path) in self.known
                made = self._define(steps, alike) if worthwhile else None
                if made is None:
                    self.refused.update(group.path for group in alike)
                    continue
                calls.update((group.first, (group, call)) for group, call in zip(alike, made, strict=True))
            steps = _replaced(steps, calls)

    # ------------------------------------------------------------------------------------ instances

    def _innermost(self, steps: Sequence[Step]) -> list[_Group]:
        """Return the instances that no other lies in, as far as they can be bodies."""
        spans: dict[str, list[int]] = {}
        for place, step in enumerate(steps):
            parts = (step.wish or "").split(".")
            for depth in range(1, len(parts)):
                spans.setdefault(".".join(parts[:depth]), []).append(place)
        found = [
            group
            for path, places in spans.items()
            if path not in self.refused and (group := self._group(steps, path, places)) is not None
        ]
        found.sort(key=lambda group: (group.last - group.first, group.first))
        covered: set[int] = set()
        inner = []
        for group in found:
            if covered.isdisjoint(range(group.first, group.last + 1)):
                inner.append(group)
                covered.update(range(group.first, group.last + 1))
        return inner

    def _group(self, steps: Sequence[Step], path: str, places: list[int]) -> _Group | None:
        first, last = places[0], places[-1]
        members = steps[first : last + 1]
        if len(places) < 2 or last - first + 1 != len(places) or not _can_be_named(members, path):
            return None
        made = {number for step in members for number in step.outputs}
        outside = {number for step in members for number in step.inputs if number not in made}
        inside = Counter(number for step in members for number in step.inputs)
        result = members[-1].outputs[0]
        left = [number for number in made if number != result and self.uses[number] != inside[number]]
        if len(outside) != 1 or left or inside[result] or len(members[-1].outputs) > 1:
            return None
        (inflow,) = outside
        return _Group(path, first, last, inflow)

    # ------------------------------------------------------------------------------------ blocks

    def _define(self, steps: Sequence[Step], alike: Sequence[_Group]) -> list[Step] | None:
        """Define the block of which some instances are, and return a call of it for each; None where it is none."""
        names = self._names(steps, alike)
        instances = _halved([self._filled(steps[group.first : group.last + 1], names) for group in alike])
        columns = _columns(instances)
        varying = {key: texts for key, texts in columns.items() if len(set(texts)) > 1}
        distinct = list(dict.fromkeys(varying.values()))
        if len(distinct) > MOST_PARAMETERS or not all(_NUMBER.fullmatch(text) for texts in distinct for text in texts):
            return None
        used = {part for step in instances[0] for part in (_relative(step, alike[0].path), step.callee)}
        parameters: dict[tuple[str, ...], Parameter] = {}
        for texts in distinct:
            keys = [key for key, each in varying.items() if each == texts]
            parameters[texts] = self._parameter(instances[0], keys, texts, used)
        ordered = sorted(parameters.items(), key=lambda item: item[1].default is not None)
        name = self._name(alike[0].path)
        body = [
            replace(
                step,
                wish=_relative(step, alike[0].path),
                arguments=self._lean(step, [
                    (argument, parameters[varying[place, argument]].name if (place, argument) in varying else text)
                    for argument, text in step.arguments
                ]),
            )
            for place, step in enumerate(instances[0])
        ]  # fmt: skip
        group = alike[0]
        self.definitions.append(
            Definition(name, [each for _, each in ordered], body, group.inflow, steps[group.last].outputs[0])
        )
        return [self._call(name, ordered, index, each, steps[each.last].outputs) for index, each in enumerate(alike)]

    def _names(self, steps: Sequence[Step], alike: Sequence[_Group]) -> list[list[str]]:
        """Return, for every step, the arguments that any instance gives it, in the order of the call."""
        union: list[set[str]] = [set() for _ in range(alike[0].last - alike[0].first + 1)]
        for group in alike:
            for place, step in enumerate(steps[group.first : group.last + 1]):
                union[place].update(name for name, _ in step.arguments)
        first = steps[alike[0].first : alike[0].last + 1]
        return [
            [name for name in self._defaults(step) if name in each] for step, each in zip(first, union, strict=True)
        ]

    def _filled(self, members: Sequence[Step], names: Sequence[Sequence[str]]) -> list[Step]:
        """Return steps with arguments that other instances give, as their defaults."""
        filled = []
        for step, wanted in zip(members, names, strict=True):
            known = {**self._defaults(step), **dict(step.arguments)}
            filled.append(replace(step, arguments=[(name, known[name]) for name in wanted]))
        return filled

    def _lean(self, step: Step, arguments: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Leave out arguments that are the defaults of what is called."""
        defaults = self._defaults(step)
        return [item for index, item in enumerate(arguments) if index < step.required or item[1] != defaults[item[0]]]

    def _defaults(self, step: Step) -> dict[str, str]:
        """Return the texts of the defaults of a layer or block, in the order of its arguments."""
        if step.record is not None:
            return {item.name: format_value(item.default) for item in step.record.arguments}
        block = next(item for item in self.definitions if item.name == step.callee)
        return {item.name: item.default or "" for item in block.parameters}

    def _parameter(
        self, steps: Sequence[Step], keys: Sequence[tuple[int, str]], texts: tuple[str, ...], used: set[str]
    ) -> Parameter:
        argument = keys[0][1]
        stem = argument.rstrip("0123456789")
        name, number = stem, 1
        while name in used:
            number += 1
            name = f"{stem}{number}"
        used.add(name)
        required = any(_is_required(steps[at], each) for at, each in keys)
        plain = self._defaults(steps[keys[0][0]]).get(argument)
        usual = plain if plain in texts else Counter(texts).most_common(1)[0][0]
        return Parameter(name, None if required else usual)

    def _call(
        self,
        name: str,
        parameters: Sequence[tuple[tuple[str, ...], Parameter]],
        index: int,
        group: _Group,
        outputs: tuple[int, ...],
    ) -> Step:
        given = [(each.name, texts[index]) for texts, each in parameters if texts[index] != each.default]
        required = sum(each.default is None for _, each in parameters)
        return Step(name, (group.inflow,), outputs[:1], given, required, False, group.path, instance_name(name))

    def _name(self, path: str) -> str:
        """Return a name for a block whose first instance has this path: `Layer` of `layer1.0`."""
        last = _base(path)
        name = "".join(part[:1].upper() + part[1:] for part in last.split("_") if part) or "Block"
        name = self.known.get(last, name)
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}{number}"
        self.taken.add(found)
        return found


def _base(path: str) -> str:
    """Return the last word of a path without the number behind it: `layer` of `layer1.0`, `c3` of `neck.c3_2`."""
    words = [part for part in path.split(".") if not part.isdigit()]
    return re.sub(r"(?<=\d)_\d+$|(?<!\d)_?\d+$", "", words[-1]) if words else ""


def instance_name(block: str) -> str:
    """Return what the language calls an instance of a block, without its number: `conv_bn` of `ConvBn`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", block).lower()


def uses_of(steps: Iterable[Step], standing: Iterable[int]) -> Counter[int]:
    """Return how often every value is used by steps, and as one that stands for itself."""
    uses = Counter(number for step in steps for number in step.inputs)
    uses.update(standing)
    return uses


def with_blocks(
    steps: Sequence[Step],
    standing: Sequence[int],
    taken: Iterable[str],
    known: Mapping[str, str] | None = None,
) -> tuple[list[Step], list[Definition]]:
    """Return steps in which instances of blocks are calls, and the blocks, inner ones first.

    Args:
        steps: the steps in order.
        standing: the values that are outputs of the network.
        taken: names that blocks must not have.
        known: the names of blocks by those of their instances, where they cannot be made of these.
    """
    finder = _Finder(standing, set(taken), known or {})
    return finder.run(list(steps)), finder.definitions


def with_rounds(steps: Sequence[Step], uses: Mapping[int, int]) -> list[Step]:
    """Return steps in which calls `name.0`, `name.1`, … of one block that follow each other are one call of a loop.

    Args:
        steps: the steps in order.
        uses: how often every value is used.
    """
    found: list[Step] = []
    place = 0
    while place < len(steps):
        count = _rounds(steps, place, uses)
        last = steps[place + count - 1]
        if count > 1:
            path = (last.wish or "").rpartition(".")[0]
            found.append(replace(steps[place], outputs=last.outputs, wish=path, count=count))
            place += count
        else:
            found.append(steps[place])
            place += 1
    return found


def _rounds(steps: Sequence[Step], place: int, uses: Mapping[int, int]) -> int:
    """Return how many rounds begin at a place."""
    first = steps[place]
    path, _, number = (first.wish or "").rpartition(".")
    if number != "0" or first.record is not None or not path:
        return 1
    count = 1
    while place + count < len(steps):
        step, before = steps[place + count], steps[place + count - 1]
        same = step.callee == first.callee and step.arguments == first.arguments
        if not same or step.wish != f"{path}.{count}" or step.inputs != before.outputs or uses[before.outputs[0]] != 1:
            break
        count += 1
    following = steps[place + count] if place + count < len(steps) else None
    more = following is not None and (following.wish or "").startswith(f"{path}.")
    return 1 if more else count


def _can_be_named(members: Sequence[Step], path: str) -> bool:
    """Whether the names of steps within a path can be names in a body."""
    names = [_relative(step, path) for step in members]
    own = all(step.record is not None or step.callee[0].isupper() for step in members)
    return own and not any(step.named for step in members) and all(name and not name[0].isdigit() for name in names)


def _relative(step: Step, path: str) -> str:
    return (step.wish or "")[len(path) + 1 :]


def _signature(members: Sequence[Step], path: str, inflow: int) -> object:
    """Return what instances of one block have in common: callees, names, wiring, arguments that are no numbers."""
    made = {number: (place, index) for place, step in enumerate(members) for index, number in enumerate(step.outputs)}
    return tuple(
        (
            step.callee,
            _relative(step, path),
            tuple(made.get(number, "in") for number in step.inputs),
            tuple((name, text) for name, text in step.arguments if not _NUMBER.fullmatch(text)),
        )
        for step in members
    )


def _halved(instances: list[list[Step]]) -> list[list[Step]]:
    """Write padding that differs between instances, and is half of the kernel in each, as `half`."""
    for place, step in enumerate(instances[0]):
        each = [dict(instance[place].arguments) for instance in instances]
        if step.callee == "conv" and len({item.get("pad") for item in each}) > 1 and all(map(_is_half, each)):
            for instance, item in zip(instances, each, strict=True):
                instance[place] = replace(instance[place], arguments=list({**item, "pad": "half"}.items()))
    return instances


def _is_half(arguments: Mapping[str, str]) -> bool:
    kernel, pad = arguments.get("kernel", ""), arguments.get("pad", "")
    if not kernel.isdigit() or not pad.isdigit() or "dilation" in arguments:
        return False
    return int(kernel) % 2 == 1 and 2 * int(pad) == int(kernel) - 1


def _columns(instances: Sequence[Sequence[Step]]) -> dict[tuple[int, str], tuple[str, ...]]:
    """Return the texts of every argument over all instances, by the step's place and the argument's name."""
    return {
        (place, name): tuple(dict(instance[place].arguments)[name] for instance in instances)
        for place, step in enumerate(instances[0])
        for name, _ in step.arguments
    }


def _is_required(step: Step, name: str) -> bool:
    index = next(index for index, (each, _) in enumerate(step.arguments) if each == name)
    return index < step.required


def _replaced(steps: Sequence[Step], calls: Mapping[int, tuple[_Group, Step]]) -> list[Step]:
    made: list[Step] = []
    place = 0
    while place < len(steps):
        if place in calls:
            group, call = calls[place]
            made.append(call)
            place = group.last + 1
        else:
            made.append(steps[place])
            place += 1
    return made
