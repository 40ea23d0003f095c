"""Arrays by name to the tensors of a call, and what the call returned to arrays by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from striate.formats.subject import Array
from striate.graph import Graph


def tensors_of(graph: Graph, inputs: Mapping[str, Array]) -> tuple[Tensor, ...]:
    """Return the inputs of a network in their order."""
    return tuple(torch.from_numpy(np.ascontiguousarray(inputs[item.value.name])) for item in graph.inputs)


def arrays_of(outputs: Sequence[str], result: Tensor | Mapping[str, Tensor]) -> dict[str, Array]:
    """Return what a file gave by output name: one tensor is its only output."""
    named = {outputs[0]: result} if isinstance(result, Tensor) else result
    return {name: tensor.detach().numpy() for name, tensor in named.items()}
