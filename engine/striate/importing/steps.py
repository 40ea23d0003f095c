"""What a text is made of before it is one: steps with their inputs, and bodies of merge layers."""

from __future__ import annotations

from dataclasses import dataclass, field

from striate.importing.arguments import Written
from striate.ops.record import OpRecord


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
        named: the arguments that are values, by name.
        record: the layer's record; None for an instance and for a block.
        count: how many rounds of it follow each other.
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
    record: OpRecord | None = None
    count: int = 1


@dataclass(slots=True)
class Branching:
    """A merge layer with a body: branches that all start from one value, in the order of the inputs."""

    step: Step
    start: int
    branches: list[list[Item]]


Item = Step | Branching
