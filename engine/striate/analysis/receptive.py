"""How much of the input one entry of a value sees, in every kind of graph: branches, several inputs, upsampling.

What single windows do to positions is worked out in `track.py`; here paths are followed and united. Sizes are those of
the theory, not cut off at the border of the image: a field may be larger than the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from striate.analysis.track import PIXEL, Track, widest
from striate.dims import Dim
from striate.graph import Graph, Node, TensorType
from striate.ops.record import POINTWISE, OpRecord, Window

Lookup = Callable[[str], OpRecord | None]
Everything = Literal["all"]
_ALL: Everything = "all"

Tracks = tuple[Track, ...]
"""Tracks along one axis, one per jump; there are several only where branches of different strides are merged."""


@dataclass(frozen=True, slots=True)
class Field:
    """What the positions of a value see of each input: tracks along every axis, e.g. its height and its width.

    Attributes:
        axes: the tracks by the name of the input and the axis; a flat value has one axis, its entries.
        placed: whether the positions are those of the value. Behind a layer that takes axes away (flatten, a reduction
            that keeps none) the tracks say how much an entry sees, and no longer which entry.
    """

    axes: Mapping[str, tuple[Tracks, ...]]
    placed: bool = True

    @property
    def count(self) -> int:
        """Number of axes."""
        return len(next(iter(self.axes.values())))

    def extent(self, kind: TensorType) -> tuple[int, ...] | Everything:
        """Return the largest size seen by one position of a value of this size per axis, over all inputs."""
        sides = []
        sizes = _grid(kind) if self.placed else (None,) * self.count
        for axis, size in enumerate(sizes):
            found = [widest(tracks[axis], size) for tracks in self.axes.values()]
            if None in found:
                return _ALL
            sides.append(max(pixels for pixels in found if pixels is not None))
        return tuple(sides)


@dataclass(frozen=True, slots=True)
class ReceptiveFields:
    """The field of every value; "all" where the whole input is seen."""

    fields: Mapping[str, Field | Everything]
    types: Mapping[str, TensorType]

    def of(self, value: str) -> tuple[int, ...] | Everything:
        """Return what one entry of a value sees per axis (height and width of an image), in pixels, or "all"."""
        found = self.fields[value]
        return found if isinstance(found, str) else found.extent(self.types[value])

    def largest(self, value: str) -> float:
        """Return the larger side of a value's field; infinite where everything is seen."""
        found = self.of(value)
        return float("inf") if isinstance(found, str) else max(found, default=1)


def _grid(kind: TensorType) -> tuple[Dim, ...]:
    """Return the sizes of the axes that positions lie along: those behind the channels, or the one of a flat value."""
    return kind.shape[1:] or kind.shape


def receptive_field(graph: Graph, lookup: Lookup) -> ReceptiveFields:
    """Return the receptive field of every value with respect to the inputs."""
    fields: dict[str, Field | Everything] = {
        item.value.name: Field({item.value.name: ((PIXEL,),) * len(_grid(item.value.type))}) for item in graph.inputs
    }
    for node in graph.nodes:
        field = _node_field(graph, node, lookup, fields)
        for value in node.outputs:
            fields[value.name] = field
    return ReceptiveFields(fields, graph.types)


def _node_field(
    graph: Graph, node: Node, lookup: Lookup, fields: Mapping[str, Field | Everything]
) -> Field | Everything:
    record = lookup(node.op)
    if record is None:
        return _ALL
    window = record.window(node.attributes, tuple(graph.types[name] for name in node.inputs))
    unread = record.work.unread(node.attributes)
    read = [name for place, name in enumerate(node.inputs) if place != unread]
    kinds, seen = [graph.types[name] for name in read], [fields[name] for name in read]
    known = [field for field in seen if not isinstance(field, str)]
    if isinstance(window, str) or len(known) < len(seen):
        return _ALL
    counts = {field.count for field in known}
    if len(counts) > 1 or (window != POINTWISE and counts != {len(window.extent)}):
        return _ALL  # axes have come or gone: what goes with what is not known
    target = node.outputs[0].type
    if not all(field.placed for field in known):
        # Entry by entry is all that can be said of what lies no longer where it lay; of a flat value, whose window
        # tells the layers that work on its entries one by one from those that mix them.
        alone = len(known) == 1 and window == POINTWISE and kinds[0].rank == target.rank == 1
        return known[0] if alone else _ALL
    if len(known) > 1:
        known = [_repeated(field, kind, target) for field, kind in zip(known, kinds, strict=True)]
    seen_through = _through(_union(known), window)
    return seen_through if target.rank == kinds[0].rank else replace(seen_through, placed=False)


def _through(field: Field, window: Window) -> Field:
    if window == POINTWISE:
        return field
    axes = {}
    for name, tracks in field.axes.items():
        axes[name] = tuple(_behind(each, window, axis) for axis, each in enumerate(tracks))
    return Field(axes)


def _behind(tracks: Tracks, window: Window, axis: int) -> Tracks:
    extent, stride, padding = window.along(axis)
    return tuple(track.through(extent, stride, padding, window.spacing_along(axis)) for track in tracks)


def _repeated(field: Field, kind: TensorType, target: TensorType) -> Field:
    """Return the field of a merged value whose axes of size 1 are repeated along the result."""
    if kind.rank != target.rank or _grid(kind) == _grid(target):
        return field
    still = [size == 1 and wanted != 1 for size, wanted in zip(_grid(kind), _grid(target), strict=True)]

    def axis_tracks(tracks: Tracks, axis: int) -> Tracks:
        return _merged(track.held() for track in tracks) if still[axis] else tracks

    return Field(
        {
            name: tuple(axis_tracks(each, axis) for axis, each in enumerate(tracks))
            for name, tracks in field.axes.items()
        }
    )


def _union(fields: list[Field]) -> Field:
    if len(fields) == 1:
        return fields[0]
    axes = dict(fields[0].axes)
    for field in fields[1:]:
        for name, tracks in field.axes.items():
            if name in axes:
                both = zip(axes[name], tracks, strict=True)
                axes[name] = tuple(_merged((*mine, *its)) for mine, its in both)
            else:
                axes[name] = tracks
    return Field(axes)


def _merged(tracks: Iterable[Track]) -> Tracks:
    by_jump: dict[Fraction, Track] = {}
    for track in tracks:
        known = by_jump.get(track.jump)
        if known is None:
            by_jump[track.jump] = track
        elif known != track:
            by_jump[track.jump] = known.joined(track)
    return tuple(by_jump.values())
