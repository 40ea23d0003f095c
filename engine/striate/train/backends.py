"""A back end's function of arrays as one of tensors, for whoever measures or applies networks in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from striate.graph import Graph

Array = np.ndarray[Any, Any]
Run: TypeAlias = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""A back end's function: from arrays by input name to arrays by output name."""


def of_tensors(run: Run, graph: Graph) -> Callable[[Tensor], Tensor]:
    """Return a back end's function as one from a batch `N x C x H x W` to the output, both on the processor.

    Args:
        run: the back end's function.
        graph: the network that it computes; it has one input and one output.
    """
    source, output = graph.inputs[0].value.name, next(iter(graph.outputs))

    def program(images: Tensor) -> Tensor:
        given = run({source: np.ascontiguousarray(images.cpu().numpy())})[output]
        return torch.from_numpy(np.asarray(given, dtype=np.float32))

    return program
