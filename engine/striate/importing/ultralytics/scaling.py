"""Which of its sizes a model is read in: number of classes, depth, width, and the activation of its convolutions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.importing.findings import shown
from striate.importing.ultralytics.description import Description, wrong

ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, Any]] | None] = {
    "SiLU": ("silu", {}),
    "ReLU": ("relu", {}),
    "ReLU6": ("relu6", {}),
    "LeakyReLU": ("leaky_relu", {}),
    "Hardswish": ("hardswish", {}),
    "Mish": ("mish", {}),
    "GELU": ("gelu", {}),
    "ELU": ("elu", {}),
    "Identity": None,
}
"""Modules that may be named as the activation, and the layers that they are."""

_LARGEST_NUMBER = 1e6


@dataclass(frozen=True, slots=True)
class Scaling:
    """A model's size.

    Attributes:
        letter: the name of the size; empty where the file has only one.
        classes: the number of classes.
        depth: what numbers of modules are multiplied by.
        width: what channels are multiplied by.
        most: channels above this are cut to it before they are multiplied.
        channels: channels of the input.
        activation: the layer behind every batch norm; None for none.
    """

    letter: str
    classes: int
    depth: float
    width: float
    most: float
    channels: int
    activation: tuple[str, Mapping[str, Any]] | None

    def repeated(self, number: int) -> int:
        """Return how many modules a row has: numbers above 1 are multiplied by the depth and rounded, at least 1."""
        return max(round(number * self.depth), 1) if number > 1 else number

    def wide(self, channels: int) -> int:
        """Return the channels of a row: multiplied by the width, the next multiple of 8."""
        return multiple_of_8(min(channels, self.most) * self.width)


def multiple_of_8(number: float) -> int:
    """Return the least multiple of 8 that is not below a number."""
    return math.ceil(number / 8) * 8


def scaling_of(description: Description, path: Path, scale: str | None) -> tuple[Scaling, list[str]]:
    """Return the size in which a model is read, and notes on how it was chosen.

    Args:
        description: the file.
        path: its path, whose name may end in the size's letter: `yolov8n.yaml`.
        scale: the size that is asked for.

    Raises:
        DiagnosticError: E0658, a setting is no number, or there is no such size.
    """
    settings = description.settings
    scales = settings.get("scales")
    notes: list[str] = []
    letter, depth, width, most = "", settings.get("depth_multiple", 1.0), settings.get("width_multiple", 1.0), math.inf
    if scales is not None:
        letter, notes = _chosen(description, scales, path, scale)
        given = scales[letter]
        if not isinstance(given, list) or not 2 <= len(given) <= 3:
            raise wrong(f"scale {letter} is not [depth, width, most channels]", description.span("scales"))
        depth, width, most = (*given, math.inf)[:3]
    elif scale is not None:
        raise wrong(f"the file has no scales, so there is none called {shown(scale)}", None, "leave --scale out")
    numbers = {"depth": depth, "width": width, "most channels": most}
    for name, value in numbers.items():
        if not _is_number(value) and value != math.inf:
            raise wrong(f"{name} must be a number above 0, not {shown(str(value))}", description.span("scales"))
    return (
        Scaling(
            letter,
            _whole(description, "nc", 80),
            depth,
            width,
            most,
            _whole(description, "ch", _whole(description, "channels", 3)),
            _activation(description),
        ),
        notes,
    )


def _chosen(description: Description, scales: Any, path: Path, scale: str | None) -> tuple[str, list[str]]:
    if not isinstance(scales, dict) or not scales:
        raise wrong("scales must be a mapping of letters to sizes", description.span("scales"))
    names = ", ".join(map(shown, scales))
    if scale is not None:
        if scale not in scales:
            raise wrong(f"there is no scale {shown(scale)}", description.span("scales"), f"the file has {names}")
        return scale, []
    named = re.search(r"\d([a-z])(?![a-z])", path.stem)
    if named and named[1] in scales:
        return named[1], []
    first = next(iter(scales))
    return first, [f"scale {first} of {names}: the first, since neither --scale nor the file's name says which"]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LARGEST_NUMBER


def _whole(description: Description, key: str, default: int) -> int:
    value = description.settings.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST_NUMBER:
        raise wrong(f"{key} must be a whole number of at least 1, not {shown(str(value))}", description.span(key))
    return value


def _activation(description: Description) -> tuple[str, Mapping[str, Any]] | None:
    key = next((key for key in ("activation", "act") if key in description.settings), None)
    if key is None:
        return ACTIVATIONS["SiLU"]
    text = str(description.settings[key])
    written = re.fullmatch(
        r"(?:torch\.)?nn\.(\w+)\((?:negative_slope=)?([\d.]*)(?:, *inplace=True|inplace=True)?\)", text
    )
    if written is None or written[1] not in ACTIVATIONS or (written[2] and written[1] != "LeakyReLU"):
        known = ", ".join(f"nn.{name}()" for name in ACTIVATIONS)
        raise wrong(f"{key} {shown(text)} is not known", description.span(key), f"known are {known}")
    found = ACTIVATIONS[written[1]]
    return (found[0], {"slope": float(written[2])}) if found and written[2] else found
