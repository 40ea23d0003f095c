"""Filling a program's weights: from the initialisers, or from named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from striate.lower.torch.program import Program
from striate.ops.initializers import start_values

if TYPE_CHECKING:
    import numpy as np


def initialise(program: Program, seed: int = 0) -> Program:
    """Give every weight its start, a function of the seed and the weight's name; returns the program."""
    return load_arrays(program, {name: start_values(weight, seed) for name, weight in program.graph.weights.items()})


def load_arrays(program: Program, arrays: Mapping[str, np.ndarray]) -> Program:
    """Copy arrays into the weights of the same names; returns the program.

    Raises:
        KeyError: a weight has no array.
        RuntimeError: an array has another size than its weight.
    """
    with torch.no_grad():
        for name, tensor in program.state_dict(keep_vars=True).items():
            tensor.copy_(torch.from_numpy(arrays[name]))
    return program
