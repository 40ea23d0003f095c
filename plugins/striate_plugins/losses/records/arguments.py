"""Arguments that several losses have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.plugin import Argument, Choice, OneOf, Optional, Real

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Weights:
    """A list of numbers of at least 0, one for each of something."""

    each: str = "class"

    def describe(self) -> str:
        return f"a list with one number of at least 0 per {self.each}"

    def convert(self, value: Any) -> tuple[float, ...]:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(Real(0).convert(item) for item in items)


LABEL_SMOOTHING = Argument(
    "label_smoothing",
    Real(0, 1, open_maximum=True),
    "Share of the target that is spread evenly over all classes (Szegedy et al., 2016).",
    0.0,
)
CLASS_WEIGHTS = Argument(
    "class_weights",
    Optional(Weights()),
    "How much an image or pixel of each class counts; none counts all alike.",
    None,
)
OVERLAP = (
    Argument("smooth", Real(0), "Added above and below, so that a class that is nowhere counts as found.", 1.0),
    Argument(
        "per",
        OneOf(("batch", "image")),
        "Whether pixels are summed over the batch or over each image.",
        Choice("batch"),
    ),
)
FOREGROUND = (
    Argument("class_weights", Optional(Weights()), "How much each class counts in the mean over the classes.", None),
)
MARGIN = Argument("margin", Real(0), "What a right answer has to lead by.", 1.0)
