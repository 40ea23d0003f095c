"""Losses."""

from dataclasses import dataclass
from typing import Any

from striate.plugin import Argument, Factory, LossRecord, Optional, Real


@dataclass(frozen=True, slots=True)
class _Weights:
    """A list of numbers of at least 0."""

    def describe(self) -> str:
        return "a list with one number of at least 0 per class"

    def convert(self, value: Any) -> tuple[float, ...]:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(Real(0).convert(item) for item in items)


LOSSES = (
    LossRecord(
        "cross_entropy",
        "Minus the logarithm of the probability that the softmax of the scores gives to the right class.",
        Factory("striate_plugins.losses.cross_entropy:cross_entropy"),
        (
            Argument(
                "label_smoothing",
                Real(0, 1, open_maximum=True),
                "Share of the target that is spread evenly over all classes (Szegedy et al., 2016).",
                0.0,
            ),
            Argument(
                "class_weights",
                Optional(_Weights()),
                "How much an image of each class counts; none counts all alike.",
                None,
            ),
        ),
        reference="Szegedy et al., 2016, arXiv:1512.00567, section 7 (label smoothing)",
        applies="softmax",
    ),
)
