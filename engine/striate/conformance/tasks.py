"""The check of tasks: a decoder that gives one answer per image, in plain numbers and texts."""

from __future__ import annotations

import json
from typing import Any

import torch

from striate.conformance.results import CheckFailedError
from striate.conformance.subject import Subject, first_line

NAMES = ("cat", "dog", "fish")
SIZES = ((2, 3), (2, 3, 5, 6), (1, 3), (1, 3, 5, 6))
"""Scores of images, and of pixels, for a batch of two and of one."""


def answers(subject: Subject) -> str | None:
    """The decoder takes outputs of some form and gives a dictionary per image that JSON can hold."""
    said, number = "", 0
    for size in SIZES:
        scores = torch.randn(size, generator=torch.Generator().manual_seed(0))
        try:
            found = subject.record.decode(scores, NAMES)
        except Exception as error:  # the form may not be its own
            said = said or f"{type(error).__name__}: {first_line(error)}"
            continue
        number += 1
        _plain(found, size)
    if not number:
        sizes = ", ".join(" x ".join(map(str, size)) for size in SIZES)
        raise CheckFailedError(f"it decodes none of the outputs {sizes} (of the first it says: {said})")
    return None


def _plain(found: Any, size: tuple[int, ...]) -> None:
    example = f"outputs {' x '.join(map(str, size))}"
    if not isinstance(found, list) or len(found) != size[0]:
        raise CheckFailedError(f"for {size[0]} images it gives {found!r:.80}", example)
    for item in found:
        if not isinstance(item, dict):
            raise CheckFailedError(f"an answer is a {type(item).__name__}, no dictionary", example)
        try:
            json.dumps(item, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise CheckFailedError(f"JSON cannot hold an answer: {first_line(error)}", example) from None
