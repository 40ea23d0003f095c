"""Where the positions of a value lie in the input: the jump from one to the next, and the centre of the first.

Both are read off the tracks of the receptive fields, along every path by itself, so that branches which are merged
while they look at different places are found. Jump and start are those of Araujo, Norris and Sim, "Computing
receptive fields of convolutional neural networks" (Distill, 2019), here for every kind of graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from striate.analysis.costs import Lookup
from striate.analysis.receptive import Field, receptive_field
from striate.analysis.track import Track
from striate.graph import Graph


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the positions along one axis lie in the input.

    Attributes:
        jump: input pixels from one position to the next, the effective stride; on average behind upsampling.
        start: the centre of what position 0 sees, in input pixels counted from the centre of the first pixel; on
            average over the phases behind upsampling, each taken back to position 0.
    """

    jump: Fraction
    start: Fraction


@dataclass(frozen=True, slots=True)
class Misalignment:
    """A merge of values that lie differently in the input.

    Attributes:
        node: the name of the node that merges them.
        source: the name of the input of the network that they look at.
        axis: the axis of it, counted from 0 (the height of an image).
        grids: the grid of every merged value, by its name.
    """

    node: str
    source: str
    axis: int
    grids: Mapping[str, Grid]


Grids = Mapping[str, tuple[Grid | None, ...]]
"""Grids along every axis by the name of the network's input; None where paths of different jumps are united."""


def strides(graph: Graph, lookup: Lookup) -> dict[str, Grids | None]:
    """Return the grids of every value; None where one entry sees the whole input."""
    fields = receptive_field(graph, lookup).fields
    return {value: None if isinstance(field, str) else grids_of(field) for value, field in fields.items()}


def misaligned(graph: Graph, lookup: Lookup) -> tuple[Misalignment, ...]:
    """Return the merges whose values lie differently in the same input, in execution order, once per axis.

    Values that see the whole input, or an input alone, cannot be misaligned; nor can one of size 1 that is repeated,
    or one whose entries lie no longer where they lay (a flat one).
    """
    fields = receptive_field(graph, lookup).fields
    grids = {
        value: None if isinstance(field, str) or not field.placed else grids_of(field)
        for value, field in fields.items()
    }
    found = []
    for node in graph.nodes:
        record = lookup(node.op)
        if record is None or not record.merge:
            continue
        size = graph.types[node.outputs[0].name].shape[1:]
        whole = [name for name in dict.fromkeys(node.inputs) if graph.types[name].shape[1:] == size]
        found += _disagreements(node.name, {name: known for name in whole if (known := grids[name]) is not None})
    return tuple(found)


def grids_of(field: Field) -> Grids:
    """Return the grids of a field."""
    return {name: tuple(_grid(tracks) for tracks in axes) for name, axes in field.axes.items()}


def _grid(tracks: tuple[Track, ...]) -> Grid | None:
    if len(tracks) != 1:
        return None
    (track,) = tracks
    pairs = zip(track.low, track.high, strict=True)
    # Phases that see nothing lie between the taps of a transposed convolution. The mean over the others, each taken
    # back to position 0, is the centre of position 0 itself where there is one phase.
    centres = [
        (Fraction(low) + Fraction(high)) / 2 - phase * track.jump
        for phase, (low, high) in enumerate(pairs)
        if low != inf
    ]
    return Grid(track.jump, sum(centres, Fraction(0)) / len(centres)) if centres else None


def _disagreements(node: str, merged: Mapping[str, Grids]) -> list[Misalignment]:
    found = []
    sources = dict.fromkeys(source for grids in merged.values() for source in grids)
    for source in sources:
        looking = {name: grids[source] for name, grids in merged.items() if source in grids}
        for axis in range(min(len(grids) for grids in looking.values())):
            along = {name: grid for name, grids in looking.items() if (grid := grids[axis]) is not None}
            if len(set(along.values())) > 1:
                found.append(Misalignment(node, source, axis, along))
    return found
