"""Compares an ONNX file, run by ONNX Runtime, with the network in torch, output by output.

Torch itself is not imported here: it comes in as a `Reference`. Where outputs differ, `divergence.py` looks for the
layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from striate.graph import Graph
from striate.onnx.comparison import Difference, compare, is_finite, other_classes
from striate.onnx.divergence import ROUNDING, not_finite, other_values
from striate.onnx.runtime import OnnxSession
from striate.onnx.trials import Trial
from striate_dsl.diagnostics import DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]


class Reference(Protocol):
    """The network in another runtime, in evaluation mode; arrays have the batch axis in front."""

    def outputs(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs by name."""

    def values(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return every value of the graph by name."""


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification that went well.

    Attributes:
        runtime: the runtime and its version.
        trials: the inputs that were tried, in words.
        difference: the largest difference over all outputs and trials.
        other_classes: at how many places (images, or pixels of images) another channel was the largest. Within the
            tolerance only a tie can tip over.
    """

    runtime: str
    trials: tuple[str, ...]
    difference: Difference
    other_classes: int


def verify_content(
    content: bytes | str,
    graph: Graph,
    reference: Reference,
    trials: Sequence[Trial],
    tolerance: float,
    *,
    rounding: float = ROUNDING,
    as_written: bool = False,
) -> Verification:
    """Compare an ONNX file with the reference.

    Args:
        content: the bytes of the file, written from `graph`, or its path.
        graph: the network that was written; its values are among the reference's.
        reference: the network in torch.
        trials: the inputs to compare on.
        tolerance: the largest difference allowed, as a share of an output's largest entry.
        rounding: the relative difference that one layer's rounding makes.
        as_written: let ONNX Runtime leave the nodes as they are.

    Raises:
        DiagnosticError: ONNX Runtime is missing, cannot load or run the file, or gives other values; the finding
            names the first layer that differs.
    """
    session = OnnxSession(content, as_written=as_written)
    worst, tipped = Difference(0.0, 0.0), 0
    for trial in trials:
        expected, actual = reference.outputs(trial.inputs), session.run(trial.inputs)
        if not all(is_finite(values) for values in expected.values()):
            raise DiagnosticError(not_finite(graph, reference.values(trial.inputs), trial))
        for name, values in expected.items():
            difference = compare(values, actual[name])
            if not difference.relative <= tolerance:
                every = reference.values(trial.inputs)
                found = other_values(content, graph, every, trial, name, difference, tolerance, rounding)
                raise DiagnosticError(found)
            worst = worst.or_larger(difference)
            tipped += other_classes(values, actual[name])
    return Verification(session.name, tuple(trial.words for trial in trials), worst, tipped)
