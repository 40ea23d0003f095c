"""What is to be written as another runtime's file, and what its reader must be able to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.analysis.ends import NO_ENDS, Ends
from striate.dims.domain import Domain
from striate.graph import Graph
from striate.onnx.trials import Trial
from striate.ops.record import OpRecord

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Arrays: TypeAlias = Mapping[str, Array]
Runner: TypeAlias = Callable[[Arrays], Arrays]
"""A file that was loaded back: from arrays by input name, batch axis in front, to the outputs by name."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be written.

    Attributes:
        graph: the network, for evaluation.
        lookup: from a layer's name to its record.
        arrays: an array for every weight of the graph.
        domain: the legal sizes of the symbols in its inputs.
        trials: inputs at several batches and sizes; what a tool wants to see an example of is the last of them.
        opset: ONNX's operator set, for formats that are made from an ONNX file.
        ends: what the file does before and behind the network.
    """

    graph: Graph
    lookup: Callable[[str], OpRecord]
    arrays: Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]
    domain: Domain
    trials: Sequence[Trial]
    opset: int
    ends: Ends = NO_ENDS

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what the file gives: answers, and the network's outputs that stay as they are."""
        return self.ends.output_names(self.graph.outputs)

    @property
    def example(self) -> Mapping[str, Array]:
        """The largest of the trials: several images, and open sizes that differ from each other."""
        return self.trials[-1].inputs


@dataclass(frozen=True, slots=True)
class Converted:
    """A network in another format: the contents of its files by ending, and the file as its runtime loads it back."""

    files: Mapping[str, bytes]
    runner: Runner
    runtime: str


class RefusedError(Exception):
    """The tool of a format does not take the network; the message is what it says."""
