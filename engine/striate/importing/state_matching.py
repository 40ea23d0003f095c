"""Which tensor of a file belongs to which weight of a network: the report that is shown, and what is read by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Literal

from striate.graph import Graph
from striate.importing.name_map import Convention, expected_names
from striate.importing.name_rules import Named
from striate.runtime.stored_tensor import StoredTensor

COUNTER = "num_batches_tracked"
"""Torch counts the batches that a batch norm has seen, which evaluation does not use."""

Shape = tuple[int, ...]
Status = Literal["matched", "renamed", "missing", "unexpected", "differs", "unusable"]

FOUND: frozenset[Status] = frozenset({"matched", "renamed"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        status: `matched` under the same name or `renamed`; `missing` in the file; `unexpected` there; `differs` in
            size; `unusable` numbers.
        weight: the network's name, None where it has none.
        key: the file's name, None where it has none.
        shape: the size in the network.
        stored: the size in the file.
        axes: how the file's axes stand for the network's, where they are permuted.
        reason: why the numbers are not usable.
        expected: where a missing tensor was looked for.
    """

    status: Status
    weight: str | None
    key: str | None
    shape: Shape | None = None
    stored: Shape | None = None
    axes: tuple[int, ...] | None = None
    reason: str | None = None
    expected: str | None = None

    @property
    def reshaped(self) -> bool:
        """Whether the numbers are the same in another form: axes of one entry, a kernel as a matrix, permuted axes."""
        return self.status in FOUND and self.shape != self.stored


@dataclass(frozen=True)
class Match:
    """A file held against a network.

    Attributes:
        rows: the network's weights in their order, then what else is in the file.
        convention: the names that were tried: `None` for the network's own.
        prefix: what stands before the names in the file.
        counters: how many counters of batches were left out.
        spare: tensors that a file of this convention may have besides.
        how: `names`, or `structure` where order and sizes decided.
    """

    rows: tuple[Row, ...]
    convention: Convention | None
    prefix: str
    counters: int = 0
    spare: tuple[str, ...] = ()
    how: Literal["names", "structure"] = "names"

    @cached_property
    def counts(self) -> Mapping[Status, int]:
        """How many rows there are of each status."""
        counts: dict[Status, int] = {}
        for row in self.rows:
            counts[row.status] = counts.get(row.status, 0) + 1
        return counts

    @property
    def found(self) -> int:
        """How many weights have their tensor."""
        return sum(self.counts.get(status, 0) for status in FOUND)

    @property
    def complete(self) -> bool:
        """Whether every weight has its tensor and nothing is left over."""
        return self.found == len(self.rows)


@dataclass(frozen=True)
class Wanted:
    """A network's weights as one convention names them; asked once, used for every prefix."""

    graph: Graph
    convention: Convention | None
    named: Mapping[str, Named] = field(default_factory=dict)

    def names(self, present: Sequence[str]) -> dict[str, str]:
        """Return the name that each weight should have in a file with these names."""
        if self.convention is None:
            return {name: name for name in self.graph.weights}
        return expected_names(self.named, present)


def wanted(graph: Graph, convention: Convention | None) -> Wanted:
    """Apply a convention's rules to a network."""
    return Wanted(graph, convention, convention.named(graph.weights) if convention else {})


def below(tensors: Mapping[str, StoredTensor], prefix: str) -> dict[str, StoredTensor]:
    """Return the tensors whose names begin with a prefix, without it and without counters."""
    return {
        name[len(prefix) :]: item for name, item in tensors.items() if name.startswith(prefix) and not is_counter(name)
    }


def is_counter(name: str) -> bool:
    """Whether a tensor only counts batches."""
    return name.rpartition(".")[2] == COUNTER


def match_names(want: Wanted, tensors: Mapping[str, StoredTensor], prefix: str) -> Match:
    """Hold a file against a network by names.

    Args:
        want: the network's weights as a convention names them.
        tensors: the file's tensors, counters included.
        prefix: what stands before the names there.
    """
    present = below(tensors, prefix)
    convention = want.convention
    today = {convention.today(name) if convention else name: name for name in present}
    expected = want.names(list(today))
    rows = [_row(want, name, expected.get(name), today, present) for name in want.graph.weights]
    used = {row.key for row in rows}
    rest = [name for name in present if name not in used]
    spare = tuple(name for name in rest if convention is not None and convention.is_spare(name))
    kept = set(spare)
    rows += [Row("unexpected", None, name, None, present[name].shape) for name in rest if name not in kept]
    counters = sum(name.startswith(prefix) and is_counter(name) for name in tensors)
    return Match(tuple(rows), convention, prefix, counters, spare)


def _row(
    want: Wanted, name: str, expected: str | None, today: Mapping[str, str], present: Mapping[str, StoredTensor]
) -> Row:
    shape = want.graph.weights[name].shape
    key = today.get(expected) if expected is not None else None
    if key is None:
        return Row("missing", name, None, shape, expected=expected)
    item, named = present[key], want.named.get(name)
    axes = named.rule.axes if named is not None else None
    if item.refusal is not None:
        return Row("unusable", name, key, shape, item.shape, axes, item.refusal)
    if not fits(item.shape, shape, axes):
        return Row("differs", name, key, shape, item.shape, axes)
    return Row("matched" if key == name else "renamed", name, key, shape, item.shape, axes)


def fits(stored: Shape, shape: Shape, axes: tuple[int, ...] | None = None) -> bool:
    """Whether the numbers of one size are those of another in the same order.

    Axes of one entry may be there or not, and the kernel of a convolution over a whole value, `O x C x H x W`, may be
    the matrix `O x CHW` of a dense layer behind `flatten`.
    """
    if axes is not None:
        return len(axes) == len(stored) and tuple(stored[axis] for axis in axes) == shape
    if stored == shape:
        return True
    ours, theirs = _squeezed(shape), _squeezed(stored)
    if ours == theirs:
        return True
    flat, kernel = sorted((ours, theirs), key=len)
    return len(flat) == 2 and len(kernel) > 2 and flat[0] == kernel[0] and prod(kernel) == prod(flat)


def _squeezed(shape: Shape) -> Shape:
    return tuple(extent for extent in shape if extent != 1)
