"""What plugins hand to training beside losses, optimizers and schedules: what works around these, and averages."""

from __future__ import annotations

from dataclasses import dataclass

from striate.host.records import Factory
from striate.ops.arguments import Argument


@dataclass(frozen=True, slots=True)
class EpochOutcome:
    """A finished epoch as a schedule sees it; both numbers are the better the lower they are.

    Attributes:
        loss: the loss on the validation split.
        score: the recipe's first metric on the validation split, negated where higher is better; the loss where the
            recipe has no metrics.
    """

    loss: float
    score: float


@dataclass(frozen=True, slots=True)
class WrapperRecord:
    """Something that works around an optimizer, e.g. Lookahead: written in a recipe as `wrap = lookahead(k = 5)`.

    `factory(optimizer, **arguments)` returns a `torch.optim.Optimizer` whose `param_groups` are those of the optimizer
    that it was given, the same objects also after `load_state_dict`, and whose state has that of the other in it. What
    else an optimizer must keep is said at `OptimizerRecord`.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    formula: str = ""


@dataclass(frozen=True, slots=True)
class AverageRecord:
    """An average of the weights over the steps of a run, which is measured and saved instead of the weights themselves.

    `factory(epochs, **arguments)` returns a function of two numbers: the epoch behind the step (a float, whole at the
    end of an epoch) and how many times the average has been moved so far. After every step it says by which share of
    the difference the average moves towards the weights: `average += share * (weights - average)`; None where it stays.
    The first time the average becomes the weights, whatever the share. Being a pure function, it resumes exactly.

    Attributes:
        recomputes: the statistics of norms are worked out anew over the training images for the averaged weights before
            these are measured; otherwise they are averaged like the weights.
        formula: the average in plain text.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    recomputes: bool = False
    formula: str = ""
