"""The network in torch with arrays in and out: what other runtimes are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from striate.lower.torch.program import Program

Array = np.ndarray[Any, np.dtype[np.float32]]


class ArrayReference:
    """A program in evaluation mode that takes and returns float32 arrays by name, batch axis in front."""

    def __init__(self, program: Program) -> None:
        self._program = program.eval()

    def outputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name.

        Raises:
            InputSizeError: the arrays are not of the sizes that the network takes.
        """
        values = self._run(inputs, keep=False)
        return {name: values[value] for name, value in self._program.graph.outputs.items()}

    def values(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return every value of the graph by name; raises like `outputs`."""
        return self._run(inputs, keep=True)

    def _run(self, inputs: Mapping[str, Array], *, keep: bool) -> dict[str, Array]:
        tensors = tuple(torch.from_numpy(inputs[item.value.name]) for item in self._program.graph.inputs)
        with torch.inference_mode():
            values = self._program.run(tensors, keep=keep)
            return {name: value.float().numpy() for name, value in values.items()}
