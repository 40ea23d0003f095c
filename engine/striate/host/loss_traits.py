"""What a loss says of itself beside its arguments: what it compares with what, its range, and values to hold it to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OUTPUTS: Mapping[str, str] = {
    "scores": "scores before a softmax or sigmoid, `N x K` or `N x K x H x W`, one channel per class",
    "probabilities": "probabilities, `N x K` or `N x K x H x W`, one channel per class",
    "log_probabilities": "logarithms of probabilities, `N x K` or `N x K x H x W`, one channel per class",
    "embeddings": "one vector per image, `N x D`, compared by distance",
    "directions": "one vector per image, `N x D`, compared by angle",
    "values": "numbers, in any shape",
    "tensors": "several tensors: it is called from Python, with the arguments of its formula",
}
"""What a loss may be given by a network, and what that is in words."""

TARGETS: Mapping[str, str] = {
    "classes": "class numbers, `N` or `N x H x W`",
    "shares": "the share of every class, from 0 to 1, in the shape of the output; class numbers become 1 and 0",
    "signs": "1 for the right class and -1 for the others, in the shape of the output",
    "values": "numbers in the shape of the output: the image itself, or 1 for the right class and 0 for the others",
    "tensors": "several tensors",
}
"""What a loss may compare that with, and what that is in words."""

SIZES = ("features", "classes")
"""What a loss with weights of its own may ask for: entries per embedding, and classes."""


@dataclass(frozen=True, slots=True)
class LossExample:
    """A value that a loss must have, from its source or worked out by hand.

    Attributes:
        inputs: what the loss is called with, in order: numbers in nested lists become tensors (whole numbers int64),
            a tuple of such lists stays a list of tensors, None stays None.
        value: what comes out.
        arguments: the written arguments.
        sizes: the sizes that a loss with weights of its own asks for.
        weights: such weights, by name, as nested lists.
        note: what the example shows, in a line, or nothing.
    """

    inputs: tuple[Any, ...]
    value: float
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def problem_of_loss(record: Any) -> str | None:
    """Return what is wrong with the traits of a loss's record, None where nothing is."""
    if record.output not in OUTPUTS:
        return f"output must be one of {', '.join(OUTPUTS)}, not {record.output!r}"
    if record.target not in TARGETS:
        return f"target must be one of {', '.join(TARGETS)}, not {record.target!r}"
    if (record.output == "tensors") != (record.target == "tensors"):
        return 'a loss of several tensors has both output and target "tensors"'
    if not _is_range(record.range):
        return f"range must be a pair of the smallest and the largest value, not {record.range!r}"
    if not isinstance(record.reduction, str) or "\n" in record.reduction:
        return "reduction must be one line of text"
    if not isinstance(record.sizes, tuple) or not set(record.sizes) <= set(SIZES):
        return f"sizes must be a tuple of names among {', '.join(SIZES)}, not {record.sizes!r}"
    return _problem_of_examples(record)


def _problem_of_examples(record: Any) -> str | None:
    if not isinstance(record.examples, tuple) or not all(isinstance(item, LossExample) for item in record.examples):
        return "examples must be a tuple of LossExamples"
    known = {argument.name for argument in record.arguments}
    for example in record.examples:
        if strange := _first(example.arguments, known):
            return f"an example has the argument {strange}, which the record lacks"
        if set(example.sizes) != set(record.sizes):
            return f"an example must say the sizes {', '.join(record.sizes) or '(none)'}"
        if not math.isfinite(example.value):
            return f"the value of an example must be a finite number, not {example.value!r}"
    return None


def _first(names: Iterable[str], known: set[str]) -> str | None:
    return next((name for name in names if name not in known), None)


def _is_range(value: Any) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    return all(isinstance(bound, (int, float)) for bound in value) and value[0] < value[1]
