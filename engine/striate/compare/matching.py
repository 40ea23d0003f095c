"""Which layer of one network is which of the other: by name where the layers are alike, else by structure.

Layers of one name that are alike in everything are the same. From them on, alike layers whose inputs (or users) are the
same are the same whatever they are called; so are layers whose surroundings occur equally often on both sides. Then the
same once more for layers that are written alike, but have other sizes. What is left goes by name alone, then by inputs
alone. Every step treats both sides equally, so that the result does not depend on which comes first, and takes time
proportional to the networks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from striate.compare.facts import LayerFacts, NetworkFacts

ROUNDS = 4
"""How often steps are repeated that the others may have opened new ways for."""

Key = Hashable


@dataclass(eq=False, slots=True)
class _Side:
    """One network while it is matched: its layers by place, who uses what, and what makes layers alike.

    `writings` are layers with their arguments, `shapes` have the sizes of the weights as well.
    """

    layers: tuple[LayerFacts, ...]
    places: dict[str, int]
    users: list[list[tuple[int, int]]]
    outputs: list[tuple[str, ...]]
    shapes: list[Key]
    writings: list[Key]
    partner: list[int] = field(default_factory=list)
    tag: list[int] = field(default_factory=list)

    def source(self, value: str) -> Key:
        """Return what makes a value, in terms of both networks: an input's name, a pair's number; None if neither."""
        place = self.places.get(value.partition(":")[0])
        if place is None:
            return value
        return self.tag[place] if self.partner[place] >= 0 else None


def _side(network: NetworkFacts) -> _Side:
    layers = network.layers
    places = {layer.name: place for place, layer in enumerate(layers)}
    users: list[list[tuple[int, int]]] = [[] for _ in layers]
    for place, layer in enumerate(layers):
        for position, value in enumerate(layer.inputs):
            made = places.get(value.partition(":")[0])
            if made is not None:
                users[made].append((place, position))
    named: dict[str, list[str]] = defaultdict(list)
    for name, value in network.outputs.items():
        named[value].append(name)
    outputs = [tuple(named.get(layer.name, ())) for layer in layers]
    writings: list[Key] = [(layer.op, tuple(layer.arguments.items())) for layer in layers]
    shapes: list[Key] = [
        (writing, tuple((role, network.weights[name]) for role, name in layer.weights.items()))
        for writing, layer in zip(writings, layers, strict=True)
    ]
    return _Side(layers, places, users, outputs, shapes, writings, [-1] * len(layers), [-1] * len(layers))


Kind = Callable[[_Side, int], Key]
"""What layers at a place must have in common to be the same."""


def _shape(side: _Side, place: int) -> Key:
    return side.shapes[place]


def _writing(side: _Side, place: int) -> Key:
    return side.writings[place]


def _op(side: _Side, place: int) -> Key:
    return side.layers[place].op


def match(first: NetworkFacts, second: NetworkFacts) -> list[tuple[int, int]]:
    """Return the pairs of places of layers that are the same, in the order of the first network."""
    return _Matching(_side(first), _side(second)).run()


class _Matching:
    def __init__(self, left: _Side, right: _Side) -> None:
        self.sides = (left, right)
        self.pairs = 0

    def run(self) -> list[tuple[int, int]]:
        self._by_name(lambda side, place: (side.shapes[place], side.layers[place].input_sizes, side.layers[place].size))
        self._by_structure(_shape)
        self._by_name(_writing)
        self._by_structure(_writing)
        self._by_name(_op)
        self._by_name(lambda side, place: None)
        self._by_structure(_writing)
        self._forward(_op)
        return [(place, other) for place, other in enumerate(self.sides[0].partner) if other >= 0]

    def _by_structure(self, kind: Kind) -> None:
        for _ in range(ROUNDS):
            before = self.pairs
            self._forward(kind)
            self._backward(kind)
            self._by_surroundings(kind)
            if self.pairs == before:
                return

    # ------------------------------------------------------------------------------------ steps

    def _by_name(self, kind: Kind) -> None:
        """Match what has one name, and is of one kind."""
        left, right = self.sides
        for place, layer in enumerate(left.layers):
            other = right.places.get(layer.name, -1)
            free = left.partner[place] < 0 <= other and right.partner[other] < 0
            if free and kind(left, place) == kind(right, other):
                self._pair(place, other)

    def _forward(self, kind: Kind) -> None:
        """Match layers of one kind with the same inputs, on and on from those that are matched."""
        groups = self._groups(lambda side, place: self._input_key(side, place, kind))
        while groups:
            fresh = self._match_groups(groups)
            touched = [
                {user for pair in fresh for user, _ in side.users[pair[index]]} for index, side in enumerate(self.sides)
            ]
            groups = self._groups(lambda side, place: self._input_key(side, place, kind), touched)

    def _backward(self, kind: Kind) -> None:
        """Match layers of one kind with the same users and outputs, on and on from those that are matched."""
        groups = self._groups(lambda side, place: self._user_key(side, place, kind))
        while groups:
            fresh = self._match_groups(groups)
            touched = [
                {
                    side.places[value.partition(":")[0]]
                    for pair in fresh
                    for value in side.layers[pair[index]].inputs
                    if value.partition(":")[0] in side.places
                }
                for index, side in enumerate(self.sides)
            ]
            groups = self._groups(lambda side, place: self._user_key(side, place, kind), touched)

    def _by_surroundings(self, kind: Kind) -> None:
        """Match layers of one kind whose neighbours up to two steps away are so too, as many on both sides."""
        left, right = (self._surroundings(side, kind) for side in self.sides)
        groups = self._groups(lambda side, place: (left if side is self.sides[0] else right)[place])
        self._match_groups({key: both for key, both in groups.items() if len(both[0]) == len(both[1])})

    # ------------------------------------------------------------------------------------ keys

    def _input_key(self, side: _Side, place: int, kind: Kind) -> Key:
        sources = tuple(side.source(value) for value in side.layers[place].inputs)
        return None if None in sources else (kind(side, place), sources)

    def _user_key(self, side: _Side, place: int, kind: Kind) -> Key:
        users = [(side.tag[user], position) for user, position in side.users[place]]
        if (not users and not side.outputs[place]) or any(tag < 0 for tag, _ in users):
            return None
        return kind(side, place), tuple(sorted(users)), side.outputs[place]

    def _surroundings(self, side: _Side, kind: Kind) -> list[Key]:
        labels: list[Key] = [
            ("pair", side.tag[place]) if side.partner[place] >= 0 else kind(side, place)
            for place in range(len(side.layers))
        ]
        for _ in range(2):
            labels = [hash((labels[place], self._around(side, place, labels))) for place in range(len(labels))]
        return labels

    def _around(self, side: _Side, place: int, labels: list[Key]) -> Key:
        inputs = tuple(
            labels[side.places[name]] if name in side.places else name
            for name in (value.partition(":")[0] for value in side.layers[place].inputs)
        )
        users = tuple(sorted(hash((labels[user], position)) for user, position in side.users[place]))
        return inputs, users, side.outputs[place]

    # ------------------------------------------------------------------------------------ groups and pairs

    def _groups(
        self, key: Callable[[_Side, int], Key], touched: list[set[int]] | None = None
    ) -> dict[Key, tuple[list[int], list[int]]]:
        """Return the free places of both sides by key, where both have one."""
        groups: dict[Key, tuple[list[int], list[int]]] = {}
        for index, side in enumerate(self.sides):
            places: Iterable[int] = range(len(side.layers)) if touched is None else sorted(touched[index])
            for place in places:
                if side.partner[place] < 0 and (found := key(side, place)) is not None:
                    groups.setdefault(found, ([], []))[index].append(place)
        return {found: both for found, both in groups.items() if both[0] and both[1]}

    def _match_groups(self, groups: Mapping[Key, tuple[list[int], list[int]]]) -> list[tuple[int, int]]:
        """Match the places of each group in their order, and return the pairs."""
        fresh = [pair for left, right in groups.values() for pair in zip(left, right, strict=False)]
        for pair in fresh:
            self._pair(*pair)
        return fresh

    def _pair(self, place: int, other: int) -> None:
        left, right = self.sides
        left.partner[place], right.partner[other] = other, place
        left.tag[place] = right.tag[other] = self.pairs
        self.pairs += 1
