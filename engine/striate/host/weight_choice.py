"""Which weights of a network a part of a recipe is for: sets with a name of their own, and patterns of names.

Initialisers and regularisers of a recipe take the argument `weights`; the choice is between all of a network's weights
that are trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from striate.graph import Weight
from striate.ops.arguments import Argument, ArgumentError, Choice, quote_value

SETS = ("kernels", "biases", "all")
"""What can be said without a pattern."""

_CONSTANT = ("zeros", "ones", "constant")
"""The rules by which scales, shifts, biases and slopes start."""


@dataclass(frozen=True, slots=True)
class WeightNames:
    """The name of a set of weights, a pattern of weights' names in quotes, or a list of these.

    In a pattern, `*` stands for any characters (dots too), `?` for one, `[ab]` for one of several.
    """

    @property
    def choices(self) -> tuple[str, ...]:
        """Names that mean themselves."""
        return SETS

    def describe(self) -> str:
        return 'kernels, biases, all, a pattern of weights\' names such as "stage1.*", or a list of these'

    def convert(self, value: Any) -> Choice | str | list[Choice | str]:
        if isinstance(value, list | tuple) and value:
            return [self._one(item) for item in value]
        return self._one(value)

    def _one(self, value: Any) -> Choice | str:
        if isinstance(value, Choice) and value.name in SETS:
            return value
        if isinstance(value, str) and value:
            return value
        raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")


WEIGHTS = Argument(
    "weights",
    WeightNames(),
    "Which weights it is for: `kernels` (those of convolutions, dense layers and the like), `biases`, `all`, or names "
    "in quotes, where * stands for anything.",
    Choice("kernels"),
)
"""The argument that every initialiser and regulariser has."""


def is_kernel(weight: Weight) -> bool:
    """Whether a weight multiplies what flows by a matrix or a kernel: no bias, scale, shift, slope or statistic.

    These start at a constant; a kernel starts at random, or has fans, which a scale has not.
    """
    start = weight.initializer
    return weight.trainable and len(weight.shape) > 1 and ("fan_in" in start.settings or start.name not in _CONSTANT)


def is_bias(weight: Weight) -> bool:
    """Whether a weight is added to what a layer gives: its role ends in `bias`."""
    return weight.trainable and weight.name.rpartition(".")[2].rpartition("_")[2] == "bias"


def chosen_weights(weights: Mapping[str, Weight], choice: Choice | str | list[Choice | str]) -> tuple[str, ...]:
    """Return the names of the trained weights that a choice means, in the network's order, each once."""
    wanted = choice if isinstance(choice, list) else [choice]
    return tuple(
        name for name, weight in weights.items() if weight.trainable and any(_means(one, weight) for one in wanted)
    )


def idle_choice(weights: Mapping[str, Weight], choice: Choice | str | list[Choice | str]) -> Choice | str | None:
    """Return an entry of a choice that means no weight of a network, or None if each means some."""
    wanted: Iterable[Choice | str] = choice if isinstance(choice, list) else [choice]
    return next((one for one in wanted if not chosen_weights(weights, one)), None)


def _means(one: Choice | str, weight: Weight) -> bool:
    if isinstance(one, str):
        return fnmatchcase(weight.name, one)
    return {"kernels": is_kernel(weight), "biases": is_bias(weight), "all": True}[one.name]
