"""The average of the weights that a recipe asks for: moved after every step, and put in place to be measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from striate.host.training_records import AverageRecord
from striate.train.parts import Part, broken_by
from striate.train.run_state import RunState


class Averaging:
    """Moves the average that the run state keeps.

    Numbers that are not real, counters for instance, are not averaged: the newest is taken.

    Args:
        part: the recipe's average.
        epochs: of the recipe.
        run: keeps the average, and how often it was moved.
    """

    def __init__(self, part: Part[AverageRecord], epochs: int, run: RunState) -> None:
        self._part, self._run = part, run
        self._share: Callable[[float, int], object] = part.make(epochs)

    @property
    def recomputes(self) -> bool:
        """Whether statistics of norms are worked out anew for the average."""
        return self._part.record.recomputes

    @torch.no_grad()
    def move(self, program: nn.Module, epoch: float) -> None:
        """Move the average towards the weights.

        Args:
            program: the network, behind a step.
            epoch: how many epochs are done, whole at the end of one.

        Raises:
            DiagnosticError: E0721, the record's function gave a share that is none.
        """
        run = self._run
        share = self._part.ask(self._share, epoch, run.averaged)
        if share is None:
            return
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise broken_by(self._part, f"gave {share!r}, where a number from 0 to 1 is due, or None")
        weights = program.state_dict()
        if run.averaged == 0:
            run.average = {name: value.clone() for name, value in weights.items()}
        else:
            for name, value in weights.items():
                _move(run.average[name], value, share)
        run.averaged += 1


def _move(average: Tensor, value: Tensor, share: float) -> None:
    if average.is_floating_point():
        average.lerp_(value, share)
    else:
        average.copy_(value)
