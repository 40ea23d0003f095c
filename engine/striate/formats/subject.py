"""What is to be written as another runtime's file, and what its reader must be able to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.analysis.ends import NO_ENDS, Ends
from striate.onnx.trials import Trial
from striate.passes.network import Network

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Arrays: TypeAlias = Mapping[str, Array]
Runner: TypeAlias = Callable[[Arrays], Arrays]
"""A file that was loaded back: from arrays by input name, batch axis in front, to the outputs by name."""


@dataclass(frozen=True, slots=True)
class Subject(Network):
    """A network to be written: a `Network`, and what its tool needs to know beside.

    Attributes:
        trials: inputs at several batches and sizes; what a tool wants to see an example of is the last of them.
        opset: ONNX's operator set, for formats that are made from an ONNX file.
        ends: what the file does before and behind the network.
    """

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
    """A network in another format.

    Attributes:
        files: the contents of its files by ending, e.g. `{".xml": …, ".bin": …}`.
        runner: the file as its runtime loads it back: from arrays by input name to arrays by output name.
        runtime: the runtime and its version, in words.
    """

    files: Mapping[str, bytes]
    runner: Runner
    runtime: str


class RefusedError(Exception):
    """A format cannot hold a network, or a method cannot explain an answer; the message says why."""
