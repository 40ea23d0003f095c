"""Checks of data sets: splits of the promised form, the same every time."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.schema import argument_sets
from striate.conformance.subject import Subject, first_line

SIZES = ((1, 16, 12), (3, 16, 12))
"""Inputs of networks to make images for: grey, coloured, and not square."""
SHOWN = 5
"""Examples of each split that are looked at, from its beginning and its end."""


def _made(subject: Subject) -> tuple[tuple[int, ...], Any]:
    """Return the first input size that the data set makes images for, and the splits.

    Raises:
        NotApplicableError: it needs files of the user, which an argument names.
    """
    (settled, *_) = argument_sets(subject, 0)
    needed = [item.name for item in subject.record.arguments if item.required]
    said = ""
    for size in SIZES:
        try:
            return size, subject.record.factory(size, **settled)
        except Exception as error:  # a stranger's factory may raise anything
            said = said or f"{type(error).__name__}: {first_line(error)}"
    if needed:
        raise NotApplicableError(f"it needs {', '.join(needed)}, for which only its own tests have something")
    raise CheckFailedError(f"it makes no splits for inputs of {SIZES[0]} or {SIZES[1]}: {said}")


def splits(subject: Subject) -> str | None:
    """There are three splits, with images in the size asked for and targets among the classes."""
    size, data = _made(subject)
    for attribute in ("train", "validation", "test", "classes"):
        if not hasattr(data, attribute):
            raise CheckFailedError(f"it gives a {type(data).__name__}, which has no {attribute}")
    counts = {}
    for name in ("train", "validation", "test"):
        split = getattr(data, name)
        counts[name] = len(split)
        if not len(split):
            raise CheckFailedError(f"the split {name} is empty")
        for index in dict.fromkeys((*range(min(SHOWN, len(split))), *range(max(len(split) - SHOWN, 0), len(split)))):
            _example(split[index], size, data.classes, f"{name}[{index}]")
    return ", ".join(f"{count:,} in {name}" for name, count in counts.items())


def _example(found: Any, size: tuple[int, ...], classes: tuple[str, ...], example: str) -> None:

    if not isinstance(found, tuple) or len(found) != 2:
        raise CheckFailedError("an example is no pair of image and target", example)
    image, target = np.asarray(found[0]), np.asarray(found[1])
    if image.dtype != np.float32:
        raise CheckFailedError(f"an image is {image.dtype}, not float32", example)
    if image.shape[1:] != size[1:]:
        raise CheckFailedError(f"an image is {image.shape} where {size} was asked for", example)
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise CheckFailedError(
            f"the values of an image go from {image.min():g} to {image.max():g}, not 0 to 1", example
        )
    if np.issubdtype(target.dtype, np.integer) and not (target.min() >= 0 and target.max() < len(classes)):
        raise CheckFailedError(f"a target is {target.max()}, and there are {len(classes)} classes", example)


def deterministic(subject: Subject) -> str | None:
    """Made twice, it has the same examples."""
    (_, first), (_, second) = _made(subject), _made(subject)
    for name in ("train", "validation", "test"):
        one, other = getattr(first, name), getattr(second, name)
        if len(one) != len(other):
            raise CheckFailedError(f"the split {name} has {len(one)} examples at first, and {len(other)} later")
        for index in range(min(SHOWN, len(one))):
            for before, after in zip(one[index], other[index], strict=True):
                if not np.array_equal(np.asarray(before), np.asarray(after)):
                    raise CheckFailedError("the same example is another one the second time", f"{name}[{index}]")
    return None
