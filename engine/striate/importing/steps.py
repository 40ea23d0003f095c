"""What a text is made of before it is one: steps with their inputs, and bodies of merge layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from striate.importing.arguments import Written


@dataclass(slots=True)
class Step:
    """A call: of a layer, of an instance or of a block.

    Attributes:
        callee: what is called.
        inputs: the values that flow in or are merged, by number.
        outputs: the values that it makes.
        arguments: the arguments to be written; a merge layer's values come before them.
        required: how many of the first arguments may be written by position.
        merge: whether the inputs behind the first are written in brackets.
        wish: the name that the file gives it; None where the language may choose.
        base: what its automatic name begins with.
        named: the arguments that are values, by name: the place among the inputs.
        layers: the layers that it makes, by place.
    """

    callee: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arguments: list[Written]
    required: int
    merge: bool
    wish: str | None
    base: str
    named: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Branching:
    """A merge layer with a body: branches that all start from one value, in the order of the inputs."""

    step: Step
    start: int
    branches: list[list[Item]]


@dataclass(slots=True)
class Rounds:
    """The same steps several times over: `repeat count { … }`."""

    count: int
    step: Step
    first: int


Item = Step | Branching | Rounds


def external(items: Sequence[Step], own: set[int]) -> set[int]:
    """Return the values that steps use and do not make."""
    return {number for item in items for number in item.inputs if number not in own}
