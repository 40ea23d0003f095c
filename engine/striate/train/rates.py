"""The optimizer of a recipe, with its groups and what works around it, and the rate of every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from striate.lower.torch import Program
from striate.train.groups import treatments
from striate.train.parts import Part, broken_by
from striate.train.recipe import Recipe
from striate.train.run_state import RunState
from striate.train.subject import Subject
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_FACTOR = "rate_factor"
"""The entry of a group that keeps the factor of its rate; optimizers leave it there."""


def make_optimizer(subject: Subject, program: Program, further: Sequence[nn.Parameter] = ()) -> Optimizer:
    """Return the optimizer of a recipe for the weights of a program, with further ones that losses have of their own.

    The rate that a group begins with stays in it as `initial_lr`, as torch's own schedules have it.

    Raises:
        DiagnosticError: E0721, a plugin made no optimizer, or one with other groups than that which it is around.
    """
    recipe = subject.recipe
    optimizer = _demanded(recipe.optimizer, recipe.optimizer.make(_groups(subject, program, further)))
    for wrapper in recipe.wrap:
        around = _demanded(wrapper, wrapper.make(optimizer))
        if [id(group) for group in around.param_groups] != [id(group) for group in optimizer.param_groups]:
            raise broken_by(wrapper, "has other param_groups than the optimizer that it was given")
        optimizer = around
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"] * group.get(_FACTOR, 1.0))
    return optimizer


def _demanded(part: Part[Any], made: object) -> Optimizer:
    if not isinstance(made, Optimizer):
        raise broken_by(part, f"is a {type(made).__name__} where a torch.optim.Optimizer is due")
    return made


def _groups(subject: Subject, program: Program, further: Sequence[nn.Parameter]) -> list[Any]:
    """Return the weights as optimizers take them: a list, or dictionaries where some are treated otherwise."""
    recipe, weights = subject.recipe, dict(program.named_parameters())
    if not recipe.groups and recipe.no_decay is None:
        return [*weights.values(), *further]
    found = treatments(program.graph, subject.model.catalogue.lookup, recipe.groups, recipe.no_decay)
    groups: list[Any] = []
    for item in found:
        group = {"params": [weights[name] for name in item.names], _FACTOR: item.rate}
        groups.append(group if item.weight_decay is None else {**group, "weight_decay": item.weight_decay})
    return [*groups, {"params": list(further), _FACTOR: 1.0}] if further else groups


class Rates:
    """Sets rate and momentum by the recipe's schedule.

    Args:
        recipe: the recipe.
        run: knows the finished epochs, which some schedules watch.
    """

    def __init__(self, recipe: Recipe, run: RunState) -> None:
        self._schedule, self._first, self._run = recipe.schedule, next(iter(recipe.metrics), None), run
        self._curve: Callable[..., Any] | None = recipe.schedule.make(recipe.epochs) if recipe.schedule else None

    @property
    def are_tested(self) -> bool:
        """Whether the run is there to find a rate."""
        return self._schedule is not None and self._schedule.record.tests_rates

    def set(self, optimizer: Optimizer, epoch: float) -> float:
        """Set what the schedule says about a place in the run, and return the rate of the weights without a factor.

        Raises:
            DiagnosticError: E0507, the schedule sets a momentum, and the optimizer has none.
        """
        factor, momentum = self._asked(epoch)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        if momentum is not None and not sum(_set_momentum(group, momentum) for group in optimizer.param_groups):
            raise DiagnosticError(self._no_momentum())
        groups = optimizer.param_groups
        rate: float = next((group for group in groups if group.get(_FACTOR, 1.0) == 1.0), groups[0])["lr"]
        return rate

    def _asked(self, epoch: float) -> tuple[float, float | None]:
        if self._curve is None or self._schedule is None:
            return 1.0, None
        watched = (self._run.outcomes(self._first),) if self._schedule.record.watches else ()
        found = self._schedule.ask(self._curve, epoch, *watched)
        factor, momentum = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
        if not isinstance(factor, int | float) or not 0 <= factor < math.inf:
            raise broken_by(
                self._schedule, f"gave {factor!r} where a factor of the rate is due, a number of at least 0"
            )
        return factor, momentum

    def _no_momentum(self) -> Diagnostic:
        return Diagnostic(
            "E0507",
            f"{self._schedule} changes the momentum, and the optimizer has none",
            self._schedule.span if self._schedule else None,
            help="take an optimizer with a momentum or with betas, or leave the momentum alone",
        )


def _set_momentum(group: dict[str, Any], momentum: float) -> bool:
    """Set the momentum of a group, or its first beta; return whether it has one."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    elif "momentum" in group:
        group["momentum"] = momentum
    else:
        return False
    return True
