"""Number formats that costs are given for, and what an optimizer keeps for every parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Precision:
    """The numbers that values are held in.

    Attributes:
        name: as users write it.
        bytes: bytes of one entry of a value, and of a weight in evaluation.
        trains: whether training runs in it. Weights, gradients and the optimizer's state then stay in float32, and
            products take copies of the weights in this format (mixed precision, torch's autocast).
        in_words: the name for a sentence.
    """

    name: str
    bytes: int
    trains: bool
    in_words: str


PRECISIONS: Mapping[str, Precision] = MappingProxyType(
    {
        each.name: each
        for each in (
            Precision("fp32", 4, True, "float32"),
            Precision("fp16", 2, True, "float16"),
            Precision("bf16", 2, True, "bfloat16"),
            Precision("int8", 1, False, "int8"),
        )
    }
)
FP32 = PRECISIONS["fp32"]


@dataclass(frozen=True, slots=True)
class OptimizerCost:
    """What an optimizer needs beside weights and gradients, in numbers of float32.

    Attributes:
        name: as users write it.
        state: numbers that it keeps for every parameter.
        scratch: numbers for every entry of the largest parameter while it makes a step.
    """

    name: str
    state: int
    scratch: int


OPTIMIZERS: Mapping[str, OptimizerCost] = MappingProxyType(
    {
        each.name: each
        for each in (
            OptimizerCost("sgd", 0, 0),
            OptimizerCost("momentum", 1, 0),
            OptimizerCost("adam", 2, 2),
        )
    }
)
"""torch's SGD without and with momentum, and Adam (AdamW keeps the same), stepping one parameter after the other."""
