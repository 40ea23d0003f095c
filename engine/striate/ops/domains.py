"""For which inputs layers are defined that do not take any number: what makes such inputs of random ones.

The torch module is passed in, so that naming a domain does not import it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from striate.ops.axes import axis_of
from striate.ops.record import InputDomain

if TYPE_CHECKING:
    from torch import Tensor

Attributes = Mapping[str, Any]


def _entries(change: Callable[[Tensor], Tensor]) -> InputDomain:
    """Return a domain that holds for every entry of every input alike."""

    def fit(torch: Any, attributes: Attributes, values: list[Tensor]) -> list[Tensor]:
        return [change(item) for item in values]

    return InputDomain(fit)


ABOVE_ZERO = _entries(lambda item: item.abs() + 0.1)
"""Logarithms and roots; and edges of graphs, whose sums are divided by."""
ABOVE_ONE = _entries(lambda item: item.abs() + 1.1)
WITHIN_ONE = _entries(lambda item: 0.9 * item.tanh())
"""Between -1 and 1, and not at its ends."""


def _places_of_an_image(torch: Any, attributes: Attributes, values: list[Tensor]) -> list[Tensor]:
    """Replace the indices of an unpooling layer by places of the image to be made; some come more than once."""
    like = attributes["like"]
    room = math.prod(attributes["size"] if like is None else values[like].shape[2:])
    made = list(values)
    made[attributes["indices"]] = (values[attributes["indices"]].abs() * 10).floor() % room
    return made


def _places_along_an_axis(torch: Any, attributes: Attributes, values: list[Tensor]) -> list[Tensor]:
    """Replace indices by places along the axis, none twice where there is room; some are counted from the end."""
    places, value = values[attributes["indices"]], values[0]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    made = list(values)
    found = places.argsort(axis) % value.shape[axis]
    made[attributes["indices"]] = torch.where(places < 0, found - value.shape[axis], found).to(places.dtype)
    return made


def _numbers_of_classes(torch: Any, attributes: Attributes, values: list[Tensor]) -> list[Tensor]:
    """Replace random numbers by numbers of classes, of which some are none and others count from the end."""
    return [(values[0] * attributes["classes"]).round()]


def _regions(torch: Any, attributes: Attributes, values: list[Tensor]) -> list[Tensor]:
    """Replace random numbers by regions around the image, some of them cut by its border; each of its own image."""
    image, drawn = values[0], values[attributes["rois"]]
    height, width = (size / attributes["spatial_scale"] for size in image.shape[2:])
    room = torch.tensor([width, height], dtype=drawn.dtype)
    corner, extent = drawn[..., -4:-2] * room / 2, drawn[..., -2:].abs() * room / 2
    regions = torch.cat([corner, corner + extent], -1)
    if drawn.shape[-1] == 5:
        number = torch.arange(drawn.shape[0], dtype=drawn.dtype).reshape(-1, 1, 1)
        regions = torch.cat([number.expand(*drawn.shape[:2], 1), regions], -1)
    made = list(values)
    made[attributes["rois"]] = regions
    return made


IMAGE_PLACES = InputDomain(_places_of_an_image, ("indices",))
AXIS_PLACES = InputDomain(_places_along_an_axis, ("indices",))
CLASS_NUMBERS = InputDomain(_numbers_of_classes)
REGIONS = InputDomain(_regions, ("rois",))
