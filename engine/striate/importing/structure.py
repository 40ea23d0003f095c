"""Proposes names for the layers of a network whose file has none, so that its repeating parts are found as blocks.

A part is a convolution with its batch norm and activation, or what lies between a value and the merge layer that joins
everything computed from it. Parts of the same form get names of instances of one block, numbered as the language
itself numbers calls; parts that follow each other with the same numbers are rounds of a loop.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from striate.importing.blocks import MOST_PARAMETERS, instance_name
from striate.importing.building import Scope
from striate.importing.network import Layer, Network

FARTHEST = 40
"""Parts back from a merge layer within which its part begins."""

DEEPEST = 4
"""Parts within each other; of more, a layer's path would be longer than a name may be (`naming.LONGEST`)."""

FEWEST = 3
"""Rounds of a loop over one convolution; two are written out."""

_NUMBERS = (bool, int, float)
_ROLES = frozenset({"activation"})


@dataclass(slots=True)
class Part:
    """Layers that belong together, or a single one.

    Attributes:
        base: what its name begins with.
        form: what it has in common with other parts of the same block.
        numbers: the numbers that its layers are given, by layer and argument.
        inputs: the values from outside that it uses, in order, with repetitions.
        output: the value that it gives.
        made: all values that its layers make.
        first: the place of its first layer in the network.
        last: that of its last.
        inner: the parts it is made of; empty for a layer.
        layer: the layer.
        name: the name it gets; empty where the language chooses.
        depth: how many parts lie within each other in it.
    """

    base: str
    form: object
    numbers: Mapping[tuple[int, ...], Mapping[str, object]]
    inputs: tuple[int, ...]
    output: int
    made: frozenset[int]
    first: int
    last: int
    inner: list[Part] = field(default_factory=list)
    layer: Layer | None = None
    name: str = ""
    depth: int = 0

    @property
    def exact(self) -> object:
        """What two rounds of a loop have in common beside their form."""
        return tuple((place, tuple(sorted(each.items()))) for place, each in sorted(self.numbers.items()))


def name_by_structure(network: Network) -> None:
    """Give the layers of a network that lie in repeating parts the names of their places."""
    uses = _uses(network)
    parts = [_leaf(layer, place) for place, layer in enumerate(network.layers)]
    bases: Counter[str] = Counter()
    parts = _replaced(parts, _alike(_units(parts, uses), bases))
    tried: set[int] = set()
    while found := _merged(parts, uses, tried, bases):
        tried.update(parts[last].output for _, last, _ in found)
        parts = _replaced(parts, found)
    _name(parts, "", uses)
    for part in parts:
        _label(part)


def name_by_scopes(network: Network, scopes: Sequence[Scope]) -> None:
    """Give the layers of a network that lie in modules the names of their places.

    A module becomes part of the names where one value flows in and one out.

    Args:
        network: the network.
        scopes: the modules, which lie within each other or apart.
    """
    uses = _uses(network)
    parts = [_leaf(layer, place) for place, layer in enumerate(network.layers)]
    bases: Counter[str] = Counter()
    for level in _levels(scopes):
        firsts = [part.first for part in parts]
        found = [item for scope in level if (item := _module(scope, parts, firsts, uses)) is not None]
        kept = _alike(found, bases, least=1)
        names = {instance_name(scope.name): scope.name for scope in level}
        for _, _, part in kept:
            base = next(base for base in sorted(names, key=len, reverse=True) if part.base.startswith(base))
            network.blocks[part.base] = names[base] + part.base[len(base) :].replace("_", "").upper()
        parts = _replaced(parts, kept)
    _name(parts, "", uses)
    for part in parts:
        _label(part)


def _uses(network: Network) -> Counter[int]:
    uses = Counter(number for layer in network.layers for number in layer.inputs)
    uses.update(value.number for _, value in network.outputs)
    return uses


def _levels(scopes: Sequence[Scope]) -> list[list[Scope]]:
    """Return scopes by how many others lie within each other in them, the innermost first."""
    levels: list[list[Scope]] = []
    closed: list[tuple[Scope, int]] = []
    for scope in sorted(scopes, key=lambda scope: (scope.last, -scope.first)):
        height = 0
        while closed and closed[-1][0].first >= scope.first:
            height = max(height, closed.pop()[1] + 1)
        closed.append((scope, height))
        levels += [[] for _ in range(height + 1 - len(levels))]
        levels[height].append(scope)
    return levels


def _module(
    scope: Scope, parts: Sequence[Part], firsts: Sequence[int], uses: Mapping[int, int]
) -> tuple[int, int, Part] | None:
    """Return the parts of a module as one, if one value flows in and one out."""
    begin, end = bisect_left(firsts, scope.first), bisect_right(firsts, scope.last)
    if end - begin < 2:
        return None
    part = _part(instance_name(scope.name), list(parts[begin:end]), uses)
    inside = Counter(number for each in part.inner for number in each.inputs)
    given = {number for each in part.inner for number in (each.made if each.layer else (each.output,))}
    closed = all(uses[number] == inside[number] for number in given if number != part.output)
    if len(set(part.inputs)) != 1 or not closed or inside[part.output]:
        return None
    return begin, end - 1, part


# ------------------------------------------------------------------------------------------------- parts


def _leaf(layer: Layer, place: int) -> Part:
    numbers = {name: value for name, value in layer.arguments.items() if _is_number(value)}
    words = tuple(sorted((name, str(value)) for name, value in layer.arguments.items() if name not in numbers))
    return Part(
        layer.record.name,
        (layer.record.name, words),
        {(): numbers},
        layer.inputs,
        layer.outputs[0],
        frozenset(layer.outputs),
        place,
        place,
        layer=layer,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, _NUMBERS) or (isinstance(value, tuple) and all(isinstance(item, int) for item in value))


def _part(base: str, inner: list[Part], uses: Mapping[int, int]) -> Part:
    """Return parts as one."""
    made = {number: place for place, part in enumerate(inner) for number in part.made}
    outside = tuple(number for part in inner for number in part.inputs if number not in made)
    wiring = tuple(tuple(made.get(number, -1) for number in part.inputs) for part in inner)
    numbers = {(place, *path): each for place, part in enumerate(inner) for path, each in part.numbers.items()}
    loops = tuple(count for _, count in _loops(inner, uses))
    form = (tuple((part.base, part.form) for part in inner), wiring, loops)
    first, last, depth = inner[0].first, inner[-1].last, 1 + max(part.depth for part in inner)
    return Part(base, form, numbers, outside, inner[-1].output, frozenset(made), first, last, inner, depth=depth)


def _units(parts: Sequence[Part], uses: Mapping[int, int]) -> list[tuple[int, int, Part]]:
    """Return convolutions with their batch norm and activation: first and last place, and the part."""
    found = []
    place = 0
    while place < len(parts):
        last = place
        if parts[place].base in ("conv", "deconv"):
            while last + 1 < len(parts) and _continues(parts[place : last + 1], parts[last + 1], uses):
                last += 1
        if last > place and parts[place + 1].base == "bn":
            inner = list(parts[place : last + 1])
            base = "_".join(
                part.base.removesuffix("_relu") if part.base == "leaky_relu" else part.base for part in inner
            )
            found.append((place, last, _part(base, inner, uses)))
        place = last + 1
    return found


def _continues(before: Sequence[Part], part: Part, uses: Mapping[int, int]) -> bool:
    if part.inputs != (before[-1].output,) or uses[before[-1].output] != 1 or part.layer is None:
        return False
    wanted = "norm" if len(before) == 1 else "activation"
    return _role(part) == wanted and len(before) < 3


def _role(part: Part) -> str:
    if part.base == "bn":
        return "norm"
    return part.layer.record.role if part.layer is not None else ""


def _merged(
    parts: Sequence[Part], uses: Mapping[int, int], tried: set[int], bases: Counter[str]
) -> list[tuple[int, int, Part]]:
    """Return what ends in merge layers: the innermost that have not been tried, as far as several are alike."""
    while True:
        found = _candidates(parts, uses, tried)
        kept = _alike(found, bases)
        if kept or not found:
            return kept
        tried.update(parts[place].output for begin, last, _ in found for place in range(begin, last + 1))


def _candidates(parts: Sequence[Part], uses: Mapping[int, int], tried: set[int]) -> list[tuple[int, int, Part]]:
    """Return what ends in merge layers that have not been tried, without what contains another of these."""
    found: list[tuple[int, int, Part]] = []
    for place, part in enumerate(parts):
        if part.layer is None or not part.layer.record.merge or part.output in tried:
            continue
        begin = _begin(parts, place, uses)
        if begin is None or any(each.depth >= DEEPEST for each in parts[begin:place]):
            continue
        last = place
        following = parts[place + 1] if place + 1 < len(parts) else None
        if following is not None and _is_activation(following, part, uses):
            last = place + 1
        if not found or found[-1][1] < begin:
            found.append(
                (begin, last, _part(_base(parts[begin : last + 1], part), list(parts[begin : last + 1]), uses))
            )
    return found


def _is_activation(part: Part, before: Part, uses: Mapping[int, int]) -> bool:
    return _role(part) == "activation" and part.inputs == (before.output,) and uses[before.output] == 1


def _begin(parts: Sequence[Part], place: int, uses: Mapping[int, int]) -> int | None:
    """Return where the parts begin that lie between one value and a merge layer, and of which nothing else is used."""
    needed: Counter[int] = Counter()
    inside: Counter[int] = Counter()
    for begin in range(place, max(place - FARTHEST, -1), -1):
        part = parts[begin]
        for number in part.made:
            if number in needed:
                inside[number] = needed.pop(number)
            elif number == part.output and begin != place:
                return None  # nothing here uses it
        needed.update(part.inputs)
        if len(needed) == 1 and begin < place:
            whole = all(uses[number] == count for number, count in inside.items())
            return begin if whole else None
    return None


def _base(parts: Sequence[Part], merge: Part) -> str:
    """Return what instances are called: by what is merged, as the papers do."""
    if merge.base == "add":
        return "residual"
    if merge.base == "mul":
        return "gate"
    kinds = {part.base for part in parts} - {"concat"}
    return "pyramid" if kinds and kinds <= {"maxpool"} else f"{merge.base}_unit"


def _alike(found: Iterable[tuple[int, int, Part]], bases: Counter[str], least: int = 2) -> list[tuple[int, int, Part]]:
    """Return the parts of which there are several of one form, each form with a name that none had before."""
    classes: dict[object, list[tuple[int, int, Part]]] = {}
    for item in found:
        classes.setdefault(item[2].form, []).append(item)
    kept = []
    for alike in classes.values():
        if len(alike) < least or _parameters([part for _, _, part in alike]) > MOST_PARAMETERS:
            continue
        base = alike[0][2].base
        bases[base] += 1
        for item in alike if bases[base] > 1 else ():
            item[2].base = f"{base}_{_letter(bases[base])}"
        kept += alike
    return sorted(kept, key=lambda item: item[0])


def _letter(number: int) -> str:
    """Return `b` for 2, `c` for 3, …, and `z1`, `z2`, … where the letters end."""
    return chr(ord("a") + number - 1) if number <= 25 else f"z{number - 25}x"


def _parameters(parts: Sequence[Part]) -> int:
    """Return how many different numbers a block of these parts would be given."""
    columns = set()
    for path in parts[0].numbers:
        each = [part.numbers[path] for part in parts]
        for name in sorted({name for numbers in each for name in numbers}):
            texts = tuple(numbers.get(name) for numbers in each)
            half = name == "pad" and all(_is_half(numbers) for numbers in each)
            if len(set(texts)) > 1 and not half:
                columns.add(texts)
    return len(columns)


def _is_half(numbers: Mapping[str, object]) -> bool:
    kernel, pad = numbers.get("kernel"), numbers.get("pad", 0)
    return isinstance(kernel, int) and isinstance(pad, int) and kernel == 2 * pad + 1


def _replaced(parts: Sequence[Part], found: Sequence[tuple[int, int, Part]]) -> list[Part]:
    made: list[Part] = []
    place = 0
    for begin, last, part in found:
        made += [*parts[place:begin], part]
        place = last + 1
    return [*made, *parts[place:]]


# ------------------------------------------------------------------------------------------------- names


def _name(parts: Sequence[Part], path: str, uses: Mapping[int, int]) -> None:
    """Name parts as the language numbers calls in a body: `conv1`, `residual2`, and `residual2.0` in a loop."""
    counts: Counter[str] = Counter()
    for place, rounds in _loops(parts, uses):
        base = parts[place].base
        counts[base] += 1
        name = f"{path}{base}{'_' * base[-1].isdigit()}{counts[base]}"
        for index in range(rounds):
            each = parts[place + index]
            each.name = f"{name}.{index}" if rounds > 1 else name
            _name(each.inner, f"{each.name}.", uses)


def _loops(parts: Sequence[Part], uses: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return where each call of a body stands, and how many rounds it has."""
    found = []
    place = 0
    while place < len(parts):
        rounds = _rounds(parts, place, uses) if parts[place].inner else 1
        found.append((place, rounds))
        place += rounds
    return found


def _rounds(parts: Sequence[Part], place: int, uses: Mapping[int, int]) -> int:
    """Return how many parts of one form and with the same numbers follow each other."""
    first, count = parts[place], 1
    while place + count < len(parts):
        part, before = parts[place + count], parts[place + count - 1]
        inner = set(part.inputs)
        alike = part.base == first.base and part.form == first.form and part.exact == first.exact
        if not alike or inner != {before.output} or uses[before.output] != part.inputs.count(before.output):
            break
        count += 1
    whole = any(part.inner for part in first.inner)
    return count if whole or count >= FEWEST else 1


def _label(part: Part) -> None:
    """Give the layers within a part their names; a layer of the model's own body is named by the language."""
    for inner in part.inner:
        if inner.layer is not None:
            inner.layer.node = inner.name
        _label(inner)
