"""A program that torch's own tools can record: its inputs have their names, and nothing is asked about their sizes.

What a `Program` checks before it runs are questions to Python, which a recording would answer once and for ever.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from striate.analysis.ends import NO_ENDS, Ends
from striate.lower.torch.ends import answers_of, network_input
from striate.lower.torch.program import Lookup, Program
from striate.lower.torch.weights import load_arrays

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph

_RESERVED = {"self", "inputs", "_"}


class Traceable(Program):
    """A network in evaluation, to be traced or exported by torch; parameters and buffers go by the graph's names."""

    def __init__(
        self,
        graph: Graph,
        lookup: Lookup,
        arrays: Mapping[str, np.ndarray[Any, Any]],
        ends: Ends = NO_ENDS,
    ) -> None:
        super().__init__(graph, lookup, channels_last=False)
        load_arrays(self, arrays)
        self._pixels = {item.name: item for item in ends.pixels}
        self._answers = {item.output: item for item in ends.answers}
        self.eval().requires_grad_(requires_grad=False)
        self.forward = self._named_forward()  # type: ignore[method-assign] # torch takes argument names from here

    def _named_forward(self) -> Callable[..., Tensor | dict[str, Tensor]]:
        names = argument_names(self.graph)

        def forward(*inputs: Tensor, **named: Tensor) -> Tensor | dict[str, Tensor]:
            given = (*inputs, *(named[name] for name in names[len(inputs) :]))
            return self._whole(given)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        forward.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        return forward

    def _whole(self, given: tuple[Tensor, ...]) -> Tensor | dict[str, Tensor]:
        """Return what the file gives: pixels prepared before the network, answers made of its scores."""
        inputs = tuple(
            network_input(tensor, self._pixels[item.value.name]) if item.value.name in self._pixels else tensor
            for item, tensor in zip(self.graph.inputs, given, strict=True)
        )
        values = self.run(inputs)
        made: dict[str, Tensor] = {}
        for output, value in self.graph.outputs.items():
            answer = self._answers.get(output)
            made |= {output: values[value]} if answer is None else answers_of(values[value], answer)
        return next(iter(made.values())) if len(made) == 1 else made

    def _check_inputs(self, inputs: tuple[Tensor, ...]) -> None:
        """Ask nothing: the file takes what the program takes, and the recording must not depend on the answer."""
        del inputs


def argument_names(graph: Graph) -> list[str]:
    """Return the inputs' names as arguments of a Python function; words of Python's own get an underscore behind them.

    Inputs are named in the language, whose names are names of Python too, but for Python's keywords.
    """
    names = [item.value.name for item in graph.inputs]
    taken = set(names)
    made: list[str] = []
    for name in names:
        called = name
        while keyword.iskeyword(called) or called in _RESERVED or (called != name and called in taken):
            called += "_"
        taken.add(called)
        made.append(called)
    return made
