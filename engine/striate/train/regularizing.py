"""A recipe's regularisers at work: terms of the loss, and changes to the weights after every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from striate.host.records import RegularizerRecord
from striate.host.weight_info import RegularizedWeight, weight_infos
from striate.lower.torch import Program
from striate.train.failures import against_terms, blamed
from striate.train.parts import Part
from striate.train.recipe import Recipe
from striate.train.weight_parts import weights_of


@dataclass(frozen=True, slots=True)
class _Working:
    """One regulariser with the names of its weights, and the axis of the output channels of each."""

    part: Part[RegularizerRecord]
    function: Callable[[tuple[RegularizedWeight, ...]], Any]
    axes: dict[str, int]


class Regularizers:
    """The regularisers of a recipe for the weights of a program, which it looks up anew at every step.

    Raises:
        DiagnosticError: E0507, a regulariser refuses its arguments.
    """

    def __init__(self, program: Program, recipe: Recipe) -> None:
        self._program = program
        infos = weight_infos(program.graph) if recipe.regularize else {}
        self._terms: list[_Working] = []
        self._changes: list[_Working] = []
        for part in recipe.regularize:
            with blamed(part, "begin"):
                function = part.make()
            names = weights_of(part, program.graph)
            working = _Working(part, function, {name: infos[name].output_axis for name in names})
            (self._changes if part.record.after_step else self._terms).append(working)

    @property
    def changes_weights(self) -> bool:
        """Whether there is anything to do after a step."""
        return bool(self._changes)

    def penalty(self) -> Tensor | None:
        """Return the sum of the terms, a function of the weights; None where there are none.

        Raises:
            DiagnosticError: E0507, E0720, a regulariser fails; E0721, it gives something else than one number.
        """
        total: Tensor | None = None
        for item in self._terms:
            weights = self._weights(item)
            # In float32, whatever the network computes in: the sum over many weights is not to be rounded coarsely.
            with torch.autocast(weights[0].tensor.device.type, enabled=False), blamed(item.part, "be worked out"):
                term = item.function(weights)
            if not isinstance(term, Tensor) or term.dim() > 0:
                raise against_terms(item.part, "gave no scalar tensor")
            total = term if total is None else total + term
        return total

    def try_out(self) -> None:
        """Run everything once, and leave the weights as they are.

        Raises:
            DiagnosticError: E0507, a regulariser fails.
        """
        self.penalty()
        names = {name for item in self._changes for name in item.axes}
        before = {name: values.detach().clone() for name, values in self._program.named_parameters() if name in names}
        self.after_step()
        with torch.no_grad():
            for name, values in self._program.named_parameters():
                if name in before:
                    values.copy_(before[name])

    def after_step(self) -> None:
        """Change the weights as the regularisers want that work after a step.

        Raises:
            DiagnosticError: E0507, one fails.
        """
        with torch.no_grad():
            for item in self._changes:
                with blamed(item.part, "change the weights"):
                    item.function(self._weights(item))

    def _weights(self, item: _Working) -> tuple[RegularizedWeight, ...]:
        parameters = dict(self._program.named_parameters())
        return tuple(RegularizedWeight(name, parameters[name], axis) for name, axis in item.axes.items())
