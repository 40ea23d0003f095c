"""Layers grouped by the block instances that they belong to, with alike neighbours folded into one group.

The parts of a path are the names of call sites; numbers after a name are the rounds of the loops around it, so
`stage1.0.conv2` is the layer `conv2` in the instance `stage1.0`. Groups are runs of neighbours in execution order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from striate.dims import Dim
from striate.graph import TensorType
from striate.view.rows import Extent, LayerRow, added

MOST_LEVELS = 120
"""Levels that are told apart: more than the language allows, for graphs that come from elsewhere."""


@dataclass(slots=True)
class Group:
    """A layer, a block instance, or several alike ones in a row.

    Attributes:
        name: the last part of the path, e.g. `conv2`; of several, the first and the last round: `unit.0-4`.
        count: how many alike instances stand here.
        rows: the layers of the first instance.
        members: what the first instance consists of; nothing for a layer.
        every: the layers of all instances.
        label: the layer's or block's name.
        kind: a number that alike groups have in common.
    """

    name: str
    label: str
    rows: tuple[LayerRow, ...]
    members: tuple[Group, ...]
    kind: int
    count: int = 1
    every: tuple[LayerRow, ...] = field(default=())

    def __post_init__(self) -> None:
        self.every = self.every or self.rows

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer (or several alike ones) and no block."""
        return not self.members

    @property
    def parameters(self) -> int:
        """Trainable entries of all instances."""
        return sum(row.parameters for row in self.every)

    @property
    def macs(self) -> Dim:
        """Multiply-adds of all instances."""
        return added(row.macs for row in self.every)

    @property
    def memory(self) -> Dim:
        """Bytes of the outputs of all layers of all instances."""
        return added(row.memory for row in self.every)

    @property
    def output(self) -> TensorType:
        """The size that comes out of the last layer."""
        return self.every[-1].output

    @property
    def receptive_field(self) -> Extent:
        """What the last layer's output sees."""
        return self.every[-1].receptive_field

    @property
    def shared(self) -> bool:
        """Whether all its weights were counted at earlier layers."""
        weighted = [row for row in self.every if row.shared or row.parameters or row.statistics]
        return bool(weighted) and all(row.shared for row in weighted)


def single(row: LayerRow) -> Group:
    """Return one layer as a group that shows its whole path."""
    return Group(row.name, row.op, (row,), (), 0)


def build_tree(rows: Iterable[LayerRow]) -> tuple[Group, ...]:
    """Return the layers of a network as groups within groups."""
    return _grouped([(split_path(row.name), row) for row in rows], 0, _Kinds())


def split_path(path: str) -> tuple[str, ...]:
    """Return the call sites along a path, each with the rounds of its loops: `stage1.0`, `conv2`."""
    sites: list[str] = []
    for part in path.split("."):
        if (part.isdecimal() and sites) or len(sites) == MOST_LEVELS:
            sites[-1] += f".{part}"
        else:
            sites.append(part)
    return tuple(sites)


class _Kinds:
    """Numbers for what groups look like: equal descriptions get equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, description: Hashable) -> int:
        return self._numbers.setdefault(description, len(self._numbers))


def _grouped(placed: list[tuple[tuple[str, ...], LayerRow]], depth: int, kinds: _Kinds) -> tuple[Group, ...]:
    groups: list[Group] = []
    for (site, is_layer), run in groupby(placed, lambda item: (item[0][depth], len(item[0]) == depth + 1)):
        if is_layer:
            groups.extend(_layer(site, row, kinds) for _, row in run)
        else:
            groups.append(_block(site, list(run), depth, kinds))
    return tuple(_folded(groups))


def _layer(site: str, row: LayerRow, kinds: _Kinds) -> Group:
    look = (row.op, row.detail, row.output, row.parameters, row.statistics, row.macs, row.memory, row.shared)
    return Group(site, row.op, (row,), (), kinds.number(look))


def _block(site: str, run: list[tuple[tuple[str, ...], LayerRow]], depth: int, kinds: _Kinds) -> Group:
    members = _grouped(run, depth + 1, kinds)
    rows = tuple(row for _, row in run)
    label = rows[0].blocks[depth] if depth < len(rows[0].blocks) else ""
    look = (label, *((member.name, member.kind, member.count) for member in members))
    return Group(site, label, rows, members, kinds.number(look))


def _folded(groups: list[Group]) -> Iterator[Group]:
    """Yield the groups, alike rounds of one loop as one."""
    for _, run in groupby(_marked(groups), lambda item: item[0]):
        alike = [group for _, group in run]
        if len(alike) == 1:
            yield alike[0]
            continue
        first, last = alike[0], alike[-1]
        name = f"{first.name}-{last.name.rpartition('.')[2]}"
        every = tuple(row for group in alike for row in group.rows)
        yield Group(name, first.label, first.rows, first.members, first.kind, len(alike), every)


def _marked(groups: list[Group]) -> Iterator[tuple[tuple[Hashable, ...], Group]]:
    """Yield each group with a mark that it has in common with the rounds before and after it that look alike."""
    for index, group in enumerate(groups):
        site, _, number = group.name.rpartition(".")
        if site and number.isdecimal():
            yield (site, group.kind, int(number) - index), group
        else:
            yield (index,), group
