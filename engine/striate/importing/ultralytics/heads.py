"""The heads of a model: what they compute up to the maps that are decoded, each map an output with a remark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from striate.importing.network import Value
from striate.importing.ultralytics.modules import Modules, channels_of

BINS = 16
"""Bins of the distribution over each side of a box (DFL)."""

_CLASSIFIER = 1280


@dataclass(frozen=True, slots=True)
class Output:
    """An output: its name, its value, and what is to be known about it."""

    name: str
    value: Value
    remarks: tuple[str, ...]


def anchored(
    modules: Modules, levels: Sequence[Value], classes: int, anchors: Sequence[Sequence[float]]
) -> list[Output]:
    """The head of YOLOv3 and YOLOv5: one convolution for each level, 5 + classes channels for each anchor."""
    found = []
    for place, (value, sides) in enumerate(zip(levels, anchors, strict=True)):
        count = len(sides) // 2
        pairs = ", ".join(f"{sides[index]:g} x {sides[index + 1]:g}" for index in range(0, 2 * count, 2))
        map_ = modules.plain(value, count * (classes + 5))
        remark = f"level {place}: {classes} classes, {count} anchors x (5 + {classes}) channels, decoded by sigmoid"
        found.append(Output(f"detect{place}", map_, (remark, f"anchors in pixels (width x height): {pairs}")))
    return found


def detect(modules: Modules, levels: Sequence[Value], classes: int, *, light: bool) -> list[Output]:
    """The head of YOLOv8, or the light one of YOLO11: for each level a tower for boxes and one for classes.

    Args:
        modules: makes the modules.
        levels: the maps of the levels.
        classes: the number of classes.
        light: whether the classes' tower is made of depthwise convolutions, as in YOLO11.
    """
    first = channels_of(levels[0])
    boxes_wide, classes_wide = max(16, first // 4, 4 * BINS), max(first, min(classes, 100))
    found = []
    for place, value in enumerate(levels):
        boxes = tower(modules, value, boxes_wide, 4 * BINS)
        scores = (
            _light_tower(modules, value, classes_wide, classes)
            if light
            else tower(modules, value, classes_wide, classes)
        )
        remarks = (
            f"level {place}: 4 sides x {BINS} bins, then {classes} class logits",
            f"a side, in strides, is the sum of bin * softmax over its {BINS} bins (DFL): left, top, right, bottom",
        )
        found.append(Output(f"detect{place}", modules.build("concat", [boxes, scores]), remarks))
    return found


def tower(modules: Modules, value: Value, hidden: int, channels: int) -> Value:
    """Two convolutions and one of one pixel with a bias."""
    with modules.build.scope("Tower"):
        made = modules.conv(modules.conv(value, hidden, 3), hidden, 3)
        return modules.plain(made, channels)


def _light_tower(modules: Modules, value: Value, hidden: int, channels: int) -> Value:
    with modules.build.scope("LightTower"):
        made = modules.conv(modules.depthwise(value, channels_of(value), 3), hidden)
        made = modules.conv(modules.depthwise(made, hidden, 3), hidden)
        return modules.plain(made, channels)


def segment(modules: Modules, levels: Sequence[Value], masks: int, prototypes: int) -> list[Output]:
    """What instance segmentation adds: prototypes of the masks, and for each level their coefficients."""
    with modules.build.scope("Proto"):
        made = modules.conv(levels[0], prototypes, 3)
        made = modules.build("deconv", made, channels=prototypes, kernel=2, stride=2)
        made = modules.conv(modules.conv(made, prototypes, 3), masks)
    found = [Output("prototypes", made, (f"{masks} prototypes of masks",))]
    return found + _coefficients(modules, levels, masks, "masks", f"{masks} coefficients of the prototypes")


def pose(modules: Modules, levels: Sequence[Value], points: int, numbers: int) -> list[Output]:
    """What pose estimation adds: for each level the key points."""
    remark = f"{points} key points x {numbers} numbers"
    return _coefficients(modules, levels, points * numbers, "points", remark)


def rotated(modules: Modules, levels: Sequence[Value], extra: int) -> list[Output]:
    """What rotated boxes add: for each level the angle."""
    return _coefficients(modules, levels, extra, "angle", "the angle is (sigmoid - 1/4) * pi")


def _coefficients(modules: Modules, levels: Sequence[Value], count: int, name: str, remark: str) -> list[Output]:
    hidden = max(channels_of(levels[0]) // 4, count)
    return [
        Output(f"{name}{place}", tower(modules, value, hidden, count), (f"level {place}: {remark}",))
        for place, value in enumerate(levels)
    ]


def classify(modules: Modules, value: Value, classes: int) -> list[Output]:
    """The head of classification: a convolution of 1280 channels, the mean over the image, a dense layer."""
    build = modules.build
    made = build("flatten", build("global_avgpool", modules.conv(value, _CLASSIFIER)))
    return [Output("logits", build("dense", made, features=classes), (f"{classes} classes",))]
