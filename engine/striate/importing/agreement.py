"""Compares an imported network in torch with what it is from, in a runtime of its own, on random inputs.

Torch itself is not imported here: it comes in as a `Reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.importing.kinds import Original
from striate.onnx.comparison import Difference, compare
from striate.onnx.trials import Trial
from striate.onnx.verify import Reference
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]

TOLERANCE = 1e-4
"""The largest difference allowed, as a share of an output's largest entry."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison that went well: the runtime, the inputs that were tried in words, and the largest difference."""

    runtime: str
    trials: tuple[str, ...]
    difference: Difference


def compared(
    original: Original,
    reference: Reference,
    trials: Sequence[Trial],
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
) -> Agreement:
    """Compare a network with the one it was read from.

    Args:
        original: the network as it was.
        reference: the network in torch.
        trials: the inputs to compare on, by the network's names.
        inputs: the names of the inputs in the file, by the network's.
        outputs: the same for the outputs.

    Raises:
        DiagnosticError: the runtime cannot run the original; E0607, the results differ.
    """
    worst = Difference(0.0, 0.0)
    for trial in trials:
        expected = original.run({inputs[name]: values for name, values in trial.inputs.items()})
        actual = reference.outputs(trial.inputs)
        for ours, theirs in outputs.items():
            wanted = np.asarray(expected[theirs], dtype=np.float32)
            difference = compare(
                wanted, actual[ours].reshape(wanted.shape) if actual[ours].size == wanted.size else actual[ours]
            )
            if not difference.relative <= TOLERANCE:
                raise DiagnosticError(_other(original.name, ours, trial, difference))
            worst = worst.or_larger(difference)
    return Agreement(original.name, tuple(trial.words for trial in trials), worst)


def _other(runtime: str, output: str, trial: Trial, difference: Difference) -> Diagnostic:
    return Diagnostic(
        "E0607",
        f"the imported network computes something else in torch than the file in {runtime}",
        notes=(
            f"output {output}, {trial.words}: differs by up to {difference}; allowed is a relative {TOLERANCE:.0e}",
        ),
        help="nothing was written; this is a mistake in striate: report it with the file, if you can",
    )
