"""Heads that are to find objects larger than what their values see of the image."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from striate.analysis.receptive import ReceptiveFields, receptive_field
from striate.graph import Extent, Objects, Task, format_shape
from striate.lint.record import Finding, Lint
from striate.lint.subject import Network, Subject


def _too_narrow(subject: Subject) -> Iterator[Finding]:
    seen = set()
    for network in subject.networks:
        for task in network.graph.tasks:
            if task.objects is None or task.objects.origin.span.source is not subject.file.span.source:
                continue
            found = _unseen(network, task.objects)
            if found is not None and task.objects.origin.span not in seen:
                seen.add(task.objects.origin.span)
                yield _finding(network, task, task.objects, *found)


def _unseen(network: Network, objects: Objects) -> tuple[Extent, str, tuple[int, int]] | None:
    """Return the largest object that no value of its group sees whole, with the value that sees most and how much."""
    fields = receptive_field(network.graph, network.lookup)
    missed = []
    for values, extents in objects.groups:
        known = [value for value in values if value in fields.fields]
        sights = {value: seen for value in known if (seen := _sight(fields, value)) is not None}
        if not sights or len(sights) < len(known):
            continue  # one of them sees everything, or is no image
        value = max(sights, key=lambda name: sights[name])
        missed += [
            (extent, value, sights[value])
            for extent in extents
            if not any(height >= extent.height and width >= extent.width for height, width in sights.values())
        ]
    return max(missed, key=lambda item: (item[0].height, item[0].width), default=None)


def _sight(fields: ReceptiveFields, value: str) -> tuple[int, int] | None:
    """Return the height and width that an entry of an image sees, None where it sees everything or is no image."""
    seen = fields.of(value)
    return None if isinstance(seen, str) or len(seen) != 2 else (seen[0], seen[1])


def _finding(
    network: Network, task: Task, objects: Objects, extent: Extent, value: str, seen: tuple[int, int]
) -> Finding:
    size = format_shape(network.graph.types[value])
    return Finding(
        objects.origin.span,
        f"objects of {extent.height} x {extent.width} pixels are to be found, and an entry of {value} sees "
        f"{seen[0]} x {seen[1]}",
        notes=(f"{value} is what flows into the head for {task.name}, {size}",),
        help=_more(network, extent, value, seen),
    )


def _more(network: Network, extent: Extent, value: str, seen: tuple[int, int]) -> str:
    """Return how many convolutions more would see the object, or what else to do where the step is not a number."""
    fields = receptive_field(network.graph, network.lookup)
    steps = _steps(fields, value)
    lacking = [
        ceil((side - sees) / (2 * step))
        for side, sees, step in zip((extent.height, extent.width), seen, steps or (), strict=False)
        if side > sees
    ]
    if not lacking:
        return "use a stride, dilation or more layers before the head, or a deeper value"
    number, size = max(lacking), f"{extent.height} x {extent.width}"
    layers = (
        "one more 3x3 convolution before the head sees"
        if number == 1
        else (f"{number} more 3x3 convolutions before the head see")
    )
    return f"{layers} {size}; a stride or dilation earlier widens every layer behind it, a deeper value sees more too"


def _steps(fields: ReceptiveFields, value: str) -> tuple[float, float] | None:
    """Return how many pixels of the input lie between two neighbouring entries of a value, down and across."""
    field = fields.fields[value]
    if isinstance(field, str):
        return None
    rows = [float(max(track.jump for track in tracks[0])) for tracks in field.axes.values()]
    columns = [float(max(track.jump for track in tracks[1])) for tracks in field.axes.values()]
    return (max(rows), max(columns)) if min(*rows, *columns, 1) > 0 else None


LINTS = (
    Lint(
        "W0120",
        "receptive field smaller than the objects of a head",
        "what lies outside of the receptive field has no influence, and inside it the influence falls off from the "
        "middle like a bell, so that the field should be larger than the object, and not only as large",
        "Luo, Li, Urtasun and Zemel, Understanding the effective receptive field in deep convolutional neural "
        "networks, 2016",
        _too_narrow,
    ),
)
