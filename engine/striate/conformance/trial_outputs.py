"""Outputs of networks with targets for them, in the forms that losses and metrics take: which of them, is tried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from striate.conformance.results import CheckFailedError
from striate.conformance.subject import first_line

CLASSES = 4
EXAMPLES = 8
"""A multiple of the number of classes, so that each class occurs as often."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An output and a target.

    Attributes:
        form: what they are, in words with sizes.
        output: the output.
        target: the target.
        right: an output that could not be better.
        wrong: an output that could not be worse.
    """

    form: str
    output: Tensor
    target: Tensor
    right: Tensor
    wrong: Tensor


def pairs(seed: int = 0) -> Iterator[Pair]:
    """Yield a pair of each form, in float32."""
    generator = torch.Generator().manual_seed(seed)
    one_hot = torch.nn.functional.one_hot

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    classes = torch.arange(EXAMPLES) % CLASSES
    scores = one_hot(classes, CLASSES).float() * 16 - 8
    turned = one_hot((classes + 1) % CLASSES, CLASSES).float() * 16 - 8
    yield Pair("scores N x classes, class numbers N", drawn(EXAMPLES, CLASSES), classes, scores, turned)
    maps = (torch.arange(EXAMPLES * 30) % CLASSES).reshape(EXAMPLES, 5, 6)
    right, wrong = (one_hot(each, CLASSES).movedim(-1, 1).float() * 16 - 8 for each in (maps, (maps + 1) % CLASSES))
    yield Pair(
        "scores N x classes x H x W, class numbers N x H x W", drawn(EXAMPLES, CLASSES, 5, 6), maps, right, wrong
    )
    marks = one_hot(classes, CLASSES).float()
    yield Pair("scores N x classes, marks N x classes", drawn(EXAMPLES, CLASSES), marks, scores, -scores)
    chances = drawn(EXAMPLES, CLASSES).sigmoid()
    yield Pair("chances N x classes, marks N x classes", chances, marks, marks * 0.98 + 0.01, 0.99 - marks * 0.98)
    shares = drawn(EXAMPLES, CLASSES).softmax(1)
    yield Pair("scores N x classes, shares N x classes", drawn(EXAMPLES, CLASSES), shares, shares.log(), -shares.log())
    numbers = drawn(EXAMPLES, 3)
    yield Pair("numbers N x 3, numbers N x 3", drawn(EXAMPLES, 3), numbers, numbers, numbers + 5)
    single = (torch.arange(EXAMPLES) % 2).float()
    yield Pair("scores N, marks N", drawn(EXAMPLES), single, single * 16 - 8, 8 - single * 16)
    column = single[:, None]
    yield Pair("scores N x 1, marks N x 1", drawn(EXAMPLES, 1), column, column * 16 - 8, 8 - column * 16)
    pictures = drawn(EXAMPLES, 2, 5, 6)
    yield Pair("images N x C x H x W, images N x C x H x W", drawn(EXAMPLES, 2, 5, 6), pictures, pictures, pictures + 5)
    masks = (drawn(EXAMPLES, 1, 5, 6) > 0).float()
    yield Pair(
        "scores N x 1 x H x W, masks N x 1 x H x W", drawn(EXAMPLES, 1, 5, 6), masks, masks * 16 - 8, 8 - masks * 16
    )
    corner, extent = drawn(EXAMPLES, 2).abs(), drawn(EXAMPLES, 2).abs() + 0.5
    boxes = torch.cat([corner, corner + extent], 1)
    moved = boxes + 0.2
    yield Pair("boxes N x 4, boxes N x 4", moved, boxes, boxes, boxes + 50)


def taken(call: Callable[[Tensor, Tensor], Any], words: str) -> list[Pair]:
    """Return the pairs of the forms that a loss or metric takes; `words` say which one it is.

    Raises:
        CheckFailedError: it takes none; the message has what it said of the first one.
    """
    found, said = [], ""
    for pair in pairs():
        try:
            call(pair.output.clone(), pair.target.clone())
        except Exception as error:  # a stranger's code may raise anything where a form is not its own
            said = said or f"{type(error).__name__}: {first_line(error)}"
            continue
        found.append(pair)
    if not found:
        tried = "; ".join(pair.form for pair in pairs())
        message = f"it runs on none of these outputs and targets: {tried} (on the first: {said})"
        raise CheckFailedError(message, words)
    return found
