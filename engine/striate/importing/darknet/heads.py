"""Sections that decode boxes: the map that flows into one becomes an output, and what it says becomes a comment."""

from __future__ import annotations

from striate.importing.darknet.sections import Section, misread
from striate.importing.darknet.state import Head, State, channels_of, size_of
from striate.importing.findings import UnsupportedError


def yolo(state: State, section: Section) -> None:
    """Read [yolo]: for each anchor of its mask 4 coordinates, objectness, and a score for each class."""
    _anchored(state, section, 5)


def gaussian_yolo(state: State, section: Section) -> None:
    """Read [Gaussian_yolo]: each coordinate comes with its uncertainty."""
    _anchored(state, section, 9)


def _anchored(state: State, section: Section, numbers: int) -> None:
    value = state.image()
    classes, total = section.whole("classes", 20, 1), section.whole("num", 1, 1)
    mask, anchors = section.wholes("mask"), section.numbers("anchors")
    for entry in mask:
        if not 0 <= entry < total:
            state.notes.append(f"{section}: mask {entry} is not below num = {total}, so it has no anchor")
    each = len(mask) or total
    _demand_channels(section, size_of(value)[0], each * (classes + numbers), f"{each} anchors, {classes} classes")
    chosen = mask or list(range(total))
    pairs = [anchors[2 * index : 2 * index + 2] if 0 <= index < total else [] for index in chosen]
    remarks = [
        f"[{section.kind}] layer {section.index}: {classes} classes, {each} anchors x ({classes} + {numbers}) channels",
        f"anchors in pixels (width x height): {_anchors(pairs)}",
    ]
    _add(state, section, remarks + _told(section, ("scale_x_y", "new_coords", "iou_thresh", "nms_kind", "beta_nms")))


def region(state: State, section: Section) -> None:
    """Read [region]: for each anchor coordinates, objectness, and a score for each class."""
    value = state.image()
    classes, total = section.whole("classes", 20, 1), section.whole("num", 1, 1)
    coords, anchors = section.whole("coords", 4, 1), section.numbers("anchors")
    _demand_channels(
        section,
        size_of(value)[0],
        total * (classes + coords + 1),
        f"{total} anchors, {classes} classes, {coords} coords",
    )
    pairs = [anchors[2 * index : 2 * index + 2] for index in range(total)]
    remarks = [
        f"[region] layer {section.index}: {classes} classes, {total} anchors x ({classes} + {coords + 1}) channels",
        f"anchors in cells (width x height): {_anchors(pairs)}",
    ]
    _add(state, section, remarks + _told(section, ("softmax", "tree", "map")))


def detection(state: State, section: Section) -> None:
    """Read [detection], YOLO's first: classes of every cell, then objectness, then boxes, all in one row."""
    value = state.build.flat(state.flow())
    side, total = section.whole("side", 7, 1), section.whole("num", 1, 1)
    classes, coords = section.whole("classes", 1, 1), section.whole("coords", 1, 1)
    wanted = side * side * (total * (1 + coords) + classes)
    _demand_channels(section, channels_of(value), wanted, f"{side} x {side} cells")
    state.current = value
    remarks = [
        f"[detection] layer {section.index}: {side} x {side} cells, {classes} classes, {total} boxes each",
        f"order: {side * side * classes} class scores, {side * side * total} objectness, "
        f"{side * side * total * coords} coordinates",
    ]
    _add(state, section, remarks + _told(section, ("softmax", "sqrt")))


def cost(state: State, section: Section) -> None:
    """Read [cost]: a loss, of which a network that computes has nothing."""
    kind = section.word("type", "sse")
    state.notes.append(f"{section}: the loss {kind} is left to a recipe")


def contrastive(state: State, section: Section) -> None:
    """Read [contrastive]: a loss as well."""
    state.notes.append(f"{section}: the contrastive loss is left to a recipe")


def _demand_channels(section: Section, found: int, wanted: int, why: str) -> None:
    if found != wanted:
        raise misread(
            f"{section} needs {wanted} channels for {why}, and gets {found}",
            section.span,
            help_=f"write filters = {wanted} in the layer before it, or correct classes, num or mask",
        )


def _add(state: State, section: Section, remarks: list[str]) -> None:
    assert state.current is not None, "a head has read it"
    name = section.kind.lower()
    if any(head.value.number == state.current.number for head in state.heads):
        raise UnsupportedError("another head decodes the same map")
    state.heads.append(Head(f"{name}{section.index}", state.current, tuple(remarks)))
    state.closed = str(section)


def _anchors(pairs: list[list[float]]) -> str:
    """Return anchors as text; those that the cfg does not give are Darknet's 0.5."""
    return ", ".join(" x ".join(f"{number:g}" for number in [*pair, 0.5, 0.5][:2]) for pair in pairs)


def _told(section: Section, keys: tuple[str, ...]) -> list[str]:
    told = [f"{key} = {section.word(key)[:40]}" for key in keys if section.word(key)]
    return ["; ".join(told)] if told else []
